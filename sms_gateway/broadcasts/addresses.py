"""A number as outreach keeps it: found by its blind index, sealed for a place that is the index itself."""

from __future__ import annotations

from uuid import UUID

from sms_gateway.crypto import blind_index, opened_from, sealed_for

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
