"""同事账号: whose sign-in is protected how, and a new phone for a colleague who lost theirs. Accounts are made at the command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import logs
from sms_gateway.database import transaction
from sms_gateway.errors import BadInput
from sms_gateway.operators import accounts, roster, second_factor, stepping
from sms_gateway.operators.accounts import OperatorNotFound
from sms_gateway.operators.models import Operator, Role
from sms_gateway.operators.reach import PROVINCE, region_of
from sms_gateway.tickets import scope

from . import pages
from .ids import Id
from .seat import KeepingAccounts, Seat
from .ticket_room import done

log = logs.get("console")
router = APIRouter(prefix="/accounts")
LONGEST_REASON = 200


class NotYourOwn(BadInput):
    sentence = "自己的要由另一位值班长来办，或者在服务器上用命令办。"


class SayWhy(BadInput):
    sentence = "请写一句为什么，比如“换手机了，当面核对过本人”。"


def _is_in_reach(seat: Seat, one: Operator) -> bool:
    """One rule for list and act: a supervisor kept to a region sees that region's accounts only."""
    place = one.unit.partition("@")[2] if one.role == Role.DEPARTMENT and one.unit else region_of(one.unit)
    return scope.lies_in(place or PROVINCE, region_of(seat.operator.unit))


async def _list(session: AsyncSession, seat: Seat) -> Sequence[Operator]:
    return [one for one in await roster.list_operators(session) if _is_in_reach(seat, one)]


@router.get("")
async def show_accounts(seat: KeepingAccounts) -> Response:
    async with transaction() as session:
        people = await _list(session, seat)
        enrolled = await second_factor.list_enrolled(session)
    return pages.render("staff.html", seat=seat, people=people, enrolled=enrolled, needs=stepping.NEEDS_SECOND_FACTOR)


@router.post("/{operator_id}/reset-second-factor")
async def reset_second_factor(
    request: Request, operator_id: Id, seat: KeepingAccounts, why: Annotated[str, Form(max_length=400)] = ""
) -> Response:
    """Their app and recovery codes are forgotten, they are signed out, and bind a new phone with their next sign-in."""
    why = " ".join(why.split())[:LONGEST_REASON]
    if operator_id == seat.operator.id:
        raise NotYourOwn
    if not why:
        raise SayWhy
    async with transaction() as session:
        if operator_id not in {one.id for one in await _list(session, seat)}:
            raise OperatorNotFound
        await second_factor.reset(session, operator_id=operator_id, by=seat.operator.id, why=why)
        await accounts.end_sessions(session, operator_id=operator_id)
    log.info("second_factor_reset", operator=operator_id, by=seat.operator.id)
    return done(request, "/accounts")
