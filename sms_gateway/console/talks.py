"""The front page and a talk's page, whole and in the parts that are read again when something happens."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.conversations import openings, overview, recusing, talk, whispering
from sms_gateway.conversations.overview import TalkPage
from sms_gateway.conversations.ownership import Owner
from sms_gateway.database import transaction
from sms_gateway.escalations import service as escalations
from sms_gateway.operators import presence, roster
from sms_gateway.operators.models import Role

from . import colleagues_view, holds, pages, reasons, talk_beside
from .ids import Id, TalkInQuery
from .live import board
from .seat import BeingHome, Seat, SeeingTalk, WatchingQueue, WatchingTalk
from .talk_view import TalkView

router = APIRouter()


@router.get("/")
async def show_queue(seat: BeingHome) -> Response:
    """The queue; whose work is elsewhere is led there."""
    if seat.home != "/":
        return RedirectResponse(seat.home, status_code=303)
    return await _queue("queue.html", seat)


@router.get("/queue/part")
async def show_queue_again(seat: WatchingQueue) -> Response:
    return await _queue("_board.html", seat)


@router.get("/queue/rail")
async def show_rail(seat: WatchingQueue, talk: TalkInQuery = None) -> Response:
    return await _queue("_rail.html", seat, talk or 0)


async def _queue(template: str, seat: Seat, talk_id: int = 0) -> Response:
    async with transaction() as session:
        found = await overview.load_board(session, operator_id=seat.operator.id)
        on_duty = await presence.list_on_duty(session)
    return pages.render(template, seat=seat, board=found, on_duty=on_duty, talk_id=talk_id)


@router.get("/talks/{talk_id}")
async def show_talk(request: Request, talk_id: Id, seat: SeeingTalk) -> Response:
    """The whole page; opening it is written into the audit."""
    try:
        return await _show_talk(request, talk_id, seat)
    except openings.TalkIsShut as shut:
        async with transaction() as session:
            thread = await talk.get_talk(session, talk_id)
            called = await escalations.find_open(session, talk_id) is not None
        waits = thread.owner == Owner.WAITING or (called and thread.owner != Owner.OPERATOR)
        return pages.render("talk_shut.html", seat=seat, talk_id=talk_id, sentence=shut.sentence, waits=waits)


async def _show_talk(request: Request, talk_id: int, seat: Seat) -> Response:
    async with transaction() as session:
        view = await load_view(session, request, talk_id, seat)
        why = reasons.by_itself(view.lane, on_duty=seat.operator.on_duty, is_open=view.danger)
        why = why or (reasons.IN_HAND if _is_mine(view.page, seat) else None)
        await presence.note(
            session, operator_id=seat.operator.id, what="open_talk", subject=f"thread:{talk_id}", detail=why
        )
        if seat.is_supervisor:
            await whispering.listen(session, thread_id=talk_id, operator=seat.operator)
        found = await overview.load_board(session, operator_id=seat.operator.id)
        held, may_hold = await holds.load_over(session, seat, view.page.thread.contact_id)
    return pages.render("talk.html", seat=seat, view=view, board=found, talk_id=talk_id, held=held, may_hold=may_hold)


@router.post("/talks/{talk_id}/open")
async def open_talk(
    talk_id: Id, seat: SeeingTalk, why: Annotated[str, Form(max_length=16)] = "", words: Annotated[str, Form(max_length=400)] = ""
) -> Response:  # fmt: skip
    """A talk that called nobody, for two hours; the audit keeps why. Raises `SayWhy`."""
    reason = reasons.said_why(why, words, among=reasons.FOR_A_TALK)
    async with transaction() as session:
        await overview.load_talk(session, talk_id)
        await openings.open_up(session, operator_id=seat.operator.id, thread_id=talk_id)
        subject = f"thread:{talk_id}"
        await presence.note(
            session, operator_id=seat.operator.id, what="open_shut_talk", subject=subject, detail=reason
        )
    return RedirectResponse(f"/talks/{talk_id}", status_code=303)


@router.get("/talks/{talk_id}/live")
async def show_talk_again(request: Request, talk_id: Id, seat: WatchingTalk) -> Response:
    """The parts of the page that change."""
    return await live_parts(request, talk_id, seat)


async def live_parts(request: Request, talk_id: int, seat: Seat) -> Response:
    """The changing parts, each to be put in its place."""
    async with transaction() as session:
        view = await load_view(session, request, talk_id, seat)
    return pages.render("_talk_live.html", seat=seat, view=view, again=True)


async def load_view(session: AsyncSession, request: Request, talk_id: int, seat: Seat) -> TalkView:
    """Everything the page of that talk shows; raises `TalkNotFound`, `TalkIsShut`."""
    found = await overview.load_talk(session, talk_id)
    await _check_open(session, found, seat)
    looking = board(request).viewers.of(talk_id) - {seat.operator.id}
    others = await roster.name_operators(session, looking)
    supervisors = [one for one in await presence.list_on_duty(session) if one.role == Role.SUPERVISOR]
    view = TalkView(found, seat, sorted(others.values(), key=lambda one: one.badge), supervisors)
    beside = await talk_beside.load(session, found, view.place)
    if beside.called and len(await recusing.open_of(session, seat.operator.id, found.tickets)) < len(found.tickets):
        beside = replace(beside, called="")  # another reporter's child, whose name a person told this operator knows
    return replace(view, beside=beside, colleagues=await colleagues_view.load(session, talk_id, seat))


async def _check_open(session: AsyncSession, found: TalkPage, seat: Seat) -> None:
    """Raises `TalkIsShut` for a talk that is not theirs, is no danger on their duty, and for which no reason was said."""
    who = {"operator_id": seat.operator.id, "thread_id": found.thread.id}
    call = found.escalation
    reason = openings.has_reason(
        mine=_is_mine(found, seat), offered=await openings.is_offered(session, **who), on_duty=seat.operator.on_duty,
        danger=call is not None and call.lane in reasons.BY_ITSELF,
    )  # fmt: skip
    await openings.check(session, **who, reason=reason)


def _is_mine(found: TalkPage, seat: Seat) -> bool:
    return found.thread.owner == Owner.OPERATOR and found.thread.operator_id == seat.operator.id
