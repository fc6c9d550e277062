"""The make-believe gateway itself: lets an account in, takes its texts, tells what became of them, brings texts from phones.

It remembers what it took in `simulator.truth`, one row for each part and phone. For tests, drills and benchmarks.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sms_gateway import clock
from sms_gateway.carriers.cmpp import ids
from sms_gateway.carriers.cmpp.pdus import (
    NO_ID,
    Connect,
    ConnectResp,
    Query,
    QueryResp,
    Submit,
    SubmitResp,
    Terminate,
    Version,
)
from sms_gateway.carriers.cmpp.words import GatewayIsAway
from sms_gateway.simulator.faults import Dice, Fate, answer_is_lost, fate_of, refusal_of
from sms_gateway.simulator.truth import Truth

from .bringing import NUMBER, Bringer, note_of
from .connection import Connection
from .faults import RESULTS, WireFaults, fault_of, reference_of, validity_of

SUBMITS_KEPT = 10_000


@dataclass(frozen=True)
class Client:
    """Who may come in. `access_number`: their Src_Ids begin with it."""

    source_addr: str
    shared_secret: str = field(repr=False)
    access_number: str = "1069"
    versions: tuple[int, ...] = (Version.V3, Version.V2)
    most_connections: int = 16


class CmppGateway:
    """`start()` it, `close()` it. `faults` may be changed at any time."""

    def __init__(
        self,
        client: Client,
        *,
        truth: Truth | None = None,
        faults: WireFaults | None = None,
        dice: Dice = random.random,
        window: int = 16,
        resend_seconds: float = 60.0,
    ) -> None:
        self.client = client
        self.truth = truth or Truth()
        self.faults = faults or WireFaults()
        self.resend_seconds = resend_seconds
        self.submits: deque[Submit] = deque(maxlen=SUBMITS_KEPT)
        """The last that were taken, as they came."""
        self.counts: Counter[str] = Counter()
        self._dice = dice
        self._server: asyncio.Server | None = None
        self._bringer = Bringer(
            self.truth, window=window, faults=lambda: self.faults, id_of=self.id_of, counts=self.counts
        )
        self.links = self._bringer.links
        self._tokens, self._filled_at = 0.0, time.monotonic()

    # coming and going

    async def start(self, port: int = 0) -> int:
        """Listen on loopback; the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self), "127.0.0.1", port, reuse_address=True)
        self._bringer.start()
        found: int = self._server.sockets[0].getsockname()[1]
        return found

    async def close(self) -> None:
        """Stop listening, cut every connection; what it knows stays in its truth, which is closed too."""
        await self.go_down()
        await self._bringer.close()
        self.truth.close()

    async def go_down(self) -> None:
        """Nobody is let in, and every connection is cut: a machine that died. `start` again on the same port."""
        if self._server is not None:
            self._server.close()
        await self.cut()

    async def cut(self) -> None:
        """End every connection without a word."""
        for link in list(self.links):
            link.abort()
            await link.closed.wait()

    async def terminate(self) -> None:
        """Say TERMINATE on every connection, and close those that agree."""
        for link in list(self.links):
            with suppress(GatewayIsAway):
                await link.ask(Terminate())
            link.close()

    # what its connections ask

    def admit(self, connect: Connect) -> ConnectResp:
        """Whether they may come in: known, proven, of a version we speak, not too often."""
        faults, client = self.faults, self.client
        proof = ids.authenticator(
            source_addr=connect.source_addr, shared_secret=client.shared_secret, timestamp=connect.timestamp
        )
        status = faults.login_status
        if not status and connect.source_addr != client.source_addr:
            status = 2
        elif not status and connect.authenticator != proof:
            status = 3
        elif not status and connect.version not in client.versions:
            status = 4
        elif not status and len(self.links) >= client.most_connections:
            status = 5
        self.counts[f"login_{status}"] += 1
        if status:
            return ConnectResp(status, bytes(16), max(client.versions))
        secret = client.shared_secret + ("?" if faults.wrong_proof else "")
        version = Version.V3 if connect.version >= Version.V3 else Version.V2
        answer = ids.gateway_authenticator(
            status=0, source_authenticator=connect.authenticator, shared_secret=secret, version=version
        )
        return ConnectResp(0, answer, max(client.versions))

    def came(self, link: Connection) -> None:
        """Logged in: what waits for it may go."""
        self.links.append(link)
        self._bringer.came.set()
        self._bringer.news.set()

    def went(self, link: Connection) -> None:
        """Over."""
        if link in self.links:
            self.links.remove(link)
        if not self.links:
            self._bringer.came.clear()
        self._bringer.news.set()

    def take(self, submits: list[Submit]) -> list[SubmitResp | None]:
        """Texts that came at once, and what is said of each; None: nothing."""
        faults, now = self.faults, clock.now()
        answers: list[SubmitResp | None] = []
        places: list[tuple[int, bool]] = []
        taken: list[tuple[int, str, Fate]] = []
        notes: list[str] = []
        for submit in submits:
            lost = answer_is_lost(faults.texts, self._dice)
            result = 0 if lost == "before" else self._result_of(submit)
            if lost == "before" or result:
                answers.append(SubmitResp(NO_ID, result) if result and lost is None else None)
                self.counts[f"result_{result}" if result else "not_taken"] += 1
                continue
            places.append((len(answers), lost is not None or faults.texts.refuse == "silent"))
            answers.append(None)
            self.submits.append(submit)
            number = ids.plain_number(submit.destinations[0])
            fate = fate_of(faults.texts, self._dice, validity=validity_of(submit, now))
            taken.append((reference_of(submit, number), number, fate))
            notes.append(
                note_of(
                    submit.src_id,
                    submit.service_id,
                    ids.report_time(now),
                    wants_report=submit.registered_delivery == 1,
                )
            )
        sequences = self.truth.take(taken, now=clock.wall_seconds(), notes=notes) if taken else []
        for (place, is_lost), sequence in zip(places, sequences, strict=True):
            answers[place] = None if is_lost else SubmitResp(self.id_of(sequence), 0)
        self.counts["taken"] += len(taken)
        if taken:
            self._bringer.news.set()
        return answers

    def count(self, query: Query) -> QueryResp:
        """The totals since the start, whatever day is asked for."""
        taken = self.counts["taken"]
        return QueryResp(
            query.time, query.query_type, query.query_code, taken, taken, taken, 0, 0, self.counts["brought"], 0, 0
        )

    def id_of(self, sequence: int) -> bytes:
        """The Msg_Id of a text it took; the same after a restart with the same truth."""
        began = datetime.fromtimestamp(self.truth.since, UTC)
        return ids.pack_id(began + timedelta(seconds=sequence >> 16), gateway=NUMBER, sequence=sequence)

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
        return await self._bringer.write(number, body, to=to, order=order, gbk=gbk, reference=reference)

    async def settle(self) -> None:
        """Wait until every report has been taken (tests)."""
        await self._bringer.settle()

    def _result_of(self, submit: Submit) -> int:
        refusal = refusal_of(self.faults.texts, self._dice)
        if refusal is not None:
            return RESULTS[refusal]
        wrong = fault_of(submit, source_addr=self.client.source_addr, access_number=self.client.access_number)
        return wrong or (0 if self._has_room(len(submit.destinations)) else RESULTS["busy"])

    def _has_room(self, segments: int) -> bool:
        rate = self.faults.texts.rate
        if rate <= 0:
            return True
        now = time.monotonic()
        self._tokens = min(max(rate / 4, segments), self._tokens + (now - self._filled_at) * rate)
        self._filled_at = now
        if self._tokens < segments:
            return False
        self._tokens -= segments
        return True
