"""What is left for later: outreach before questions, danger never."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sms_gateway.messages.overload import FALLS_AT, LONGEST, MANY, Asked, Limits, Pressure, Shed, may_wait, shed

LIMITS = Limits()
waiting = st.integers(0, 5000)
oldest = st.floats(0, 3600)
levels = st.sampled_from(list(Shed))
lanes = st.sampled_from(["red", "orange", "blue", None])


@given(waiting, oldest, levels)
def test_questions_are_put_off_only_when_outreach_is(count: int, age: float, before: Shed) -> None:
    strict = Limits(outreach=LIMITS.policy, policy=LIMITS.policy)
    if shed(Pressure(count, age), before, strict) is Shed.POLICY:
        assert shed(Pressure(count, age), before, LIMITS) >= Shed.OUTREACH


@given(waiting, oldest, waiting, oldest, levels)
def test_more_pressure_never_sheds_less(count: int, age: float, more: int, older: float, before: Shed) -> None:
    calm, busy = Pressure(count, age), Pressure(count + more, age + older)
    assert shed(busy, before, LIMITS) >= shed(calm, before, LIMITS)


@given(waiting, oldest, levels)
def test_the_same_pressure_gives_the_same_level_again(count: int, age: float, before: Shed) -> None:
    first = shed(Pressure(count, age), before, LIMITS)
    assert shed(Pressure(count, age), first, LIMITS) == first, "no to and fro"


@given(st.integers(0, int(MANY * FALLS_AT) - 1), oldest, levels)
def test_one_persons_own_queue_is_no_overload(count: int, age: float, before: Shed) -> None:
    assert shed(Pressure(count, age), before, LIMITS) is Shed.NOTHING


def test_the_steps_come_one_after_the_other_and_go_back_the_same_way() -> None:
    level, seen = Shed.NOTHING, []
    for age in (1, 5, 9, 11, 8, 6, 4.9, 3, 1.9):
        level = shed(Pressure(100, age), level, LIMITS)
        seen.append(int(level))
    assert seen == [0, 1, 1, 2, 2, 2, 1, 1, 0]


@given(lanes, lanes.filter(bool), st.booleans(), st.floats(0, 10_000), levels)
def test_danger_never_waits(lane: str | None, talk_lane: str, question: bool, waited: float, level: Shed) -> None:
    put_off = may_wait(Asked(lane, talk_lane, question, waited), level)
    if lane != "blue" or talk_lane != "blue":
        assert not put_off
    if not question or waited >= LONGEST or level < Shed.POLICY:
        assert not put_off


def test_an_ordinary_question_waits_under_overload() -> None:
    assert may_wait(Asked("blue", "blue", True, 12.0), Shed.POLICY)
