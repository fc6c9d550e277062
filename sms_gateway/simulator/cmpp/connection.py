"""The gateway's side of one connection: strict with what it reads, faulty in what it writes where it is told to be."""

from __future__ import annotations

import asyncio
import random
from typing import Protocol

from sms_gateway.carriers.cmpp import codec
from sms_gateway.carriers.cmpp.codec import HEADER, FrameIsBroken
from sms_gateway.carriers.cmpp.pdus import (
    ActiveTest,
    ActiveTestResp,
    Cancel,
    CancelResp,
    Connect,
    ConnectResp,
    Deliver,
    DeliverResp,
    Pdu,
    Query,
    QueryResp,
    Submit,
    SubmitResp,
    Terminate,
    TerminateResp,
    Version,
)
from sms_gateway.carriers.cmpp.wire import Wire

from .faults import WireFaults

_LINK, _NARROW_LINK = 20, 9
_REPORT, _NARROW_REPORT = 71, 60


class Behind(Protocol):
    """The gateway behind its connections."""

    faults: WireFaults
    resend_seconds: float

    def came(self, link: Connection) -> None:
        """Logged in."""
        ...

    def went(self, link: Connection) -> None:
        """Over."""
        ...

    def admit(self, connect: Connect) -> ConnectResp:
        """Whether they may come in."""
        ...

    def take(self, submits: list[Submit]) -> list[SubmitResp | None]:
        """Texts that came at once, and what is said of each; None: nothing."""
        ...

    def count(self, query: Query) -> QueryResp:
        """The day's totals."""
        ...


class Connection(Wire):
    """Made by `CmppGateway`. `in_window`: DELIVERs without an answer."""

    def __init__(self, gateway: Behind) -> None:
        super().__init__(
            version=Version.V3,
            answer_seconds=gateway.resend_seconds,
            tries=3,
            first_sequence=random.randrange(1, 2**24),
        )
        self.logged_in = False
        self.in_window = 0
        self.submits = 0
        self._gateway = gateway
        self._batch: list[tuple[int, Submit]] = []
        self._bytes: asyncio.Queue[int] = asyncio.Queue()
        self._dribbles = False

    def take(self, raw: bytes) -> None:
        """A whole frame. What is no proper one ends the connection, as with real gateways."""
        try:
            frame = codec.decode(raw, version=self.version)
        except FrameIsBroken:
            self.close()
            return
        pdu, sequence = frame.pdu, frame.sequence
        if isinstance(pdu, Connect):
            self._take_connect(pdu, sequence)
        elif not self.logged_in:
            self.close()
        elif isinstance(pdu, Submit):
            self._batch.append((sequence, pdu))
        elif isinstance(pdu, DeliverResp | ActiveTestResp | TerminateResp):
            self.answer(sequence, pdu)
        elif self._gateway.faults.deaf:
            return
        elif isinstance(pdu, ActiveTest):
            self.send(ActiveTestResp(), sequence)
        elif isinstance(pdu, Terminate):
            self.send(TerminateResp(), sequence)
            self.close()
        elif isinstance(pdu, Query):
            self.send(self._gateway.count(pdu), sequence)
        elif isinstance(pdu, Cancel):
            self.send(CancelResp(1), sequence)
        else:
            self.close()

    def took_all(self) -> None:
        """SUBMITs that came at once are taken, and answered, at once."""
        if not self._batch:
            return
        batch, self._batch = self._batch, []
        faults = self._gateway.faults
        answers = self._gateway.take([submit for _, submit in batch])
        self.submits += len(batch)
        if faults.deaf:
            return
        said = [(sequence, answer) for (sequence, _), answer in zip(batch, answers, strict=True) if answer is not None]
        if faults.answers_shuffled:
            random.shuffle(said)
        drops = 0 < faults.drop_after <= self.submits
        if drops:
            del said[len(said) // 2 :]
        frames = b"".join(self.encode(answer, sequence) for sequence, answer in said)
        if faults.answer_seconds and not drops:
            self.loop.call_later(faults.answer_seconds, self.write, frames)
        else:
            self.write(frames)
        if drops:
            self.close()

    def lost(self) -> None:
        """Over."""
        self._gateway.went(self)

    async def deliver(self, deliver: Deliver) -> int:
        """Bring it; the result they gave. Raises `GatewayIsAway` when they do not answer."""
        self.in_window += 1
        try:
            answer = await self.ask(deliver)
        finally:
            self.in_window -= 1
        if not isinstance(answer, DeliverResp) or answer.msg_id != deliver.msg_id:
            raise AssertionError("a DELIVER_RESP with another Msg_Id")
        return answer.result

    def encode(self, pdu: Pdu, sequence: int) -> bytes:
        """A frame; reports in the shape that is wished."""
        frame = super().encode(pdu, sequence)
        shape = self._gateway.faults.report_shape
        if shape == "right" or not isinstance(pdu, Deliver) or pdu.report is None or self.version != Version.V3:
            return frame
        head, report = frame[HEADER.size : -(1 + _REPORT + _LINK)], frame[-(_REPORT + _LINK) : -_LINK]
        if shape == "narrow":  # the number 21 wide
            said, report, link = _NARROW_REPORT, report[: 35 + 21] + report[-4:], _LINK
        elif shape == "wrong_length":
            said, link = _NARROW_REPORT, _LINK
        else:
            said, link = _REPORT, _NARROW_LINK
        body = head + bytes((said,)) + report + bytes(link)
        return HEADER.pack(HEADER.size + len(body), codec.DELIVER, sequence) + body

    def write(self, data: bytes) -> None:
        """Write bytes, one by one where that is wished."""
        if not self._gateway.faults.byte_by_byte and self._bytes.empty():
            super().write(data)
            return
        for byte in data:
            self._bytes.put_nowait(byte)
        if not self._dribbles:
            self._dribbles = True
            self.act(self._dribble)

    async def _dribble(self) -> None:
        while not self._bytes.empty():
            super().write(bytes((self._bytes.get_nowait(),)))
            await asyncio.sleep(0)
        self._dribbles = False

    def _take_connect(self, connect: Connect, sequence: int) -> None:
        answer = self._gateway.admit(connect)
        self.version = Version.V3 if connect.version >= Version.V3 else Version.V2
        said = Version.V2 if self._gateway.faults.answers_old else self.version
        self.write(codec.encode(answer, sequence=sequence, version=said))
        if answer.status != 0:
            self.close()
            return
        self.logged_in = True
        self._gateway.came(self)
