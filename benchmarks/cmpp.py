"""A mainland carrier: the wire, then a broadcast through a line with danger beside it."""

from __future__ import annotations

from rich.console import Console

from . import cmpp_broadcast, cmpp_wire
from .results import Row


async def measure(console: Console, *, recipients: int = cmpp_broadcast.RECIPIENTS) -> list[Row]:
    """Every row of the area."""
    return [*await cmpp_wire.measure(console), *await cmpp_broadcast.measure(console, recipients=recipients)]
