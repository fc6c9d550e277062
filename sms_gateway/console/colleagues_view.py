"""What a talk's page shows of colleagues: to whom it can go, what is offered, whispers, who is shut out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.bridge import service as bridge
from sms_gateway.conversations import recusing, talk, transferring, whispering
from sms_gateway.conversations.models import TalkTransfer, Whisper
from sms_gateway.conversations.ownership import Owner
from sms_gateway.escalations import crew
from sms_gateway.escalations import service as escalations
from sms_gateway.operators import roster
from sms_gateway.operators.models import Operator
from sms_gateway.operators.seats import SeatFacts
from sms_gateway.settings import get_settings

from .seat import Seat


@dataclass(frozen=True)
class Target:
    """A colleague the talk might go to. `why_not`: why it cannot, in a sentence; empty: it can."""

    operator: Operator
    load: int
    why_not: str


@dataclass(frozen=True)
class ColleagueView:
    """Loaded for one page and one seat. Whispers only for who has the talk, supervisors, and who is in them."""

    mine: bool = False
    supervisor: bool = False
    held: bool = False
    targets: Sequence[Target] = ()
    offered: TalkTransfer | None = None
    to_me: bool = False
    from_me: bool = False
    whispers: Sequence[Whisper] = ()
    unseen: int = 0
    shut_out: Sequence[Operator] = ()
    named: Mapping[int, Operator] = field(default_factory=dict)
    capacity: int = 0
    bridge_used: bool = False
    """A supervisor has to sign when this call ends."""

    @property
    def may_whisper(self) -> bool:
        """Whether the line to write a whisper is there."""
        return (self.supervisor and self.held and not self.mine) or (self.mine and bool(self.whispers))

    def name(self, operator_id: int | None) -> str:
        """07 张三."""
        one = self.named.get(operator_id or 0)
        return f"{one.badge} {one.name}" if one is not None else "同事"


async def load(session: AsyncSession, thread_id: int, seat: Seat) -> ColleagueView:
    """What this seat sees of colleagues on that talk; raises `TalkNotFound`."""
    thread = await talk.get_talk(session, thread_id)
    held = thread.owner == Owner.OPERATOR
    mine = talk.is_held_by(thread, seat.operator.id)
    offers = [row for row in await transferring.list_offers(session) if row.thread_id == thread_id]
    offered = offers[0] if offers else None
    involved = mine or seat.is_supervisor
    whispers = await whispering.list_of_talk(session, thread_id) if involved else []
    ids = {one.from_operator for one in whispers} | {row.from_operator for row in offers}
    ids |= {row.to_operator for row in offers} | {one.to_operator for one in whispers if one.to_operator}
    return ColleagueView(
        mine=mine, supervisor=seat.is_supervisor, held=held, offered=offered, whispers=whispers, capacity=get_settings().seat_capacity,
        targets=await _targets(session, thread.contact_id, await transferring.lane_of(session, thread), seat) if mine else (),
        to_me=offered is not None and offered.to_operator == seat.operator.id,
        from_me=offered is not None and offered.from_operator == seat.operator.id,
        unseen=sum(one.seen_at is None and one.to_operator == seat.operator.id for one in whispers),
        shut_out=await recusing.list_of_contact(session, thread.contact_id) if seat.is_supervisor else (),
        named=await roster.name_operators(session, ids), bridge_used=mine and await _bridge_used(session, thread_id),
    )  # fmt: skip


async def _bridge_used(session: AsyncSession, thread_id: int) -> bool:
    call = await escalations.find_open(session, thread_id)
    return call is not None and await bridge.was_used(session, call.id)


async def _targets(session: AsyncSession, contact_id: int, lane: str, seat: Seat) -> list[Target]:
    """Everybody of the desk who is there, those who can take it first, the least busy first."""
    found = {one.operator_id: one for one in await crew.load_seats(session) if one.there}
    found.pop(seat.operator.id, None)
    shut = (await crew.shut_out(session, {contact_id})).get(contact_id, set())
    named = await roster.name_operators(session, found.keys())
    targets = [Target(named[key], one.load, _why_not(one, lane, shut)) for key, one in found.items() if key in named]
    return sorted(targets, key=lambda one: (bool(one.why_not), one.load, one.operator.badge))


def _why_not(seat: SeatFacts, lane: str, shut: set[int]) -> str:
    capacity = get_settings().seat_capacity
    return transferring.why_not(seat, lane, shut=seat.operator_id in shut, capacity=capacity) or ""


def on_break(operator: Operator) -> bool:
    """Whether they rest after a severe case right now."""
    return operator.break_until is not None and operator.break_until > clock.now()
