"""交接班: what stands, what is left to the next shift, who took it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from sms_gateway.conversations import shift_state
from sms_gateway.database import transaction
from sms_gateway.operators import roster, shifts

from . import pages
from .follow import mark_name
from .ids import Id
from .seat import HandingShift
from .ticket_room import done

router = APIRouter()
PAGE = "/handover"
NEXT_STEPS = {
    "ringing": "没人接：先接手", "acknowledged": "接了还没接通：说第一句", "in_contact": "问清在哪，交给 110 等", "handed_over": "每 30 分钟问接警方见到孩子没有（不问孩子）",
    "child_seen": "见到了：写结果，回看有没有约好", "lost_contact": "断了联系：照记录里的下一步找，不往手机上催",
}  # fmt: skip
BRIDGE_STATES = {"requested": "还没接收", "failed": "没接通、没接收"}
LEFT = {"threads": "红橙会话", "bridge": "转接", "tickets": "超时工单", "posts": "变红的值守电话", "look_backs": "回看"}
Words = Annotated[str, Form(max_length=8000)]


@router.get(PAGE)
async def show_shift(seat: HandingShift) -> Response:
    """What stands now, the form to hand it on, and the last fourteen days."""
    async with transaction() as session:
        state = await shift_state.load(session, seat.operator)
        recent = await shifts.list_recent(session)
        people = {one.written_by for one in recent} | {one.taken_by for one in recent if one.taken_by}
        named = await roster.name_operators(session, people)
    return pages.render(
        "handover.html", seat=seat, state=state, named=named, steps=NEXT_STEPS, bridge_states=BRIDGE_STATES, left=LEFT, mark_name=mark_name,
        waiting=[one for one in recent if one.taken_by is None], taken=[one for one in recent if one.taken_by is not None],
    )  # fmt: skip


@router.post(f"{PAGE}/write")
async def hand_over(request: Request, seat: HandingShift, words: Words = "", promised: Words = "") -> Response:
    """交班: written down with everything that is open right now."""
    async with transaction() as session:
        state = await shift_state.load(session, seat.operator)
        await shifts.hand_over(
            session, operator_id=seat.operator.id, words=words, promised=promised, left_open=state.left_open()
        )
    return done(request, PAGE)


@router.post(PAGE + "/{shift_id}/take")
async def take(request: Request, shift_id: Id, seat: HandingShift) -> Response:
    """接班: signed by somebody else."""
    async with transaction() as session:
        await shifts.take(session, shift_id, operator_id=seat.operator.id)
    return done(request, PAGE)
