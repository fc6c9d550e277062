"""What a broadcast will take, before it begins: money, time within the allowed hours, people."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from sms_gateway.broadcasts.estimating import Estimate, estimate
from sms_gateway.broadcasts.quiet_hours import SHANGHAI, Hours

MORNING = datetime(2026, 12, 1, 9, 0, tzinfo=SHANGHAI)


def reckon(**more: Any) -> Estimate:
    wanted: dict[str, Any] = {
        "recipients": 360_000, "segments_each": 2, "fen_per_segment": 5.0, "carrier_segments": 100.0, "reply_share": 0.001, "hours": Hours(),
        "start": MORNING, "free": 0.0,
    }  # fmt: skip
    return estimate(**{**wanted, **more})


def test_money_is_segments_times_recipients() -> None:
    assert reckon().fen == 360_000 * 2 * 5


def test_only_four_fifths_of_the_line_are_outreachs_and_a_segment_is_a_segment() -> None:
    assert reckon().rate == 40 and reckon(segments_each=1).rate == 80


def test_it_is_done_within_the_day_where_that_is_enough() -> None:
    found = reckon()
    assert found.finishes == MORNING + timedelta(seconds=9000) == found.day_ends and found.day_texts == 360_000


def test_what_the_day_does_not_hold_goes_on_the_next_morning() -> None:
    found = reckon(recipients=3_600_000)
    assert found.finishes is not None and found.finishes.date() == datetime(2026, 12, 3).date()
    assert found.day_texts == pytest.approx(40 * 11 * 3600, rel=0.01) and found.day_ends.hour == 19


def test_let_go_in_the_evening_it_begins_in_the_morning() -> None:
    assert reckon(start=MORNING.replace(hour=22)).starts == MORNING + timedelta(days=1)


def test_the_people_are_those_of_the_release_day_by_littles_law() -> None:
    # 360 replies in 2.5 hours, each 20 minutes of one of five hands: 360 * 20 / 60 / 2.5 / 5
    assert reckon().operators == 10
    assert reckon(recipients=400).operators == 1  # never reckoned for less than an hour
    assert reckon(recipients=0).operators == 0


def test_with_nobody_there_it_is_never_done() -> None:
    assert reckon(free=0.0).with_free is None
    slow, quick = reckon(free=1.0).with_free, reckon(free=100.0).with_free
    assert slow is not None and quick is not None and slow > quick == reckon().finishes


def test_a_crawl_of_years_is_said_to_be_one() -> None:
    assert reckon(recipients=47_000_000, carrier_segments=0.1).finishes is None


@pytest.mark.parametrize("wrong", [{"carrier_segments": 0}, {"reply_share": 2}, {"segments_each": 0}])
def test_figures_that_are_none_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError):
        reckon(**wrong)
