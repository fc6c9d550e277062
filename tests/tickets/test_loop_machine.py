"""Any walk through the loop, by the real verbs on a real PostgreSQL: no guard is skipped, no event lost, no clock goes back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock as clocks_of
from sms_gateway import database as ground
from sms_gateway.clock import SHANGHAI, HeldClock
from sms_gateway.database import transaction
from sms_gateway.errors import HotlineError
from sms_gateway.settings import get_settings
from sms_gateway.supervision.scratch import ScratchPostgres
from sms_gateway.tickets import (
    clocks,
    concluding,
    dispatching,
    erasing,
    extending,
    handling,
    lifecycle,
    moves,
    service,
)
from sms_gateway.tickets.actors import PERSON, SYSTEM, Actor, of_unit
from sms_gateway.tickets.lifecycle import MOVES, Evidence, Status, Who
from sms_gateway.tickets.models import Ticket, TicketEvent
from sms_gateway.tickets.verify import check_ticket
from tests.tickets.making import DESK, LEAD, POLICE, SCHOOLS, UNIT, at, open_one, the_desk

ACTORS = (SYSTEM, PERSON, DESK, LEAD, UNIT, of_unit(SCHOOLS), of_unit(POLICE, 13), of_unit("health@530627"))
STRANGER = of_unit("health@530627", 14)
WORDS = ("", " ", "请看一看")
NEW_TERM = {"lane", "reworked", "took_in"}
"""After these a ticket may fall due earlier: it became more dangerous, or a new term began."""

Verb = Callable[[AsyncSession, Ticket, Actor, str], Awaitable[object]]


async def _extend(session: AsyncSession, ticket: Ticket, actor: Actor, words: str) -> object:
    until = (ticket.due_at + timedelta(days=3)).astimezone(SHANGHAI).date()
    return await extending.ask(session, ticket, actor=actor, reason=words, until=until)


VERBS: dict[str, Verb] = {
    "dispatch": lambda s, t, a, w: dispatching.dispatch(s, t, unit=POLICE if w.strip() else SCHOOLS, actor=a, why=w),
    "sign": lambda s, t, a, _: dispatching.sign(s, t, actor=a),
    "give_back": lambda s, t, a, w: dispatching.give_back(s, t, actor=a, why=w, duty=POLICE),
    "begin": lambda s, t, a, _: handling.begin(s, t, actor=a),
    "ask": lambda s, t, a, w: handling.ask(s, t, actor=a, question=w),
    "resume": lambda s, t, a, _: handling.resume(s, t, actor=a),
    "reply": lambda s, t, a, w: handling.reply(s, t, actor=a, words=w),
    "send_back": lambda s, t, a, w: handling.send_back(s, t, actor=a, why=w),
    "conclude": lambda s, t, a, w: concluding.conclude(s, t, actor=a, why=w),
    "decline": lambda s, t, a, w: concluding.decline(s, t, actor=a, why=w),
    "withdraw": lambda s, t, a, _: concluding.withdraw(s, t, actor=a),
    "rework": lambda s, t, a, w: concluding.rework(s, t, actor=a, why=w or None),
    "take_in_again": lambda s, t, a, w: moves.move(s, t, Status.ACCEPTED, actor=a, why=w),
    "follow_up": lambda s, t, a, _: moves.move(s, t, Status.FOLLOWED_UP, actor=a),
    "evaluate": lambda s, t, a, _: moves.move(s, t, Status.EVALUATED, actor=a),
    "ask_for_time": _extend,
    "grant": lambda s, t, a, w: extending.approve(s, t, actor=a, why=w or None),
    "refuse": lambda s, t, a, w: extending.refuse(s, t, actor=a, why=w),
    "erase": lambda s, t, a, w: erasing.erase_why(s, t, [t.events], actor=a, reason=w),
}  # fmt: skip
LIKELY = {
    Status.ACCEPTED: ("dispatch", "dispatch", "ask"), Status.DISPATCHED: ("sign", "give_back"), Status.SIGNED_FOR: ("begin", "ask_for_time", "grant"),
    Status.HANDLING: ("reply", "ask"), Status.REPLIED: ("conclude", "send_back"), Status.CLARIFYING: ("resume",),
    Status.CONCLUDED: ("follow_up", "evaluate", "rework"), Status.RETURNED: ("dispatch",), Status.EXTENDED: ("reply", "ask"),
}  # fmt: skip
"""What usually comes next, so that walks get far; any verb by anybody is tried as well."""


class Loop(RuleBasedStateMachine):
    """Some tickets, anybody who does anything to them, time that passes."""

    run: Callable[[Any], Any]
    held: HeldClock

    def __init__(self) -> None:
        super().__init__()
        self.tickets: list[int] = []
        self.before: dict[int, tuple[Any, list[Any]]] = {}

    @initialize(day=st.dates(date(2026, 9, 1), date(2026, 10, 20)))
    def begin(self, day: date) -> None:
        now = at(day.isoformat(), 11)
        self.held.advance(now - self.held.now())
        self.tickets += [self.run(open_one()), self.run(open_one(kind="report", lane="orange"))]

    @rule(kind=st.sampled_from(["complaint", "help", "report"]), lane=st.sampled_from(["blue", "blue", "blue", "orange", "red"]), urgent=st.booleans())  # fmt: skip
    def somebody_writes(self, kind: str, lane: str, urgent: bool) -> None:
        if len(self.tickets) < 4:
            self.tickets.append(self.run(open_one(kind=kind, lane=lane, urgent=urgent and lane == "blue")))

    @rule(which=st.integers(0, 3), picks=st.lists(st.integers(0, 2), min_size=2, max_size=6))
    def what_usually_comes_next_is_done(self, which: int, picks: list[int]) -> None:
        for pick in picks:
            self.run(self._usual(self.tickets[which % len(self.tickets)], pick))
            self.run(self._look())

    @rule(which=st.integers(0, 3), tries=st.lists(st.tuples(st.integers(0, 2), st.sampled_from(ACTORS), st.sampled_from(WORDS)), min_size=2, max_size=5))  # fmt: skip
    def what_comes_next_is_tried_by_others(self, which: int, tries: list[tuple[int, Actor, str]]) -> None:
        for pick, actor, words in tries:
            self.run(self._usual(self.tickets[which % len(self.tickets)], pick, by=actor, words=words))
            self.run(self._look())

    async def _usual(self, ticket_id: int, pick: int, *, by: Actor | None = None, words: str = "请看一看") -> None:
        async with transaction() as session:
            ticket = await moves.lock(session, ticket_id)
            verbs = LIKELY.get(Status(ticket.status), ("rework", "take_in_again", "grant"))
            unit = of_unit(ticket.unit, 12) if ticket.unit else UNIT
        verb = verbs[(pick + ticket.events) % len(verbs)]  # so that a walk takes different ways
        actor = {
            "sign": unit, "give_back": unit, "begin": unit, "reply": unit, "ask_for_time": unit, "follow_up": SYSTEM,
            "evaluate": PERSON, "grant": LEAD,
        }.get(verb, DESK)  # fmt: skip
        if by is None and actor.who is Who.UNIT:
            await self._try(ticket_id, verb, STRANGER, words)  # who has it not in hand is quicker, in vain
        await self._try(ticket_id, verb, by or actor, words)

    @rule(which=st.integers(0, 3), verb=st.sampled_from(sorted(VERBS)), actor=st.sampled_from(ACTORS), words=st.sampled_from(WORDS))  # fmt: skip
    def anybody_tries_anything(self, which: int, verb: str, actor: Actor, words: str) -> None:
        self.run(self._try(self.tickets[which % len(self.tickets)], verb, actor, words))

    async def _try(self, ticket_id: int, verb: str, actor: Actor, words: str) -> None:
        try:
            async with transaction() as session:
                await VERBS[verb](session, await moves.lock(session, ticket_id), actor, words)
        except HotlineError as refused:
            assert refused.status_code in (403, 404, 409, 422)  # noqa: PT017 - most tries are refused, some are not

    @rule(which=st.integers(0, 3), lane=st.sampled_from(["orange", "red"]))
    def it_turns_out_worse(self, which: int, lane: str) -> None:
        async def raised(ticket_id: int) -> None:
            async with transaction() as session:
                ticket = await moves.lock(session, ticket_id)
                if ticket.closed_at is None:
                    await service.raise_one(session, ticket, lane=lane, who="system", reason="talk")

        self.run(raised(self.tickets[which % len(self.tickets)]))

    @rule(one=st.integers(0, 3), other=st.integers(0, 3), actor=st.sampled_from(ACTORS))
    def two_are_merged(self, one: int, other: int, actor: Actor) -> None:
        async def merged(first: int, second: int) -> None:
            try:
                async with transaction() as session:
                    found = {each: await moves.lock(session, each) for each in sorted({first, second})}
                    await concluding.merge(session, found[first], into=found[second], actor=actor)
            except HotlineError as refused:
                assert refused.status_code in (403, 409)  # noqa: PT017 - as above

        self.run(merged(self.tickets[one % len(self.tickets)], self.tickets[other % len(self.tickets)]))

    @rule(hours=st.sampled_from([0.01, 0.5, 2, 7, 24, 90, 400]), sweeps=st.integers(0, 2))
    def time_passes(self, hours: float, sweeps: int) -> None:
        self.held.advance(timedelta(hours=hours))
        for _ in range(sweeps):
            self.run(clocks.sweep())

    @invariant()
    def everything_is_as_it_should_be(self) -> None:
        self.run(self._look())

    async def _look(self) -> None:
        for ticket_id in self.tickets:
            async with transaction() as session:
                ticket = (await session.scalars(select(Ticket).where(Ticket.id == ticket_id))).one()
                events = list(await service.list_events(session, ticket_id))
            assert check_ticket(ticket, events) == []  # the chain is whole
            assert [event.seq for event in events] == list(range(1, ticket.events + 1))  # no event is lost
            was = self.before.get(ticket_id)
            old_uids = was[1] if was else []
            assert [event.uid for event in events[: len(old_uids)]] == old_uids
            _check_walk(ticket, events)
            _check_clock(ticket, events[len(old_uids) :], was[0] if was else None)
            self.before[ticket_id] = (ticket, [event.uid for event in events])

    def teardown(self) -> None:
        """A sweep at the end leaves no clock that is due."""

        async def none_due() -> None:
            await clocks.sweep()
            async with transaction() as session:
                assert await session.scalar(select(Ticket.id).where(Ticket.next_clock_at <= self.held.now())) is None

        self.run(none_due())


def _check_walk(ticket: Ticket, events: list[TicketEvent]) -> None:
    """The events alone, read as a walk through the table: each step was somebody's to take, with what it needs."""
    status = Status(events[0].to_status or "")
    assert status is Status.ACCEPTED and events[0].from_status is None
    hand: str | None = None
    for event in events[1:]:
        if event.to_status is None:
            continue
        assert event.from_status == status
        to = Status(event.to_status)
        who, needs = MOVES[status][to]
        actor = _who(event.who)
        assert actor in who, f"{event.who} moved {status} to {to}"
        brought = {
            Evidence.WHY: event.why or event.erased_at, Evidence.WORDS: event.why or event.erased_at,
            Evidence.UNIT: event.detail.get("unit"), Evidence.DUTY: event.detail.get("duty"),
            Evidence.TARGET: event.detail.get("into"), Evidence.UNTIL: event.detail.get("until"),
        }  # fmt: skip
        assert all(brought[need] for need in needs)
        if actor is Who.UNIT:
            assert event.who.split(":")[1] == hand, "a unit moved what it had not in hand"
        if to is Status.DISPATCHED:
            hand = str(event.detail["unit"]) if event.detail.get("unit") else hand
        if to is Status.RETURNED and event.what == "returned":
            hand = None
        if to is Status.WITHDRAWN:
            assert lifecycle.may_withdraw(ticket.kind, ticket.lane)
        status = to
    assert ticket.status == status


