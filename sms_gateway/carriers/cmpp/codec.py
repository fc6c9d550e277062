"""Frames to bytes and back, and a stream of bytes cut into frames. Pure: no time, no network.

What a gateway sends is read generously where the standard's readers differ (padding, reports of a wrong width, an
ACTIVE_TEST_RESP without its byte), and never past a frame's end.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from operator import attrgetter
from typing import Any

from . import fields, pdus
from .fields import Field, Layout, layout
from .pdus import Deliver, Frame, Pdu, Report, Submit, Version

HEADER = struct.Struct(">III")
LARGEST = 4096
"""Bytes of a frame: the largest legal one, a SUBMIT to 99 numbers, has 3490; what says more is no frame."""
RESPONSE = 0x80000000
LARGEST_NUMBER = 2**32 - 1
MOST_DESTINATIONS = 99
MOST_CONTENT = 255
_REPORT_V2, _REPORT_V3 = 60, 71


class FrameIsBroken(ValueError):
    """A frame whose body is not what its command promises. The stream itself is still in step."""

    def __init__(self, why: str, *, command: int, sequence: int) -> None:
        super().__init__(why)
        self.command = command
        self.sequence = sequence


class UnknownCommand(FrameIsBroken):
    """A command that is none of CMPP's, or none that is spoken between us and a gateway."""


_FIXED: dict[type[Any], tuple[int, tuple[Field, ...]]] = {
    pdus.Connect: (0x00000001, fields.CONNECT),
    pdus.ConnectResp: (0x80000001, fields.CONNECT_RESP),
    pdus.Terminate: (0x00000002, fields.NOTHING),
    pdus.TerminateResp: (0x80000002, fields.NOTHING),
    pdus.SubmitResp: (0x80000004, fields.SUBMIT_RESP),
    pdus.DeliverResp: (0x80000005, fields.DELIVER_RESP),
    pdus.Query: (0x00000006, fields.QUERY),
    pdus.QueryResp: (0x80000006, fields.QUERY_RESP),
    pdus.Cancel: (0x00000007, fields.CANCEL),
    pdus.CancelResp: (0x80000007, fields.CANCEL_RESP),
    pdus.ActiveTest: (0x00000008, fields.NOTHING),
    pdus.ActiveTestResp: (0x80000008, fields.ACTIVE_TEST_RESP),
}
SUBMIT, DELIVER = 0x00000004, 0x00000005
CONNECT_RESP, SUBMIT_RESP, ACTIVE_TEST_RESP = 0x80000001, 0x80000004, 0x80000008


def _getter(names: tuple[str, ...]) -> Callable[[object], list[object]]:
    if not names:
        return lambda _: []
    get = attrgetter(*names)
    return (lambda pdu: [get(pdu)]) if len(names) == 1 else (lambda pdu: list(get(pdu)))


class _Codec:
    """Everything of one version."""

    def __init__(self, version: Version) -> None:
        def of(row: tuple[Field, ...]) -> Layout:
            return layout(row, version)

        self.version = version
        self.fixed = {kind: (command, of(row), _getter(of(row).names)) for kind, (command, row) in _FIXED.items()}
        self.by_command = {command: (kind, row) for kind, (command, row, _) in self.fixed.items()}
        self.submit_head, self.deliver_head = of(fields.SUBMIT_HEAD), of(fields.DELIVER_HEAD)
        self.get_submit, self.get_deliver = _getter(self.submit_head.names), _getter(self.deliver_head.names)
        self.destination, self.tail = of(fields.DESTINATION), of(fields.TAIL)
        self.no_tail = bytes(self.tail.size)
        self.has_types = version >= Version.V3
        self._head: tuple[list[object], bytes] = ([], b"")

    def body(self, pdu: Pdu) -> tuple[int, bytes]:
        if isinstance(pdu, Submit):
            return SUBMIT, self._submit(pdu)
        if isinstance(pdu, Deliver):
            return DELIVER, self._deliver(pdu)
        command, row, get = self.fixed[type(pdu)]
        return command, row.write(get(pdu))

    def _submit(self, pdu: Submit) -> bytes:
        count, length = len(pdu.destinations), len(pdu.content)
        if not 1 <= count <= MOST_DESTINATIONS:
            raise ValueError(f"a SUBMIT goes to 1-{MOST_DESTINATIONS} numbers")
        if length > MOST_CONTENT:
            raise ValueError(f"a content has at most {MOST_CONTENT} bytes")
        after = bytes((pdu.dest_terminal_type, length)) if self.has_types else bytes((length,))
        return b"".join((
            self._head_of(pdu), bytes((count,)), *map(self._destination_of, pdu.destinations),
            after, pdu.content, self.tail.write([pdu.link_id]) if pdu.link_id else self.no_tail,
        ))  # fmt: skip

    def _destination_of(self, number: str) -> bytes:
        """As the layout writes it, without its list."""
        written = number.encode("latin-1")
        if len(written) > self.destination.size:
            raise ValueError(f"destination has at most {self.destination.size} bytes")
        return written.ljust(self.destination.size, b"\0")

    def _head_of(self, pdu: Submit) -> bytes:
        """Texts of a broadcast differ in what comes after it: the last one is kept."""
        values = self.get_submit(pdu)
        if values != self._head[0]:
            self._head = list(values), self.submit_head.write(values)
        return self._head[1]

    def _deliver(self, pdu: Deliver) -> bytes:
        content = pdu.content if pdu.report is None else write_report(pdu.report, self.version)
        if len(content) > MOST_CONTENT:
            raise ValueError(f"a content has at most {MOST_CONTENT} bytes")
        head = self.deliver_head.write(self.get_deliver(pdu))
        return b"".join((head, bytes((len(content),)), content, self.tail.write([pdu.link_id])))

    def read_submit(self, frame: bytes, sequence: int) -> Submit:
        at = HEADER.size + self.submit_head.size
        count = frame[at]
        at += 1
        wide = self.destination.size
        destinations = tuple(str(self.destination.read(frame, at + wide * index)[0]) for index in range(count))
        at += wide * count
        kind = 0
        if self.has_types:
            kind, at = frame[at], at + 1
        length = frame[at]
        content, rest = frame[at + 1 : at + 1 + length], frame[at + 1 + length :]
        if not 1 <= count <= 100 or len(content) < length or len(rest) != self.tail.size:  # some take 100
            raise FrameIsBroken("a SUBMIT of a wrong length", command=SUBMIT, sequence=sequence)
        values = dict(zip(self.submit_head.names, self.submit_head.read(frame, HEADER.size), strict=True))
        return Submit(
            **values,  # type: ignore[arg-type]  # the layout's names are the class's
            destinations=destinations,
            dest_terminal_type=kind,
            content=content,
            link_id=str(self.tail.read(rest)[0]),
        )

    def read_deliver(self, frame: bytes, sequence: int) -> Deliver:
        values = dict(zip(self.deliver_head.names, self.deliver_head.read(frame, HEADER.size), strict=True))
        at = HEADER.size + self.deliver_head.size
        length, rest = frame[at], frame[at + 1 :]
        is_report = values["registered_delivery"] == 1
        if is_report and length == _REPORT_V2 and len(rest) >= _REPORT_V3 + self.tail.size:
            length = _REPORT_V3  # a vendor's wrong length byte before a report of 3.0
        if len(rest) < length or (not is_report and len(rest) != length + self.tail.size):
            raise FrameIsBroken("a DELIVER of a wrong length", command=DELIVER, sequence=sequence)
        content = rest[:length]
        link = rest[length : length + self.tail.size].ljust(self.tail.size, b"\0")
        return Deliver(
            **values,  # type: ignore[arg-type]  # the layout's names are the class's
            content=content,
            link_id=str(self.tail.read(link)[0]),
            report=read_report(content) if is_report else None,
        )


