"""The 12345 loop of a ticket: its states, who may move it from where, and with what evidence (DESIGN section 5). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from sms_gateway.errors import BadInput, Conflict, HotlineError


class Status(StrEnum):
    ACCEPTED = "accepted"
    DISPATCHED = "dispatched"
    SIGNED_FOR = "signed_for"
    HANDLING = "handling"
    REPLIED = "replied"
    CONCLUDED = "concluded"
    FOLLOWED_UP = "followed_up"
    EVALUATED = "evaluated"
    CLARIFYING = "clarifying"
    """Waiting for the person's answer: the clock stands."""
    EXTENDED = "extended"
    RETURNED = "returned"
    """The department says it is not its duty: to be dispatched again."""
    REWORKED = "reworked"
    """The person was not satisfied: handled once more."""
    MERGED = "merged"
    DECLINED = "declined"
    TRANSFERRED = "transferred"
    WITHDRAWN = "withdrawn"


class Who(StrEnum):
    """Whose act it is."""

    SYSTEM = "system"
    """A clock, or the conversation's own rules."""
    PERSON = "person"
    """Who wrote to us."""
    OPERATOR = "operator"
    LEAD = "lead"
    """Shift lead (值班长); may do all an operator may."""
    UNIT = "unit"
    """An account or a system of the unit that handles it."""


class Evidence(StrEnum):
    """What a move must bring."""

    UNIT = "unit"
    """The unit it goes to."""
    WHY = "why"
    """A reason in words."""
    DUTY = "duty"
    """For a return: whose duty it is instead."""
    WORDS = "words"
    """The reply, or the question to the person."""
    TARGET = "target"
    """The ticket it is merged into, or where it is transferred to."""
    UNTIL = "until"
    """A later date."""


S = Status
DESK = frozenset({Who.OPERATOR, Who.LEAD})
ANY_DESK = DESK | {Who.SYSTEM}
HANDLERS = frozenset({Who.UNIT})
_MERGE = (DESK | {Who.SYSTEM}, frozenset({Evidence.TARGET}))
_DECLINE = (DESK, frozenset({Evidence.WHY}))
_TRANSFER = (ANY_DESK, frozenset({Evidence.TARGET}))
_WITHDRAW = (frozenset({Who.PERSON, Who.OPERATOR, Who.LEAD}), frozenset[Evidence]())
_DISPATCH = (ANY_DESK, frozenset({Evidence.UNIT}))
_CLARIFY = (DESK | HANDLERS, frozenset({Evidence.WORDS}))
_RETURN = (
    HANDLERS | {Who.SYSTEM},
    frozenset({Evidence.WHY, Evidence.DUTY}),
)  # system: the unit turned out to be accused
_ON = (HANDLERS, frozenset[Evidence]())
_REPLY = (HANDLERS, frozenset({Evidence.WORDS}))
_CONCLUDE = (DESK, frozenset({Evidence.WHY}))
_EXTEND = (frozenset({Who.LEAD}), frozenset({Evidence.UNTIL}))
_RESUME = (ANY_DESK | HANDLERS | {Who.PERSON}, frozenset[Evidence]())
_REWORK = (frozenset({Who.PERSON, Who.OPERATOR, Who.LEAD}), frozenset[Evidence]())
_BACK = (DESK, frozenset({Evidence.WHY}))

Guard = tuple[frozenset[Who], frozenset[Evidence]]
"""Who may, and what they must bring."""

MOVES: dict[Status, dict[Status, Guard]] = {
    S.ACCEPTED: {
        S.DISPATCHED: _DISPATCH, S.CLARIFYING: _CLARIFY, S.CONCLUDED: _CONCLUDE,  # concluded: answered on the spot
        S.MERGED: _MERGE, S.DECLINED: _DECLINE, S.TRANSFERRED: _TRANSFER, S.WITHDRAWN: _WITHDRAW,
    },
    S.DISPATCHED: {
        S.SIGNED_FOR: _ON, S.RETURNED: _RETURN, S.DISPATCHED: _DISPATCH, S.MERGED: _MERGE, S.TRANSFERRED: _TRANSFER,
        S.WITHDRAWN: _WITHDRAW,
    },
    S.SIGNED_FOR: {
        S.HANDLING: _ON, S.RETURNED: _RETURN, S.CLARIFYING: _CLARIFY, S.REPLIED: _REPLY, S.EXTENDED: _EXTEND,
        S.MERGED: _MERGE, S.TRANSFERRED: _TRANSFER, S.WITHDRAWN: _WITHDRAW,
    },
    S.HANDLING: {
        S.REPLIED: _REPLY, S.CLARIFYING: _CLARIFY, S.EXTENDED: _EXTEND, S.RETURNED: _RETURN, S.MERGED: _MERGE,
        S.TRANSFERRED: _TRANSFER, S.WITHDRAWN: _WITHDRAW,
    },
    S.EXTENDED: {
        S.REPLIED: _REPLY, S.CLARIFYING: _CLARIFY, S.EXTENDED: _EXTEND, S.RETURNED: _RETURN, S.MERGED: _MERGE,
        S.TRANSFERRED: _TRANSFER, S.WITHDRAWN: _WITHDRAW,
    },
    S.CLARIFYING: {
        S.ACCEPTED: _RESUME, S.DISPATCHED: _RESUME, S.SIGNED_FOR: _RESUME, S.HANDLING: _RESUME, S.EXTENDED: _RESUME,
        S.RETURNED: _RESUME, S.REWORKED: _RESUME, S.CONCLUDED: _CONCLUDE, S.WITHDRAWN: _WITHDRAW, S.MERGED: _MERGE,
    },
    S.RETURNED: {
        S.DISPATCHED: (DESK, frozenset({Evidence.UNIT})), S.CLARIFYING: _CLARIFY, S.MERGED: _MERGE, S.DECLINED: _DECLINE,
        S.TRANSFERRED: _TRANSFER, S.WITHDRAWN: _WITHDRAW,
    },
    S.REPLIED: {S.CONCLUDED: _CONCLUDE, S.HANDLING: _BACK, S.MERGED: _MERGE},  # handling: the desk does not accept the reply
    S.CONCLUDED: {
        S.FOLLOWED_UP: (frozenset({Who.SYSTEM}), frozenset()), S.EVALUATED: (frozenset({Who.PERSON}), frozenset()),
        S.REWORKED: _REWORK,
    },
    S.FOLLOWED_UP: {S.EVALUATED: (frozenset({Who.PERSON}), frozenset()), S.REWORKED: _REWORK},
    S.EVALUATED: {S.REWORKED: _REWORK},
    S.REWORKED: {
        S.DISPATCHED: _DISPATCH, S.HANDLING: _ON, S.REPLIED: _REPLY, S.RETURNED: _RETURN, S.CLARIFYING: _CLARIFY,
        S.MERGED: _MERGE, S.CONCLUDED: _CONCLUDE,
    },
    S.MERGED: {},
    S.DECLINED: {S.ACCEPTED: (frozenset({Who.LEAD, Who.SYSTEM}), frozenset({Evidence.WHY}))},  # a wrong decision is taken back
    S.TRANSFERRED: {S.ACCEPTED: (ANY_DESK, frozenset({Evidence.WHY}))},  # what comes back is caught (PRACTICE section 10)
    S.WITHDRAWN: {},
}  # fmt: skip
"""From where to where, who may, with what."""

