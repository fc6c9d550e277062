"""The judges of the fault run and of the load, on data made by hand: they see a loss, a double, a change of places."""

from __future__ import annotations

import random
from itertools import pairwise

from benchmarks.results import FAULTS
from benchmarks.trust_chaos import COMPLAINT, Ran, rows, script
from benchmarks.trust_faults import DANGER, Recovery, slowest
from benchmarks.trust_judging import Verdict, beyond, out_of_order
from benchmarks.trust_load import LIMIT_MS, Overload, Step, knee, rows_of


def test_a_change_of_places_is_seen_on_its_own_phone_only() -> None:
    sent = [("a", "1"), ("b", "2"), ("a", "3"), ("b", "4")]
    assert out_of_order(sent, {"1": 10, "2": 11, "3": 12, "4": 13}) == 0
    assert out_of_order(sent, {"1": 12, "2": 11, "3": 10, "4": 13}) == 1
    assert out_of_order(sent, {"1": 13, "4": 10}) == 0, "phones have no order among each other"


def test_what_a_phone_got_beyond_the_ledger_is_counted() -> None:
    assert beyond({"a": 2, "b": 1}, {"a": 1, "b": 3}) == 1
    assert beyond({"c": 1}, {}) == 1


def test_any_loss_fails_the_run_and_a_second_reply_only_where_the_carrier_could_say() -> None:
    assert Verdict(sent=3).holds
    for bad in ({"lost": ["x"]}, {"never_taken": ["x"]}, {"stored_twice": ["x"]}, {"reordered": 1}, {"tickets_twice": 1},
                {"danger_unanswered": ["x"]}, {"danger_without_call": ["x"]}, {"unread": ["x"]}, {"said_twice": 1}):  # fmt: skip
        assert not Verdict(**bad).holds, bad  # type: ignore[arg-type]
    assert Verdict(said_twice=1, unknown=1).holds
    assert not Ran(Verdict(), [], 60.0, None).holds, "something was left to do"


def test_what_never_came_back_counts_as_a_minute() -> None:
    away = [Recovery("x", 5.0, rang=1.0), Recovery("y", 5.0, rang=None)]
    assert slowest(away, "rang") == 60.0
    assert slowest([], "rang") == 0.0


def test_the_runs_rows_are_of_their_own_and_replaced_by_name() -> None:
    found = rows(Ran(Verdict(sent=1), [Recovery("x", 5.0, 0.1, 1.0, 2.0, database=True)], 61.0, 3.0))
    assert all(one.area == "trust" and one.name.startswith(FAULTS) for one in found)
    assert all(one.holds in (True, None) for one in found)


def test_people_write_questions_forms_calls_and_now_and_then_danger() -> None:
    chance = random.Random(1)
    scripts = [script(chance) for _ in range(400)]
    assert COMPLAINT in scripts
    assert 5 < sum(lines[0] in DANGER for lines in scripts) < 60


def _step(load: float, p95: float, failed: int = 0) -> Step:
    return Step(load, p95 / 2, p95, 90.0, 20.0, failed, 0.1)


def test_the_knee_is_the_last_step_before_the_first_that_is_too_slow() -> None:
    steps = [_step(2, 200), _step(4, LIMIT_MS), _step(8, LIMIT_MS + 1), _step(16, 300)]
    assert knee(steps) == 4
    assert knee([_step(2, 200, failed=1)]) == 0
    assert all(a.load < b.load for a, b in pairwise(steps))


def test_a_danger_text_without_a_reply_breaks_the_measure() -> None:
    beyond_it = Overload(100, 30.0, [0.1, float("inf")], 10, 9, 1, None)
    held = {one.name.rpartition(": ")[2]: one.holds for one in rows_of([_step(2, 200)], [_step(10, 200)], beyond_it)}
    assert held["danger texts without a reply"] is False
    assert held["of these without an answer afterwards"] is False
