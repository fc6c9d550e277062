"""证据保全: a supervisor keeps a person's matter from purge and erasure, with a reason; two people lift it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.errors import BadInput, Conflict, HotlineError, NotFound
from sms_gateway.operators import presence
from texts.normalise import clean

from . import connected, one_at_a_time, people
from .models import EvidenceHold

FEWEST, LONGEST = 5, 500
LONGEST_LETTER = 80
SHOWN = 200


class HoldNotFound(NotFound):
    sentence = "没有这一条证据保全。"


class HoldNeedsReason(BadInput):
    sentence = f"请写明为什么，{FEWEST} 到 {LONGEST} 个字，会记入审计。"


class HoldIsLifted(Conflict):
    sentence = "这一条已经解除了。"


class LiftWasNotAsked(Conflict):
    sentence = "要先有一位值班长提出解除，再由另一位同意。"


class LiftNeedsAnother(HotlineError):
    status_code = 403
    sentence = "自己提出的解除不能自己同意，请另一位值班长来。"


def checked_reason(written: str) -> str:
    """The reason on one line. Raises `HoldNeedsReason`."""
    reason = " ".join(clean(written).split())
    if not FEWEST <= len(reason) <= LONGEST:
        raise HoldNeedsReason
    return reason


async def set_hold(
    session: AsyncSession, *, contact_id: int, by: int, reason: str, letter: str = "", ticket_id: int | None = None,
    thread_id: int | None = None,
) -> EvidenceHold:  # fmt: skip
    """Hold this person's matter and all that belongs together with it. Raises `HoldNeedsReason`.

    A purge at work is waited for; after the commit nothing more of it goes.
    """
    await one_at_a_time.take(session)
    hold = EvidenceHold(
        contact_id=contact_id, ticket_id=ticket_id, thread_id=thread_id, reason=checked_reason(reason),
        letter=clean(letter)[:LONGEST_LETTER] or None, set_by=by, set_at=clock.now(),
    )  # fmt: skip
    session.add(hold)
    await session.flush()
    await _note(session, hold, "set_hold", by, hold.reason)
    return hold


async def ask_to_lift(session: AsyncSession, hold_id: int, *, by: int, reason: str) -> EvidenceHold:
    """The first of two signatures. Raises `HoldNotFound`, `HoldIsLifted`, `HoldNeedsReason`."""
    hold = await _locked(session, hold_id)
    hold.lift_reason, hold.lift_asked_by, hold.lift_asked_at = checked_reason(reason), by, clock.now()
    await _note(session, hold, "ask_to_lift_hold", by, hold.lift_reason)
    return hold


async def lift(session: AsyncSession, hold_id: int, *, by: int) -> EvidenceHold:
    """The second signature: what is due goes with the next purge. Raises `LiftWasNotAsked`, `LiftNeedsAnother` and as above."""
    hold = await _locked(session, hold_id)
    if hold.lift_asked_by is None:
        raise LiftWasNotAsked
    if hold.lift_asked_by == by:
        raise LiftNeedsAnother
    hold.lifted_by, hold.lifted_at = by, clock.now()
    await people.look_again(session, await connected.load(session, hold.contact_id))
    await _note(session, hold, "lift_hold", by, hold.lift_reason)
    return hold


async def keep_on(session: AsyncSession, hold_id: int, *, by: int) -> EvidenceHold:
    """The second person says no: it goes on holding. Raises `HoldNotFound`, `HoldIsLifted`."""
    hold = await _locked(session, hold_id)
    hold.lift_reason = hold.lift_asked_by = hold.lift_asked_at = None
    await _note(session, hold, "keep_hold", by, None)
    return hold


async def get(session: AsyncSession, hold_id: int) -> EvidenceHold:
    """Raises `HoldNotFound`."""
    hold = await session.get(EvidenceHold, hold_id)
    if hold is None:
        raise HoldNotFound
    return hold


async def list_open(session: AsyncSession) -> Sequence[EvidenceHold]:
    """Every hold there is, those somebody wants lifted first."""
    wanted = select(EvidenceHold).where(EvidenceHold.lifted_at.is_(None))
    order = EvidenceHold.lift_asked_at.asc().nulls_last(), EvidenceHold.id.desc()
    return (await session.scalars(wanted.order_by(*order).limit(SHOWN))).all()


async def list_over(session: AsyncSession, contact_id: int) -> Sequence[EvidenceHold]:
    """The holds that keep this person's matter, wherever in what belongs together they were set."""
    together = await connected.load(session, contact_id)
    of = EvidenceHold.contact_id.in_(together.contacts), EvidenceHold.ticket_id.in_(together.tickets)
    wanted = select(EvidenceHold).where(EvidenceHold.lifted_at.is_(None), or_(*of))
    return (await session.scalars(wanted.order_by(EvidenceHold.id))).all()


async def _locked(session: AsyncSession, hold_id: int) -> EvidenceHold:
    wanted = select(EvidenceHold).where(EvidenceHold.id == hold_id).with_for_update()
    hold = await session.scalar(wanted.execution_options(populate_existing=True))
    if hold is None:
        raise HoldNotFound
    if hold.lifted_at is not None:
        raise HoldIsLifted
    return hold


async def _note(session: AsyncSession, hold: EvidenceHold, what: str, by: int, why: str | None) -> None:
    of = f"ticket:{hold.ticket_id}" if hold.ticket_id else f"thread:{hold.thread_id}"
    await presence.note(session, operator_id=by, what=what, subject=of, detail=why)
