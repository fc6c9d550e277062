"""What was sent against what is there: lost, doubled, out of order, said twice, danger without an answer or a call."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from sqlalchemy import func, select, text

from sms_gateway.contacts.models import Contact
from sms_gateway.database import transaction
from sms_gateway.escalations.models import Escalation
from sms_gateway.messages import spool
from sms_gateway.messages.models import Direction, Message
from sms_gateway.tickets.models import Ticket

from .trust_streets import Sent

NOT_OUT = ("queued", "cancelled")


@dataclass
class Verdict:
    """What a run came to. Each list holds ids of texts; all but `unknown` and the counts of texts must be empty or nought."""

    sent: int = 0
    red: int = 0
    acknowledged: int = 0
    never_taken: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    stored_twice: list[str] = field(default_factory=list)
    reordered: int = 0
    unread: list[str] = field(default_factory=list)
    """Stored, but nobody and nothing has dealt with it."""
    tickets: int = 0
    tickets_twice: int = 0
    said: int = 0
    said_twice: int = 0
    """Texts at phones beyond what our own ledger says left, or more than one safe reply to one danger text."""
    unknown: int = 0
    """Texts of which even the carrier could not say whether it has them: the only ones that may be said twice."""
    danger_unanswered: list[str] = field(default_factory=list)
    danger_without_call: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Nothing is lost, doubled or left alone."""
        empty = (
            self.never_taken,
            self.lost,
            self.stored_twice,
            self.unread,
            self.danger_unanswered,
            self.danger_without_call,
        )
        return not any(empty) and not self.reordered and not self.tickets_twice and self.said_twice <= self.unknown


def out_of_order(sent: Iterable[tuple[str, str]], places: Mapping[str, int]) -> int:
    """Neighbours of one phone that changed places. `sent`: (number, id) as they were sent; `places`: where each id is stored. Pure."""
    by_phone: dict[str, list[int]] = defaultdict(list)
    for number, own_id in sent:
        if own_id in places:
            by_phone[number].append(places[own_id])
    return sum(later < earlier for mine in by_phone.values() for earlier, later in pairwise(mine))


def beyond(came: Mapping[str, int], left: Mapping[str, int]) -> int:
    """Texts that phones have got beyond those we know to have left. Pure."""
    return sum(max(0, got - left.get(number, 0)) for number, got in came.items())


async def judge(sent: Sequence[Sent], came: Mapping[str, int], taken_twice: int) -> Verdict:
    """Compare. `came`: texts each phone got; `taken_twice`: texts of ours that the carrier took more than once."""
    found = Verdict(sent=len(sent), red=sum(one.red for one in sent))
    known = [one for one in sent if one.acknowledged is not None]
    found.acknowledged = len(known)
    found.never_taken = [one.id for one in sent if one.acknowledged is None]
    rows = await _texts_in()
    counted = Counter(row.carrier_id for row in rows)
    found.lost = [one.id for one in known if one.id not in counted]
    found.stored_twice = [one.id for one in known if counted[one.id] > 1]
    places = {str(row.carrier_id): row.id for row in rows}
    found.reordered = out_of_order(((one.number, one.id) for one in known), places)
    found.unread = [str(row.carrier_id) for row in rows if row.answered_by is None]
    await _judge_what_left(found, came, taken_twice)
    await _judge_danger(found, known, came, places)
    await _judge_tickets(found)
    return found


async def _texts_in() -> list[Message]:
    async with transaction() as session:
        wanted = select(Message).where(Message.direction == Direction.IN, Message.carrier_id.is_not(None))
        return list(await session.scalars(wanted.order_by(Message.id)))


async def _judge_what_left(found: Verdict, came: Mapping[str, int], taken_twice: int) -> None:
    async with transaction() as session:
        contacts = {one.id: one.address for one in await session.scalars(select(Contact))}
        out = select(Message.contact_id, Message.state, func.count()).where(Message.direction == Direction.OUT)
        counts = (await session.execute(out.group_by(Message.contact_id, Message.state))).all()
        again = select(Message.reply_to).where(Message.text_key.like("red.%"), Message.state.not_in(NOT_OUT))
        again = again.where(Message.reply_to.is_not(None)).group_by(Message.reply_to).having(func.count() > 1)
        twice = len((await session.scalars(again)).all())
    left: Counter[str] = Counter()
    for contact_id, state, number in counts:
        if state not in NOT_OUT:
            left[contacts[contact_id]] += number
        found.unknown += number if state == "unknown" else 0
    found.said = sum(left.values())
    found.said_twice = beyond(came, left) + taken_twice + twice


async def _judge_danger(
    found: Verdict, known: Sequence[Sent], came: Mapping[str, int], places: Mapping[str, int]
) -> None:
    async with transaction() as session:
        called = set(await session.scalars(select(Escalation.message_id)))
    for one in known:
        if one.red and not came.get(one.number):
            found.danger_unanswered.append(one.id)
        if one.red and places.get(one.id) not in called:
            found.danger_without_call.append(one.id)


async def _judge_tickets(found: Verdict) -> None:
    async with transaction() as session:
        kinds = select(Ticket.contact_id, Ticket.kind, func.count()).group_by(Ticket.contact_id, Ticket.kind)
        counts = (await session.execute(kinds)).all()
    found.tickets = sum(number for _whose, _kind, number in counts)
    found.tickets_twice = sum(number - 1 for _whose, _kind, number in counts)


async def under_way() -> int:
    """Jobs of talks, texts on disk, texts out that are not settled: nought when everything has had its turn."""
    jobs = text(
        "SELECT (SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing') AND queue_name IN ('danger', 'turns', 'replies'))"
        " + (SELECT count(*) FROM messages WHERE state IN ('queued', 'sending'))"
        " + (SELECT count(*) FROM messages WHERE direction = 'in' AND (answered_by IS NULL OR answered_by = 'later'))"
    )
    async with transaction() as session:
        return int(await session.scalar(jobs) or 0) + spool.counts().spooled
