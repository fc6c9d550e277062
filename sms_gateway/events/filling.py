"""Facts and data of events are filled in by whoever publishes their type: a room above this one, which registers here.

It happens after the commit, in the transaction that gives the event its place, from the rows as they stand then.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.departments.visibility import Facts


@dataclass(frozen=True)
class Filled:
    """What an event is about. `data`: the parts and fields named in `shaping.FULL`."""

    facts: Facts
    data: dict[str, Any]


Source = Callable[[AsyncSession, Sequence[int]], Awaitable[dict[int, Filled]]]
"""Takes `ref`s, gives what each is about; one it leaves out is shown to nobody."""

_sources: dict[str, Source] = {}


class SourceIsMissing(LookupError):
    """No room has registered for this type of event in this process; the type is the message."""


def register(prefix: str, source: Source) -> None:
    """Let `source` fill events whose type begins with `prefix`."""
    _sources[prefix] = source


def source_of(type_: str) -> Source:
    """Raises `SourceIsMissing`: better that events wait, and the log says so each second, than that they go out empty."""
    for prefix, source in _sources.items():
        if type_.startswith(prefix):
            return source
    raise SourceIsMissing(type_)
