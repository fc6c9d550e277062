"""The front page and a talk's page, whole and in the parts that are read again when something happens."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.conversations import overview, recusing, whispering
from sms_gateway.database import transaction
from sms_gateway.operators import presence, roster
from sms_gateway.operators.models import Role

from . import colleagues_view, holds, pages, talk_beside
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
    async with transaction() as session:
        view = await load_view(session, request, talk_id, seat)
        await presence.note(session, operator_id=seat.operator.id, what="open_talk", subject=f"thread:{talk_id}")
        if seat.is_supervisor:
            await whispering.listen(session, thread_id=talk_id, operator=seat.operator)
        found = await overview.load_board(session, operator_id=seat.operator.id)
        held, may_hold = await holds.load_over(session, seat, view.page.thread.contact_id)
    return pages.render("talk.html", seat=seat, view=view, board=found, talk_id=talk_id, held=held, may_hold=may_hold)


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
    """Everything the page of that talk shows; raises `TalkNotFound`."""
    found = await overview.load_talk(session, talk_id)
    looking = board(request).viewers.of(talk_id) - {seat.operator.id}
    others = await roster.name_operators(session, looking)
    supervisors = [one for one in await presence.list_on_duty(session) if one.role == Role.SUPERVISOR]
    view = TalkView(found, seat, sorted(others.values(), key=lambda one: one.badge), supervisors)
    beside = await talk_beside.load(session, found, view.place)
    if beside.called and len(await recusing.open_of(session, seat.operator.id, found.tickets)) < len(found.tickets):
        beside = replace(beside, called="")  # another reporter's child, whose name a person told this operator knows
    return replace(view, beside=beside, colleagues=await colleagues_view.load(session, talk_id, seat))
