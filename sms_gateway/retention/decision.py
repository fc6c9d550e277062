"""What of one person's data is due: the decision of the purge, and of a request to erase. Pure.

Everything that belongs together (talk, ticket, child, other reporters of that child) is looked at as one. As long as
anything of it is held, open, followed up, or a matter of harm whose time has not come, nothing of it goes. Otherwise
ordinary tickets and texts go by their own periods.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from .dates import Span, cutoff, ends

BEFORE_A_TICKET = timedelta(days=30)
"""What was written so long before a ticket belongs to it still."""
LOOK_AGAIN = timedelta(days=30)
"""When something keeps it all; a hold that is lifted, or a matter that ends, is looked at within this time."""
LOOK_AT_LATEST = timedelta(days=180)
SOONEST = timedelta(days=1)


class Keeps(StrEnum):
    """Why nothing goes."""

    HOLD = "hold"
    """A supervisor keeps it as evidence."""
    OPEN = "open"
    """A ticket, a call for a person or a talk in somebody's hands is open."""
    FOLLOWED = "followed"
    """Somebody still has to look again, report, or hear back."""
    HARM = "harm"
    """A matter of harm whose time has not come."""


@dataclass(frozen=True)
class Seen:
    """A child as it was written down. `age` None: nobody knows, it counts as newborn."""

    at: datetime
    age: int | None


@dataclass(frozen=True)
class Matter:
    """A ticket, a call for a person, or a red or orange text nobody opened either for. `closed_at` None: open."""

    harm: bool
    received_at: datetime
    closed_at: datetime | None
    children: tuple[Seen, ...] = ()
    ticket_id: int | None = None
    mine: bool = False
    """It is a ticket of the very person who is looked at, and not erased yet."""


@dataclass(frozen=True)
class Standing:
    """All that belongs together with one person. `drill`: made up, so that harm counts for nothing."""

    matters: tuple[Matter, ...] = ()
    held: bool = False
    open: bool = False
    followed: bool = False
    drill: bool = False


@dataclass(frozen=True)
class Plan:
    """What goes now. `texts_before`: texts older than that; None: none. `look_at`: when to decide again."""

    keeps: Keeps | None
    look_at: datetime
    texts_before: datetime | None = None
    tickets: frozenset[int] = frozenset()
    media: frozenset[int] = frozenset()


def due_at(matter: Matter, keep: Mapping[str, Span], *, drill: bool = False) -> datetime | None:
    """When a matter's contents are due; None: never while it is open. A drill's counts from its end, or its beginning."""
    if drill:
        return ends(matter.closed_at or matter.received_at, keep["drills"])
    if matter.closed_at is None:
        return None
    if not matter.harm:
        return ends(matter.closed_at, keep["tickets"])
    return max(ends(matter.closed_at, keep["harm"]), *(_grown(seen, keep["grown"]) for seen in _youngest(matter)))


def _youngest(matter: Matter) -> tuple[Seen, ...]:
    return matter.children or (Seen(matter.received_at, None),)


def _grown(seen: Seen, age: Span) -> datetime:
    """The latest moment at which that child can have come to that age: it may have turned `seen.age` the very day."""
    left = Span(months=age.months - 12 * (seen.age or 0))
    return ends(seen.at, left) if left.months > 0 else seen.at


def plan(standing: Standing, keep: Mapping[str, Span], now: datetime) -> Plan:
    """What of this person's data goes at `now`. `keep`: the periods by kind."""
    if (reason := why_kept(standing, keep, now)) is not None:
        return Plan(reason, now + LOOK_AGAIN)
    drill = standing.drill
    due = {matter: due_at(matter, keep, drill=drill) for matter in standing.matters}
    undue = [matter for matter, at in due.items() if at is None or at > now]
    tickets = {
        one.ticket_id: one for one in standing.matters if one.mine and one.ticket_id is not None and one not in undue
    }
    media = {
        one.ticket_id
        for one in undue
        if one.mine and one.ticket_id and one.closed_at and ends(one.closed_at, keep["media"]) <= now
    }
    texts = cutoff(now, keep["drills" if drill else "talks"])
    texts_before = min([texts, *(matter.received_at - BEFORE_A_TICKET for matter in undue)])
    coming = [at for at in due.values() if at is not None and at > now]
    coming += [at for one in undue if one.closed_at and (at := ends(one.closed_at, keep["media"])) > now]
    look_at = max(min([now + LOOK_AT_LATEST, *coming]), now + SOONEST)
    return Plan(None, look_at, texts_before, frozenset(tickets), frozenset(one for one in media if one))


def why_kept(standing: Standing, keep: Mapping[str, Span], now: datetime) -> Keeps | None:
    """What keeps all of it; None: nothing does."""
    if standing.held:
        return Keeps.HOLD
    if standing.drill:
        return None
    if standing.open or any(matter.closed_at is None for matter in standing.matters):
        return Keeps.OPEN
    if standing.followed:
        return Keeps.FOLLOWED
    if any(matter.harm and (at := due_at(matter, keep)) and at > now for matter in standing.matters):
        return Keeps.HARM
    return None