def _who(written: str) -> Who:
    return {"operator:1": Who.OPERATOR, "operator:2": Who.LEAD}.get(written) or Who(written.split(":", maxsplit=1)[0])


def _check_clock(ticket: Ticket, new: list[TicketEvent], before: Ticket | None) -> None:
    assert (ticket.closed_at is None) is lifecycle.is_open(ticket.status)
    stands = ticket.status == Status.CLARIFYING and ticket.lane == "blue"
    if ticket.closed_at is not None or stands:
        assert ticket.next_clock_at is None, "a closed or standing ticket has a clock"
    assert (ticket.paused_at is not None) is (ticket.status == Status.CLARIFYING)
    if before is not None:
        assert ticket.version >= before.version
        happened = {event.what for event in new}
        if not happened & NEW_TERM:
            assert ticket.due_at >= before.due_at, "a clock went backwards"
        spoken = [event for event in new if event.what in ("warning", "supervision")]
        assert len(spoken) <= 1, "a flood"
        assert before.next_clock_at is not None or spoken != new or not new, "a clock that stood has spoken"
        assert all(later.at >= earlier.at for earlier, later in pairwise(new))


@pytest.fixture
def loop(postgres: ScratchPostgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Loop]]:
    """The machine, on a database and an event loop of its own."""
    monkeypatch.setenv("HOTLINE_DATABASE_URL", postgres.create("loop_machine", template="template"))
    get_settings.cache_clear()
    held = HeldClock()
    before = clocks_of.use(held)
    with asyncio.Runner() as runner:
        Loop.run, Loop.held = staticmethod(runner.run), held
        runner.run(the_desk())
        yield Loop
        runner.run(ground.dispose())
    clocks_of.use(before)
    get_settings.cache_clear()


@pytest.mark.timeout(600)
def test_no_walk_skips_a_guard_loses_an_event_or_turns_a_clock_back(loop: type[Loop]) -> None:
    run_state_machine_as_test(
        loop,
        settings=settings(
            max_examples=12, stateful_step_count=20, deadline=None, derandomize=True,
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
