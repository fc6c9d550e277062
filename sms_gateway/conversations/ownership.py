"""Who owns a talk, and how ownership moves (DESIGN section 5)."""

from __future__ import annotations

from enum import StrEnum

from sms_gateway.errors import Conflict


class Owner(StrEnum):
    ASSISTANT = "assistant"
    WAITING = "waiting"
    """A person has been called; nobody has taken over yet."""
    OPERATOR = "operator"
    CLOSED = "closed"


MOVES: dict[Owner, frozenset[Owner]] = {
    Owner.ASSISTANT: frozenset({Owner.WAITING, Owner.OPERATOR, Owner.CLOSED}),  # operator: a person steps in unasked
    Owner.WAITING: frozenset({Owner.OPERATOR, Owner.ASSISTANT, Owner.CLOSED}),  # assistant: a person gave the call back
    Owner.OPERATOR: frozenset(
        {Owner.ASSISTANT, Owner.CLOSED, Owner.WAITING, Owner.OPERATOR}
    ),  # to a colleague, or back to the queue
    Owner.CLOSED: frozenset({Owner.ASSISTANT, Owner.WAITING, Owner.OPERATOR}),  # waiting: the new text is danger
}


class TalkHasAnotherOwner(Conflict):
    sentence = "这个会话刚被别人接走，请刷新后再看。"


class NotYourTalk(TalkHasAnotherOwner):
    sentence = "这个会话不在你手上，请先接手。"


def can_move(current: Owner | str, new: Owner | str) -> bool:
    """Whether a talk may go from `current` to `new`. Raises `ValueError` for a word that is no owner."""
    return Owner(new) in MOVES[Owner(current)]


def move(current: Owner | str, new: Owner | str) -> Owner:
    """`new`, when the table allows it. Raises `TalkHasAnotherOwner`."""
    if not can_move(current, new):
        raise TalkHasAnotherOwner
    return Owner(new)
