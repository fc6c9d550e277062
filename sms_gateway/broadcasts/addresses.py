"""A number as outreach keeps it: found by its blind index, sealed for a place that is the index itself."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from sms_gateway.crypto import blind_index, keyring, opened_from, sealed_for

PURPOSE = "contacts.address.sms"
"""As of `contacts`: who opted out or has an open case is found by the same index."""


def index_of(number: str) -> bytes:
    """The 32 bytes by which the E.164 `number` is found."""
    return blind_index(number, PURPOSE)


def seal(number: str, index: bytes) -> bytes:
    """`number` sealed; opens wherever it lies beside the same index."""
    return sealed_for("outreach", "address_sealed", UUID(bytes=index[:16]), number)


def open_sealed(sealed: bytes, index: bytes) -> str:
    """The E.164 number. Raises `sealing.SealBroken` beside another index."""
    opened: str = opened_from("outreach", "address_sealed", UUID(bytes=index[:16]), sealed)
    return opened


def sealer() -> Callable[[str], tuple[bytes, bytes]]:
    """`index_of` and `seal` in one, for millions: the index's key is set up once and the place's bytes are written by hand.

    Twice as fast as the two, and the same to a test: what it gives opens by `open_sealed`, its index is `index_of`.
    """
    index_by = keyring().indexer(PURPOSE)
    seal_bytes = keyring().seal

    def index_and_seal(number: str) -> tuple[bytes, bytes]:
        plain = number.encode()
        index = index_by(plain)
        return index, seal_bytes(b'j"%b"' % plain, b"outreach.address_sealed:" + index[:16].hex().encode())

    return index_and_seal
