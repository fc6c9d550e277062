"""What every carrier can do, and what can go wrong, in our words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, runtime_checkable

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


class CarrierRefusesUs(CarrierRefused):
    """Our account is refused (a wrong key, closed, unpaid), whatever the text: nothing was sent, and the next would fare no better."""


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


@dataclass(frozen=True)
class TextOut:
    """A text for a carrier. `to`: E.164; `reference`: ours, below 10**18; `validity`: how long the carrier may try, None for its own rule."""

    to: str
    body: str
    reference: int
    validity: timedelta | None = None


class Carrier(Protocol):
    """An edge that sends texts. `reference` is our message id, or that of a recipient (`broadcasts.references`)."""

    name: str
    echoes_reference: bool
    """Whether receipts carry our reference. Where not (a connection that knows its own ids only), outreach keeps the carrier's ids."""

    async def send(self, *, to: str, body: str, reference: int, validity: timedelta | None = None) -> str:
        """Hand a text over; returns the carrier's id. Raises `SendError`."""
        ...

    async def find(self, *, to: str, body: str, reference: int, since: datetime) -> tuple[Found, str | None]:
        """Look up whether the text of `reference` was accepted after `since`, and under which id."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


@runtime_checkable
class SendsMany(Protocol):
    """A carrier that takes many texts in one go: one request, or a window of a connection that stays open."""

    most_at_once: int

    async def send_many(self, texts: Sequence[TextOut]) -> list[str | SendError]:
        """Hand over up to `most_at_once` texts; for each, in order, the carrier's id or what went wrong. Raises nothing of a text's own."""
        ...
