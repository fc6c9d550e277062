"""What rings on which page. The alarms are read once for all open pages of this process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from sms_gateway import clock
from sms_gateway.database import transaction
from sms_gateway.escalations import crew
from sms_gateway.escalations.ladder import LADDER, Audience
from sms_gateway.escalations.overview import Alarm, list_alarms
from sms_gateway.operators.seats import SeatFacts, everyone, ring_first, supervisors
from sms_gateway.settings import get_settings

T = TypeVar("T")

VIEWED_FOR = timedelta(seconds=12)
"""After an open page's last heartbeat: two of them and a little."""

EVERYBODY_FROM = next(rung.number for rung in LADDER if rung.audience is Audience.ALL_OPERATORS)


@dataclass(frozen=True)
class Lookout:
    """All alarms, the desk as it is now, and who may see nothing of a contact."""

    alarms: list[Alarm]
    seats: Sequence[SeatFacts] = ()
    shut_out: Mapping[int, Collection[int]] = field(default_factory=dict)

    def of(self, operator_id: int) -> list[Alarm]:
        """What this operator's pages call out."""
        capacity = get_settings().seat_capacity
        return [
            alarm
            for alarm in self.alarms
            if operator_id not in self.shut_out.get(alarm.contact_id, ())
            and operator_id in concerned(alarm, self._without(alarm), capacity=capacity)
        ]

    def _without(self, alarm: Alarm) -> list[SeatFacts]:
        shut = self.shut_out.get(alarm.contact_id, ())
        return [seat for seat in self.seats if seat.operator_id not in shut]


def concerned(alarm: Alarm, seats: Collection[SeatFacts], *, capacity: int) -> set[int]:
    """Whose pages call `alarm` out. Pure.

    Red: first the county's desk, with nobody there its prefecture and the province, from the third step every open page.
    An orange one nobody has read calls the supervisors. The rest is for whoever has the talk, and rings like red where
    nobody has it, or where who has it is away.
    """
    holder = next((seat for seat in seats if seat.operator_id == alarm.holder), None)
    if holder is not None and holder.there:
        return {holder.operator_id}
    if alarm.kind == "unread":
        return supervisors(seats)
    if alarm.step >= EVERYBODY_FROM:
        return everyone(seats)
    return ring_first(seats, alarm.county, alarm.lane, capacity=capacity)


async def look_out() -> Lookout:
    """Read it from the database."""
    async with transaction() as session:
        alarms = await list_alarms(session)
        seats = await crew.load_seats(session)
        return Lookout(alarms, seats, await crew.shut_out(session, {alarm.contact_id for alarm in alarms}))


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
    """Who has which talk open, by what their pages say with every heartbeat; in this process."""

    def __init__(self) -> None:
        self._open: dict[tuple[int, int], datetime] = {}

    def note(self, thread_id: int, operator_id: int) -> None:
        """A page of that talk is open now."""
        now = clock.now()
        self._open = {pair: at for pair, at in self._open.items() if now - at < VIEWED_FOR}
        self._open[thread_id, operator_id] = now

    def forget(self, thread_id: int, operator_id: int) -> None:
        """That page is open no more, or no business of theirs any more."""
        self._open.pop((thread_id, operator_id), None)

    def of(self, thread_id: int) -> set[int]:
        """The operators who have that talk open."""
        return {who for thread, who in self._open if thread == thread_id and self.is_viewing(thread, who)}

    def is_viewing(self, thread_id: int, operator_id: int) -> bool:
        """Whether that operator has that talk open."""
        at = self._open.get((thread_id, operator_id))
        return at is not None and clock.now() - at < VIEWED_FOR
