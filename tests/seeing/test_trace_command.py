"""`hotline trace`: the lines of one id, from every shape of log, in order; a job found again belongs to its text."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import text
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from sms_gateway import clock as clocks
from sms_gateway import timers, tracing
from sms_gateway.clock import HeldClock
from sms_gateway.commands.trace import find
from sms_gateway.conversations import forgotten
from sms_gateway.database import transaction
from sms_gateway.messages import inbox
from sms_gateway.timers import set_timer
from tests.telling import Person

ID = "00ff00ff00ff00ff"


def test_lines_of_all_processes_come_in_order() -> None:
    def line(at: str, event: str, **more: str) -> str:
        return json.dumps({"event": event, "trace": ID, "timestamp": at, **more})

    rasa = json.dumps({"at": "2026-11-30T10:00:01.500000Z", "event": "turn_answered", "trace": ID})
    found = find(
        ID,
        [
            ("turns", line("2026-11-30T10:00:01.100000Z", "turn_step", process="worker-turns", step="ask")),
            ("gateway", line("2026-11-30T10:00:01.000000Z", "text_received", process="gateway")),
            ("gateway", line("2026-11-30T10:00:00.000000Z", "text_received", process="gateway").replace(ID, "1" * 16)),
            ("rasa", f"2026-11-30 10:00:01 INFO     bot.channel  - {rasa}"), ("x", f"torn {ID}"), ("x", f"{{torn {ID}"),
        ],
    )  # fmt: skip
    assert [(one.process, one.event) for one in found] == [
        ("gateway", "text_received"),
        ("worker-turns", "turn_step"),
        ("rasa", "turn_answered"),
    ]
    assert found[1].more == "step=ask"


@pytest.mark.parametrize(
    "strange", ["", "13800000001", "G" * 16, "a" * 17, "我叫张小明我叫张小明我叫张小明我", None, 7, "0123456789abcde\n"]
)
def test_nothing_but_a_trace_gets_into_a_log_by_this_way(strange: object) -> None:
    with tracing.within(strange):
        assert tracing.current() is None
    with tracing.within(ID), tracing.within(strange):
        assert tracing.current() == ID


async def _traces_of_jobs() -> list[tuple[str, str | None]]:
    async with transaction() as session:
        rows = await session.execute(
            text("SELECT task_name, args->>'trace' FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id")
        )
        return [(name, trace) for name, trace in rows]


async def test_jobs_timers_and_replies_belong_to_the_text_they_come_from(
    person: Person, clock: HeldClock, run_jobs: Callable[[], Awaitable[None]]
) -> None:
    with tracing.within(ID):
        message_id = await person.hand_in("有个叔叔一直在踹我家门 就我和弟弟在")
    assert {trace for _name, trace in await _traces_of_jobs()} == {ID}
    await run_jobs()
    async with transaction() as session:
        traces = await inbox.list_traces(session, list(range(message_id, message_id + 3)))
        rung = (await session.execute(text("SELECT DISTINCT trace FROM timers"))).scalars().all()
    assert len(traces) >= 2 and set(traces.values()) == {ID}
    assert rung == [ID]
    clock.advance(timedelta(seconds=31))
    await timers.sweep()
    assert {trace for _name, trace in await _traces_of_jobs()} == {ID}


async def test_what_a_sweep_finds_again_belongs_to_its_text_and_a_chore_to_none(
    person: Person, clock: HeldClock
) -> None:
    with tracing.within(ID):
        await person.hand_in("你好")
    async with transaction() as session:
        await session.execute(text("DELETE FROM procrastinate_events"))
        await session.execute(text("DELETE FROM procrastinate_jobs"))
        await set_timer(session, job="conversations.end_waiting", subject_id=1, due_at=clocks.now())
    clock.advance(timedelta(seconds=30))
    await forgotten.sweep()
    await timers.sweep()
    assert await _traces_of_jobs() == [("conversations.rescue", ID), ("conversations.end_waiting", None)]


async def test_a_job_logs_its_end_with_ids_only(person: Person, run_jobs: Callable[[], Awaitable[None]]) -> None:
    with tracing.within(ID):
        message_id = await person.hand_in("我叫张小明")
    with capture_logs(processors=[merge_contextvars]) as lines:
        await run_jobs()
    ended = [line for line in lines if line["event"] == "job_ended"]
    judged = next(line for line in ended if line["job"] == "conversations.judge")
    assert (judged["trace"], judged["message_id"], judged["outcome"]) == (ID, message_id, "done") and judged["ms"] >= 0
    assert "张小明" not in json.dumps(lines, ensure_ascii=False, default=str) and "13800000001" not in str(lines)
