"""The ways a ticket may go."""

from __future__ import annotations

from itertools import pairwise

import pytest

from sms_gateway.tickets.lifecycle import (
    CLOSED,
    MOVES,
    Evidence,
    EvidenceIsMissing,
    HarmIsNotWithdrawn,
    NotYoursToMove,
    Status,
    Step,
    TicketCannotMove,
    Who,
    can_move,
    check,
    is_open,
    may,
    may_withdraw,
)

LOOP = ["accepted", "dispatched", "signed_for", "handling", "replied", "concluded", "followed_up", "evaluated"]


def test_the_whole_loop_can_be_walked() -> None:
    for current, new in pairwise(LOOP):
        who, needs = MOVES[Status(current)][Status(new)]
        check(current, Step(Status(new), next(iter(who)), needs), kind="help", lane="blue")


def test_every_state_is_in_the_table_and_every_state_but_the_first_can_be_reached() -> None:
    assert set(MOVES) == set(Status)
    assert set().union(*MOVES.values()) | {Status.ACCEPTED} == set(Status)


def test_every_open_ticket_can_still_be_ended() -> None:
    for status in Status:
        reached, frontier = {status}, [status]
        while frontier:
            new = set(MOVES[frontier.pop()]) - reached
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
        ("concluded", "replied"),
    ],
)
def test_a_step_that_is_not_in_the_table_is_refused(current: str, new: str) -> None:
    assert not can_move(current, new)
    with pytest.raises(TicketCannotMove):
        check(current, Step(Status(new), Who.LEAD, frozenset(Evidence)), kind="help", lane="blue")


def test_a_unit_cannot_conclude_and_an_operator_cannot_reply() -> None:
    everything = frozenset(Evidence)
    with pytest.raises(NotYoursToMove):
        check("replied", Step(Status.CONCLUDED, Who.UNIT, everything), kind="help", lane="blue")
    with pytest.raises(NotYoursToMove):
        check("handling", Step(Status.REPLIED, Who.OPERATOR, everything), kind="help", lane="blue")


def test_a_return_names_the_reason_and_whose_duty_it_is() -> None:
    with pytest.raises(EvidenceIsMissing) as missing:
        check("dispatched", Step(Status.RETURNED, Who.UNIT, frozenset({Evidence.WHY})), kind="help", lane="blue")
    assert missing.value.missing == {Evidence.DUTY}


def test_a_clarification_goes_back_to_where_it_came_from() -> None:
    check("clarifying", Step(Status.HANDLING, Who.PERSON), kind="help", lane="blue", paused_from="handling")
    with pytest.raises(TicketCannotMove):
        check("clarifying", Step(Status.HANDLING, Who.PERSON), kind="help", lane="blue", paused_from="accepted")
    assert Status.HANDLING not in may("clarifying", Who.UNIT, paused_from="signed_for")


def test_harm_is_not_withdrawn_by_anybody() -> None:
    with pytest.raises(HarmIsNotWithdrawn):
        check("accepted", Step(Status.WITHDRAWN, Who.LEAD), kind="report", lane="orange")


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
