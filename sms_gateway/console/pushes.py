"""推送: how departments' systems keep up with their events, what was given up, and sending it once more."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.database import transaction
from sms_gateway.departments import units
from sms_gateway.events import overview, service, subscriptions
from sms_gateway.events.service import DeliveryNotFound
from sms_gateway.events.subscriptions import SubscriptionNotFound
from sms_gateway.operators import presence
from sms_gateway.operators.reach import region_of
from sms_gateway.tickets import scope

from . import pages
from .ids import LARGEST, Id
from .seat import KeepingPushes, Seat
from .ticket_room import done

router = APIRouter()
PAGE = "/pushes"
MOST_AT_ONCE = 500
Chosen = Annotated[list[Annotated[int, Form(ge=1, le=LARGEST)]], Form(max_length=MOST_AT_ONCE)]


@router.get(PAGE)
async def show_pushes(seat: KeepingPushes) -> Response:
    """Every subscription of the seat's region, and the newest dead letters."""
    async with transaction() as session:
        standings = [one for one in await overview.list_standings(session) if _reaches(seat, one.unit)]
        dead = [one for one in await overview.list_dead(session, limit=MOST_AT_ONCE) if _reaches(seat, one.unit)]
    codes = {one.unit for one in standings} | {one.unit for one in dead}
    named = {code: units.get_unit(code).name for code in codes}
    return pages.render("pushes.html", seat=seat, standings=standings, dead=dead, named=named)


def _reaches(seat: Seat, unit: str) -> bool:
    return scope.lies_in(units.get_unit(unit).adcode, region_of(seat.operator.unit))


@router.post(f"{PAGE}/replay")
async def replay(request: Request, seat: KeepingPushes, chosen: Chosen) -> Response:
    """Send these dead letters once more; all or none."""
    async with transaction() as session:
        dead = {one.id: one for one in await overview.list_dead(session, limit=MOST_AT_ONCE)}
        if any(one in dead and not _reaches(seat, dead[one].unit) for one in chosen):
            raise DeliveryNotFound
        await service.replay(session, chosen)
        await presence.note(
            session, operator_id=seat.operator.id, what="replay_pushes", subject=f"pushes:{len(chosen)}"
        )
    return done(request, PAGE)


@router.post(PAGE + "/{subscription_id}/pause")
async def pause(request: Request, subscription_id: Id, seat: KeepingPushes) -> Response:
    """Send nothing more to it; what happens meanwhile is kept."""
    async with transaction() as session:
        await _check(session, seat, subscription_id)
        await subscriptions.pause(session, subscription_id=subscription_id)
        await presence.note(
            session, operator_id=seat.operator.id, what="pause_pushes", subject=f"subscription:{subscription_id}"
        )
    return done(request, PAGE)


@router.post(PAGE + "/{subscription_id}/resume")
async def resume(request: Request, subscription_id: Id, seat: KeepingPushes) -> Response:
    """Go on where it stood."""
    async with transaction() as session:
        await _check(session, seat, subscription_id)
        await subscriptions.resume(session, subscription_id=subscription_id)
        await presence.note(
            session, operator_id=seat.operator.id, what="resume_pushes", subject=f"subscription:{subscription_id}"
        )
    return done(request, PAGE)


async def _check(session: AsyncSession, seat: Seat, subscription_id: int) -> None:
    if not _reaches(seat, (await subscriptions.get_subscription(session, subscription_id)).unit):
        raise SubscriptionNotFound
