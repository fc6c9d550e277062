"""Who is rung, when, and what may not be skipped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_gateway.escalations.ladder import (
    MOVES,
    OPEN,
    Audience,
    EscalationCannotMove,
    State,
    can_move,
    due_steps,
    move,
    next_due,
    rung,
)

RECEIVED = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def due(seconds: float, taken: int = -1, **more: object) -> list[Audience]:
    now = RECEIVED + timedelta(seconds=seconds)
    arguments = {"state": State.RINGING} | more
    return [step.audience for step in due_steps(received_at=RECEIVED, now=now, taken=taken, **arguments)]  # type: ignore[arg-type]


def test_the_first_ring_is_at_once() -> None:
    assert due(0) == [Audience.ON_DUTY]


@pytest.mark.parametrize(
    ("seconds", "taken", "rung_now"),
    [
        (29.9, 0, []),
        (30, 0, [Audience.ON_DUTY]),
        (60, 1, [Audience.ALL_OPERATORS]),
        (120, 2, [Audience.SUPERVISOR]),
        (180, 3, [Audience.BRIDGE]),
        (4000, 4, []),
    ],
)
def test_each_step_comes_in_its_time(seconds: float, taken: int, rung_now: list[Audience]) -> None:
    assert due(seconds, taken) == rung_now


def test_after_an_outage_all_missed_steps_come_at_once() -> None:
    assert due(200, 0) == [Audience.ON_DUTY, Audience.ALL_OPERATORS, Audience.SUPERVISOR, Audience.BRIDGE]


def test_with_nobody_in_the_county_prefecture_and_province_ring_at_once() -> None:
    assert due(0, on_duty_in_county=False) == [Audience.PREFECTURE_AND_PROVINCE]


@pytest.mark.parametrize("state", [state for state in State if state is not State.RINGING])
def test_once_answered_nothing_rings(state: State) -> None:
    assert due(500, state=state) == []
    assert next_due(received_at=RECEIVED, taken=0, state=state) is None


@pytest.mark.parametrize("lane", ["orange", "blue"])
def test_only_red_rings(lane: str) -> None:
    assert due(500, lane=lane) == []


def test_the_timer_is_set_for_the_next_step() -> None:
    assert next_due(received_at=RECEIVED, taken=0, state="ringing") == RECEIVED + timedelta(seconds=30)
    assert next_due(received_at=RECEIVED, taken=4, state="ringing") is None


@given(st.lists(st.floats(0, 400), min_size=1, max_size=12))
def test_however_often_it_is_looked_at_each_step_is_taken_once(times: list[float]) -> None:
    taken, steps = -1, []
    for seconds in sorted(times):
        for step in due_steps(
            received_at=RECEIVED, now=RECEIVED + timedelta(seconds=seconds), taken=taken, state="ringing"
        ):
            steps.append(step.number)
            taken = step.number
    assert steps == list(range(len(steps)))


def test_red_is_not_resolved_before_somebody_saw_the_child() -> None:
    for state in State:
        if state is not State.CHILD_SEEN:
            assert not can_move(state, State.RESOLVED)
    assert can_move(State.CHILD_SEEN, State.RESOLVED)


def test_a_call_that_is_no_danger_ends_when_a_person_dealt_with_it() -> None:
    assert can_move(State.IN_CONTACT, State.RESOLVED, lane="blue")
    assert not can_move(State.RINGING, State.RESOLVED, lane="blue")


def test_a_false_alarm_needs_two_people() -> None:
    assert not can_move(State.ACKNOWLEDGED, State.FALSE_ALARM)
    with pytest.raises(EscalationCannotMove):
        move(State.ACKNOWLEDGED, State.FALSE_ALARM)
    assert move(State.ACKNOWLEDGED, State.FALSE_ALARM, signatures=2) is State.FALSE_ALARM


def test_lost_contact_stays_open() -> None:
    assert State.LOST_CONTACT in OPEN
    assert set(MOVES) == set(State)


def test_an_unknown_step_is_refused() -> None:
    with pytest.raises(ValueError):
        rung(9)
    assert rung(4).audience is Audience.BRIDGE
