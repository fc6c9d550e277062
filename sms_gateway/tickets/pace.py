"""A ticket's clocks: what a move does to them, and what they do by themselves. Pure.

Red and orange run day and night. Blue runs in working time (its urgent ones in wall-clock hours) and stands while the
person is asked something; then the time that was left is given back. What was missed while nobody looked is caught up
once: one event, at the level supervision should have reached by now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from . import deadlines, lifecycle
from .lifecycle import Status
from .models import Ticket
from .working_time import after_work, same_time, worked_between

LADDER = ("county", "prefecture", "province")
"""Supervision goes up these, beginning with the level that handles the matter."""
WARNING, SUPERVISION = "warning", "supervision"
DUE, SIGN, EXTENSION = "due", "sign", "extension"


def on_move(ticket: Ticket, before: Status, to: Status, now: datetime) -> None:
    """Set `paused_at`, `paused_from`, `due_at` and `next_clock_at` for the move from `before` to `to` at `now`.

    `due_at` only ever goes later. An open ticket's clocks are looked at anew at once, a closed one has none.
    """
    if to in lifecycle.STOPPED_CLOCK:
        ticket.paused_at, ticket.paused_from = now, before.value
    elif before in lifecycle.STOPPED_CLOCK and ticket.paused_at is not None:
        if ticket.lane == "blue":
            ticket.due_at = due_after_pause(ticket.due_at, ticket.paused_at, now, urgent=ticket.urgent)
        ticket.paused_at = ticket.paused_from = None
    if before is Status.ACCEPTED and to is Status.DISPATCHED and ticket.lane != "blue":
        # Whoever had to be told has been; from here on the promise is that something is done.
        ticket.due_at = max(ticket.due_at, deadlines.action_due_at(ticket.lane, now))
        ticket.warned_at, ticket.supervised = None, 0
    stands = to in lifecycle.STOPPED_CLOCK and ticket.lane == "blue"
    ticket.next_clock_at = now if lifecycle.is_open(to) and not stands else None


def due_after_pause(due_at: datetime, paused_at: datetime, now: datetime, *, urgent: bool) -> datetime:
    """When a blue matter is due that stood from `paused_at` to `now`: the working time that was left is left again.

    What is urgent, and what was overdue already, stood for as long as the wall clock says.
    """
    if urgent or due_at <= paused_at:
        return due_at + (now - paused_at)
    hours = deadlines.time_limits().hours
    return max(due_at, after_work(now, worked_between(paused_at, due_at, hours), hours))


@dataclass(frozen=True)
class Running:
    """One clock: when it warns, when it is over, and what it has said so far."""

    about: str
    warn_at: datetime
    warned: bool
    ladder: Sequence[datetime] = ()
    """When supervision goes up one level each."""
    supervised: int = 0

    def reached(self, now: datetime) -> int:
        """How far up supervision should be by now."""
        return sum(at <= now for at in self.ladder)


@dataclass(frozen=True)
class Facts:
    """What the clocks of an open ticket know. `signature`: of the main dispatch that nobody has signed for yet."""

    pace: str
    level: str
    due_at: datetime
    warned: bool
    supervised: int
    stands: bool = False
    signature: Signature | None = None
    request: Request | None = None


@dataclass(frozen=True)
class Signature:
    """A dispatch waits for 签收."""

    dispatched_at: datetime
    due_at: datetime
    warned: bool
    supervised: int


@dataclass(frozen=True)
class Request:
    """A request for more time waits for the shift lead."""

    asked_at: datetime
    warned: bool


@dataclass(frozen=True)
class Step:
    """What the clocks do now. `what` None: nothing but look again at `look_at` (None: never)."""

    look_at: datetime | None
    what: str | None = None
    about: tuple[str, ...] = ()
    """Which clocks speak."""
    step: int = 0
    level: str | None = None
    supervised: int = 0
    """Of the matter, from now on."""
    sign_supervised: int = 0


def next_step(facts: Facts, now: datetime) -> Step:
    """The one thing to do at `now`: supervision, else a warning, else nothing; and when to look again."""
    clocks = [] if facts.stands else _clocks(facts)
    reached = {each.about: each.reached(now) for each in clocks}
    up = [each for each in clocks if reached[each.about] > each.supervised]
    silent = [each for each in clocks if not each.warned and not reached[each.about]]
    warn = [each for each in silent if each.warn_at <= now]
    later = [each.warn_at for each in silent if each.warn_at > now]
    for each in clocks:
        later += each.ladder[max(reached[each.about], each.supervised) :][:1]
    supervised, signed = (
        max(reached.get(about, 0), so_far)
        for about, so_far in ((DUE, facts.supervised), (SIGN, facts.signature.supervised if facts.signature else 0))
    )
    step = max((reached[each.about] for each in up), default=0)
    return Step(
        look_at=min(later, default=None), what=SUPERVISION if up else WARNING if warn else None,
        about=tuple(each.about for each in clocks if each in up or each in warn), step=step,
        level=LADDER[LADDER.index(facts.level) + step - 1] if up else None, supervised=supervised, sign_supervised=signed,
    )  # fmt: skip


def _clocks(facts: Facts) -> list[Running]:
    limits = deadlines.time_limits()
    before = _after(facts.due_at, -limits.warn_hours_before[facts.pace], facts.pace)
    clocks = [Running(DUE, before, facts.warned, _ladder(facts.due_at, facts), facts.supervised)]
    if (sign := facts.signature) is not None:
        half = _half_way(sign.dispatched_at, sign.due_at, facts.pace)
        clocks.append(Running(SIGN, half, sign.warned, _ladder(sign.due_at, facts), sign.supervised))
    if (asked := facts.request) is not None:
        wait = timedelta(hours=limits.extension_decided_working_hours)
        at = after_work(asked.asked_at, wait, limits.hours) if facts.pace == "blue" else asked.asked_at + wait
        clocks.append(Running(EXTENSION, min(at, facts.due_at), asked.warned))
    return clocks


def _ladder(due_at: datetime, facts: Facts) -> list[datetime]:
    again = deadlines.time_limits().supervise_again_hours[facts.pace]
    top = len(LADDER) - LADDER.index(facts.level)
    return [due_at, *(_after(due_at, again * n, facts.pace) for n in range(1, top))]


def _after(at: datetime, hours: float, pace: str) -> datetime:
    """`hours` later (earlier when negative); for blue 24 of them are a working day."""
    whole, rest = divmod(abs(hours), 24)
    if pace != "blue" or not whole:
        return at + timedelta(hours=hours)
    sign = 1 if hours > 0 else -1
    return same_time(at, sign * int(whole)) + timedelta(hours=sign * rest)


def _half_way(start: datetime, end: datetime, pace: str) -> datetime:
    if pace != "blue":
        return start + (end - start) / 2
    hours = deadlines.time_limits().hours
    return after_work(start, worked_between(start, end, hours) / 2, hours)
