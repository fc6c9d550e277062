"""How a draft becomes an answer, and who may take each step. Pure; read and test this first.

draft → proposed → approved by a second person | rejected; a rejected or withdrawn draft may be written on. What is
approved is an entry of its own from then on, which one person may retire at once: a wrong answer does harm each minute.
"""

from __future__ import annotations

from enum import StrEnum

from sms_gateway.errors import BadInput, Conflict


class State(StrEnum):
    DRAFT = "draft"
    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    RETIRED = "retired"
    """Its answer is no longer given: another version, or nothing, has taken its place."""


MOVES: dict[State, frozenset[State]] = {
    State.DRAFT: frozenset({State.PROPOSED, State.RETIRED}),  # retired: thrown away
    State.PROPOSED: frozenset({State.APPROVED, State.REJECTED, State.DRAFT}),
    State.REJECTED: frozenset({State.DRAFT, State.RETIRED}),
    State.APPROVED: frozenset({State.RETIRED}),
    State.RETIRED: frozenset(),
}

OPEN = frozenset({State.DRAFT, State.PROPOSED, State.REJECTED})
"""States in which a draft is still somebody's work."""
DECISIONS = frozenset({State.APPROVED, State.REJECTED})
"""Moves for which a second person is needed."""


class DraftHasMoved(Conflict):
    sentence = "这份草稿刚刚有人动过，请刷新后再看。"


class SecondPersonNeeded(BadInput):
    status_code = 403
    sentence = "自己写的、自己提交的不能自己审，请另一个人来审。"


def move(current: State | str, new: State | str) -> State:
    """`new`, when the table allows it. Raises `DraftHasMoved`."""
    if State(new) not in MOVES[State(current)]:
        raise DraftHasMoved
    return State(new)


def is_second_person(person: int, *, writers: frozenset[int]) -> bool:
    """Whether `person` had no hand in the draft; `writers`: everybody who wrote in it or proposed it."""
    return person not in writers


def check_second_person(person: int, *, writers: frozenset[int]) -> None:
    """Raises `SecondPersonNeeded` for somebody who wrote or proposed what is to be decided."""
    if not is_second_person(person, writers=writers):
        raise SecondPersonNeeded
