"""A worker of outreach: takes numbers as the pace allows, hands them to the carrier, writes down what became of each.

Any number of these may run, on any machine that reaches the database. What makes a second text impossible: a number is marked
before it is handed over; whoever is silent for `DEAD_AFTER` has lost its numbers, and itself stops believing in its lease long before
(`TRUST`); what it may have handed over is looked up at the carrier, and only a text proven absent is sent.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, logs
from sms_gateway.carriers import registry
from sms_gateway.carriers.carrier import Carrier, CarrierRefusedPerson, SendError, SendsMany, TextOut
from sms_gateway.contacts import service as contacts
from sms_gateway.database import transaction
from sms_gateway.jobs import PASSING
from sms_gateway.settings import get_settings

from . import addresses, handing, leases, ledger, pace, references, taking, unknowns
from .handing import Result, result_of
from .hands import Hands
from .recipients import State
from .running import Running, list_running
from .taking import Recipient, Taken

log = logs.get("broadcasts")

CHUNK = 250
"""Numbers taken at once: a quarter of a second at a thousand texts a second; after a crash as many are looked up."""
AHEAD = 2
"""Chunks in hand: one is sent while the next is being taken and the last one written down."""
LOOK_SECONDS = 0.4
"""How often a worker reads what is running: a pause stops it within this time and the text on its way."""
LOOKED_WITHIN = 1.5
"""A worker that has not read for so long what is running, since the database is away from it, hands nothing over: it would not
hear of a pause."""
CLOCK_MAY_DIFFER = 60.0
"""Seconds. A machine whose clock is further from the database's than this sends nothing: it does not know when it is night."""
IDLE_SECONDS = 0.1
CLOCK_SECONDS = 0.1
BEAT_SECONDS = 2.0
TRUST = 8.0
"""Seconds without a beat of its own after which a worker hands nothing over: a request begun before ends (10 s) before `DEAD_AFTER`."""
DEAD_AFTER = timedelta(seconds=30)
BUSY_PAUSE = timedelta(seconds=2)
SETTLE_AGAIN_SECONDS = 0.5


