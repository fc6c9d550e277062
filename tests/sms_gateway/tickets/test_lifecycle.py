"""The ways a ticket may go."""

from __future__ import annotations

from itertools import pairwise

import pytest

from sms_gateway.tickets.lifecycle import CLOSED, MOVES, Status, TicketCannotMove, can_move, is_open, may_withdraw, move

LOOP = ["accepted", "dispatched", "signed_for", "handling", "replied", "concluded", "followed_up", "evaluated"]


def test_the_whole_loop_can_be_walked() -> None:
    for current, new in pairwise(LOOP):
        assert move(current, new) is Status(new)


def test_every_state_is_in_the_table_and_every_state_but_the_first_can_be_reached() -> None:
    assert set(MOVES) == set(Status)
    assert set().union(*MOVES.values()) | {Status.ACCEPTED} == set(Status)


def test_every_open_ticket_can_still_be_ended() -> None:
    for status in Status:
        reached, frontier = {status}, [status]
        while frontier:
            new = MOVES[frontier.pop()] - reached
            reached |= new
            frontier += new
        assert reached & CLOSED, status


@pytest.mark.parametrize(
    ("current", "new"),
    [
        ("accepted", "replied"),
        ("merged", "handling"),
        ("withdrawn", "accepted"),
        ("evaluated", "concluded"),
        ("replied", "withdrawn"),
    ],
)
def test_a_step_that_is_not_in_the_table_is_refused(current: str, new: str) -> None:
    assert not can_move(current, new)
    with pytest.raises(TicketCannotMove):
        move(current, new)


def test_not_satisfied_means_handled_again() -> None:
    assert can_move("followed_up", "reworked") and can_move("reworked", "handling")


@pytest.mark.parametrize(
    ("kind", "lane", "may"),
    [
        ("complaint", "blue", True),
        ("help", "blue", True),
        ("report", "blue", False),
        ("mandated", "blue", False),
        ("disclosure", "orange", False),
        ("complaint", "orange", False),
        ("complaint", "red", False),
    ],
)
def test_a_report_of_harm_cannot_be_taken_back(kind: str, lane: str, may: bool) -> None:
    assert may_withdraw(kind, lane) is may


def test_a_concluded_ticket_is_not_open_and_a_reworked_one_is() -> None:
    assert not is_open("concluded")
    assert is_open("reworked")
