"""What workers do for departments each second: put new events before subscribers, and send what is due, all at the same time.

No jobs: a subscriber that hangs would hold a slot of its queue, and a lock would stay shut while a retry waits. Every
subscriber has a run of its own while something is due for it; a run that dies with its worker is taken over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial

from standardwebhooks import Webhook

from sms_gateway import clock, logs
from sms_gateway.database import transaction
from sms_gateway.settings import get_settings

from . import journal, ledger
from .fanning import BATCH, fan_out
from .ledger import Parcel, Run
from .pace import Answer
from .sending import Sender
from .shaping import as_json, signed_headers
from .targets import Allowed

log = logs.get("events")

STOP_WITHIN_SECONDS = 3.0
"""A process that ends lets what is being sent come to its end, for this long."""
AT_A_TIME = 32
"""Subscribers sent to at a time by one process: one that hangs takes 10 s, the others go on beside it."""


class Courier:
    """One process's pushing. Made inside a running loop; `close` ends every run."""

    def __init__(self, sender: Sender | None = None) -> None:
        self._sender = sender or Sender(Allowed.parse(get_settings().push_private_targets))
        self._room = asyncio.Semaphore(AT_A_TIME)
        self._runs: dict[int, asyncio.Task[None]] = {}
        self._closing = False

    async def sweep(self) -> None:
        """Put new events before the subscribers, and start sending with the first of them. Waits for no subscriber."""
        while True:
            async with transaction() as session:
                count = await fan_out(session)
            await self.start_due()
            if count < BATCH:
                return

    async def start_due(self) -> int:
        """Start a run for each subscriber that something is due for; returns how many were started. Waits for none."""
        async with transaction() as session:
            due = set(await ledger.list_due(session))
        fresh = due - self._runs.keys()
        for subscription_id in fresh:
            run = asyncio.create_task(self._run(subscription_id), name=f"events.run {subscription_id}")
            self._runs[subscription_id] = run
            run.add_done_callback(partial(self._ended, subscription_id))
        return len(fresh)

    def _ended(self, subscription_id: int, _run: asyncio.Task[None]) -> None:
        self._runs.pop(subscription_id, None)

    async def finish(self) -> None:
        """Wait until the runs under way have sent all they can."""
        while self._runs:
            await asyncio.gather(*self._runs.values(), return_exceptions=True)

    async def close(self) -> None:
        """Stop after the event each run is at; what hangs is cut off, and goes out again later under the same id."""
        self._closing = True
        if self._runs:
            await asyncio.wait(self._runs.values(), timeout=STOP_WITHIN_SECONDS)
        for run in self._runs.values():
            run.cancel()
        await self.finish()
        await self._sender.close()

    async def _run(self, subscription_id: int) -> None:
        try:
            async with self._room:
                await self.deliver(subscription_id)
        except Exception:  # the next second starts another; its hold runs out by itself if it could not be let go
            log.warning("push_run_failed", subscription=subscription_id, exc_info=True)

    async def deliver(self, subscription_id: int) -> None:
        """Send this subscriber what waits, strictly in order, until nothing does or a try was in vain."""
        async with transaction() as session:
            run = await ledger.claim(session, subscription_id)
        if run is None:
            return
        journal.forget(run.after)
        try:
            going = True
            while going:
                async with transaction() as session:
                    parcels = await ledger.next_batch(session, run)
                going = bool(parcels) and await self._send_batch(run, parcels)
        finally:
            await self._let_go(run)

    async def _let_go(self, run: Run) -> None:
        written = False
        try:
            async with transaction() as session:
                await ledger.release(session, run)
            written = True
        finally:
            run.progress.close(written=written)

    async def _send_batch(self, run: Run, parcels: Sequence[Parcel]) -> bool:
        """Whether to go on. No event leaves before the journal knows of the last one."""
        webhook, written_at = Webhook(run.secret), clock.now()
        loop, ready = asyncio.get_running_loop(), [_packed(webhook, parcels[0])]
        for parcel, following in zip(parcels, [*parcels[1:], None], strict=True):
            body, headers = ready.pop() if ready else _packed(webhook, parcel)
            if following is not None:  # two turns of the loop later this one has left, and the next is made ready
                loop.call_soon(loop.call_soon, _pack_into, ready, webhook, following)
            answer = await self._sender.post(run.url, headers=headers, body=body)
            if not answer.is_good:
                await self._note_failure(run, parcel, answer)
                return False
            if parcel.replayed:
                async with transaction() as session:
                    await ledger.note_replayed(session, parcel, answer)
            else:
                run.progress.note(parcel.position, answer.status)
            if self._closing:
                return False
            if clock.now() - written_at >= ledger.WRITE_EVERY:
                written_at = clock.now()
                async with transaction() as session:
                    if not await ledger.write_down(session, run):
                        return False
        return True

    async def _note_failure(self, run: Run, parcel: Parcel, answer: Answer) -> None:
        async with transaction() as session:
            await ledger.note_failure(session, run, parcel, answer)
        log.warning("push_failed", subscription=run.subscription_id, delivery=parcel.delivery_id, status=answer.status)


def _packed(webhook: Webhook, parcel: Parcel) -> tuple[bytes, dict[str, str]]:
    """Body and headers, signed."""
    happening = parcel.opened()
    body = as_json(happening, parcel.sight)
    sent_at = datetime.fromtimestamp(clock.wall_seconds(), UTC)  # the subscriber compares it with its own clock
    return body, signed_headers(webhook, happening.id, body, sent_at=sent_at)


def _pack_into(ready: list[tuple[bytes, dict[str, str]]], webhook: Webhook, parcel: Parcel) -> None:
    ready.append(_packed(webhook, parcel))


@lru_cache(maxsize=1)
def _courier() -> Courier:
    """This process's courier."""
    return Courier()


async def fan_out_all() -> int:
    """Put everything new before the subscribers; returns how many events."""
    total = 0
    while True:
        async with transaction() as session:
            count = await fan_out(session)
        total += count
        if count < BATCH:
            return total


async def sweep() -> None:
    """Each second, in any number of processes: new events, and whoever something is due for."""
    await _courier().sweep()


async def close() -> None:
    """The process ends: let go of every subscriber."""
    if _courier.cache_info().currsize:
        courier = _courier()
        _courier.cache_clear()
        await courier.close()