class Sender:
    """One worker; `run` until `stop` is set."""

    def __init__(self, *, chunk: int = CHUNK) -> None:
        self.name = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(3)}"
        self.stop = asyncio.Event()
        self._hands = Hands(get_settings().outreach_at_once)
        self._chunk = chunk
        self._running: dict[int, Running] = {}
        self._looked_at = 0.0
        """When (monotonic) the reading began from which `_running` is."""
        self._held: dict[int, float] = {}
        """Chunks in hand, each with the moment (monotonic) its lease was last confirmed."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._read_at, self._clock = leases.seconds(), clock.now()

    async def run(self) -> None:
        """Send until told to stop; what is in hand is finished or given back."""
        watching = [asyncio.create_task(self._each(s, f)) for s, f in (
            (LOOK_SECONDS, self._look), (BEAT_SECONDS, self._beat), (1.0, self._mend),
        )]  # fmt: skip
        try:
            await self._look_at_first()
            while not self.stop.is_set():
                if not await self._take_round():
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self.stop.wait(), IDLE_SECONDS)
        finally:
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)

    async def _each(self, seconds: float, what: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await what()
            except PASSING:
                log.warning("outreach_database_away")
            except Exception:
                log.warning("outreach_chore_failed", exc_info=True)
            await asyncio.sleep(seconds)

    async def _look_at_first(self) -> None:
        with suppress(*PASSING):
            await self._look()

    async def _look(self) -> None:
        asked = leases.seconds()
        async with transaction() as session:
            running = {one.id: one for one in await list_running(session)}
            theirs = await session.scalar(select(func.extract("epoch", ledger.NOW)))
        differs = abs(clock.wall_seconds() - float(theirs or 0))
        if running and differs > CLOCK_MAY_DIFFER:
            log.error("outreach_clock_is_wrong", seconds=round(differs))
            running = {}
        self._running, self._looked_at = running, asked

    async def _beat(self) -> None:
        asked, before = leases.seconds(), set(self._held)
        async with transaction() as session:
            mine = await ledger.beat(session, self.name, before)
        for chunk_id in before & self._held.keys():
            self._held[chunk_id] = asked if chunk_id in mine else 0.0

    async def _mend(self) -> None:
        async with transaction() as session:
            lost = await ledger.recover(session, dead_after=DEAD_AFTER, look_up_after=_look_up_after())
        if lost:
            log.warning("outreach_chunks_of_dead_workers", chunks=lost)
        await unknowns.look_up_due(self.name)

    async def _take_round(self) -> bool:
        """One more chunk of each that runs; whether there was any."""
        found = False
        for one in list(self._running.values()):
            if len(self._tasks) >= AHEAD or self.stop.is_set() or not self._looked_lately():
                break
            try:
                taken, by = await self._take(one)
            except PASSING:
                await asyncio.sleep(SETTLE_AGAIN_SECONDS)
                continue
            if taken is not None:
                found = True
                self._start(one, taken, by)
        if len(self._tasks) >= AHEAD:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED, timeout=IDLE_SECONDS)
            return True
        return found

    async def _take(self, one: Running) -> tuple[Taken | None, str]:
        by = registry.choose()
        try:
            registry.carrier(by)
        except SendError:  # this machine lacks its keys: the numbers are for others
            log.error("outreach_carrier_is_not_set_up", carrier=by)
            return None, by
        async with transaction() as session:
            allowed = await self._draw(session, one, by)
        if allowed < 1:
            return None, by
        asked = leases.seconds()
        async with transaction() as session:
            row = await taking.still_running(session, one.id)
            taken = None if row is None else await taking.take(
                session, row, worker=self.name, carrier=by, at_most=allowed, closed=one.closed(clock.now())
            )  # fmt: skip
            unused = allowed - (len(taken.rows) if taken else 0)
            await pace.give_back(session, f"broadcast:{one.id}", unused)
            await pace.give_back(session, f"carrier:{by}", unused * one.segments)
        if taken is not None and taken.rows:
            self._held[taken.chunk_id] = asked
        return taken, by

    async def _draw(self, session: AsyncSession, one: Running, by: str) -> int:
        """Texts that may go now, by what the broadcast may send and by what is left of the carrier's rate for outreach."""
        wanted = float(self._chunk)
        least = min(wanted, max(1.0, one.rate * IDLE_SECONDS))
        mine = await pace.draw(session, f"broadcast:{one.id}", rate=one.rate, wanted=wanted, least=least)
        texts = int(mine)
        if texts >= 1:
            of_carrier = await pace.draw(
                session,
                f"carrier:{by}",
                rate=one.carrier_rate,
                wanted=float(texts * one.segments),
                least=float(one.segments),
            )
            texts = int(of_carrier // one.segments)
            await pace.give_back(session, f"carrier:{by}", of_carrier - texts * one.segments)
        await pace.give_back(session, f"broadcast:{one.id}", mine - texts)
        return texts

    def _start(self, one: Running, taken: Taken, by: str) -> None:
        if not taken.rows:
            return
        task = asyncio.create_task(self._send(one, taken, by))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _now(self) -> datetime:
        """The time to a tenth of a second: read for every text it would cost as much as opening the number."""
        at = leases.seconds()
        if at - self._read_at > CLOCK_SECONDS:
            self._read_at, self._clock = at, clock.now()
        return self._clock

    def _looked_lately(self) -> bool:
        return leases.seconds() - self._looked_at < LOOKED_WITHIN

    def _may_go_on(self, taken: Taken) -> bool:
        """Nobody has paused or ended it, and these numbers are surely still ours."""
        fresh = leases.seconds() - self._held.get(taken.chunk_id, 0.0) < TRUST
        return fresh and self._looked_lately() and not self.stop.is_set() and taken.broadcast_id in self._running

    async def _send(self, one: Running, taken: Taken, by: str) -> None:
        try:
            edge = registry.carrier(by)
            sends = self._in_bulk if isinstance(edge, SendsMany) else self._one_by_one
            results = await sends(edge, one, taken)
            for result in results:
                if result.carrier_id is not None or result.error is not None:
                    registry.note(by, result.error)
            await self._write_down(taken, by, edge, results)
        except Exception:  # its lease runs out, and what may have left is looked up
            log.exception("outreach_chunk_dropped", broadcast=taken.broadcast_id)
        finally:
            self._held.pop(taken.chunk_id, None)

    async def _one_by_one(self, edge: Carrier, one: Running, taken: Taken) -> list[Result]:
        return await self._hands.each(taken.rows, partial(self._hand_over, edge, one, taken))

    async def _hand_over(self, edge: Carrier, one: Running, taken: Taken, row: Recipient) -> Result:
        if not self._may_go_on(taken):
            return Result(row, None, None)
        return await handing.hand_over(edge, one, row, self._now())

    async def _in_bulk(self, edge: Carrier, one: Running, taken: Taken) -> list[Result]:
        assert isinstance(edge, SendsMany)
        results: list[Result] = []
        for start in range(0, len(taken.rows), edge.most_at_once):
            rows = taken.rows[start : start + edge.most_at_once]
            if not self._may_go_on(taken):
                results += [Result(row, None, None) for row in rows]
                continue
            texts = [handing.readied(one, row, clock.now()) for row in rows]
            going = [text for text in texts if isinstance(text, TextOut)]
            answers = await edge.send_many(going) if going else []
            told = {text.reference: answer for text, answer in zip(going, answers, strict=True)}
            results += [
                text if isinstance(text, Result) else result_of(row, told[text.reference])
                for row, text in zip(rows, texts, strict=True)
            ]
        return results

    async def _write_down(self, taken: Taken, by: str, edge: Carrier, results: Sequence[Result]) -> None:
        """Until it is written down: the database may be away for a while."""
        while True:
            try:
                await self._settle(taken, by, edge, results)
                return
            except PASSING:
                await asyncio.sleep(SETTLE_AGAIN_SECONDS)

    async def _settle(self, taken: Taken, by: str, edge: Carrier, results: Sequence[Result]) -> None:
        told = [outcome for one in results if (outcome := one.outcome()) is not None]
        back = [ledger.Outcome(one.row.number, State.CREATED) for one in results if one.stayed]
        lost = [one.number for one in told if one.state is State.UNKNOWN]
        async with transaction() as session:
            await ledger.settle_chunk(session, taken.broadcast_id, told)
            await ledger.keep_unknown(session, taken.broadcast_id, lost, after=_look_up_after())
            if not edge.echoes_reference:
                ids = {
                    one.carrier_id: references.reference_of(taken.broadcast_id, one.number)
                    for one in told
                    if one.carrier_id
                }
                await ledger.keep_references(session, by, ids)
            if await ledger.holds(session, taken.chunk_id, self.name):
                await ledger.settle(session, taken.broadcast_id, back, returnable=(State.CLAIMED,))
                if back:
                    busy = any(one.error is not None for one in results if one.stayed)
                    await ledger.put_back(session, taken.chunk_id, pause=BUSY_PAUSE if busy else timedelta())
                else:
                    await ledger.finish(session, taken.chunk_id)
            for one in results:
                if isinstance(one.error, CarrierRefusedPerson):
                    await contacts.opt_out_number(
                        session, addresses.open_sealed(one.row.address_sealed, one.row.address_index)
                    )


async def close() -> None:
    """A sending process ends: its connections to the carriers too."""
    await registry.close()


def _look_up_after() -> timedelta:
    return timedelta(seconds=get_settings().unknown_after_seconds)
