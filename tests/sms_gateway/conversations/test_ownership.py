"""One owner at every instant."""

from __future__ import annotations

import pytest

from sms_gateway.conversations.ownership import (
    MOVES,
    Owner,
    TalkHasAnotherOwner,
    can_move,
    machine_may_speak,
    move,
    on_new_text,
)


def test_a_new_text_opens_a_closed_talk_again() -> None:
    assert on_new_text("closed") is Owner.ASSISTANT


@pytest.mark.parametrize("owner", ["assistant", "waiting", "operator"])
def test_a_new_text_takes_a_talk_from_nobody(owner: str) -> None:
    assert on_new_text(owner) is Owner(owner)


def test_the_machine_is_silent_while_a_person_has_the_talk() -> None:
    assert [owner for owner in Owner if not machine_may_speak(owner)] == [Owner.OPERATOR]


def test_the_usual_way_and_back() -> None:
    for current, new in [
        ("assistant", "waiting"),
        ("waiting", "operator"),
        ("operator", "assistant"),
        ("operator", "closed"),
    ]:
        assert move(current, new) is Owner(new)


def test_a_closed_talk_is_not_closed_twice() -> None:
    assert not can_move("closed", "closed")
    with pytest.raises(TalkHasAnotherOwner):
        move("closed", "closed")


def test_every_owner_is_in_the_table() -> None:
    assert set(MOVES) == set(Owner)
