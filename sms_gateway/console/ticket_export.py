"""A list as a file: asked for with a reason, which the audit keeps before the first row leaves; streamed in short transactions."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import ColumnElement

from sms_gateway import clock, logs
from sms_gateway.conversations import recusing
from sms_gateway.database import transaction
from sms_gateway.operators import presence
from sms_gateway.settings import get_settings
from sms_gateway.tickets import export, filters, listing
from sms_gateway.tickets.export import Cell, Names, Sheet
from sms_gateway.tickets.filters import Filter

from . import pages, words
from .seat import ExportingTickets, Seat

log = logs.get("console")
router = APIRouter()

NAMES = Names(words.KINDS, words.LANES, words.STATUSES, words.LEVELS)
CHUNK = 64 * 1024
KINDS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}  # fmt: skip


@router.get("/tickets/export")
async def show_export(request: Request, seat: ExportingTickets) -> Response:
    """What would be exported, and the form that asks why."""
    wanted = Filter.from_query(request.query_params)
    async with transaction() as session:
        count = await listing.count(session, wanted, within=_within(seat), up_to=export.MOST)
    return pages.render(
        "ticket_export.html", seat=seat, wanted=wanted, count=count, most=export.MOST, titles=export.TITLES,
        fewest=export.FEWEST_REASON, longest=export.LONGEST_REASON,
    )  # fmt: skip


@router.post("/tickets/export")
async def export_list(
    request: Request, seat: ExportingTickets, reason: Annotated[str, Form()] = "", kind: Annotated[str, Form()] = "xlsx",
    with_words: Annotated[str, Form()] = "",
) -> Response:  # fmt: skip
    """The file. Raises `ReasonIsMissing` (422)."""
    form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    wanted, why = Filter.from_query(form), export.checked_reason(reason)
    kind = kind if kind in KINDS else "xlsx"
    async with transaction() as session:
        detail = f"{why}\n{wanted.href()}{' 含内容' if with_words else ''}"
        subject = f"export:{kind}"
        await presence.note(session, operator_id=seat.operator.id, what="export", subject=subject, detail=detail)
    log.info("tickets_exported", operator=seat.operator.id, kind=kind)
    rows = _rows(wanted, _within(seat), with_words=bool(with_words))
    name = f"tickets-{clock.shanghai(clock.now()):%Y%m%d-%H%M}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    if kind == "csv":
        return StreamingResponse(_as_csv(rows), media_type=KINDS[kind], headers=headers)
    folder = await _as_xlsx(rows)
    return StreamingResponse(_read_and_remove(folder), media_type=KINDS[kind], headers=headers)


def _within(seat: Seat) -> ColumnElement[bool]:
    """What this account may see, but for families it knows."""
    return filters.reach(seat.operator.role, seat.operator.unit) & recusing.tickets_open_to(seat.operator.id)


async def _rows(wanted: Filter, within: ColumnElement[bool], *, with_words: bool) -> AsyncIterator[list[list[Cell]]]:
    """Titles, then batches of rows; a transaction each, so that a slow reader holds nothing open."""
    yield [[*export.TITLES, *([export.WORDS_TITLE] if with_words else [])]]
    before, left, now = None, export.MOST, clock.now()
    while left > 0:
        async with transaction() as session:
            found = await export.batch(session, wanted, within=within, before=before, limit=min(export.BATCH, left))
        if not found:
            return
        yield await asyncio.to_thread(_cells, found, now, with_words)
        before, left = found[-1][0].id, left - len(found)
    async with transaction() as session:
        if await export.batch(session, wanted, within=within, before=before, limit=1):
            yield [[export.CUT]]


def _cells(found: list[tuple[Any, bool]], now: Any, with_words: bool) -> list[list[Cell]]:
    return [export.cells(ticket, NAMES, sensitive=secret, with_words=with_words, now=now) for ticket, secret in found]


async def _as_csv(rows: AsyncIterator[list[list[Cell]]]) -> AsyncIterator[bytes]:
    first = True
    async for batch in rows:
        yield export.csv_lines(batch, first=first)
        first = False


async def _as_xlsx(rows: AsyncIterator[list[list[Cell]]]) -> Path:
    """The folder the file is in: ours alone, under the data folder, removed once it is read."""
    folder = Path(tempfile.mkdtemp(prefix="export-", dir=get_settings().data_dir))
    try:
        with Sheet(folder / "tickets.xlsx") as sheet:
            async for batch in rows:
                await asyncio.to_thread(sheet.write, batch)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


async def _read_and_remove(folder: Path) -> AsyncIterator[bytes]:
    try:
        with (folder / "tickets.xlsx").open("rb") as file:
            while piece := await asyncio.to_thread(file.read, CHUNK):
                yield piece
    finally:
        shutil.rmtree(folder, ignore_errors=True)
