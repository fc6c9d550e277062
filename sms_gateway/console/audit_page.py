"""留痕: who read or did what, when and why, for supervisors; and a year of it as a file. Looking here is written down too."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.conversations import recusing
from sms_gateway.database import transaction
from sms_gateway.errors import BadInput, HotlineError
from sms_gateway.operators import audit_reading, presence
from sms_gateway.operators.models import AuditRow, Operator
from sms_gateway.operators.reach import region_of
from sms_gateway.settings import get_settings
from sms_gateway.tickets import export, scope
from sms_gateway.tickets.models import Ticket

from . import audit_file, audit_names, audit_view, pages, words
from .ids import is_id
from .seat import ExportingAudit, Seat, SeeingAudit

router = APIRouter(prefix="/audit")
CHUNK = 64 * 1024

FILTERS = ("by", "what", "kind", "number", "since", "until")


class SomebodyElseExports(HotlineError):
    """A year names every matter: who is shut out from one, or kept to a region, may not have it whole."""

    status_code = 403
    sentence = "导出的是全省全年的留痕：只管一个地区的、说过“我认识这家人”的，请另一位值班长导出。"


@router.get("")
async def show_audit(request: Request, seat: SeeingAudit) -> Response:
    """A page of it, the newest first."""
    asked = request.query_params
    before = int(asked["before"]) if is_id(asked.get("before", "")) else None
    async with transaction() as session:
        ticket_id = await _ticket_of(session, asked.get("number", ""))
        wanted, unread = audit_view.read_wanted(asked, ticket_id=ticket_id)
        within = await open_to(session, seat)
        rows = list(await audit_reading.list_rows(session, wanted, within=within, before=before))
        everybody = list(await session.scalars(select(Operator).order_by(Operator.badge)))
        numbers = await _numbers(session, audit_view.ticket_ids(rows))
        names = await audit_names.known(session, {row.subject for row in rows})
        detail = audit_view.asked_for(wanted)
        await presence.note(session, operator_id=seat.operator.id, what="open_audit", subject="audit", detail=detail)
    kept = {name: asked[name] for name in FILTERS if asked.get(name)}
    more = urlencode({**kept, "before": rows[-1].id}) if len(rows) == audit_reading.PAGE else None
    return pages.render(
        "audit.html", seat=seat, rows=rows, asked=kept, unread=unread, more=more, older=before is not None, first=urlencode(kept),
        people=everybody, named={one.id: one for one in everybody}, numbers=numbers, names=names, view=audit_view, acts=_acts(),
        years=range(clock.shanghai(clock.now()).year, audit_file.FIRST_YEAR - 1, -1), fewest=export.FEWEST_REASON, longest=export.LONGEST_REASON,
    )  # fmt: skip


@router.post("/export")
async def export_year(
    seat: ExportingAudit,
    year: Annotated[int, Form(ge=audit_file.FIRST_YEAR, le=2100)],
    reason: Annotated[str, Form()] = "",
) -> Response:
    """A year as one ZIP. Raises `ReasonIsMissing` (422), `SomebodyElseExports` (403)."""
    why = export.checked_reason(reason)
    if year > clock.shanghai(clock.now()).year:
        raise BadInput("这一年还没有到。")
    async with transaction() as session:
        shut = await session.scalar(recusing.shut_to(seat.operator.id).limit(1))
        if shut is not None or region_of(seat.operator.unit) is not None:
            raise SomebodyElseExports
    folder = Path(tempfile.mkdtemp(prefix="audit-", dir=get_settings().data_dir))
    try:
        made = await audit_file.make(folder, year, by=f"工号 {seat.operator.badge}")
        async with transaction() as session:
            detail = f"{why}，文件 SHA-256 {made.sha256}"
            subject = f"audit:{year}"
            await presence.note(
                session, operator_id=seat.operator.id, what="export_audit", subject=subject, detail=detail
            )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    headers = {"Content-Disposition": f'attachment; filename="{made.path.name}"', "X-SHA256": made.sha256}
    return StreamingResponse(_read_and_remove(made.path), media_type="application/zip", headers=headers)


async def open_to(session: AsyncSession, seat: Seat) -> ColumnElement[bool]:
    """Which rows this supervisor may see: no matter that is shut to them; of one region only its own people's acts."""
    open_to = recusing.audit_open_to(seat.operator.id)
    region = region_of(seat.operator.unit)
    if region is None:
        return open_to
    people = await session.execute(select(Operator.id, Operator.unit))
    theirs = [id_ for id_, unit in people if (at := region_of(unit)) is not None and scope.lies_in(at, region)]
    return and_(open_to, AuditRow.operator_id.in_(theirs))


async def _ticket_of(session: AsyncSession, number: str) -> int | None:
    """The ticket that people know by that number."""
    written = number.strip()
    return await session.scalar(select(Ticket.id).where(Ticket.number == written)) if written else None


async def _numbers(session: AsyncSession, ids: list[int]) -> dict[int, str]:
    found = await session.execute(select(Ticket.id, Ticket.number).where(Ticket.id.in_(ids))) if ids else ()
    return {row.id: row.number for row in found}


def _acts() -> list[tuple[str, str]]:
    """Every act by its word; those of the same word once."""
    return sorted(words.AUDIT.items(), key=lambda one: one[1])


async def _read_and_remove(path: Path) -> AsyncIterator[bytes]:
    try:
        with path.open("rb") as file:
            while piece := await asyncio.to_thread(file.read, CHUNK):
                yield piece
    finally:
        shutil.rmtree(path.parent, ignore_errors=True)
