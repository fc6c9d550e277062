"""What rings on which page. The alarms are read once for all open pages of this process."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from sms_gateway.database import transaction
from sms_gateway.escalations.ladder import LADDER, Audience
from sms_gateway.escalations.overview import Alarm, list_alarms
from sms_gateway.operators.presence import is_anyone_on_duty

T = TypeVar("T")

EVERYBODY_FROM = next(rung.number for rung in LADDER if rung.audience is Audience.ALL_OPERATORS)


@dataclass(frozen=True)
class Lookout:
    """All alarms, and whether somebody on duty has an open console."""

    alarms: list[Alarm]
    somebody_on_duty: bool


def concerns(alarm: Alarm, *, operator_id: int, on_duty: bool, somebody_on_duty: bool) -> bool:
    """Whether this operator's page calls `alarm` out. Pure.

    Red rings for those on duty, from the ladder's third step for every open page, and for every open page at once when
    nobody is on duty. The other alarms are for whoever has the talk; with no holder they go the same way as red.
    """
    if alarm.holder is not None:
        return alarm.holder == operator_id
    return on_duty or not somebody_on_duty or alarm.step >= EVERYBODY_FROM


async def look_out() -> Lookout:
    """Read it from the database."""
    async with transaction() as session:
        return Lookout(await list_alarms(session), await is_anyone_on_duty(session))


class Shared(Generic[T]):
    """Many askers, few looks: whoever asks gets a look that began after they asked."""

    def __init__(self, look: Callable[[], Awaitable[T]]) -> None:
        self._look = look
        self._running: asyncio.Task[T] | None = None
        self._next: asyncio.Task[T] | None = None

    async def look(self) -> T:
        """The newest state; raises what the look raises."""
        if self._next is None:
            self._next = asyncio.create_task(self._after(self._running))
        return await asyncio.shield(self._next)

    async def _after(self, running: asyncio.Task[T] | None) -> T:
        if running is not None:
            with suppress(Exception):
                await asyncio.wait([running])
        self._running, self._next = self._next, None
        return await self._look()


class Viewers:
    """Who has which talk open, in this process."""

    def __init__(self) -> None:
        self._open: Counter[tuple[int, int]] = Counter()

    @contextmanager
    def viewing(self, thread_id: int | None, operator_id: int) -> Iterator[None]:
        """Note it until the block ends."""
        if thread_id is None:
            yield
            return
        self._open[thread_id, operator_id] += 1
        try:
            yield
        finally:
            self._open[thread_id, operator_id] -= 1
            self._open += Counter()  # forget zeros

    def of(self, thread_id: int) -> set[int]:
        """The operators who have that talk open."""
        return {operator for (thread, operator), count in self._open.items() if thread == thread_id and count > 0}
