"""A number as outreach keeps it: found by its blind index, sealed for a place that is the index itself. A group is known by an index only."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from uuid import UUID

from sms_gateway.crypto import blind_index, keyring, sealed_for

PURPOSE = "contacts.address.sms"
"""As of `contacts`: who opted out or has an open case is found by the same index."""


GROUP_PURPOSE = "outreach.group"


@lru_cache(maxsize=8192)
def group_key(name: str) -> str:
    """What stands beside a number for its group: 32 hexadecimal digits of the name's blind index, "" for no group.

    A group is a cell of somebody's file: it may say what a child is (孤儿), or name it where the columns were mixed up.
    """
    return blind_index(name, GROUP_PURPOSE).hex()[:32] if name else ""


def index_of(number: str) -> bytes:
    """The 32 bytes by which the E.164 `number` is found."""
    return blind_index(number, PURPOSE)


def seal(number: str, index: bytes) -> bytes:
    """`number` sealed; opens wherever it lies beside the same index."""
    return sealed_for("outreach", "address_sealed", UUID(bytes=index[:16]), number)


def open_sealed(sealed: bytes, index: bytes) -> str:
    """The E.164 number. Raises `sealing.SealBroken` beside another index."""
    opened = keyring().open(sealed, place(index))
    return opened[2:-1].decode()  # as `crypto` writes a string, of which a number has nothing to escape


def seal_all(numbers: Sequence[str]) -> tuple[list[bytes], list[bytes]]:
    """`index_of` and `seal` of each E.164 number, for millions: the places' bytes are written by hand.

    The same as the two, to a test: what it gives opens by `open_sealed`, its index is `index_of`.
    """
    plain = [number.encode() for number in numbers]
    indexes = keyring().index_all(plain, PURPOSE)
    return indexes, keyring().seal_all([b'j"%b"' % number for number in plain], [place(index) for index in indexes])


def place(index: bytes) -> bytes:
    """`crypto.place_of` of a number's cell, without the UUID between: the sender and the import need it millions of times."""
    return b"outreach.address_sealed:" + index[:16].hex().encode()
