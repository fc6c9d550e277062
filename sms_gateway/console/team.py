"""The supervisor's wall: who is on and how busy, what waits, what went wrong; live. Below it, what was done."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.contacts.models import Channel
from sms_gateway.conversations import overview, team_wall
from sms_gateway.database import transaction
from sms_gateway.operators import pauses, presence, roster
from sms_gateway.operators.reach import region_of
from sms_gateway.settings import get_settings

from . import audit_page, pages
from .colleagues_view import on_break
from .seat import Seat, SeeingTeam, WatchingTeam

router = APIRouter()


@router.get("/team")
async def show_team(seat: SeeingTeam) -> Response:
    """The wall, and the newest audit rows: those that `/audit` would show, and looking is written down as there."""
    async with transaction() as session:
        shown = await _load(session, seat)
        audit = await roster.list_audit(session, within=await audit_page.open_to(session, seat))
        detail = "值班墙上最近的"
        await presence.note(session, operator_id=seat.operator.id, what="open_audit", subject="audit", detail=detail)
    return pages.render("team.html", seat=seat, audit=audit, **shown)


@router.get("/team/part")
async def show_team_again(seat: WatchingTeam) -> Response:
    """The wall alone, when something happened."""
    async with transaction() as session:
        shown = await _load(session, seat)
    return pages.render("_wall.html", seat=seat, **shown)


async def _load(session: AsyncSession, seat: Seat) -> dict[str, Any]:
    everybody = list(await roster.list_operators(session))
    board = await overview.load_board(session, operator_id=seat.operator.id)
    wall = await team_wall.load(session, operator_id=seat.operator.id)
    held = [*board.mine, *board.others]
    busy = {row.thread.operator_id for row in held}
    on = [one for one in everybody if one.id in wall.seats or one.id in busy or one.needs_help_at]
    on.sort(key=lambda one: (one.needs_help_at is None, not one.on_duty, one.badge))
    return {
        "people": on, "board": board, "held": held, "wall": wall, "named": {one.id: one for one in everybody},
        "there": {one.id: roster.is_there(one) for one in everybody}, "resting": {one.id for one in on if on_break(one)},
        "tired_from": pauses.STEP_OUT_AFTER, "capacity": get_settings().seat_capacity, "region_of": region_of, "DRILL": Channel.DRILL,
    }  # fmt: skip
