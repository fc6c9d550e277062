"""Message ids, the proof of who we are, and CMPP's ways to write times. Pure."""

from __future__ import annotations

import hashlib
import struct
from datetime import datetime

from sms_gateway.clock import SHANGHAI

from .pdus import Version

ID_BYTES = 8
LARGEST_GATEWAY = 2**22 - 1
LARGEST_SEQUENCE = 2**16 - 1


def pack_id(at: datetime, *, gateway: int, sequence: int) -> bytes:
    """A Msg_Id as the standard lays it out: month 4 bits, day 5, hour 5, minute 6, second 6, gateway 22, sequence 16, in China time.

    For simulators: gateways need not fill it so, ids come again after a year, and from August on the top bit is set (more
    than a signed 64-bit column holds). Whoever receives one compares its 8 bytes and reads nothing out of them.
    """
    if not 0 <= gateway <= LARGEST_GATEWAY:
        raise ValueError("a gateway's number has 22 bits")
    local = at.astimezone(SHANGHAI)
    bits = local.month << 60 | local.day << 55 | local.hour << 50 | local.minute << 44 | local.second << 38
    return struct.pack(">Q", bits | gateway << 16 | sequence & LARGEST_SEQUENCE)


def timestamp(at: datetime) -> int:
    """MMDDHHMMSS in China time, as the number CONNECT carries."""
    return int(at.astimezone(SHANGHAI).strftime("%m%d%H%M%S"))


def authenticator(*, source_addr: str, shared_secret: str, timestamp: int) -> bytes:
    """AuthenticatorSource: MD5 of id, nine zero bytes, secret and the time's ten digits. 16 bytes.

    A shorter id than 6 characters is hashed as it is: three implementations of five do so, the others fill it up.
    """
    words = source_addr.encode("latin-1") + bytes(9) + shared_secret.encode() + b"%010d" % timestamp
    return hashlib.md5(words, usedforsecurity=False).digest()  # the protocol's choice, not ours


def gateway_authenticator(
    *, status: int, source_authenticator: bytes, shared_secret: str, version: Version = Version.V3
) -> bytes:
    """AuthenticatorISMG: MD5 of status in its field's width (4 bytes, in 2.0 one), our authenticator, secret. 16 bytes."""
    word = struct.pack(">I" if version >= Version.V3 else ">B", status)
    return hashlib.md5(word + source_authenticator + shared_secret.encode(), usedforsecurity=False).digest()  # as above


def absolute_time(at: datetime) -> str:
    """ValId_Time or At_Time: YYMMDDhhmmss, no tenths, China's offset of 32 quarter hours ahead. 16 characters."""
    return at.astimezone(SHANGHAI).strftime("%y%m%d%H%M%S") + "032+"


def report_time(at: datetime) -> str:
    """Submit_time and Done_time of a report: YYMMDDHHMM in China time."""
    return at.astimezone(SHANGHAI).strftime("%y%m%d%H%M")


def plain_number(number: str) -> str:
    """A phone number without `+86`, `0086` or `86`, to compare by; what is no such number stays as it is."""
    digits = number.removeprefix("+").removeprefix("00")
    return digits[2:] if digits.startswith("86") and len(digits) == 13 else number