_CODECS = {version: _Codec(version) for version in Version}


def write_report(report: Report, version: Version) -> bytes:
    """The content that carries `report`: 60 bytes in 2.0, 71 in 3.0. Raises `ValueError` where a value does not fit."""
    row = layout(fields.REPORT, version)
    return row.write(_getter(row.names)(report))


def read_report(content: bytes) -> Report | None:
    """The report in a content, whichever width it has; None where it is neither."""
    width = {_REPORT_V2: Version.V2, _REPORT_V3: Version.V3}.get(len(content))
    return None if width is None else Report(*layout(fields.REPORT, width).read(content))  # type: ignore[arg-type]  # the same order


def encode(pdu: Pdu, *, sequence: int, version: Version = Version.V3) -> bytes:
    """A whole frame. Raises `ValueError` (naming the field, never its value) where something does not fit."""
    command, body = _CODECS[version].body(pdu)
    return HEADER.pack(HEADER.size + len(body), command, sequence) + body


def decode(frame: bytes, *, version: Version = Version.V3) -> Frame:
    """A whole frame read. Raises `FrameIsBroken`, of which `UnknownCommand` is one."""
    total, command, sequence = HEADER.unpack_from(frame)
    codec = _CODECS[version if command != CONNECT_RESP else _version_of(total)]
    if command in (SUBMIT, DELIVER):
        read = codec.read_submit if command == SUBMIT else codec.read_deliver
        try:
            return Frame(sequence, read(frame, sequence))
        except (struct.error, IndexError):
            raise FrameIsBroken("a frame too short", command=command, sequence=sequence) from None
    found = codec.by_command.get(command)
    if found is None:
        raise UnknownCommand("no such command", command=command, sequence=sequence)
    kind, row = found
    if total == HEADER.size and command == ACTIVE_TEST_RESP:
        return Frame(sequence, pdus.ActiveTestResp())
    if total != HEADER.size + row.size:
        raise FrameIsBroken("a frame of a wrong length", command=command, sequence=sequence)
    return Frame(sequence, kind(*row.read(frame, HEADER.size)))


def _version_of(total: int) -> Version:
    """A CONNECT_RESP shows by its length which layout the gateway speaks; everything else is in the agreed one."""
    return Version.V2 if total == HEADER.size + layout(fields.CONNECT_RESP, Version.V2).size else Version.V3


class Splitter:
    """Cuts a stream into frames, however it was split on its way."""

    def __init__(self, largest: int = LARGEST) -> None:
        self._largest = largest
        self._rest = b""
        self.is_broken = False
        """A length came that no frame can have: nothing after it can be read, the connection must be closed."""

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that are whole by now, each with its header; also those that came before the stream broke."""
        if self._rest:
            data = self._rest + data
        frames: list[bytes] = []
        at, end = 0, len(data)
        while end - at >= 4 and not self.is_broken:
            total = int.from_bytes(data[at : at + 4], "big")
            if not HEADER.size <= total <= self._largest:
                self.is_broken = True
            elif end - at < total:
                break
            else:
                frames.append(data[at : at + total])
                at += total
        self._rest = b"" if self.is_broken else data[at:]
        return frames
