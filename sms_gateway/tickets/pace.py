"""What a move does to a ticket's clock: stands while the person is asked, runs on after, ends with the matter. Pure."""

from __future__ import annotations

from datetime import datetime

from . import lifecycle
from .lifecycle import Status
from .models import Ticket


def on_move(ticket: Ticket, before: Status, to: Status, now: datetime) -> None:
    """Set `paused_at`, `paused_from`, `due_at` and `next_clock_at` for the move from `before` to `to` at `now`.

    The time a clarification took is added to `due_at`; red and orange clocks never stand.
    """
    if to in lifecycle.STOPPED_CLOCK:
        ticket.paused_at, ticket.paused_from = now, before.value
        if ticket.lane == "blue":
            ticket.next_clock_at = None
        return
    if before in lifecycle.STOPPED_CLOCK and ticket.paused_at is not None:
        if ticket.lane == "blue":
            ticket.due_at += now - ticket.paused_at
        ticket.paused_at = ticket.paused_from = None
    ticket.next_clock_at = now if lifecycle.is_open(to) else None
