"""Receipts that come one by one are written down together: whoever waits is answered once its batch is committed.

While one batch is being written the next one gathers, so the busier it is the larger the batches. What cannot be kept now is
refused with 503, and carriers bring it again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from sms_gateway import logs
from sms_gateway.database import transaction
from sms_gateway.errors import BadInput, DatabaseIsAway, HotlineError

from . import receipts
from .receipts import MOST_AT_ONCE, Applied, Told

log = logs.get("broadcasts")

GATHER_SECONDS = 0.02
"""The longest a batch waits for more: only while receipts come in, never for the first one after a pause."""
MOST_WAITING = 20_000
"""Receipts in hand; more are refused."""
CLOSE_SECONDS = 5.0
Item = TypeVar("Item")
AWAY = (OperationalError, InterfaceError, PoolTimeout, OSError)


class TooManyReceipts(HotlineError):
    status_code = 503
    retryable = True
    sentence = "回执太多，请稍后再送一次。"


class ReceiptCannotBeKept(BadInput):
    """The database will never take this one."""

    sentence = "这条回执存不了。"


@dataclass(frozen=True)
class _Waiting(Generic[Item]):
    told: tuple[Item, ...]
    kept: asyncio.Future[None]


class Collector(Generic[Item]):
    """One a process, for one kind of receipt. Works only while somebody waits: there is no task to be left behind.

    `write` keeps a batch in one transaction.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Item]], Awaitable[None]],
        *,
        gather_seconds: float = GATHER_SECONDS,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._write_down = write
        self._gather_seconds, self._most_waiting = gather_seconds, most_waiting
        self._queue: deque[_Waiting[Item]] = deque()
        self._in_queue = 0
        self._enough = 0
        self._full = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None
        self._closed = False

    async def put(self, *told: Item) -> None:
        """Return once these are committed. Raises `DatabaseIsAway`, `TooManyReceipts`, and `ReceiptCannotBeKept` for a single one
        (of several such a one is left out)."""
        if self._closed or self._in_queue + len(told) > self._most_waiting:
            raise TooManyReceipts
        waiting = _Waiting(told, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._in_queue += len(told)
        if self._in_queue >= self._enough:
            self._full.set()
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        await waiting.kept

    async def aclose(self) -> None:
        """Write down what is waiting, take nothing more."""
        self._closed = True
        self._full.set()
        if self._writer is not None:
            await asyncio.wait({self._writer}, timeout=CLOSE_SECONDS)
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.wait({self._writer})
        while self._queue:
            self._answer(self._queue.popleft(), DatabaseIsAway())

    async def _write(self) -> None:
        try:
            while self._queue:
                batch = self._next_batch()
                await self._write_batch(batch)
                answered = sum(len(each.told) for each in batch)
                await self._gather(min(MOST_AT_ONCE, (answered + self._in_queue) // 2))
        finally:
            self._writer = None
            self._enough = 0

    async def _gather(self, enough: int) -> None:
        """Wait till so many are here: half of those who come again and again, so that reading goes on while half is being written."""
        self._enough = enough
        if self._closed or self._in_queue >= enough:
            return
        self._full.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._gather_seconds):
                await self._full.wait()

    def _next_batch(self) -> list[_Waiting[Item]]:
        batch: list[_Waiting[Item]] = []
        size = 0
        while self._queue and (not batch or size + len(self._queue[0].told) <= MOST_AT_ONCE):
            batch.append(self._queue.popleft())
            size += len(batch[-1].told)
        self._in_queue -= size
        return batch

    async def _write_batch(self, batch: list[_Waiting[Item]]) -> None:
        error: Exception | None = DatabaseIsAway()
        try:
            await self._write_down([told for each in batch for told in each.told])
            error = None
        except AWAY:
            log.warning("outreach_receipts_wait_for_the_database")
        except SQLAlchemyError:
            await self._write_each(batch)
        except Exception:
            log.exception("outreach_receipts_failed")
        finally:
            for each in batch:
                self._answer(each, error)

    async def _write_each(self, batch: list[_Waiting[Item]]) -> None:
        """Something in the batch is wrong: the others must not suffer for it."""
        for each in batch:
            error: Exception | None = None
            for told in each.told:
                try:
                    await self._write_down([told])
                except AWAY:
                    error = DatabaseIsAway()
                    break
                except SQLAlchemyError:
                    log.warning("outreach_receipt_refused")
                    error = ReceiptCannotBeKept() if len(each.told) == 1 else None
            self._answer(each, error)

    @staticmethod
    def _answer(waiting: _Waiting[Item], error: Exception | None) -> None:
        if waiting.kept.done():  # whoever brought it has hung up
            return
        if error is None:
            waiting.kept.set_result(None)
        else:
            waiting.kept.set_exception(error)


def collector(*, gather_seconds: float = GATHER_SECONDS, most_waiting: int = MOST_WAITING) -> Collector[Told]:
    """Of receipts as a gateway's doors read them."""
    return Collector(_write, gather_seconds=gather_seconds, most_waiting=most_waiting)


async def _write(told: Sequence[Told]) -> None:
    _say(await _apply(told))


async def _apply(told: Sequence[Told]) -> Applied:
    async with transaction() as session:
        return await receipts.apply(session, told)


def _say(done: Applied) -> None:
    log.info("outreach_receipts", moved=done.moved, unmoved=done.unmoved, unknown=done.unknown, early=done.early)


async def sweep() -> None:
    """Each second: receipts that were quicker than the note of their text."""
    async with transaction() as session:
        done = await receipts.apply_early(session)
    if done != Applied():
        _say(done)
