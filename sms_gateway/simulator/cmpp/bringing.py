"""What the make-believe gateway brings: reports when they are due, and texts from phones, until somebody has taken them."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress

from sms_gateway import clock
from sms_gateway.carriers.cmpp import ids, text
from sms_gateway.carriers.cmpp.pdus import Deliver, Report
from sms_gateway.carriers.cmpp.words import GatewayIsAway
from sms_gateway.simulator.truth import Due, Truth

from .connection import Connection
from .faults import WireFaults, stat_of

NUMBER = 87101
"""The gateway's own, in its Msg_Ids."""
AGAIN_SECONDS = 0.5
"""A report that nobody took is brought again after so long."""


def note_of(src_id: str, service_id: str, submit_time: str, *, wants_report: bool) -> str:
    """What `Truth` keeps of a text beside its number and end: what its report repeats."""
    return "|".join((src_id, service_id, submit_time, "1" if wants_report else "0"))


class Bringer:
    """Made by `CmppGateway`. `links`: those that are logged in; `window`: DELIVERs without an answer on each."""

    def __init__(
        self,
        truth: Truth,
        *,
        window: int,
        faults: Callable[[], WireFaults],
        id_of: Callable[[int], bytes],
        counts: Counter[str],
    ) -> None:
        self.links: list[Connection] = []
        self.came = asyncio.Event()
        self.news = asyncio.Event()
        self._truth = truth
        self._window = window
        self._faults = faults
        self._id_of = id_of
        self._counts = counts
        self._worker: asyncio.Task[None] | None = None
        self._tellers: set[asyncio.Task[None]] = set()
        self._told: list[Due] = []
        self._brought = 0

    def start(self) -> None:
        """Tell what is due, from now on."""
        if self._worker is None or self._worker.done():
            self._worker = asyncio.get_running_loop().create_task(self._work())

    async def close(self) -> None:
        """Tell no more."""
        running = [*self._tellers, *([self._worker] if self._worker else [])]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        self._flush_told()

    async def write(
        self,
        number: str,
        body: str,
        *,
        to: str,
        order: Sequence[int] | None = None,
        gbk: bool = False,
        reference: int | None = None,
    ) -> list[int]:
        """A text from a phone to `to`: brought until it is answered; the results. `order`: which parts, from 1, in which order."""
        parts = text.split(body, reference=random.randrange(256) if reference is None else reference, gbk=gbk)
        wanted = [parts[place - 1] for place in order] if order is not None else parts
        results = []
        for part in wanted:
            deliver = Deliver(
                msg_id=self._new_id(),
                dest_id=to,
                src_terminal_id=self._faults().number_prefix + number,
                content=part.content,
                msg_fmt=part.msg_fmt,
                tp_udhi=part.tp_udhi,
            )
            results += [await self._bring(deliver) for _ in range(2 if self._faults().texts.duplicate else 1)]
        return results

    async def settle(self) -> None:
        """Wait until every report has been taken (tests)."""
        while self._tellers or self._told or self._truth.is_under_way():
            self._flush_told()
            await asyncio.sleep(0.005)

    async def _bring(self, deliver: Deliver) -> int:
        while True:
            await self.came.wait()
            link = min(self.links, key=lambda link: link.in_window)
            with suppress(GatewayIsAway):
                result = await link.deliver(deliver)
                self._counts["brought"] += 1
                return result
            await asyncio.sleep(0)

    async def _work(self) -> None:
        """Let texts arrive and reports go out when they are due, for ever."""
        while True:
            self.news.clear()
            self._flush_told()
            now = clock.wall_seconds()
            arrived = self._truth.let_arrive(now=now)
            room = self._window * len(self.links) - len(self._tellers)
            for due in self._truth.take_to_tell(now=now, limit=room) if room > 0 else ():
                self._start_telling(due)
            if arrived:
                await asyncio.sleep(0)
                continue
            at = self._truth.next_due() if self._window * len(self.links) > len(self._tellers) else None
            with suppress(TimeoutError):
                async with asyncio.timeout(None if at is None else max(at - clock.wall_seconds(), 0.001)):
                    await self.news.wait()

    def _start_telling(self, due: Due) -> None:
        teller = asyncio.get_running_loop().create_task(self._tell(due))
        self._tellers.add(teller)
        teller.add_done_callback(self._teller_is_free)

    def _teller_is_free(self, teller: asyncio.Task[None]) -> None:
        self._tellers.discard(teller)
        self.news.set()

    async def _tell(self, due: Due) -> None:
        src_id, service_id, submitted, wanted = due.note.split("|")
        if wanted == "1":
            report = Report(
                msg_id=self._id_of(due.sequence),
                stat=stat_of(due.end, due.error, self._faults()),
                submit_time=submitted,
                done_time=ids.report_time(clock.now()),
                dest_terminal_id=self._faults().number_prefix + due.number,
                smsc_sequence=due.sequence & 0xFFFFFFFF,
            )
            try:
                for _ in range(2 if due.doubled else 1):
                    await self._tell_once(report, src_id, service_id)
            except (GatewayIsAway, ValueError):  # ValueError: nobody is there
                self._truth.tell_again([due], at=clock.wall_seconds() + AGAIN_SECONDS)
                return
        self._told.append(due)

    async def _tell_once(self, report: Report, src_id: str, service_id: str) -> None:
        link = min(self.links, key=lambda link: link.in_window)
        deliver = Deliver(
            msg_id=self._new_id(),
            dest_id=src_id,
            src_terminal_id=report.dest_terminal_id,
            content=b"",
            msg_fmt=0,
            service_id=service_id,
            registered_delivery=1,
            report=report,
        )
        result = await link.deliver(deliver)
        self._counts[f"report_result_{result}"] += 1

    def _flush_told(self) -> None:
        if self._told:
            told, self._told = self._told, []
            self._truth.told(told)

    def _new_id(self) -> bytes:
        self._brought += 1
        return ids.pack_id(clock.now(), gateway=NUMBER + 1, sequence=self._brought)
