"""Over month ends, New Year, a leap day and Spring Festival: no chore fails, no day is lost or told twice, danger is answered at night."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime, time, timedelta

import chinese_calendar
import pytest
from sqlalchemy import select

from sms_gateway.clock import SHANGHAI, HeldClock
from sms_gateway.database import transaction
from sms_gateway.messages.models import Message
from sms_gateway.operators.models import AuditAnchor
from sms_gateway.processes import OUTREACH, chores
from sms_gateway.tickets import service
from sms_gateway.tickets.models import Ticket, TicketAnchor
from tests.console.story import add_operator
from tests.telling import FakeCarrier, Person

RunJobs = Callable[[], Awaitable[None]]
KICKING = "有个叔叔一直在踹我家门 就我和弟弟在"
HOURS = (time(0, 30), time(9), time(23, 30))
"""Chores run at these of each day: after midnight, at the start of work, before midnight."""
SPANS = {
    "a month's end": (date(2026, 1, 30), date(2026, 2, 2)),
    "Spring Festival": (date(2026, 2, 13), date(2026, 2, 25)),
    "New Year": (date(2026, 12, 30), date(2027, 1, 3)),
    "a leap day": (date(2028, 2, 27), date(2028, 3, 2)),
}


async def _chores() -> None:
    """Everything the workers do by themselves, twice: what is done is not done again. No failure is swallowed here."""
    for _ in range(2):
        for queue in ("danger", "replies", "bulk", OUTREACH):
            for _name, chore in chores(queue):
                await chore()


async def _complain(person: Person) -> int:
    message_id = await person.hand_in("学校天天占体育课")
    async with transaction() as session:
        message = await session.get_one(Message, message_id)
        ticket = await service.open_ticket(
            session, thread_id=message.thread_id, contact_id=message.contact_id, asked_in=message_id, kind="complaint",
            county="530627", answers={"what": "学校天天占体育课"},
        )  # fmt: skip
        return ticket.id


def _offices_open(day: date) -> bool:
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:  # no notice for that year yet: these days hold no holiday but 1 January
        return day.weekday() < 5 and (day.month, day.day) != (1, 1)


@pytest.mark.timeout(400)
@pytest.mark.parametrize(("first", "last"), SPANS.values(), ids=SPANS.keys())
async def test_no_day_is_lost_and_nobody_waits(
    database: str, carrier: FakeCarrier, run_jobs: RunJobs, clock: HeldClock, first: date, last: date
) -> None:
    clock.advance(datetime.combine(first, time(0, 5), SHANGHAI) - clock.now())
    await add_operator("he", "和志强", there=False)
    ticket_id = await _complain(Person("+8613800009999", carrier, run_jobs))
    late_since: date | None = None
    day = first
    while day <= last:
        for hour in HOURS:
            clock.advance(datetime.combine(day, hour, SHANGHAI) - clock.now())
            await _chores()
            await run_jobs()
        child = Person(f"+861380000{day:%m%d}", carrier, run_jobs)
        assert await child.texts(KICKING), f"danger on {day} at 23:30 was not answered"
        async with transaction() as session:
            ticket = await session.get_one(Ticket, ticket_id)
            if late_since is None and ticket.supervised:
                late_since = day
        day += timedelta(days=1)
    async with transaction() as session:
        audited = list(await session.scalars(select(AuditAnchor.day).order_by(AuditAnchor.day)))
        told = list(await session.scalars(select(TicketAnchor.day).order_by(TicketAnchor.day)))
        due = (await session.get_one(Ticket, ticket_id)).due_at
    days = [(first + timedelta(days=n)).isoformat() for n in range((last - first).days)]
    assert told == days, "each day that is over has one anchor"
    assert audited == days[1:], "the audit begins with its first row, on the second day"
    due_day = due.astimezone(SHANGHAI).date()
    assert _offices_open(due_day), "nothing falls due while offices are shut"
    assert late_since is None or late_since > due_day
    assert (late_since is not None) == (last > due_day)


async def test_the_days_of_spring_festival_do_not_count(
    database: str, carrier: FakeCarrier, run_jobs: RunJobs, clock: HeldClock
) -> None:
    """The same complaint a week earlier and on the eve: the holiday from 15 to 23 February 2026 lies between, and counts for nothing."""
    found = {}
    for at in (date(2026, 2, 2), date(2026, 2, 13)):
        clock.advance(datetime.combine(at, time(10), SHANGHAI) - clock.now())
        ticket_id = await _complain(Person(f"+861380000{at:%m%d}", carrier, run_jobs))
        async with transaction() as session:
            due = (await session.get_one(Ticket, ticket_id)).due_at.astimezone(SHANGHAI).date()
        between = [at + timedelta(days=n) for n in range(1, (due - at).days + 1)]
        found[at] = sum(map(_offices_open, between))
        assert _offices_open(due)
    assert len(set(found.values())) == 1 and found[date(2026, 2, 13)] > 0
