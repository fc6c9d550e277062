"""Clocks in working time: real holidays, weekends that are worked, years whose notice is not out yet."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_gateway.clock import SHANGHAI
from sms_gateway.tickets import deadlines, working_time
from sms_gateway.tickets.draft import Kind

ANY_DAY = st.dates(min_value=date(2020, 1, 1), max_value=date(2032, 12, 31))


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 10, 1), False),  # National Day
        (date(2026, 10, 7), False),  # a weekday off
        (date(2026, 9, 20), True),  # a Sunday that is worked
        (date(2026, 2, 14), True),  # a Saturday that is worked for Spring Festival
        (date(2026, 2, 17), False),  # New Year's Day of the lunar year
        (date(2026, 11, 24), True),
        (date(2026, 11, 22), False),
        (date(2031, 1, 1), False),  # no notice yet: fixed days are known
        (date(2031, 10, 2), False),
        (date(2031, 11, 25), True),
        (date(2031, 11, 23), False),
    ],
)
def test_days_offices_are_open(day: date, works: bool) -> None:
    assert working_time.is_working_day(day) is works


def test_a_complaint_before_the_national_holiday_waits_for_its_end() -> None:
    came = datetime(2026, 9, 30, 2, 0, tzinfo=UTC)  # Wednesday morning
    due = deadlines.due_at("blue", came, kind="help")
    assert due == datetime(2026, 10, 13, 18, 0, tzinfo=SHANGHAI)  # 8, 9, 10 (worked Saturday), 12, 13


def test_the_day_is_told_in_shanghai() -> None:
    late = datetime(2026, 11, 23, 16, 30, tzinfo=UTC)  # Tuesday 00:30 there
    assert deadlines.due_at("blue", late, kind="consultation") == datetime(2026, 11, 26, 18, 0, tzinfo=SHANGHAI)


def test_danger_never_waits_for_offices() -> None:
    night = datetime(2026, 10, 1, 15, 0, tzinfo=UTC)
    assert deadlines.due_at("red", night, kind="help") - night == timedelta(minutes=3)
    assert deadlines.due_at("orange", night, kind="report") - night == timedelta(hours=2)


def test_every_kind_of_matter_has_its_days() -> None:
    limits = deadlines.time_limits()
    assert {*Kind, "suggestion", "callback", "disclosure"} <= set(limits.working_days)
    assert all(0 < days <= 15 for days in (*limits.working_days.values(), limits.otherwise))


@given(start=ANY_DAY, days=st.integers(1, 40))
def test_exactly_so_many_working_days_lie_between(start: date, days: int) -> None:
    end = working_time.working_day_after(start, days)
    between = [start + timedelta(days=i) for i in range(1, (end - start).days + 1)]
    assert sum(map(working_time.is_working_day, between)) == days and working_time.is_working_day(end)


@given(start=ANY_DAY, days=st.integers(1, 20), later=st.integers(0, 30))
def test_what_comes_later_is_never_due_earlier(start: date, days: int, later: int) -> None:
    first, second = (
        working_time.end_of_working_days(datetime.combine(day, time(12), SHANGHAI), days, business_ends=time(18))
        for day in (start, start + timedelta(days=later))
    )
    assert first <= second


@pytest.mark.parametrize("days", [0, -1, 401])
def test_a_senseless_number_of_days_is_refused(days: int) -> None:
    with pytest.raises(ValueError, match="working days"):
        working_time.working_day_after(date(2026, 11, 24), days)
