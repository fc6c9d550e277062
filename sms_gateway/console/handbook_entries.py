"""问答: entries past their review date, approved ones, all of them; one entry with its versions, taken out of use."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse

from sms_gateway import logs
from sms_gateway.database import transaction
from sms_gateway.handbook import drafts, overview, published
from sms_gateway.handbook.published import EntryNotFound
from sms_gateway.operators import presence, roster

from . import pages
from .handbook_room import file_ids, newest, tab_counts, today
from .seat import SeeingGaps, WritingHandbook

log = logs.get("console")
router = APIRouter(prefix="/handbook/entries")

TABS = {"late": "该复核的", "approved": "审过的", "all": "全部"}
MOST = 30
EntryId = Annotated[str, Path(max_length=80, pattern="^[a-z0-9-]+$")]


@router.get("")
async def show_entries(request: Request, seat: SeeingGaps, show: str = "late", q: str = "") -> Response:
    """The list; `q` finds by meaning."""
    show, q = show if show in TABS else "late", q.strip()[:200]
    book = await newest(request)
    async with transaction() as session:
        live = {row.entry_id: row for row in await published.list_live(session)}
    late = overview.past_review(book, today())
    if q:
        rows = [near.entry for near in await overview.near(q, book, count=MOST)]
    elif show == "late":
        rows = late
    else:
        rows = [entry for entry in book.entries if show == "all" or entry.id in live]
    silenced = [row for row in live.values() if row.content_sealed is None]
    numbers = {"late": len(late), "approved": len(live) - len(silenced), "all": len(book.entries)}
    return pages.render(
        "handbook_entries.html", seat=seat, rows=rows, show="" if q else show, tabs=TABS, numbers=numbers, q=q, live=live,
        silenced=silenced if show == "approved" and not q else [], today=today(), counts=await tab_counts(),
    )  # fmt: skip


@router.get("/{entry_id}")
async def show_entry(request: Request, entry_id: EntryId, seat: SeeingGaps) -> Response:
    """One entry as it is answered today, and its versions."""
    book = await newest(request)
    entry = book.entry(entry_id)
    async with transaction() as session:
        versions = await published.list_versions(session, entry_id)
        ids = {person for row in versions for person in (row.approved_by, row.retired_by) if person is not None}
        people = await roster.name_operators(session, ids)
    if entry is None and not versions:
        raise EntryNotFound
    return pages.render(
        "handbook_entry.html", seat=seat, entry_id=entry_id, entry=entry, versions=versions, people=people,
        said=overview.said_today(entry, today()) if entry else "", late=entry is not None and entry.is_past_review(today()),
        from_file=entry_id in file_ids(request), counts=await tab_counts(),
        silenced=any(row.retired_at is None and row.content_sealed is None for row in versions),
    )  # fmt: skip


@router.post("/{entry_id}/retire")
async def retire(request: Request, entry_id: EntryId, seat: WritingHandbook) -> Response:
    """No longer answered, from now on."""
    await newest(request)
    async with transaction() as session:
        await drafts.retire_entry(
            session, entry_id=entry_id, operator_id=seat.operator.id, has_file=entry_id in file_ids(request)
        )
        await presence.note(session, operator_id=seat.operator.id, what="retire_entry", subject=_subject(entry_id))
    log.info("entry_retired", operator=seat.operator.id)
    where = f"/handbook/entries/{entry_id}"
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"HX-Redirect": where})
    return RedirectResponse(where, status_code=303)


@router.post("/{entry_id}/restore")
async def restore(entry_id: EntryId, seat: WritingHandbook) -> Response:
    """The file's entry is answered again."""
    async with transaction() as session:
        await published.restore_file(session, entry_id=entry_id, operator_id=seat.operator.id)
        await presence.note(session, operator_id=seat.operator.id, what="restore_entry", subject=_subject(entry_id))
    return RedirectResponse(f"/handbook/entries/{entry_id}", status_code=303)


def _subject(entry_id: str) -> str:
    return f"entry:{entry_id}"[:40]
