"""One connection to a gateway: texts in its window, answers and who waits for them, texts from it stored before they are answered."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from sms_gateway import clock
from sms_gateway.errors import HotlineError

from . import codec, ids, words
from .answers import Unknown
from .codec import HEADER, FrameIsBroken
from .owner import Owner, Waiting
from .pdus import (
    ActiveTest,
    ActiveTestResp,
    CancelResp,
    Connect,
    ConnectResp,
    Deliver,
    DeliverResp,
    QueryResp,
    SubmitResp,
    Terminate,
    TerminateResp,
)
from .wire import Wire

MOST_BEING_STORED = 64
"""Texts and reports at once whose storing is not done; above that nothing is read."""
KEPT_TIMED_OUT = 4096
LEAVE_SECONDS = 2.0
"""A gateway that says TERMINATE gets its answer when ours have come, or after so long."""


class Link(Wire):
    """Our side of a connection. Made by `Session`."""

    def __init__(self, owner: Owner, number: int, *, first_sequence: int) -> None:
        limits = owner.limits
        super().__init__(
            version=owner.account.version,
            answer_seconds=limits.answer_seconds,
            tries=limits.tries,
            first_sequence=first_sequence,
        )
        self.number = number
        self.logged_in = False
        self.leaving = False
        self.pending: dict[int, Waiting] = {}
        self._owner = owner
        self._limits = limits
        self._timed_out: dict[int, int] = {}
        self._storing: set[asyncio.Task[None]] = set()
        self._testing = False
        self._paused = False
        self._proof = b""
        self._out: list[bytes] = []

    # what a wire asks of its side

    def took_all(self) -> None:
        """Answers have made room."""
        self._owner.has_room()

    def stream_broke(self) -> None:
        """Not to be read any more: closed."""
        self._owner.say("cmpp_stream_broken", link=self.number)

    def lost(self) -> None:
        """What has no answer has none for ever."""
        self.logged_in = False
        pending, self.pending = self.pending, {}
        for waiting in pending.values():
            self._owner.lost(waiting, Unknown("link_broken"))

    def is_taken(self, sequence: int) -> bool:
        """Texts have numbers too."""
        return sequence in self.pending or super().is_taken(sequence)

    # what the session does

    @property
    def is_up(self) -> bool:
        """Whether texts may be handed to it."""
        return self.logged_in and not self.leaving and self.is_open

    def room(self, *, urgent: bool) -> int:
        """How many more SUBMITs may be written now. Ordinary ones leave one place in 16 to urgent ones."""
        if not self.is_up or self._is_in_doubt(self.loop.time()):
            return 0
        window = self._limits.window
        return window - len(self.pending) - (0 if urgent else (window + 8) // 16)

    def place(self, waiting: Waiting, frame: bytes, now: float) -> None:
        """Give it a number and a place; `flush` writes it."""
        sequence = self.next_sequence()
        waiting.written_at = now
        self.pending[sequence] = waiting
        self._out.append(frame[:8] + sequence.to_bytes(4, "big") + frame[12:])

    def flush(self) -> None:
        """Write what was placed, in one go."""
        if self._out and self.transport is not None:
            self.transport.write(b"".join(self._out))
        self._out.clear()

    async def log_in(self) -> None:
        """Say who we are. Raises `words.LoginRefused`, `GatewaySpeaksOtherVersion`, `GatewayIsNotGenuine`, `GatewayIsAway`."""
        account = self._owner.account
        at = ids.timestamp(clock.now())  # once, for the field and the proof
        self._proof = ids.authenticator(
            source_addr=account.source_addr, shared_secret=account.shared_secret, timestamp=at
        )
        await self.ask(Connect(account.source_addr, self._proof, account.version, at))

    def sweep(self, now: float) -> None:
        """Called every so often: give up what waited too long, ask whether anybody is there."""
        if not self.logged_in:
            return
        gone = [each for each in self.pending.items() if now - each[1].written_at >= self._limits.answer_seconds]
        for sequence, waiting in gone:
            del self.pending[sequence]
            self._timed_out[sequence] = waiting.reference
            if len(self._timed_out) > KEPT_TIMED_OUT:
                del self._timed_out[next(iter(self._timed_out))]
            self._owner.lost(waiting, Unknown("no_answer"))
        silent = now - self.heard_at
        if gone and silent >= self._limits.answer_seconds and not self._paused:
            self._owner.say("cmpp_link_silent", link=self.number)
            self.abort()
        elif not self._testing and not self._paused and (silent >= self._limits.idle_seconds or self._is_in_doubt(now)):
            self._testing = True
            self.act(self._test)

    async def leave(self, *, within: float) -> None:
        """Wait for answers up to `within` seconds, say TERMINATE, close."""
        self.leaving = True
        await self._drain(within)
        if self.logged_in:
            try:
                async with asyncio.timeout(min(within, LEAVE_SECONDS)):
                    await self.ask(Terminate(), tries=1)
            except (TimeoutError, words.GatewayIsAway):
                pass
        self.close()

    # what the gateway says

    def take(self, raw: bytes) -> None:
        try:
            frame = codec.decode(raw, version=self.version)
        except FrameIsBroken as broken:
            self._take_broken(broken, raw)
            return
        pdu, sequence = frame.pdu, frame.sequence
        if isinstance(pdu, SubmitResp):
            self._take_submit_resp(pdu, sequence)
        elif isinstance(pdu, ConnectResp):
            self._take_connect_resp(pdu, sequence, len(raw))
        elif isinstance(pdu, ActiveTestResp | TerminateResp | QueryResp | CancelResp):
            if not self.answer(sequence, pdu):
                self._stray(sequence)
        elif not self.logged_in and not self.leaving:
            self._stray(frame.sequence)
        elif isinstance(pdu, Deliver):
            self._take_deliver(pdu, sequence)
        elif isinstance(pdu, ActiveTest):
            self.send(ActiveTestResp(), sequence)
        elif isinstance(pdu, Terminate):
            self.act(partial(self._agree_to_leave, sequence))
        else:
            self._stray(frame.sequence)

    def _take_submit_resp(self, resp: SubmitResp, sequence: int) -> None:
        waiting = self.pending.pop(sequence, None)
        if waiting is not None:
            self._owner.answered(waiting, resp)
        elif sequence in self._timed_out:
            self._owner.late(self._timed_out.pop(sequence), resp)
        else:
            self._stray(sequence)

    def _take_connect_resp(self, resp: ConnectResp, sequence: int, total: int) -> None:
        """At once, not when the login wakes up: what follows may be in the same bytes."""
        error = self._why_not(resp, total)
        if error is not None:
            was_asked = self.refuse(sequence, error)
        else:
            was_asked = self.answer(sequence, resp)
            self.logged_in = self.logged_in or was_asked
        if not was_asked:
            self._stray(sequence)

    def _why_not(self, resp: ConnectResp, total: int) -> HotlineError | None:
        account = self._owner.account
        if resp.status != 0:
            return words.login_refusal(resp.status)
        if total != len(codec.encode(resp, sequence=0, version=self.version)):
            return words.GatewaySpeaksOtherVersion()
        expected = ids.gateway_authenticator(
            status=0, source_authenticator=self._proof, shared_secret=account.shared_secret, version=self.version
        )
        if resp.authenticator == expected:
            return None
        self._owner.say("cmpp_gateway_not_proven", link=self.number)
        return words.GatewayIsNotGenuine() if account.checks_gateway else None

    def _take_deliver(self, deliver: Deliver, sequence: int) -> None:
        task = self.loop.create_task(self._store(deliver, sequence))
        self._storing.add(task)
        task.add_done_callback(self._stored)
        if len(self._storing) >= MOST_BEING_STORED and self.transport is not None and not self._paused:
            self._paused = True
            self.transport.pause_reading()

    async def _store(self, deliver: Deliver, sequence: int) -> None:
        try:
            await self._owner.store(deliver)
        except Exception as error:  # noqa: BLE001  # whatever it is: unanswered, the gateway brings it again
            self._owner.counts.deliver_failed += 1
            self._owner.say("cmpp_deliver_not_stored", link=self.number, error=type(error).__name__)
            return
        self._owner.counts.delivered += 1
        self.send(DeliverResp(deliver.msg_id), sequence)

    def _stored(self, task: asyncio.Task[None]) -> None:
        self._storing.discard(task)
        if self._paused and len(self._storing) < MOST_BEING_STORED // 2 and self.transport is not None:
            self._paused = False
            self.heard_at = self.loop.time()  # it may have spoken while nobody listened
            self.transport.resume_reading()

    def _take_broken(self, broken: FrameIsBroken, raw: bytes) -> None:
        """The stream is in step, so the connection stays; a DELIVER is answered, else it would come again and again."""
        self._stray(broken.sequence)
        if broken.command == codec.DELIVER and len(raw) >= HEADER.size + ids.ID_BYTES:
            msg_id = raw[HEADER.size : HEADER.size + ids.ID_BYTES]
            self.send(DeliverResp(msg_id, words.LENGTH), broken.sequence)
        elif broken.command == codec.SUBMIT_RESP and (waiting := self.pending.pop(broken.sequence, None)):
            self._owner.lost(waiting, Unknown("unreadable"))

    def _stray(self, sequence: int) -> None:
        self._owner.counts.strays += 1
        self._owner.say("cmpp_stray_frame", link=self.number, sequence=sequence)

    # small things

    def _is_in_doubt(self, now: float) -> bool:
        """Something is unanswered, and nothing at all was heard for too long."""
        if not self.pending:
            return False
        oldest = next(iter(self.pending.values())).written_at
        return now - max(self.heard_at, oldest) >= self._limits.doubt_seconds

    async def _test(self) -> None:
        heard = self.heard_at
        try:
            await self.ask(ActiveTest())
        except words.GatewayIsAway:
            if self.heard_at == heard:
                self._owner.say("cmpp_link_silent", link=self.number)
                self.abort()
        finally:
            self._testing = False

    async def _agree_to_leave(self, sequence: int) -> None:
        self.leaving = True
        self._owner.say("cmpp_gateway_terminates", link=self.number)
        await self._drain(LEAVE_SECONDS)
        self.send(TerminateResp(), sequence)
        self.close()

    async def _drain(self, within: float) -> None:
        due: set[asyncio.Future[Any]] = {waiting.answer for waiting in self.pending.values()}
        if due := due | self._storing:
            await asyncio.wait(due, timeout=within)
