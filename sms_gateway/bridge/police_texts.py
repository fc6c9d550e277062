"""A hand-over by text to 12110: what is sent, and the police's answer. It is accepted only once somebody answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.settings import get_settings
from sms_gateway.wording import SIGNATURE

from . import record, text12110
from .models import BridgeCall, BridgeEvent

MAX_ATTEMPTS = 4
RECEIPT = "12110回复"
SENT = "sent"
STARTED = "sending"


@dataclass(frozen=True)
class PoliceText:
    to: str
    body: str
    attempts: int


def words_of(incident: Mapping[str, Any]) -> str:
    """The text for an incident as it was handed over: place, what, approach note, then who, weapons and contact."""
    told = {key: value for key, value in incident.items() if isinstance(value, str)}
    facts = [told.get(key, "") for key in ("who", "weapon", "contact")]
    return text12110.compose(
        place=told.get("place", ""), what=told.get("what", ""), facts=facts, approach=told.get("approach", "")
    )


async def claim(session: AsyncSession, call_id: int) -> PoliceText | None:
    """The text to send now; None when it was sent, may have been, or cannot be (then the call has failed)."""
    call = await record.lock(session, call_id)
    steps = select(BridgeEvent.what).where(BridgeEvent.call_id == call_id).order_by(BridgeEvent.id.desc()).limit(1)
    if call.state != "requested" or await session.scalar(steps) in (SENT, STARTED, "unknown"):
        return None
    settings = get_settings()
    make_believe = set(settings.carriers) == {"simulator"}
    number = text12110.number_of(call.desk.partition("@")[2])
    if not settings.bridge_text_12110 or not (settings.bridge_live or make_believe):
        await record.fail(session, call, error="text12110_is_off")
        return None
    if number is None:
        await record.fail(session, call, error="no_area")
        return None
    call.attempts += 1
    await record.note(session, call, STARTED, detail={"attempt": call.attempts})
    return PoliceText(number, SIGNATURE + words_of(call.incident), call.attempts)


async def note_failure(session: AsyncSession, call_id: int, state: str, code: str | None, *, again: bool) -> None:
    """The carrier did not take it, or may have (`unknown`: it is left to wait for an answer)."""
    call = await record.lock(session, call_id)
    if again or state == "unknown":
        await record.note(session, call, "again" if again else "unknown", detail={"code": code})
    else:
        await record.fail(session, call, error=f"carrier_{state}")


async def hear(session: AsyncSession, sender: str, body: str) -> bool:
    """A text that came in: whether it is the police's answer and was kept with its hand-over.

    Where more than one hand-over to that number waits, the answer is kept with each and accepts none: a person reads it.
    """
    number = text12110.read_number(sender)
    if number is None:
        return False
    open_ones = select(BridgeCall).where(
        BridgeCall.driver == "text12110", BridgeCall.state.in_(("requested", "accepted", "failed")),
        BridgeCall.settled_at.is_(None),
    )  # fmt: skip
    found = (await session.scalars(open_ones.order_by(BridgeCall.id.desc()).limit(50).with_for_update())).all()
    theirs = [call for call in found if number in (text12110.POLICE, text12110.number_of(call.desk.partition("@")[2]))]
    waiting = [call for call in theirs if call.state == "requested"]
    for call in waiting or theirs[:1]:
        await record.note(session, call, "answered", who="desk", words=body)
    if len(waiting) == 1:
        await record.accept(session, waiting[0], receipt=RECEIPT, who="desk")
    return bool(theirs)
