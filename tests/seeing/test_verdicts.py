"""What the page calls wrong, and when: each limit from both sides, each with a section of the runbook."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sms_gateway.beats import WorkerBeat
from sms_gateway.jobs import QUEUES
from sms_gateway.links import CarrierLink
from sms_gateway.seeing import runbook, verdicts
from sms_gateway.seeing.durations import Kind
from sms_gateway.seeing.machine import Machine
from sms_gateway.seeing.reading import Look, Push, Queue, Took
from sms_gateway.seeing.verdicts import Trouble

AT = datetime(2026, 2, 16, 15, 59, tzinfo=UTC)  # a minute before midnight of Chinese New Year's Eve
WELL = Look(
    at=AT, queues={name: Queue() for name in QUEUES}, took={kind: Took() for kind in Kind}, sends={}, pushes={},
    processes=[WorkerBeat(queue=name, worker="a:1", at=AT, since=AT, memory_mb=100) for name in QUEUES],
    ringing=0, ringing_age=0.0, timers_overdue=0, timers_age=0.0, broadcast_rate=0.0, on_duty=2, database_bytes=1,
    last_done={"backup": AT - timedelta(hours=25), "purge": AT - timedelta(hours=25)},
)  # fmt: skip
ROOM = Machine(disk_free=20, disk_total=100, spooled=0, spooled_red=0, spool_age=0.0)
ANSWER = {"database": "ok", "rasa": "ok", "actions": "ok"}


def judge(look: Look = WELL, here: Machine = ROOM, **parts: str) -> list[Trouble]:
    return verdicts.judge(look, here, {**ANSWER, **parts})


def stuck(name: str, seconds: float) -> Look:
    return replace(WELL, queues={**WELL.queues, name: Queue(waiting=3, age=seconds)})


def without(name: str) -> Look:
    return replace(WELL, processes=[one for one in WELL.processes if one.queue != name])


def line(*, up: int, trouble: str | None = None, at: datetime = AT) -> Look:
    counts = dict.fromkeys(("in_flight", "waiting", "submitted", "refused", "throttled", "unknown", "delivered"), 0)
    row = CarrierLink(carrier="cmpp", worker="a:1", at=at, up=up, wanted=2, rate=100.0, trouble=trouble, **counts)
    return replace(WELL, lines=[row])


def sent(**states: int) -> Look:
    return replace(WELL, sends={("simulator", state): count for state, count in states.items()})


def test_a_line_to_a_mainland_carrier_that_is_down_is_said_with_its_reason() -> None:
    assert judge(line(up=2)) == []
    (down,) = judge(line(up=0, trouble="连不上短信网关，正在重试。"))
    assert (down.section, down.grave) == ("carrier-line", True) and "连不上短信网关" in down.says
    (half,) = judge(line(up=1))
    assert not half.grave and "2 条连接只通了 1 条" in half.says
    (gone,) = judge(line(up=2, at=AT - timedelta(seconds=7)))
    assert gone.grave and "进程停了" in gone.says


def test_when_all_is_well_nothing_is_said() -> None:
    assert judge() == []


@pytest.mark.parametrize(
    ("look", "section", "grave"),
    [
        (replace(WELL, ringing=1, ringing_age=121.0), "nobody-on-duty", True),
        (replace(WELL, on_duty=0), "nobody-on-duty", True),
        (stuck("danger", 5.1), "queue-stuck", True),
        (stuck("turns", 31.0), "queue-stuck", False),
        (stuck("bulk", 601.0), "queue-stuck", False),
        (without("danger"), "queue-stuck", True),
        (without("bulk"), "queue-stuck", False),
        (replace(WELL, timers_overdue=1, timers_age=11.0), "queue-stuck", True),
        (replace(WELL, took={**WELL.took, Kind.DANGER_REPLY: Took(1, 5.1, 5.1)}), "queue-stuck", True),
        (sent(delivered=7, failed=2, blocked=1), "carrier-rejects", True),
        (sent(delivered=50, unknown=5), "carrier-down", True),
        (replace(WELL, pushes={"edu@530627": Push(601.0, 4, 0)}), "push-dead", False),
        (replace(WELL, pushes={"edu@530627": Push(0.0, 0, 1)}), "push-dead", False),
    ],
)
def test_each_failure_is_said_with_its_section(look: Look, section: str, grave: bool) -> None:
    assert [(one.section, one.grave) for one in judge(look)] == [(section, grave)]


@pytest.mark.parametrize(
    "look",
    [
        replace(WELL, ringing=1, ringing_age=119.0), stuck("danger", 4.9), stuck("turns", 29.0), stuck("bulk", 599.0),
        replace(WELL, timers_overdue=1, timers_age=9.0), sent(delivered=8, failed=2), sent(delivered=6, failed=3), sent(delivered=50, unknown=4),
        replace(WELL, pushes={"edu@530627": Push(599.0, 4, 0)}),
    ],
)  # fmt: skip
def test_below_its_limit_nothing_is_said(look: Look) -> None:
    assert judge(look) == []


def test_a_disk_that_fills_up_is_said_before_it_is_full() -> None:
    assert judge(here=replace(ROOM, disk_free=16)) == []
    assert [(one.section, one.grave) for one in judge(here=replace(ROOM, disk_free=15))] == [("disk-full", False)]
    assert [(one.section, one.grave) for one in judge(here=replace(ROOM, disk_free=5))] == [("disk-full", True)]


def test_texts_that_stay_on_the_disk_are_said() -> None:
    assert judge(here=replace(ROOM, spooled=2, spool_age=59.0)) == []
    (said,) = judge(here=replace(ROOM, spooled=2, spooled_red=1, spool_age=61.0))
    assert (said.section, said.grave) == ("database-down", True)


def test_an_assistant_that_does_not_answer_is_said() -> None:
    assert [one.section for one in judge(rasa="down")] == ["assistant-down"]
    assert [one.section for one in judge(actions="down")] == ["assistant-down"]


def test_a_backup_that_was_forgotten_is_said() -> None:
    late = AT - timedelta(hours=27)
    for done in ({"purge": AT}, {"purge": AT, "backup": late}, {"backup": AT, "purge": late}):
        assert [one.section for one in judge(replace(WELL, last_done=done))] == ["upkeep-late"]


def test_the_grave_stands_first_and_every_section_is_in_the_runbook() -> None:
    all_wrong = replace(
        WELL, processes=[], on_duty=0, ringing=1, ringing_age=300.0, timers_age=99.0, timers_overdue=1, last_done={},
        sends={("twilio", "failed"): 20, ("twilio", "unknown"): 20}, pushes={"edu@530627": Push(9e4, 1, 1)},
        queues={name: Queue(1, 1, 1, 9e4) for name in QUEUES}, took={kind: Took(1, 99.0, 99.0) for kind in Kind},
    )  # fmt: skip
    said = judge(all_wrong, Machine(1, 100, 5, 5, 999.0), rasa="down")
    assert said == sorted(said, key=lambda one: not one.grave) and said[0].grave and not said[-1].grave
    book = runbook.load()
    assert {one.section for one in said} <= book.keys()
    assert all(book[one.section].steps for one in said)
