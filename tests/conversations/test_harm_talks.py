"""The third separate talk of harm within a week raises the lane; texts of one talk, and policy questions, never count."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sms_gateway.conversations.harm_talks import QUIET, Said, is_of_harm, one_step_up, raising_talks, talks
from sms_gateway.tickets.same_child import Report, raises_by

START = datetime(2026, 11, 1, tzinfo=UTC)


def told(*hours: float, harmless: tuple[float, ...] = ()) -> list[Said]:
    """Texts of harm at these hours, and harmless ones between."""
    both = sorted([*((hour, True) for hour in hours), *((hour, False) for hour in harmless)])
    return [Said(number, START + timedelta(hours=hour), harm) for number, (hour, harm) in enumerate(both, start=1)]


def test_the_third_talk_raises_and_names_those_before() -> None:
    assert [said.at for said in raising_talks(told(0, 24, 48))] == [
        START + timedelta(hours=hour) for hour in (0, 24, 48)
    ]
    assert raising_talks(told(0, 24)) == ()


def test_many_texts_of_one_talk_count_once_and_do_not_raise_again() -> None:
    assert raising_talks(told(0, 1, 2, 3, 8)) == ()
    assert raising_talks(told(0, 24, 48, 48.2)) == ()
    assert raising_talks(told(0, 24, 48, 72)) != ()


def test_six_quiet_hours_make_another_talk_and_what_is_said_between_keeps_it_going() -> None:
    assert raising_talks(told(0, 6, 12)) != ()
    assert raising_talks(told(0, 5.9, 11.8)) == ()
    assert raising_talks(told(0, 8, 16, harmless=(4, 12))) == ()


def test_a_week_is_the_longest() -> None:
    assert raising_talks(told(0, 24, 167)) != ()
    assert raising_talks(told(0, 24, 168)) == ()


def test_only_harm_that_somebody_does_counts() -> None:
    assert is_of_harm("orange", "violence_in_progress") and is_of_harm("red", "sexual_abuse")
    for lane, harm in (
        ("blue", "none"),
        ("blue", "other_danger"),
        ("red", "fire"),
        ("red", "traffic"),
        (None, None),
        ("orange", "none"),
    ):
        assert not is_of_harm(lane, harm)
    assert [one_step_up(lane) for lane in ("blue", "orange", "red")] == ["orange", "red", "red"]


@given(st.lists(st.tuples(st.floats(0, 400), st.booleans()), max_size=40))
def test_talks_hold_every_text_once_and_are_quiet_apart(spoken: list[tuple[float, bool]]) -> None:
    texts = [Said(n, START + timedelta(hours=hour), harm) for n, (hour, harm) in enumerate(sorted(spoken))]
    found = talks(texts)
    assert [text for talk in found for text in talk] == texts
    for one, after in pairwise(found):
        assert after[0].at - one[-1].at >= QUIET
    named = raising_talks(texts)
    assert named == () or (len(named) >= 3 and named[-1] == texts[-1] and all(text.harm for text in named))


def test_a_second_reporter_raises_the_newest_open_report_once() -> None:
    mother, teacher = Report(1, 10, "help", is_open=True), Report(2, 20, "mandated", is_open=True)
    question = Report(3, 30, "consultation", is_open=True)
    assert raises_by([mother], told_before=1) is None
    assert raises_by([mother, Report(4, 10, "report", is_open=True)], told_before=1) is None  # the same person
    assert raises_by([mother, question], told_before=1) is None
    assert raises_by([mother, teacher], told_before=1) == teacher
    assert raises_by([mother, teacher], told_before=2) is None
    assert (
        raises_by([Report(1, 10, "help", is_open=False), Report(2, 20, "report", is_open=False)], told_before=1) is None
    )