CLOSED = frozenset({S.CONCLUDED, S.FOLLOWED_UP, S.EVALUATED, S.MERGED, S.DECLINED, S.TRANSFERRED, S.WITHDRAWN})
"""States in which nobody works on the matter any more."""

STOPPED_CLOCK = frozenset({S.CLARIFYING})

WITH_UNIT = frozenset({S.DISPATCHED, S.SIGNED_FOR, S.HANDLING, S.EXTENDED, S.REPLIED})
"""States in which a unit has the matter in hand."""

RETURNS_UNTIL_MEETING = 2
"""The second return goes to a meeting of the bodies concerned by itself (PRACTICE section 8)."""

WITHDRAWABLE_KINDS = frozenset({"complaint", "help", "suggestion", "callback", "transfer"})
"""A report of harm is not the reporter's to take back: the wish is noted, the matter goes on (PRACTICE section 8)."""


class TicketCannotMove(Conflict):
    sentence = "这一步现在做不了，请刷新后看工单的状态。"


class NotYoursToMove(HotlineError):
    status_code = 403
    sentence = "这一步不归您这个岗位做。"


class EvidenceIsMissing(BadInput):
    """`missing`: what the move has to bring."""

    WORDS: ClassVar = {
        Evidence.UNIT: "派给哪个单位", Evidence.WHY: "理由", Evidence.DUTY: "应该归哪个单位", Evidence.WORDS: "要写的话",
        Evidence.TARGET: "并到哪一单、转到哪里", Evidence.UNTIL: "延到哪一天",
    }  # fmt: skip

    def __init__(self, missing: Iterable[Evidence]) -> None:
        self.missing = frozenset(missing)
        super().__init__("还要写：" + "、".join(self.WORDS[one] for one in Evidence if one in self.missing) + "。")


class HarmIsNotWithdrawn(Conflict):
    sentence = "说到侵害的事不能撤，已记下这个意思，由个案跟进人决定。"


@dataclass(frozen=True)
class Step:
    """A move somebody wants: who, where to, with what."""

    to: Status
    who: Who
    evidence: frozenset[Evidence] = frozenset()


def can_move(current: Status | str, new: Status | str) -> bool:
    """Whether a ticket may go from `current` to `new`. Raises `ValueError` for a word that is no state."""
    return Status(new) in MOVES[Status(current)]


def check(current: Status | str, step: Step, *, kind: str, lane: str, paused_from: str | None = None) -> None:
    """Raise unless the table allows the step: `TicketCannotMove` (409), `NotYoursToMove` (403), `EvidenceIsMissing` (422).

    A clarification goes back only to the state it came from (`paused_from`). Harm is not withdrawn (409).
    """
    guard = MOVES[Status(current)].get(step.to)
    if guard is None:
        raise TicketCannotMove
    if Status(current) is S.CLARIFYING and guard is _RESUME and step.to != paused_from:
        raise TicketCannotMove
    who, needs = guard
    if step.who not in who:
        raise NotYoursToMove
    if step.to is S.WITHDRAWN and not may_withdraw(kind, lane):
        raise HarmIsNotWithdrawn
    if needs - step.evidence:
        raise EvidenceIsMissing(needs - step.evidence)


def may(current: Status | str, who: Who, *, paused_from: str | None = None) -> frozenset[Status]:
    """Where `who` may move a ticket in `current`, whatever they bring: what a page offers."""
    return frozenset(
        to
        for to, (allowed, _needs) in MOVES[Status(current)].items()
        if who in allowed and not (Status(current) is S.CLARIFYING and MOVES[S.CLARIFYING][to] is _RESUME and to != paused_from)
    )  # fmt: skip


def may_withdraw(kind: str, lane: str) -> bool:
    """Whether the person may take the matter back: complaints and requests in the blue lane only."""
    return kind in WITHDRAWABLE_KINDS and lane == "blue"


def is_open(status: Status | str) -> bool:
    return Status(status) not in CLOSED
