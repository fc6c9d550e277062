"""The table of periods: its sources, and what cannot be shortened."""

from __future__ import annotations

import pytest

from sms_gateway.retention import periods
from sms_gateway.retention.periods import PeriodsAreWrong


def test_every_period_says_where_it_comes_from_and_is_no_shorter_than_law_demands() -> None:
    for one in periods.with_changes({}).values():
        assert "法" in one.source or "令" in one.source or "我们定的" in one.source or "不得" in one.source
        assert one.floor is None or not one.floor > one.keep
        assert one.name and one.since


def test_a_hotline_may_keep_longer_or_shorter_but_not_shorter_than_law_demands() -> None:
    assert str(periods.with_changes({"talks": "24m"}).keep("talks")) == "2 年"
    assert str(periods.with_changes({"outreach": "30d"}).keep("outreach")) == "30 天"
    for kind, written in (("audit", "2y"), ("grown", "18y"), ("sessions", "90d"), ("requests", "30m")):
        with pytest.raises(PeriodsAreWrong):
            periods.with_changes({kind: written})


@pytest.mark.parametrize("changes", [{"nothing": "3y"}, {"talks": "soon"}, {"trackers": "5y"}])
def test_what_cannot_be_read_purges_nothing(changes: dict[str, str]) -> None:
    with pytest.raises(PeriodsAreWrong) as error:
        periods.with_changes(changes)
    assert "HOTLINE_RETENTION_PERIODS" in error.value.sentence
