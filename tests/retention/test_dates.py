"""When a period ends: month ends, leap days, weekends and the Spring Festival, over years."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_gateway.clock import SHANGHAI, shanghai
from sms_gateway.retention.dates import Span, SpanIsUnclear, cutoff, ends
from sms_gateway.tickets.working_time import is_working_day

MOMENTS = st.datetimes(datetime(2010, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))
SPANS = st.one_of(
    st.integers(1, 4000).map(lambda days: Span(days=days)), st.integers(1, 300).map(lambda months: Span(months=months))
)


def _at(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("begins", "span", "due"),
    [
        ("2026-03-10 09:30", "12m", "2027-03-11 00:00"),  # the same day a year on, to its end
        ("2026-01-31 23:59", "1m", "2026-03-01 00:00"),  # February has no 31st; the 28th is worked (a Saturday put in)
        ("2024-02-29 12:00", "1y", "2025-03-01 00:00"),  # no leap day: the last of February
        ("2024-02-29 12:00", "4y", "2028-03-01 00:00"),  # a leap day again: the 29th
        ("2023-02-28 12:00", "1y", "2024-02-29 00:00"),  # the corresponding day is the 28th, not the month's last
        ("2025-02-16 08:00", "1y", "2026-02-25 00:00"),  # Spring Festival 2026: off until the 23rd, the 24th is worked
        ("2026-01-18 10:00", "30d", "2026-02-25 00:00"),  # days too
        ("2025-09-30 10:00", "1m", "2025-10-31 00:00"),
        ("2025-09-01 10:00", "1m", "2025-10-10 00:00"),  # National Day and Mid-Autumn 2025: off until the 8th
        ("2026-11-28 10:00", "7d", "2026-12-08 00:00"),  # a Saturday: Monday is the last day
        ("2026-12-31 23:30", "3y", "2030-01-01 00:00"),
        ("2004-02-29 10:00", "21y", "2025-03-01 00:00"),
    ],
)
def test_a_period_ends_as_the_civil_code_counts(begins: str, span: str, due: str) -> None:
    assert ends(_at(begins), Span.read(span)) == _at(due)


@given(MOMENTS, SPANS)
def test_nothing_is_due_before_its_span_has_passed_and_the_last_day_is_a_working_day(at: datetime, span: Span) -> None:
    due = ends(at, span)
    last = shanghai(due - timedelta(seconds=1)).date()
    assert due > at and is_working_day(last)
    assert last >= span.after(shanghai(at).date())
    assert due - at < timedelta(days=span.days or span.months * 31 + 1) + timedelta(days=14)
    assert shanghai(due).hour == shanghai(due).minute == 0


@given(MOMENTS, MOMENTS, SPANS)
def test_what_begins_later_is_never_due_earlier(one: datetime, other: datetime, span: Span) -> None:
    earlier, later = sorted((one, other))
    assert ends(earlier, span) <= ends(later, span)


@given(MOMENTS, SPANS, st.timedeltas(timedelta(days=-20), timedelta(days=20)))
def test_the_cutoff_takes_exactly_what_is_due(now: datetime, span: Span, off: timedelta) -> None:
    at = cutoff(now, span) + off
    assert (at < cutoff(now, span)) == (ends(at, span) <= now)


@pytest.mark.parametrize("written", ["", "0d", "3", "y", "1w", "-1d", "１２m", "200y", "99999d"])
def test_a_span_nobody_can_read_is_refused(written: str) -> None:
    with pytest.raises(SpanIsUnclear):
        Span.read(written)


def test_spans_read_as_people_write_them() -> None:
    assert [str(Span.read(one)) for one in ("30d", "12m", "18m", "3y")] == ["30 天", "1 年", "18 个月", "3 年"]
    assert Span.read("12m") == Span.read("1y")
    assert Span.read("1y").after(date(2027, 12, 1)) == date(2028, 12, 1)
