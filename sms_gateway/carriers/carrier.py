"""What every carrier can do, and what can go wrong, in our words."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Protocol

from sms_gateway.errors import HotlineError


class SendError(HotlineError):
    """A text did not leave. `state` is where it ends when this is final; `retryable` says that it surely did not go out."""

    state = "failed"
    code: str | None = None

    def __init__(self, code: str | None = None) -> None:
        super().__init__()
        self.code = code


class CarrierIsBusy(SendError):
    """Refused for now (rate, overload, connection refused): nothing was sent."""

    retryable = True


class CarrierRefused(SendError):
    """Refused for good: number, account or text."""


class CarrierBlockedText(SendError):
    """The carrier's content filter stopped it."""

    state = "blocked"


class CarrierRefusedPerson(SendError):
    """The person told the carrier to stop."""

    state = "undelivered"


class CarrierDidNotAnswer(SendError):
    """It may have gone out or not: never sent again unless proven absent."""

    state = "unknown"


class Found(StrEnum):
    """What a look-up of an `unknown` text says."""

    SENT = "sent"
    ABSENT = "absent"
    CANNOT_SAY = "cannot_say"


class Carrier(Protocol):
    """An edge that sends texts. `reference` is our message id; it comes back in receipts."""

    name: str

    async def send(self, *, to: str, body: str, reference: int) -> str:
        """Hand a text over; returns the carrier's id. Raises `SendError`."""
        ...

    async def find(self, *, to: str, body: str, reference: int, since: datetime) -> tuple[Found, str | None]:
        """Look up whether the text of `reference` was accepted after `since`, and under which id."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...
