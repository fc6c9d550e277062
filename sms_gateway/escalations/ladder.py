"""A call for a person: its states, and who is rung when while nobody answers (DESIGN section 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sms_gateway.errors import Conflict


class State(StrEnum):
    RINGING = "ringing"
    ACKNOWLEDGED = "acknowledged"
    IN_CONTACT = "in_contact"
    HANDED_OVER = "handed_over"
    CHILD_SEEN = "child_seen"
    RESOLVED = "resolved"
    LOST_CONTACT = "lost_contact"
    """Contact broke off in danger: stays open, with the next steps written down."""
    FALSE_ALARM = "false_alarm"


E = State
MOVES: dict[State, frozenset[State]] = {
    E.RINGING: frozenset({E.ACKNOWLEDGED, E.FALSE_ALARM}),  # whoever goes on from here has taken it first
    E.ACKNOWLEDGED: frozenset(
        {E.IN_CONTACT, E.HANDED_OVER, E.LOST_CONTACT, E.FALSE_ALARM, E.RINGING}
    ),  # ringing: given back
    E.IN_CONTACT: frozenset({E.HANDED_OVER, E.CHILD_SEEN, E.LOST_CONTACT, E.FALSE_ALARM, E.RINGING, E.RESOLVED}),
    # ringing: the operator who had it is gone, and the person writes again
    E.HANDED_OVER: frozenset({E.CHILD_SEEN, E.IN_CONTACT, E.LOST_CONTACT, E.RINGING}),
    E.LOST_CONTACT: frozenset({E.IN_CONTACT, E.HANDED_OVER, E.CHILD_SEEN, E.RINGING}),
    E.CHILD_SEEN: frozenset({E.RESOLVED, E.IN_CONTACT, E.RINGING}),
    E.RESOLVED: frozenset({E.RINGING}),  # the same matter comes back
    E.FALSE_ALARM: frozenset({E.RINGING}),
}
"""`resolved` from `in_contact` without `child_seen` is for calls that are not danger; see `can_move`."""

OPEN = frozenset({E.RINGING, E.ACKNOWLEDGED, E.IN_CONTACT, E.HANDED_OVER, E.CHILD_SEEN, E.LOST_CONTACT})
SIGNATURES_NEEDED = {E.FALSE_ALARM: 2}
"""People who must sign a move; one for all others."""


class EscalationCannotMove(Conflict):
    sentence = "这一步现在做不了：红色要先有人亲眼见到孩子，判误报要两个人签。"


def can_move(current: State | str, new: State | str, *, lane: str = "red", signatures: int = 1) -> bool:
    """Whether the call may go from `current` to `new`. In red nothing is resolved before somebody saw the child."""
    old, target = State(current), State(new)
    if target is E.RESOLVED and lane == "red" and old is not E.CHILD_SEEN:
        return False
    if lane != "red" and target is E.RESOLVED and old in OPEN - {E.RINGING}:
        return True  # a question or a wish is over when a person has dealt with it
    return target in MOVES[old] and signatures >= SIGNATURES_NEEDED.get(target, 1)


def move(current: State | str, new: State | str, *, lane: str = "red", signatures: int = 1) -> State:
    """`new`, when allowed. Raises `EscalationCannotMove`."""
    if not can_move(current, new, lane=lane, signatures=signatures):
        raise EscalationCannotMove
    return State(new)


class Audience(StrEnum):
    ON_DUTY = "on_duty"
    """The operators on duty for the county."""
    ALL_OPERATORS = "all_operators"
    PREFECTURE_AND_PROVINCE = "prefecture_and_province"
    SUPERVISOR = "supervisor"
    BRIDGE = "bridge"
    """Suggest the emergency desk on the console, or call it where the rules allow."""


@dataclass(frozen=True)
class Rung:
    """One step: `number` is stored on the escalation once it was taken."""

    number: int
    after: timedelta
    audience: Audience


def rungs(*, again: float = 30, everyone: float = 60, supervisor: float = 120, bridge: float = 180) -> tuple[Rung, ...]:
    """The ladder with these seconds (DESIGN section 5 gives the usual ones)."""
    steps = (
        (0.0, Audience.ON_DUTY), (again, Audience.ON_DUTY), (everyone, Audience.ALL_OPERATORS),
        (supervisor, Audience.SUPERVISOR), (bridge, Audience.BRIDGE),
    )  # fmt: skip
    return tuple(Rung(number, timedelta(seconds=after), audience) for number, (after, audience) in enumerate(steps))


LADDER = rungs()
LAST = LADDER[-1].number
"""From this step on it goes on ringing everybody, for as long as nobody answers."""


def rung(number: int) -> Rung:
    """The step of this number (0 to 4). Raises `ValueError`."""
    for step in LADDER:
        if step.number == number:
            return step
    raise ValueError("no such step")


def due_steps(
    *,
    received_at: datetime,
    now: datetime,
    taken: int,
    state: State | str,
    lane: str = "red",
    on_duty_in_county: bool = True,
    ladder: Sequence[Rung] = LADDER,
) -> tuple[Rung, ...]:
    """The steps to take now, lowest first: those whose time has come and that lie above `taken`.

    `taken` is the last step that was taken (-1: none yet, 0: rung once when it opened).
    Only an unanswered red call rings; after an outage all missed steps come at once. With nobody on duty in the county the
    first step goes to prefecture and province (DESIGN section 5).
    """
    if lane != "red" or State(state) is not State.RINGING:
        return ()
    elapsed = now - received_at
    steps = [step for step in ladder if step.number > taken and step.after <= elapsed]
    if not on_duty_in_county:
        steps = [
            Rung(step.number, step.after, Audience.PREFECTURE_AND_PROVINCE)
            if step.audience is Audience.ON_DUTY
            else step
            for step in steps
        ]
    return tuple(steps)


def next_due(
    *, received_at: datetime, taken: int, state: State | str, lane: str = "red", ladder: Sequence[Rung] = LADDER
) -> datetime | None:
    """When the next step falls due, for the timer row; None when there is no further step."""
    if lane != "red" or State(state) is not State.RINGING:
        return None
    waiting = [step for step in ladder if step.number > taken]
    return received_at + waiting[0].after if waiting else None
