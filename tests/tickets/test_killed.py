"""A worker is killed with -9 at every step of the loop: nothing is lost, nothing happens twice."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from benchmarks.casework_data import fill
from sms_gateway import clock as clocks_of
from sms_gateway import database as ground
from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from sms_gateway.events.models import HotlineEvent
from sms_gateway.settings import get_settings
from sms_gateway.supervision.scratch import ScratchPostgres
from sms_gateway.tickets import clocks, concluding, dispatching, extending, handling, moves, service
from sms_gateway.tickets.lifecycle import Status
from sms_gateway.tickets.models import Dispatch, Extension, FollowUp, Ticket
from sms_gateway.tickets.verify import verify
from tests.tickets.making import COUNTY, DESK, LEAD, SCHOOLS, UNIT, at, contact_of, text_in, the_desk

BEGAN = at("2026-11-24", 10)


@dataclass(frozen=True)
class Matter:
    """What a walk needs to know: the talk, its contact, and the text that brought it."""

    thread_id: int
    contact_id: int
    message_id: int


async def _find(session: AsyncSession, matter: Matter) -> Ticket:
    ticket_id = (await session.scalars(select(Ticket.id).where(Ticket.asked_in == matter.message_id))).one()
    return await moves.lock(session, ticket_id)


async def _open(session: AsyncSession, matter: Matter) -> None:
    await service.open_ticket(
        session, thread_id=matter.thread_id, contact_id=matter.contact_id, asked_in=matter.message_id, kind="complaint",
        county=COUNTY, answers={"what": "食堂的饭菜有虫"},
    )  # fmt: skip


def _in(status: Status, act: Callable[[AsyncSession, Ticket], Awaitable[object]]) -> Any:
    """A step as a job does it that may be given out twice: only where the ticket still waits for it."""

    async def step(session: AsyncSession, matter: Matter) -> None:
        ticket = await _find(session, matter)
        if ticket.status == status:
            await act(session, ticket)

    return step


async def _late(session: AsyncSession, _: Matter) -> None:
    held = clocks_of._clock
    assert isinstance(held, HeldClock)
    if held.now() < BEGAN + timedelta(days=30):
        held.advance(timedelta(days=30))
    await clocks.look(session)


async def _ask_for_time(session: AsyncSession, ticket: Ticket) -> None:
    if await extending.find_request(session, ticket.id) is None:
        await extending.ask(session, ticket, actor=UNIT, reason="要等检测", until=at("2026-12-10").date())


async def _evaluate(session: AsyncSession, matter: Matter) -> None:
    await service.evaluate(session, contact_id=matter.contact_id, stars=5, message_id=matter.message_id)


STEPS: dict[str, Callable[[AsyncSession, Matter], Awaitable[None]]] = {
    "accept": _open,
    "dispatch": _in(Status.ACCEPTED, lambda s, t: dispatching.dispatch(s, t, unit=SCHOOLS, actor=DESK)),
    "sign": _in(Status.DISPATCHED, lambda s, t: dispatching.sign(s, t, actor=UNIT)),
    "ask for time": _in(Status.SIGNED_FOR, _ask_for_time),
    "extend": _in(Status.SIGNED_FOR, lambda s, t: extending.approve(s, t, actor=LEAD)),
    "reply": _in(Status.EXTENDED, lambda s, t: handling.reply(s, t, actor=UNIT, words="已检测")),
    "supervise": _late,
    "conclude": _in(Status.REPLIED, lambda s, t: concluding.conclude(s, t, actor=DESK, why="答复清楚")),
    "evaluate": _evaluate,
}
EVENTS = [
    "accepted", "dispatched", "signed_for", "extension_asked", "extended", "replied", "supervision", "concluded", "evaluated",
]  # fmt: skip


async def walk(matter: Matter, *, killed_at: tuple[str, str] | None) -> None:
    """Every step in a transaction of its own; `killed_at`: (step, before or after its commit)."""
    clocks_of.use(HeldClock(BEGAN))
    for name, act in STEPS.items():
        async with transaction() as session:
            await act(session, matter)
            await session.flush()
            if killed_at == (name, "before"):
                os.kill(os.getpid(), signal.SIGKILL)
        if killed_at == (name, "after"):
            os.kill(os.getpid(), signal.SIGKILL)
    await ground.dispose()


def in_a_process_of_its_own(matter: Matter, *, killed_at: tuple[str, str] | None = None) -> int:
    """The signal or exit code it ended with. Forked while no connection is open: the pool is made anew there."""
    child = os.fork()
    if child == 0:
        code = 70
        try:
            asyncio.run(walk(matter, killed_at=killed_at))
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


@pytest.fixture
def run(postgres: ScratchPostgres, monkeypatch: pytest.MonkeyPatch, clock: HeldClock) -> Iterator[Callable[[Any], Any]]:
    """Run a coroutine here and close every connection, so that a fork inherits none."""
    monkeypatch.setenv("HOTLINE_DATABASE_URL", postgres.create("killed_walks", template="template"))
    get_settings.cache_clear()
    clock.advance(BEGAN - clock.now())

    def alone(work: Any) -> Any:
        async def inside() -> Any:
            try:
                return await work
            finally:
                await ground.dispose()

        return asyncio.run(inside())

    alone(the_desk())
    yield alone
    get_settings.cache_clear()


async def _brought(number: str) -> Matter:
    thread_id, message_id = await text_in("食堂的饭菜有虫", number=number)
    async with transaction() as session:
        return Matter(thread_id, await contact_of(session, message_id), message_id)


async def _left(matter: Matter) -> dict[str, Any]:
    """Everything a walk leaves behind, without ids and times."""
    async with transaction() as session:
        ticket = (await session.scalars(select(Ticket).where(Ticket.asked_in == matter.message_id))).one()
        events = await service.list_events(session, ticket.id)
        count: dict[str, Any] = {"events": [event.what for event in events], "status": ticket.status}
        for table in (Dispatch, Extension, FollowUp):
            count[table.__tablename__] = await session.scalar(select(func.count()).where(table.ticket_id == ticket.id))
        pushed = select(HotlineEvent.type).where(HotlineEvent.subject == ticket.number)
        count["pushed"] = Counter(await session.scalars(pushed))
    return count


@pytest.mark.timeout(600)
def test_killed_before_or_after_every_commit_a_matter_still_goes_its_whole_way_once(
    run: Callable[[Any], Any],
) -> None:
    whole = run(_brought("+8613800001000"))
    assert in_a_process_of_its_own(whole) == 0
    expected = run(_left(whole))
    assert expected["events"] == EVENTS
    for n, killed_at in enumerate([(step, when) for step in STEPS for when in ("before", "after")], start=1):
        matter = run(_brought(f"+861380000{1000 + n}"))
        assert in_a_process_of_its_own(matter, killed_at=killed_at) == -signal.SIGKILL, killed_at
        assert in_a_process_of_its_own(matter) == 0, killed_at
        assert run(_left(matter)) == expected, killed_at

    async def chains() -> list[Any]:
        async with transaction() as session:
            return (await verify(session)).findings

    assert run(chains()) == []


@pytest.mark.timeout(600)
def test_a_real_worker_killed_in_the_middle_of_a_sweep_says_everything_once(
    postgres: ScratchPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.create("killed_worker", template="template")
    monkeypatch.setenv("HOTLINE_DATABASE_URL", url)
    asyncio.run(fill(url, 2_000, open_share=1.0))
    spoken = "SELECT count(*), count(DISTINCT ticket_id) FROM ticket_events WHERE what IN ('supervision', 'warning')"
    waiting = "SELECT count(*) FROM tickets WHERE next_clock_at <= now()"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "UPDATE tickets SET due_at = now() - interval '1 minute', next_clock_at = now() WHERE paused_at IS NULL"
        )
        first = _worker()
        _until(lambda: _count(connection, spoken)[0] > 0)
        first.kill()
        first.wait()
        after_the_kill = _count(connection, spoken)[0]
        second = _worker()
        try:
            _until(lambda: _count(connection, waiting)[0] == 0)
        finally:
            second.kill()
            second.wait()
        events, tickets = _count(connection, spoken)
        late = _count(connection, "SELECT count(*) FROM tickets WHERE paused_at IS NULL")[0]
    assert 0 < after_the_kill <= events == tickets  # each once
    assert tickets >= late  # and none forgotten


def _worker() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "sms_gateway.cli", "worker", "bulk"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _until(so: Callable[[], bool], *, within: float = 90) -> None:
    began = time.monotonic()
    while not so():
        assert time.monotonic() - began < within, "it did not happen"
        time.sleep(0.01)


def _count(connection: psycopg.Connection[Any], question: str) -> tuple[int, ...]:
    found = connection.execute(question).fetchone()
    assert found is not None
    return tuple(found)
