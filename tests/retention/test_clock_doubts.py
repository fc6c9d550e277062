"""The purge believes no clock alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from sms_gateway.retention.clock_doubts import MAY_DIFFER, Doubt, doubt

NOW = datetime(2026, 12, 1, 4, tzinfo=UTC)
TODAY = date(2026, 12, 1)


@pytest.mark.parametrize(
    ("ago", "later", "confirmed", "why"),
    [
        (None, False, False, None), (0, False, False, None), (1, False, False, None), (3, False, False, None), (0, True, False, None),
        (4, False, False, Doubt.LONG_AGO), (4, False, True, None), (400, True, False, Doubt.LONG_AGO), (None, True, False, Doubt.IN_FUTURE),
        (None, True, True, None), (1, True, False, None),
    ],
)  # fmt: skip
def test_days_that_do_not_follow_each_other_need_a_persons_word(
    ago: int | None, later: bool, confirmed: bool, why: Doubt | None
) -> None:
    last = None if ago is None else TODAY - timedelta(days=ago)
    assert doubt(here=NOW, database=NOW, today=TODAY, last=last, later=later, confirmed=confirmed) is why


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("confirmed", [True, False])
def test_where_two_clocks_differ_nobodys_word_helps(sign: int, confirmed: bool) -> None:
    near, far = (NOW + sign * (MAY_DIFFER + timedelta(seconds=by)) for by in (0, 1))
    known = {"today": TODAY, "last": TODAY, "later": False, "confirmed": confirmed}
    assert doubt(here=NOW, database=near, **known) is None  # type: ignore[arg-type]
    assert doubt(here=NOW, database=far, **known) is Doubt.CLOCKS  # type: ignore[arg-type]
