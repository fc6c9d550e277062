"""A broadcast from draft to its end, and who may move it (DESIGN section 5). Pure.

`completed` is never set by a flag that says "last batch": it is a state only once no recipient is outstanding (FIELD 1.2).
"""

from __future__ import annotations

from enum import StrEnum

from sms_gateway.errors import Conflict, HotlineError


class Status(StrEnum):
    DRAFT = "draft"
    APPROVED = "approved"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


S = Status
MOVES: dict[Status, frozenset[Status]] = {
    S.DRAFT: frozenset({S.APPROVED, S.CANCELLED}),
    S.APPROVED: frozenset({S.DRAFT, S.RUNNING, S.CANCELLED}),  # draft: its text or audience is changed again
    S.RUNNING: frozenset({S.PAUSED, S.COMPLETED, S.CANCELLED}),
    S.PAUSED: frozenset({S.RUNNING, S.CANCELLED}),
    S.COMPLETED: frozenset(),
    S.CANCELLED: frozenset(),
}
ENDED = frozenset({S.COMPLETED, S.CANCELLED})


class Held(StrEnum):
    """Why one that runs sends less than the carrier takes."""

    PEOPLE = "people"
    NOBODY = "nobody"
    HOURS = "hours"
    LOAD = "load"
    """More texts come in than can be answered: outreach is the first to stand back."""
    BUSY = "busy"
    """The carrier refuses for now."""
    COUNTING = "counting"
    """Everybody had their turn; the ledger is counted before it may be called completed."""


class BroadcastCannotMove(Conflict):
    sentence = "这一步现在做不了，请刷新后再看。"


class DrafterMayNotApprove(HotlineError):
    status_code = 403
    sentence = "写的人不能自己批。请另一位编辑或值班长来批。"


class SomebodyIsOutstanding(Conflict):
    sentence = "还有号码没有结果，不能算发完。"


def move(current: Status | str, to: Status | str, *, outstanding: int = 0) -> Status:
    """`to`, when allowed. Raises `BroadcastCannotMove`, and `SomebodyIsOutstanding` for an end that is none."""
    target = Status(to)
    if target not in MOVES[Status(current)]:
        raise BroadcastCannotMove
    if target is Status.COMPLETED and outstanding > 0:
        raise SomebodyIsOutstanding
    return target


def check_approval(*, approver: int, authors: frozenset[int]) -> None:
    """Two people release: who wrote or changed any of it does not approve it (`DrafterMayNotApprove`)."""
    if approver in authors:
        raise DrafterMayNotApprove
