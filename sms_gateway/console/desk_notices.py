"""What an open page calls out between colleagues: a talk offered, an offer that came to nothing, a whisper, a call for help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sms_gateway.conversations import transferring, whispering
from sms_gateway.conversations.models import TalkTransfer, Whisper
from sms_gateway.database import transaction
from sms_gateway.operators import pauses, roster
from sms_gateway.operators.models import Operator

from .seat import Seat

TOLD_FOR = timedelta(seconds=90)
"""How long who offered a talk is told that it stays with them."""

RINGS = frozenset({"transfer_offered", "needs_help"})
"""The rest lights up without a sound."""


@dataclass(frozen=True)
class Notice:
    """One thing to call out. `to`: whose pages; None: every supervisor's. `words` name colleagues only, never a person."""

    key: str
    kind: str
    """`transfer_offered`, `transfer_ended`, `whisper`, `needs_help` or `relief`."""
    words: str
    thread_id: int | None
    since: datetime
    to: int | None

    def concerns(self, seat: Seat) -> bool:
        """Whether this seat's pages call it out."""
        return seat.is_supervisor if self.to is None else self.to == seat.operator.id

    def as_alarm(self) -> dict[str, object]:
        """As the event stream says it, beside the alarms of calls."""
        return {
            "key": self.key, "kind": self.kind, "thread": self.thread_id, "harm": "", "step": "", "says": self.words,
            "since": int(self.since.timestamp() * 1000), "rings": self.kind in RINGS,
        }  # fmt: skip


async def look() -> list[Notice]:
    """Read once for all open pages, as the alarms are."""
    async with transaction() as session:
        offers = await transferring.list_offers(session)
        ended = await transferring.list_ended(session, within=TOLD_FOR)
        whispers = await whispering.list_unseen(session)
        need = await pauses.list_in_need(session)
        tired = await pauses.list_to_relieve(session)
        ids = {row.from_operator for row in offers} | {row.to_operator for row in ended}
        named = await roster.name_operators(session, ids | {one.from_operator for one in whispers})
    return [
        *(_offered(row, named) for row in offers),
        *(notice for row in ended for notice in _ended(row, named)),
        *(_whispered(one, named) for one in whispers),
        *(_in_need(who, who.needs_help_at) for who in need if who.needs_help_at is not None),
        *(_tired(who) for who in tired),
    ]


def _offered(row: TalkTransfer, named: Mapping[int, Operator]) -> Notice:
    says = f"{_name(named, row.from_operator)} 要转一个会话给你"
    return Notice(f"offer-{row.id}", "transfer_offered", says, row.thread_id, row.offered_at, row.to_operator)


def _ended(row: TalkTransfer, named: Mapping[int, Operator]) -> list[Notice]:
    """Who offered it is told; and who did not answer in time."""
    at, kind = row.ended_at or row.due_at, "transfer_ended"
    why = "现在接不了" if row.state == "declined" else "没来得及接"
    says = f"{_name(named, row.to_operator)} {why}，会话还在你手上"
    told = [Notice(f"offer-over-{row.id}", kind, says, row.thread_id, at, row.from_operator)]
    if row.state == "timed_out":
        says = "转给你的会话没来得及接，还在同事手上"
        told.append(Notice(f"offer-missed-{row.id}", kind, says, row.thread_id, at, row.to_operator))
    return told


def _whispered(one: Whisper, named: Mapping[int, Operator]) -> Notice:
    says = f"{_name(named, one.from_operator)} 对你说了一句悄悄话"
    return Notice(f"whisper-{one.id}", "whisper", says, one.thread_id, one.at, one.to_operator or 0)


def _in_need(who: Operator, since: datetime) -> Notice:
    key = f"help-{who.id}-{int(since.timestamp())}"
    return Notice(key, "needs_help", f"{who.badge} {who.name} 现在需要帮忙", None, since, None)


def _tired(who: Operator) -> Notice:
    says = f"{who.badge} {who.name} 连着办了 {who.severe_in_a_row} 件重案，请换下"
    since = who.break_until or who.duty_since or who.created_at
    return Notice(f"relief-{who.id}-{who.severe_in_a_row}", "relief", says, None, since, None)


def _name(named: Mapping[int, Operator], operator_id: int) -> str:
    one = named.get(operator_id)
    return f"{one.badge} {one.name}" if one is not None else "同事"
