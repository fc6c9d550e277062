"""What CMPP's frames say, as plain values. Texts of the wire are `str` without filling, ids are 8 opaque bytes.

After the published standard, V2.0 (2002) and V3.0.0 (QB-GF-028-2003). Field order is the wire's order: `fields` gives widths.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

NO_ID = bytes(8)
"""A Msg_Id before the gateway has given one."""


class Version(IntEnum):
    """The two layouts. A CONNECT may carry other version bytes (2.1 has 2.0's layout)."""

    V2 = 0x20
    V3 = 0x30


class Format(IntEnum):
    """Msg_Fmt: how a content is written."""

    ASCII = 0
    BINARY = 4
    UCS2 = 8
    GBK = 15


@dataclass(frozen=True, slots=True)
class Connect:
    """`timestamp`: the number MMDDHHMMSS in China time; `authenticator`: 16 bytes (`ids.authenticator`)."""

    source_addr: str
    authenticator: bytes = field(repr=False)
    version: int
    timestamp: int


@dataclass(frozen=True, slots=True)
class ConnectResp:
    """`status`: 0 is welcome, else `words.login_refusal`."""

    status: int
    authenticator: bytes = field(default=bytes(16), repr=False)
    version: int = Version.V3


@dataclass(frozen=True, slots=True)
class Terminate:
    """The sender is going to close."""


@dataclass(frozen=True, slots=True)
class TerminateResp:
    """Agreed: the connection closes now."""


@dataclass(frozen=True, slots=True)
class ActiveTest:
    """Are you there?"""


@dataclass(frozen=True, slots=True)
class ActiveTestResp:
    """I am."""

    reserved: int = 0


@dataclass(slots=True)  # one is made for each text, and freezing costs as much as encoding
class Submit:
    """A text, or a part of one, to phones. The fees' defaults are those of a free public service, paid by nobody.

    `service_id`, `msg_src` (the source address) and `src_id` (access number and extension) are exactly as issued.
    `destinations`: 1-99 numbers, `86` and 11 digits or the 11 alone; we send one in each, since one bad number fails all.
    `valid_until`, `send_at`: `ids.absolute_time`, empty for the gateway's own rule and at once.
    `content` begins with a UDH where `tp_udhi` is 1; up to 255 bytes on the wire, 140 (159 of ASCII) on the air.
    """

    service_id: str
    msg_src: str
    src_id: str
    destinations: tuple[str, ...] = field(repr=False)
    content: bytes = field(repr=False)
    msg_fmt: int = Format.UCS2
    tp_udhi: int = 0
    pk_total: int = 1
    pk_number: int = 1
    registered_delivery: int = 1
    valid_until: str = ""
    send_at: str = ""
    msg_level: int = 0
    fee_user_type: int = 2
    fee_terminal_id: str = field(default="", repr=False)
    fee_terminal_type: int = 0
    tp_pid: int = 0
    fee_type: str = "01"
    fee_code: str = "000000"
    dest_terminal_type: int = 0
    link_id: str = ""
    msg_id: bytes = NO_ID


@dataclass(slots=True)  # as Submit
class SubmitResp:
    """`msg_id` means something only where `result` is 0."""

    msg_id: bytes
    result: int


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a text of ours. `msg_id` is the one its SUBMIT_RESP gave; `stat` up to 7 characters (`DELIVRD`, …).

    `submit_time`, `done_time`: YYMMDDHHMM in China time as the gateway wrote them, not checked.
    """

    msg_id: bytes
    stat: str
    submit_time: str
    done_time: str
    dest_terminal_id: str = field(repr=False)
    smsc_sequence: int = 0


@dataclass(slots=True)  # as Submit
class Deliver:
    """A text from a phone, or a report: then `report` is not None and `content` holds the same as it came.

    `dest_id`: the number that was written to, with the extension; `src_terminal_id`: the phone, with or without 86.
    """

    msg_id: bytes
    dest_id: str
    src_terminal_id: str = field(repr=False)
    content: bytes = field(repr=False)
    msg_fmt: int = Format.GBK
    tp_udhi: int = 0
    service_id: str = ""
    tp_pid: int = 0
    src_terminal_type: int = 0
    registered_delivery: int = 0
    link_id: str = ""
    report: Report | None = None


@dataclass(slots=True)  # as Submit
class DeliverResp:
    """`msg_id` is the DELIVER's own, of a report too; `result` 0 is stored."""

    msg_id: bytes
    result: int = 0


@dataclass(frozen=True, slots=True)
class Query:
    """The totals of a day (`time`: YYYYMMDD), or of `query_code`, a Service_Id, where `query_type` is 1."""

    time: str
    query_type: int = 0
    query_code: str = ""
    reserve: str = ""


@dataclass(frozen=True, slots=True)
class QueryResp:
    """Counts of texts: `mt_…` to phones (messages, recipients, forwarded, waiting, failed), `mo_…` from them."""

    time: str
    query_type: int
    query_code: str
    mt_messages: int
    mt_recipients: int
    mt_sent: int
    mt_waiting: int
    mt_failed: int
    mo_sent: int
    mo_waiting: int
    mo_failed: int


@dataclass(frozen=True, slots=True)
class Cancel:
    """Take back a text that has not gone out. Many gateways cannot."""

    msg_id: bytes


@dataclass(frozen=True, slots=True)
class CancelResp:
    """`success_id`: 0 is taken back."""

    success_id: int


Pdu = (
    Connect | ConnectResp | Terminate | TerminateResp | ActiveTest | ActiveTestResp | Submit | SubmitResp
    | Deliver | DeliverResp | Query | QueryResp | Cancel | CancelResp
)  # fmt: skip


@dataclass(slots=True)  # as Submit
class Frame:
    """A PDU with the number its sender gave it; a response repeats that of its request."""

    sequence: int
    pdu: Pdu
