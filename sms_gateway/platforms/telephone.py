"""The telephone exchange as we use it. A desk's own exchange is joined by one more class like `twilio_voice.TwilioVoice`.

An exchange dials `Order.to`; when it is picked up it asks our door what to do there (`/platforms/voice/{reference}/twiml`),
and tells the door what becomes of the call (`…/status`) and which key was pressed (`…/key`), each signed its own way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sms_gateway.errors import HotlineError


class TelephoneError(HotlineError):
    """A call was not placed, or may not have been. `code` is for the log, never a number."""

    status_code = 502
    sentence = "电话没有拨出去。"
    may_ring = False
    """Whether the phone may be ringing all the same."""

    def __init__(self, code: str | None = None) -> None:
        super().__init__()
        self.code = code


class ExchangeIsBusy(TelephoneError):
    """Refused for now: nothing rings."""

    retryable = True


class ExchangeRefused(TelephoneError):
    """Refused for good: number, account or wish."""


class ExchangeDidNotAnswer(TelephoneError):
    """The phone may be ringing or not."""

    retryable = True
    may_ring = True


@dataclass(frozen=True)
class Order:
    """A call to place."""

    to: str
    reference: str
    """Random; what the exchange names the call by at our door."""
    purpose: str
    """A word for the exchange's own records: `desk`, `operator`, `person`, `notice` or `duty_test`."""
    conference: str | None
    """The conference it joins when picked up, for exchanges that have to open it beforehand; None: only something is said."""
    ring_seconds: int


class Telephone(Protocol):
    """An exchange that places calls."""

    name: str

    async def call(self, order: Order) -> str:
        """Let a phone ring; returns the exchange's id of the call. Raises `TelephoneError`."""
        ...

    async def hang_up(self, exchange_id: str) -> None:
        """End a call, whatever its state; one that is over already is no error. Raises `TelephoneError`."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...
