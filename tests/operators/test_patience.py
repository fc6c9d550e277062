"""How long a guesser waits, and which budgets a try is taken from."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from sms_gateway.operators import tries
from sms_gateway.operators.patience import LONGEST_WAIT, in_words, wait_after


def test_waits_grow_from_half_a_minute_to_a_quarter_of_an_hour() -> None:
    waits = [wait_after(failed, 5).total_seconds() for failed in range(13)]
    assert waits == [0, 0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]


@given(st.integers(0, 10**9), st.integers(1, 100))
def test_no_wait_is_ever_longer_or_shrinks(failed: int, free: int) -> None:
    assert wait_after(failed, free) <= wait_after(failed + 1, free) <= LONGEST_WAIT


def test_waits_are_said_in_round_words() -> None:
    assert [in_words(timedelta(seconds=s)) for s in (0.2, 30, 60, 61, 900)] == [
        "1 秒",
        "30 秒",
        "1 分钟",
        "2 分钟",
        "15 分钟",
    ]


def test_a_known_browser_shares_nothing_with_its_address() -> None:
    here = {one.key for one in tries.budgets("password", login="li", address="10.0.0.7", device=None)}
    known = {one.key for one in tries.budgets("password", login="li", address="10.0.0.7", device="abc")}
    other = {one.key for one in tries.budgets("password", login="wang", address="10.0.0.7", device=None)}
    assert len(here) == 2 and len(known) == 1 and not here & known
    assert len(here & other) == 1  # the address's own


def test_a_household_of_ipv6_is_one_address() -> None:
    assert tries.network_of("2001:db8:1:2::1") == tries.network_of("2001:db8:1:2:ffff::9")
    assert tries.network_of("2001:db8:1:3::1") != tries.network_of("2001:db8:1:2::1")
    assert tries.network_of("::ffff:10.1.2.3") == tries.network_of("10.1.2.3") == "10.1.2.3"


def test_a_device_cookie_is_good_for_its_own_account_only() -> None:
    cookie = tries.new_device("li")
    name = tries.checked_device("li", cookie)
    assert name is not None and name == tries.checked_device("li", cookie)
    assert tries.checked_device("wang", cookie) is None
    for forged in (None, "", ".", "abc", f"{name}.", f"{name}.{'0' * 64}", f"x{cookie}", cookie + "鬼"):
        assert tries.checked_device("li", forged) is None
