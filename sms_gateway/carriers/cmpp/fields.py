"""CMPP's fields as data: names in the wire's order, kinds, and their bytes in 2.0 and 3.0. The only place with widths.

From the standard's tables, V2.0 and V3.0.0; byte for byte the same as three implementations that were run against it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache

from .pdus import Version


class Kind(Enum):
    """`NUMBER`: unsigned, big-endian. `TEXT`: left-aligned, filled with zero bytes. `RAW`: bytes as they are."""

    NUMBER = auto()
    TEXT = auto()
    RAW = auto()


@dataclass(frozen=True)
class Field:
    """`v2`, `v3`: bytes in that version; 0 where it has none."""

    name: str
    kind: Kind
    v2: int
    v3: int


def _number(name: str, v2: int, v3: int | None = None) -> Field:
    return Field(name, Kind.NUMBER, v2, v2 if v3 is None else v3)


def _text(name: str, v2: int, v3: int | None = None) -> Field:
    return Field(name, Kind.TEXT, v2, v2 if v3 is None else v3)


def _raw(name: str, v2: int) -> Field:
    return Field(name, Kind.RAW, v2, v2)


HEADER = (_number("total_length", 4), _number("command_id", 4), _number("sequence_id", 4))

CONNECT = (_text("source_addr", 6), _raw("authenticator", 16), _number("version", 1), _number("timestamp", 4))
CONNECT_RESP = (_number("status", 1, 4), _raw("authenticator", 16), _number("version", 1))
NOTHING: tuple[Field, ...] = ()
ACTIVE_TEST_RESP = (_number("reserved", 1),)

SUBMIT_HEAD = (
    _raw("msg_id", 8),
    _number("pk_total", 1),
    _number("pk_number", 1),
    _number("registered_delivery", 1),
    _number("msg_level", 1),
    _text("service_id", 10),
    _number("fee_user_type", 1),
    _text("fee_terminal_id", 21, 32),
    _number("fee_terminal_type", 0, 1),
    _number("tp_pid", 1),
    _number("tp_udhi", 1),
    _number("msg_fmt", 1),
    _text("msg_src", 6),
    _text("fee_type", 2),
    _text("fee_code", 6),
    _text("valid_until", 17),
    _text("send_at", 17),
    _text("src_id", 21),
)
"""Before DestUsr_tl, the count of destinations."""
DESTINATION = (_text("destination", 21, 32),)
SUBMIT_AFTER = (_number("dest_terminal_type", 0, 1),)
"""After the destinations, once for all of them; then Msg_Length and the content."""
TAIL = (_text("link_id", 8, 20),)
"""LinkID, in 2.0 Reserve: ends SUBMIT and DELIVER."""
SUBMIT_RESP = (_raw("msg_id", 8), _number("result", 1, 4))

DELIVER_HEAD = (
    _raw("msg_id", 8),
    _text("dest_id", 21),
    _text("service_id", 10),
    _number("tp_pid", 1),
    _number("tp_udhi", 1),
    _number("msg_fmt", 1),
    _text("src_terminal_id", 21, 32),
    _number("src_terminal_type", 0, 1),
    _number("registered_delivery", 1),
)
"""Before Msg_Length and the content."""
DELIVER_RESP = SUBMIT_RESP
REPORT = (
    _raw("msg_id", 8),
    _text("stat", 7),
    _text("submit_time", 10),
    _text("done_time", 10),
    _text("dest_terminal_id", 21, 32),
    _number("smsc_sequence", 4),
)
"""The content of a DELIVER whose Registered_Delivery is 1."""

QUERY = (_text("time", 8), _number("query_type", 1), _text("query_code", 10), _text("reserve", 8))
QUERY_RESP = (
    _text("time", 8),
    _number("query_type", 1),
    _text("query_code", 10),
    _number("mt_messages", 4),
    _number("mt_recipients", 4),
    _number("mt_sent", 4),
    _number("mt_waiting", 4),
    _number("mt_failed", 4),
    _number("mo_sent", 4),
    _number("mo_waiting", 4),
    _number("mo_failed", 4),
)
CANCEL = (_raw("msg_id", 8),)
CANCEL_RESP = (_number("success_id", 1, 4),)

_NUMBERS = {1: "B", 4: "I"}


class Layout:
    """A row of fields in one version, ready to write and read. `size`: its bytes."""

    def __init__(self, fields: tuple[Field, ...], version: Version) -> None:
        present = [(each, each.v3 if version >= Version.V3 else each.v2) for each in fields]
        present = [(each, width) for each, width in present if width]
        self.names = tuple(each.name for each, _ in present)
        self._texts = tuple((at, width) for at, (each, width) in enumerate(present) if each.kind is Kind.TEXT)
        self._raws = tuple((at, width) for at, (each, width) in enumerate(present) if each.kind is Kind.RAW)
        self._struct = struct.Struct(
            ">" + "".join(_NUMBERS[width] if each.kind is Kind.NUMBER else f"{width}s" for each, width in present)
        )
        self.size = self._struct.size

    def write(self, values: list[object]) -> bytes:
        """The bytes of `values`, in order of `names`. Raises `ValueError` where one does not fit."""
        for at, width in self._texts:
            value = values[at]
            assert isinstance(value, str)
            written = value.encode("latin-1")
            if len(written) > width:
                raise ValueError(f"{self.names[at]} has at most {width} bytes")
            values[at] = written
        for at, width in self._raws:
            if len(values[at]) != width:  # type: ignore[arg-type]  # bytes by its kind
                raise ValueError(f"{self.names[at]} has {width} bytes")
        try:
            return self._struct.pack(*values)
        except struct.error:
            raise ValueError(f"a number does not fit into {', '.join(self.names)}") from None

    def read(self, buffer: bytes, at: int = 0) -> list[object]:
        """The values at `at`, in order of `names`; a text ends at its first zero byte and loses spaces around it."""
        values: list[object] = list(self._struct.unpack_from(buffer, at))
        for index, _ in self._texts:
            raw = values[index]
            assert isinstance(raw, bytes)
            values[index] = raw.partition(b"\0")[0].strip(b" ").decode("latin-1") if raw[0] else ""
        return values


@cache
def layout(fields: tuple[Field, ...], version: Version) -> Layout:
    """The layout of `fields` in 2.0 or 3.0, made once."""
    return Layout(fields, version)
