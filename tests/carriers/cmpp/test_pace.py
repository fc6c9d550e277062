"""How fast we send, and how a gateway's "too many" slows us down and lets go of us again."""

from __future__ import annotations

from math import inf

import pytest

from sms_gateway.carriers.cmpp.pace import Pace


def sent_within(pace: Pace, seconds: float, *, begin: float, most: int = 100_000) -> int:
    """How many segments go in so many seconds when we send whatever we may; the clock is ours."""
    now, sent = begin, 0
    while sent < most:
        wait = pace.ready_in(now)
        now += wait
        if now >= begin + seconds:
            break
        pace.spend(1, now)
        sent += 1
        if wait == 0:
            now += 1e-6
    return sent


def test_no_more_goes_than_the_account_allows() -> None:
    pace = Pace(50, now=0)
    assert sent_within(pace, 10, begin=0) == pytest.approx(500, abs=10)


def test_a_long_silence_saves_up_no_burst() -> None:
    pace = Pace(50, now=0)
    assert sent_within(pace, 0.01, begin=1000) <= 7


def test_urgent_ones_go_at_once_and_the_others_wait_for_it() -> None:
    pace = Pace(10, now=0)
    for _ in range(20):
        pace.spend(1, 0.0)
    assert pace.ready_in(0.0) == pytest.approx(1.9, abs=0.2)


def test_too_many_slows_down_once_for_a_burst_and_the_pace_comes_back() -> None:
    pace = Pace(100, now=0)
    assert sent_within(pace, 2, begin=0) > 190
    for _ in range(16):
        pace.slow_down(2.0)
    assert 65 <= pace.rate <= 72
    assert pace.ready_in(2.0) >= 0.2
    assert sent_within(pace, 1, begin=2) < 75
    pace.ready_in(20.0)
    assert pace.rate == 100


def test_it_settles_below_what_the_gateway_takes() -> None:
    gateway_takes, pace, now, refused, sent = 40.0, Pace(200, now=0), 0.0, 0, 0
    tokens, at = 10.0, 0.0
    while now < 60:
        now += pace.ready_in(now) + 1e-6
        pace.spend(1, now)
        tokens, at = min(10.0, tokens + (now - at) * gateway_takes), now
        if tokens < 1:
            refused += now > 10
            pace.slow_down(now)
        else:
            tokens -= 1
            sent += now > 10
    assert sent / 50 > gateway_takes * 0.7
    assert refused < sent * 0.1


def test_without_a_limit_of_ours_the_gateway_s_word_makes_one_for_a_while() -> None:
    pace = Pace(inf, now=0)
    for step in range(2000):
        assert pace.ready_in(step / 1000) == 0
        pace.spend(1, step / 1000)
    pace.slow_down(2.0)
    assert 500 < pace.rate < 800
    pace.ready_in(200.0)
    assert pace.rate == inf and pace.ready_in(201.0) == 0


def test_the_pace_never_stands_still() -> None:
    pace = Pace(5, now=0)
    for second in range(50):
        pace.slow_down(float(second))
    assert pace.rate >= 1
    assert pace.ready_in(50.0) < 2
