"""What the clocks of a ticket do, told without a database: real holidays, worked weekends, outages, pauses."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_gateway.clock import SHANGHAI
from sms_gateway.tickets import pace
from sms_gateway.tickets.pace import Facts, Request, Signature, next_step
from sms_gateway.tickets.working_time import Hours, after_work, same_time, worked_between
from tests.tickets.making import at

OFFICE = Hours(time(9), time(18))
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2028, 12, 31)).map(lambda naive: naive.replace(tzinfo=SHANGHAI))
SPANS = st.timedeltas(timedelta(), timedelta(hours=400))
HOUR = timedelta(hours=1)


def facts(
    due: datetime, *, rate: str = "blue", level: str = "county", warned: bool = False, supervised: int = 0
) -> Facts:
    return Facts(rate, level, due, warned, supervised)


# --- working time


def test_the_national_holiday_is_no_working_time_and_the_worked_saturday_is() -> None:
    # 1-7 October 2026 off, Saturday 10 October worked.
    assert worked_between(at("2026-09-30", 17), at("2026-10-08", 10), OFFICE) == timedelta(hours=2)
    assert worked_between(at("2026-10-09", 18), at("2026-10-10", 18), OFFICE) == timedelta(hours=9)


def test_working_time_goes_on_after_the_holiday_and_on_the_worked_weekend() -> None:
    assert after_work(at("2026-09-30", 17), 2 * HOUR, OFFICE) == at("2026-10-08", 10)
    assert after_work(at("2026-10-09", 17), 3 * HOUR, OFFICE) == at("2026-10-10", 11)
    assert same_time(at("2026-09-30", 18), 1) == at("2026-10-08", 18)
    assert same_time(at("2026-10-12", 18), -1) == at("2026-10-10", 18)


def test_nothing_is_worked_at_night() -> None:
    assert worked_between(at("2026-11-24", 18, 30), at("2026-11-25", 8, 59), OFFICE) == timedelta()
    assert after_work(at("2026-11-24", 20), HOUR, OFFICE) == at("2026-11-25", 10)


@given(start=MOMENTS, span=SPANS)
def test_as_much_is_worked_as_was_asked_for(start: datetime, span: timedelta) -> None:
    assert worked_between(start, after_work(start, span, OFFICE), OFFICE) == span


@given(start=MOMENTS, span=SPANS, later=SPANS)
def test_what_begins_later_ends_no_earlier(start: datetime, span: timedelta, later: timedelta) -> None:
    assert after_work(start, span, OFFICE) <= after_work(start + later, span, OFFICE)


def test_more_working_time_than_anybody_waits_for_is_refused() -> None:
    with pytest.raises(ValueError, match="working time"):
        after_work(at("2026-11-24"), timedelta(days=9999), OFFICE)


# --- a pause


def test_a_pause_gives_back_the_working_time_that_was_left_not_the_wall_time() -> None:
    # Tuesday 16:00, due Wednesday 18:00: 2 + 9 hours of work are left. The person answers on Saturday.
    due = pace.due_after_pause(at("2026-11-25", 18), at("2026-11-24", 16), at("2026-11-28", 11), urgent=False)
    assert due == at("2026-12-01", 11)  # Monday 9 hours, Tuesday 2
    assert due != at("2026-11-25", 18) + (at("2026-11-28", 11) - at("2026-11-24", 16))


def test_a_pause_over_the_national_holiday_costs_nobody_a_day() -> None:
    due = pace.due_after_pause(at("2026-10-09", 18), at("2026-09-30", 9), at("2026-10-10", 9), urgent=False)
    # Left at 9:00 on 30 September: that day, 8 and 9 October. Given back: Saturday 10 (worked), 12, 13 October.
    assert due == at("2026-10-13", 18)


def test_an_urgent_matter_gets_the_wall_clock_time_back() -> None:
    due = pace.due_after_pause(at("2026-11-28", 10), at("2026-11-27", 22), at("2026-11-28", 4), urgent=True)
    assert due == at("2026-11-28", 16)


@given(due=MOMENTS, before=SPANS, stood=SPANS, urgent=st.booleans())
def test_a_pause_never_makes_a_matter_due_earlier(
    due: datetime, before: timedelta, stood: timedelta, urgent: bool
) -> None:
    assert pace.due_after_pause(due, due - before, due - before + stood, urgent=urgent) >= due


def test_what_stands_says_nothing() -> None:
    standing = Facts("blue", "county", at("2026-11-20", 18), warned=False, supervised=0, stands=True)
    assert next_step(standing, at("2026-11-24")) == pace.Step(None)


# --- warnings and supervision


def test_blue_is_warned_about_one_working_day_before_and_supervised_when_overdue() -> None:
    due = at("2026-11-30", 18)  # Monday
    assert next_step(facts(due), at("2026-11-26")) == pace.Step(at("2026-11-27", 18))  # Friday, not Sunday
    warned = next_step(facts(due), at("2026-11-27", 18))
    assert (warned.what, warned.about, warned.look_at) == ("warning", ("due",), due)
    late = next_step(facts(due, warned=True), due)
    assert (late.what, late.step, late.level, late.look_at) == ("supervision", 1, "county", at("2026-12-01", 18))


def test_over_a_holiday_no_level_is_called_until_offices_are_open() -> None:
    due = at("2026-09-30", 18)
    first = next_step(facts(due, warned=True), due)
    assert (first.step, first.look_at) == (1, at("2026-10-08", 18))
    assert next_step(facts(due, warned=True, supervised=1), at("2026-10-05")).what is None


@pytest.mark.parametrize(
    ("level", "levels"),
    [
        ("county", ["county", "prefecture", "province"]),
        ("prefecture", ["prefecture", "province"]),
        ("province", ["province"]),
    ],
)
def test_supervision_goes_up_level_by_level_and_ends_at_the_province(level: str, levels: list[str]) -> None:
    now, called, supervised, due = at("2026-11-28", 3), [], 0, at("2026-11-28", 3)  # a Saturday night
    while True:
        step = next_step(facts(due, rate="orange", level=level, warned=True, supervised=supervised), now)
        assert step.what == "supervision"
        called.append(step.level)
        supervised = step.supervised
        if step.look_at is None:
            break
        assert step.look_at - now == HOUR
        now = step.look_at
    assert called == levels


@pytest.mark.parametrize(
    ("rate", "before"), [("red", timedelta(seconds=61.2)), ("orange", HOUR / 2), ("urgent", 6 * HOUR)]
)
def test_red_orange_and_urgent_run_through_the_night_and_the_holiday(rate: str, before: timedelta) -> None:
    due = at("2026-10-03", 3)  # National Day, at night
    assert next_step(facts(due, rate=rate), due - timedelta(days=2)).look_at == due - before
    assert next_step(facts(due, rate=rate), due - before).what == "warning"
    assert next_step(facts(due, rate=rate, warned=True), due).what == "supervision"


def test_after_a_long_outage_one_thing_is_said_at_the_level_it_should_have_by_now() -> None:
    due = at("2026-11-24", 10)
    step = next_step(facts(due, rate="orange"), due + timedelta(hours=1.5))  # neither warned about nor supervised
    assert (step.what, step.step, step.level, step.supervised) == ("supervision", 2, "prefecture", 2)
    assert step.look_at == due + 2 * HOUR
    week = next_step(facts(due, rate="orange"), due + timedelta(days=7))
    assert (week.step, week.level, week.look_at) == (3, "province", None)


def test_what_nobody_signs_for_is_warned_about_half_way_and_supervised() -> None:
    sent = at("2026-11-27", 15)  # Friday
    signature = Signature(sent, at("2026-11-30", 18), warned=False, supervised=0)
    waiting = Facts("blue", "county", at("2026-12-04", 18), False, 0, signature=signature)
    assert next_step(waiting, sent).look_at == at("2026-11-30", 12)  # 3 + 9 hours of work: half of them
    assert next_step(waiting, at("2026-11-30", 12)).about == ("sign",)
    late = next_step(waiting, at("2026-11-30", 18))
    assert (late.what, late.about, late.step, late.sign_supervised, late.supervised) == (
        "supervision",
        ("sign",),
        1,
        1,
        0,
    )


def test_matter_and_signature_late_together_are_one_event() -> None:
    signature = Signature(at("2026-11-24", 9), at("2026-11-24", 10), warned=False, supervised=0)
    late = Facts("orange", "county", at("2026-11-24", 11), False, 0, signature=signature)
    step = next_step(late, at("2026-11-24", 12, 30))
    assert (step.what, step.about, step.step, step.level) == ("supervision", ("due", "sign"), 3, "province")
    assert (step.supervised, step.sign_supervised) == (2, 3)


def test_a_request_nobody_decides_is_warned_about_once() -> None:
    asked = Facts("blue", "county", at("2026-12-02", 18), False, 0, request=Request(at("2026-11-24", 16), warned=False))
    assert next_step(asked, at("2026-11-24", 16)).look_at == at("2026-11-25", 11)  # four hours of work
    assert next_step(asked, at("2026-11-25", 11)).about == ("extension",)
    known = Facts("blue", "county", at("2026-12-02", 18), False, 0, request=Request(at("2026-11-24", 16), warned=True))
    assert next_step(known, at("2026-11-25", 11)).what is None


@given(
    due=MOMENTS, rate=st.sampled_from(["red", "orange", "urgent", "blue"]), level=st.sampled_from(pace.LADDER),
    supervised=st.integers(0, 3), warned=st.booleans(), offset=st.timedeltas(timedelta(days=-40), timedelta(days=40)),
)  # fmt: skip
def test_the_next_look_lies_ahead_and_nothing_is_said_twice(
    due: datetime, rate: str, level: str, supervised: int, warned: bool, offset: timedelta
) -> None:
    now = due + offset
    step = next_step(facts(due, rate=rate, level=level, supervised=supervised, warned=warned), now)
    assert step.look_at is None or step.look_at > now
    assert step.supervised >= supervised
    again = facts(due, rate=rate, level=level, supervised=step.supervised, warned=warned or "due" in step.about)
    assert next_step(again, now).what is None
