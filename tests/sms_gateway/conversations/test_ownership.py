"""One owner at every instant."""

from __future__ import annotations

import pytest

from sms_gateway.conversations.ownership import (
    MOVES,
    Owner,
    TalkHasAnotherOwner,
    can_move,
    move,
)


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
