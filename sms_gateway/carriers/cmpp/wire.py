"""One TCP connection that speaks CMPP, whichever side: frames cut and numbered, questions asked again, answers matched."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, cast

from . import codec
from .pdus import Pdu, Version
from .words import GatewayIsAway

LARGEST_SEQUENCE = 0x7FFFFFFF
"""Ours stay below 2**31, then begin again: some gateways keep them in signed numbers."""


class Wire(asyncio.Protocol):
    """`closed` is set when the connection is over, for whatever reason. `heard_at`: when any bytes came last, by the loop's time."""

    def __init__(self, *, version: Version, answer_seconds: float, tries: int, first_sequence: int) -> None:
        self.version = version
        self.closed = asyncio.Event()
        self.loop = asyncio.get_running_loop()
        self.heard_at = self.loop.time()
        self.transport: asyncio.Transport | None = None
        self._answer_seconds = answer_seconds
        self._tries = tries
        self._sequence = first_sequence - 1
        self._splitter = codec.Splitter()
        self._asked: dict[int, asyncio.Future[Pdu]] = {}
        self._acts: set[asyncio.Task[None]] = set()

    # for the two sides to fill in

    def take(self, raw: bytes) -> None:
        """A whole frame."""
        raise NotImplementedError

    def took_all(self) -> None:
        """Every frame that came at once has been taken."""

    def stream_broke(self) -> None:
        """Nothing can be read any more; the connection is being closed."""

    def lost(self) -> None:
        """The connection is over."""

    def is_taken(self, sequence: int) -> bool:
        """Whether a request of ours without an answer has this number."""
        return sequence in self._asked

    # asyncio's own calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is there; nobody has said anything."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but its class

    def data_received(self, data: bytes) -> None:
        """Some bytes: no frame, half of one, or several."""
        self.heard_at = self.loop.time()
        for frame in self._splitter.feed(data):
            self.take(frame)
        if self._splitter.is_broken:
            self.stream_broke()
            self.abort()
        self.took_all()

    def connection_lost(self, _exc: Exception | None) -> None:
        """It is over: what has no answer has none for ever."""
        self.transport = None
        for asked in self._asked.values():
            if not asked.done():
                asked.set_exception(GatewayIsAway())
                asked.exception()  # nobody may be waiting for it any more
        self._asked.clear()
        for act in self._acts:
            act.cancel()
        self.closed.set()
        self.lost()

    # what both sides do

    async def ask(self, pdu: Pdu, *, tries: int | None = None) -> Pdu:
        """Ask, again after `answer_seconds` and up to `tries` times with the same bytes. Raises `GatewayIsAway`, and what `refuse` said."""
        sequence = self.next_sequence()
        frame = self.encode(pdu, sequence)
        answer: asyncio.Future[Pdu] = self.loop.create_future()
        self._asked[sequence] = answer
        try:
            for _ in range(tries or self._tries):
                self.write(frame)
                try:
                    return await asyncio.wait_for(asyncio.shield(answer), self._answer_seconds)
                except TimeoutError:
                    continue
            raise GatewayIsAway
        finally:
            self._asked.pop(sequence, None)
            answer.cancel()

    def answer(self, sequence: int, pdu: Pdu) -> bool:
        """Whether `pdu` answers something that was asked."""
        asked = self._asked.get(sequence)
        if asked is None or asked.done():
            return False
        asked.set_result(pdu)
        return True

    def refuse(self, sequence: int, error: Exception) -> bool:
        """The same with an answer that is an error to whoever asked."""
        asked = self._asked.get(sequence)
        if asked is None or asked.done():
            return False
        asked.set_exception(error)
        return True

    @property
    def is_open(self) -> bool:
        """Whether what is written now can still go out."""
        return self.transport is not None and not self.transport.is_closing()

    def next_sequence(self) -> int:
        """A number that no unanswered request of ours has."""
        while True:
            self._sequence = self._sequence + 1 if self._sequence < LARGEST_SEQUENCE else 1
            if not self.is_taken(self._sequence):
                return self._sequence

    def send(self, pdu: Pdu, sequence: int) -> None:
        """Write a frame."""
        self.write(self.encode(pdu, sequence))

    def encode(self, pdu: Pdu, sequence: int) -> bytes:
        """A frame in the version this connection speaks."""
        return codec.encode(pdu, sequence=sequence, version=self.version)

    def write(self, data: bytes) -> None:
        """Write bytes, unless the connection is over."""
        if self.transport is not None and self.is_open:
            self.transport.write(data)

    def close(self) -> None:
        """Close; what is written already still goes out, if the other side reads."""
        if self.transport is not None:
            self.transport.close()

    def abort(self) -> None:
        """Close without waiting for a side that may be dead."""
        if self.transport is not None:
            self.transport.abort()

    def act(self, what: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do something of this connection's own, which ends with it."""
        task = self.loop.create_task(what())
        self._acts.add(task)
        task.add_done_callback(self._acts.discard)
