"""The supervisor's page: who is there, what they hold, what was done."""

from __future__ import annotations

from fastapi import APIRouter, Response

from sms_gateway.conversations import overview
from sms_gateway.database import transaction
from sms_gateway.operators import roster

from . import pages
from .seat import SeeingTeam

router = APIRouter()


@router.get("/team")
async def show_team(seat: SeeingTeam) -> Response:
    """Who is on, what they hold, what waits, and the newest audit rows."""
    async with transaction() as session:
        people = list(await roster.list_operators(session))
        found = await overview.load_board(session, operator_id=seat.operator.id)
        audit = await roster.list_audit(session)
    held = [*found.mine, *found.others]
    return pages.render(
        "team.html", seat=seat, people=people, board=found, held=held, audit=audit,
        there={one.id: roster.is_there(one) for one in people}, named={one.id: one for one in people},
    )  # fmt: skip
