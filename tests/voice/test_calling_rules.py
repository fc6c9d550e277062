"""The person's phone stays silent unless they said it is safe; what a three-way call does next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from sms_gateway.bridge.calling_rules import LIVE, Calling, Step, may_call_person, next_steps
from sms_gateway.bridge.testing_posts import is_emergency_line, result_of
from sms_gateway.calls.states import IN_VAIN, PICKED_UP, State
from sms_gateway.calls.words import ASKED, NOTICE_TEXT, SAID, Purpose

facts = some.builds(
    Calling, has_number=some.booleans(), said_fine=some.booleans(), silent=some.booleans(),
    cautions=some.lists(some.text(max_size=4), max_size=2).map(tuple),
)  # fmt: skip
legs = some.dictionaries(some.sampled_from([Purpose.OPERATOR, Purpose.DESK, Purpose.PERSON]), some.sampled_from(State))


def test_a_person_of_whom_nothing_is_known_is_not_called() -> None:
    assert not may_call_person(Calling())


def test_a_person_who_said_calling_is_fine_is_called() -> None:
    assert may_call_person(Calling(has_number=True, said_fine=True, silent=False))


@given(facts)
def test_a_person_is_called_only_when_everything_speaks_for_it(known: Calling) -> None:
    safe = known.has_number and known.said_fine and not known.silent and not known.cautions
    assert may_call_person(known) is bool(safe)


@given(legs, some.booleans(), some.booleans())
def test_desk_and_person_are_only_called_while_an_operator_is_on_the_line(
    states: dict[Purpose, State], requested: bool, there: bool
) -> None:
    steps = next_steps(states, requested=requested, there=there)
    if Step.CALL_DESK in steps or Step.ASK_FOR_PERSON in steps:
        assert there and states[Purpose.OPERATOR] is State.ANSWERED
        assert Purpose.DESK not in states


@given(legs, some.booleans(), some.booleans())
def test_a_call_fails_only_while_it_waits_and_never_after_its_desk_picked_up(
    states: dict[Purpose, State], requested: bool, there: bool
) -> None:
    steps = next_steps(states, requested=requested, there=there)
    if Step.FAIL in steps:
        assert requested and states.get(Purpose.DESK) not in PICKED_UP
    if requested and states.get(Purpose.DESK) in IN_VAIN:
        assert Step.FAIL in steps


@given(legs)
def test_nobody_is_left_alone_on_the_line(states: dict[Purpose, State]) -> None:
    live = [state for state in states.values() if state in LIVE]
    if len(live) == 1 and len(states) > 1:
        assert Step.CLEAR in next_steps(states, requested=False, there=True)
    if len(live) > 1:
        assert Step.CLEAR not in next_steps(states, requested=False, there=True)


@pytest.mark.parametrize("words", [*SAID.values(), *ASKED.values(), NOTICE_TEXT])
def test_what_is_said_holds_no_place_for_a_name_or_a_number(words: str) -> None:
    assert not {"{", "}", "%", "$"} & set(words)


@pytest.mark.parametrize("phone", ["110", "0870110", "0870-110", "+86870110", "120", "0871119", "12110"])
def test_a_machine_never_calls_an_emergency_line(phone: str) -> None:
    assert is_emergency_line(phone)


@pytest.mark.parametrize("phone", ["+8613800000110", "+868702158276", "+8687121101190"])
def test_an_ordinary_number_is_no_emergency_line(phone: str) -> None:
    assert not is_emergency_line(phone)


@pytest.mark.parametrize(
    ("state", "key", "result"),
    [
        (State.RINGING, None, None), (State.ANSWERED, None, None), (State.ANSWERED, "1", "answered"),
        (State.COMPLETED, "1", "answered"), (State.COMPLETED, None, "unanswered"), (State.ANSWERED, "9", "unanswered"),
        (State.BUSY, None, "unanswered"), (State.NO_ANSWER, None, "unanswered"), (State.FAILED, None, "unanswered"),
    ],
)  # fmt: skip
def test_a_post_is_reached_when_somebody_presses_1(state: State, key: str | None, result: str | None) -> None:
    assert result_of(state, key) == result
