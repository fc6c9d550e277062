"""A draft's page: a form that says at once what is still missing, then a second person's yes or no."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import logs
from sms_gateway.conversations import recusing
from sms_gateway.database import transaction
from sms_gateway.handbook import asked, drafts, overview
from sms_gateway.handbook.draft_form import PLAIN, SOURCE_FIELDS, problems_of, typed
from sms_gateway.handbook.draft_form import Form as DraftForm
from sms_gateway.handbook.lifecycle import OPEN, State, is_second_person
from sms_gateway.handbook.live import Handbook
from sms_gateway.handbook.models import Draft
from sms_gateway.messages.segments import segments, units
from sms_gateway.operators import presence, roster
from sms_gateway.wording import SIGNATURE

from . import pages
from .handbook_room import newest, tab_counts
from .ids import LARGEST, Id
from .seat import DecidingHandbook, Seat, SeeingGaps, WritingHandbook

log = logs.get("console")
router = APIRouter(prefix="/handbook/drafts")

SHOWN = {"open": tuple(OPEN), "proposed": (State.PROPOSED,), "done": (State.APPROVED, State.RETIRED)}
TABS = {"open": "在写的", "proposed": "等人审", "done": "办完的"}
Version = Annotated[int, Form(ge=1, le=LARGEST)]


@router.get("")
async def show_drafts(seat: SeeingGaps, show: Annotated[str, Query()] = "open") -> Response:
    """The list."""
    show = show if show in SHOWN else "open"
    async with transaction() as session:
        shut = set(await session.scalars(recusing.drafts_shut_to(seat.operator.id)))
        rows = [row for row in await drafts.list_drafts(session, states=SHOWN[show]) if row.id not in shut]
        people = await roster.name_operators(session, {person for row in rows for person in row.writers})
    counts = await tab_counts()
    return pages.render(
        "handbook_drafts.html", seat=seat, rows=rows, show=show, tabs=TABS, people=people, counts=counts
    )


@router.get("/{draft_id}")
async def show_draft(request: Request, draft_id: Id, seat: SeeingGaps) -> Response:
    """The form while it is written, the reading view once it is proposed."""
    book = await newest(request)
    async with transaction() as session:
        view = await _view(session, draft_id, seat, book)
    writing = view["draft"].state in (State.DRAFT, State.REJECTED)
    name = "handbook_draft.html" if writing else "handbook_review.html"
    return pages.render(name, seat=seat, counts=await tab_counts(), **view, **await _check(view["form"], book))


async def _view(session: AsyncSession, draft_id: int, seat: Seat, book: Handbook) -> dict[str, Any]:
    draft = await drafts.get(session, draft_id)
    events = await drafts.list_events(session, draft_id)
    people = await roster.name_operators(session, {*draft.writers, *(event.operator_id for event in events)})
    rows = await asked.list_of_draft(session, draft_id)
    return {
        "draft": draft, "form": draft.content, "events": events, "people": people,
        "questions": [overview.question_of(row, book) for row in rows],
        "second": is_second_person(seat.operator.id, writers=frozenset(draft.writers)),
        "before": book.entry(draft.replaces) if draft.replaces else None,
    }  # fmt: skip


async def _check(form: DraftForm, book: Handbook) -> dict[str, Any]:
    """What is still to be done, what is near it already, and the text message as it arrives."""
    whole = SIGNATURE + form["short"]
    problems = problems_of(form)
    clashing = drafts.clashes(form, [entry for entry in book.entries if entry.id != form["id"]])
    if clashing:
        problems["variants"] = [*problems.get("variants", []), *clashing]
    return {
        "problems": problems, "near": await overview.near(form["question"], book, but=form["id"]),
        "whole": whole, "units": units(whole), "segments": segments(whole),
    }  # fmt: skip


async def _typed(request: Request, draft: Draft) -> DraftForm:
    said = await request.form()
    rows = {name: [str(cell) for cell in said.getlist(f"source_{name}")] for name in SOURCE_FIELDS}
    return typed({name: said.get(name, "") for name in PLAIN}, rows, before=draft.content)


@router.post("/{draft_id}/check")
async def check(request: Request, draft_id: Id, seat: WritingHandbook) -> Response:  # noqa: ARG001 - the permission
    """While somebody types: the same checks that a proposal must pass. Nothing is kept."""
    async with transaction() as session:
        draft = await drafts.get(session, draft_id)
    form = await _typed(request, draft)
    return pages.render("_draft_check.html", form=form, again=True, **await _check(form, await newest(request)))


@router.post("/{draft_id}/save")
async def save(request: Request, draft_id: Id, seat: WritingHandbook, version: Version) -> Response:
    async with transaction() as session:
        form = await _typed(request, await drafts.get(session, draft_id))
        await drafts.save(session, draft_id=draft_id, operator_id=seat.operator.id, version=version, form=form)
    return _to(draft_id)


@router.post("/{draft_id}/propose")
async def propose(request: Request, draft_id: Id, seat: WritingHandbook, version: Version) -> Response:
    """Save, and hand it to a second person; what is not ready is saved and shown again with what is missing."""
    book = await newest(request)
    async with transaction() as session:
        form = await _typed(request, await drafts.get(session, draft_id))
    try:
        async with transaction() as session:
            await drafts.propose(
                session,
                draft_id=draft_id,
                operator_id=seat.operator.id,
                version=version,
                form=form,
                others=book.entries,
            )
            await _note(session, seat, "propose_entry", draft_id)
    except drafts.DraftIsNotReady:
        async with transaction() as session:
            await drafts.save(session, draft_id=draft_id, operator_id=seat.operator.id, version=version, form=form)
    return _to(draft_id)


@router.post("/{draft_id}/withdraw")
async def withdraw(draft_id: Id, seat: WritingHandbook) -> Response:
    async with transaction() as session:
        await drafts.withdraw(session, draft_id=draft_id, operator_id=seat.operator.id)
    return _to(draft_id)


@router.post("/{draft_id}/throw-away")
async def throw_away(draft_id: Id, seat: WritingHandbook) -> Response:
    async with transaction() as session:
        await drafts.throw_away(session, draft_id=draft_id, operator_id=seat.operator.id)
    return RedirectResponse("/handbook/gaps", status_code=303)


@router.post("/{draft_id}/reject")
async def reject(draft_id: Id, seat: DecidingHandbook, reason: Annotated[str, Form()] = "") -> Response:
    async with transaction() as session:
        await drafts.reject(session, draft_id=draft_id, operator_id=seat.operator.id, reason=reason)
        await _note(session, seat, "reject_entry", draft_id)
    return _to(draft_id)


@router.post("/{draft_id}/approve")
async def approve(request: Request, draft_id: Id, seat: DecidingHandbook, version: Version) -> Response:
    """A second person's yes: from now on it is answered, in every process."""
    book = await newest(request)
    async with transaction() as session:
        await drafts.approve(
            session, draft_id=draft_id, operator_id=seat.operator.id, version=version, others=book.entries
        )
        await _note(session, seat, "approve_entry", draft_id)
    log.info("entry_approved", draft=draft_id, operator=seat.operator.id)
    return _to(draft_id)


async def _note(session: AsyncSession, seat: Seat, what: str, draft_id: int) -> None:
    await presence.note(session, operator_id=seat.operator.id, what=what, subject=f"draft:{draft_id}")


def _to(draft_id: int) -> Response:
    return RedirectResponse(f"/handbook/drafts/{draft_id}", status_code=303)
