"""A late or repeated receipt never takes back what is known."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_gateway.messages.delivery import ALARMING, MOVES, OPEN, RANK, REPORTED, State, apply, can_move, later

REPORTS = st.lists(st.sampled_from(sorted(REPORTED)), max_size=8)


def test_a_late_sent_never_overwrites_delivered() -> None:
    assert apply("delivered", "sent") is State.DELIVERED
    assert apply("undelivered", "sent") is State.UNDELIVERED


def test_delivered_is_proof_and_overwrites_even_a_failure() -> None:
    for state in State:
        assert apply(state, State.DELIVERED) is State.DELIVERED


def test_the_first_of_two_equal_reports_stays() -> None:
    assert apply("blocked", "undelivered") is State.BLOCKED


def test_a_receipt_for_a_text_queued_again_stops_the_second_sending() -> None:
    assert apply("queued", "sent") is State.SENT


def test_a_report_never_brings_a_text_back_into_our_hands() -> None:
    for current, new in itertools.product(State, (State.QUEUED, State.SENDING, State.CANCELLED)):
        assert not later(current, new)


def test_an_unknown_word_is_refused() -> None:
    with pytest.raises(ValueError):
        apply("sent", "lost")


@given(REPORTS)
def test_the_order_of_receipts_decides_nothing_but_ties(reports: list[State]) -> None:
    state = State.SENDING
    for report in reports:
        after = apply(state, report)
        assert RANK[after] >= RANK[state]
        assert apply(after, report) is after  # the same again changes nothing
        state = after
    assert RANK[state] == max([RANK[State.SENDING], *(RANK[report] for report in reports)])


def test_every_state_has_moves_and_a_cancelled_text_is_never_sent() -> None:
    assert set(MOVES) == set(State)
    assert not can_move(State.CANCELLED, State.SENDING)
    assert not can_move(State.DELIVERED, State.SENT)
    assert can_move(State.UNKNOWN, State.QUEUED)
    assert MOVES[State.DELIVERED] == frozenset()
    assert not OPEN & ALARMING
