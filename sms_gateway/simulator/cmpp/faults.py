"""What the make-believe gateway does wrong on purpose on the wire; what becomes of single texts is `simulator.faults`. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from sms_gateway.carriers.cmpp import text
from sms_gateway.carriers.cmpp.pdus import Submit
from sms_gateway.clock import SHANGHAI
from sms_gateway.simulator.faults import Faults

Shape = Literal["right", "narrow", "wrong_length", "cut_link"]
"""How a report lies in a 3.0 frame: as the standard has it; 60 bytes as in 2.0; 71 bytes that say they are 60; a LinkID of 9."""


@dataclass(frozen=True)
class WireFaults:
    """What goes wrong on purpose."""

    texts: Faults = field(default_factory=Faults)
    """Of texts: `refuse` and `share_refused` give results (`RESULTS`), `rate` result 8, the rest shows in reports."""
    answer_seconds: float = 0.0
    """Before a SUBMIT_RESP. Reports do not wait for it, so they may come first."""
    answers_shuffled: bool = False
    login_status: int = 0
    wrong_proof: bool = False
    """AuthenticatorISMG is made with another secret."""
    answers_old: bool = False
    """CONNECT_RESP in 2.0's layout, whatever was asked."""
    drop_after: int = 0
    """Each connection ends when so many SUBMITs were read from it: they are taken, half of the last batch is answered."""
    byte_by_byte: bool = False
    deaf: bool = False
    """No ACTIVE_TEST_RESP, no SUBMIT_RESP: a dead machine whose connection stands."""
    report_shape: Shape = "right"
    number_prefix: str = ""
    """Before numbers in reports and uplink texts: `86`."""
    blocked_stat: str = "REJECTD"


RESULTS = {"refused": 13, "busy": 8, "opted_out": 100}
"""Refusals of `simulator.faults` as SUBMIT results; 100 and above are a vendor's own."""


def stat_of(end: str, error: str | None, faults: WireFaults) -> str:
    """The report's word for how a text ended."""
    if end == "delivered":
        return "DELIVRD"
    if end == "blocked":
        return faults.blocked_stat
    return "EXPIRED" if error == "expired" else "UNDELIV"


def fault_of(submit: Submit, *, source_addr: str, access_number: str) -> int:
    """The result a strict gateway gives; 0: nothing is wrong with it."""
    most = text.ONE_PART_ASCII if submit.msg_fmt == 0 else text.ONE_PART
    if submit.msg_src != source_addr:
        return 11
    if not (submit.src_id.startswith(access_number) and submit.src_id.isdigit() and len(submit.src_id) <= 20):
        return 10
    if len(submit.content) > most:
        return 6
    if not 1 <= submit.pk_number <= submit.pk_total:
        return 1
    if len(submit.destinations) != 1:  # it takes one in each, as we send
        return 13
    if not all(number.isdigit() and number.isascii() and 5 <= len(number) <= 20 for number in submit.destinations):
        return 13
    return 0


def validity_of(submit: Submit, now: datetime) -> float | None:
    """Seconds it may be tried from `now` on, by its ValId_Time; None: for ever."""
    written = submit.valid_until
    if not written[:12].isdigit() or not written.endswith("032+"):  # other zones and relative times nobody here sends
        return None
    until = datetime.strptime(written[:12], "%y%m%d%H%M%S").replace(tzinfo=SHANGHAI)
    return max(0.0, (until - now).total_seconds())


def reference_of(submit: Submit, number: str) -> int:
    """The same for the same part of the same text to the same phone, whatever its UDH's reference: `Truth` counts by it. 63 bits."""
    piece = text.read_piece(submit.content, msg_fmt=submit.msg_fmt, tp_udhi=submit.tp_udhi)
    words = f"{number}|{submit.src_id}|{submit.pk_total}|{submit.pk_number}|{submit.msg_fmt}|".encode() + piece.data
    return int.from_bytes(hashlib.blake2b(words, digest_size=8).digest(), "big") >> 1
