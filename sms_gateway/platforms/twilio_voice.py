"""Twilio Voice: calls out through its Calls API, its words about them read into ours.

Source of states and fields: Twilio's OpenAPI description (`call_enum_status`, `CreateCallRequest`); a cut of it lies in
`tests/voice/twilio_calls.json` and every request of the tests is checked against it.
"""

from __future__ import annotations

from typing import Any, Final

from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from sms_gateway.carriers.carrier import CarrierDidNotAnswer, CarrierIsBusy
from sms_gateway.carriers.twilio import API, SIGNATURE_HEADER, HttpClient, as_send_error, is_genuine
from sms_gateway.settings import Settings

from .telephone import ExchangeDidNotAnswer, ExchangeIsBusy, ExchangeRefused, Order, TelephoneError

__all__ = ["SIGNATURE_HEADER", "STATES", "TwilioVoice", "is_genuine"]

STATES: Final[dict[str, str]] = {
    "queued": "initiated",
    "initiated": "initiated",
    "ringing": "ringing",
    "in-progress": "answered",
    "answered": "answered",
    "completed": "completed",
    "busy": "busy",
    "no-answer": "no_answer",
    "failed": "failed",
    "canceled": "cancelled",
}
"""Twilio's call states in ours."""
EVENTS: Final = ["initiated", "ringing", "answered", "completed"]
GONE: Final = 404
"""Of a call to hang up: there is no such call any more."""


class TwilioVoice:
    """Calls by Twilio's API over pooled connections; to be made inside a running event loop."""

    name = "twilio"

    def __init__(self, *, account: str, token: str, number: str, door: str, api_url: str = API) -> None:
        self._http = HttpClient(api_url)
        self._client = Client(account, token, http_client=self._http)
        self._number = number
        self._door = f"{door}/platforms/voice"

    @classmethod
    def from_settings(cls, settings: Settings) -> TwilioVoice:
        """As `HOTLINE_TWILIO_…` and `HOTLINE_VOICE_FROM` say. Raises `ExchangeRefused` when one is missing."""
        token = settings.twilio_auth_token
        if settings.twilio_account_sid is None or token is None or settings.voice_from is None:
            raise ExchangeRefused("not_configured")
        return cls(
            account=settings.twilio_account_sid, token=token.get_secret_value(), number=settings.voice_from,
            door=settings.webhook_url, api_url=settings.twilio_api_url or API,
        )  # fmt: skip

    async def call(self, order: Order) -> str:
        """Let a phone ring; returns its `CallSid`. The call itself is never recorded: see the conference. Raises `TelephoneError`."""
        address = f"{self._door}/{order.reference}"
        try:
            made = await self._client.calls.create_async(
                to=_international(order.to), from_=self._number, url=f"{address}/twiml", method="POST", timeout=order.ring_seconds,
                status_callback=f"{address}/status", status_callback_event=EVENTS, status_callback_method="POST",
                record=False,
            )  # fmt: skip
        except Exception as error:  # noqa: BLE001 - Twilio's and the network's, whose texts quote numbers
            raise as_telephone_error(error) from None
        if not made.sid:
            raise ExchangeDidNotAnswer("no_sid")
        return str(made.sid)

    async def hang_up(self, exchange_id: str) -> None:
        """End a call. Raises `TelephoneError`."""
        try:
            await self._client.calls(exchange_id).update_async(status="completed")
        except Exception as error:  # noqa: BLE001 - as above
            if isinstance(error, TwilioRestException) and error.status == GONE:
                return
            raise as_telephone_error(error) from None

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.close()


def _international(number: str) -> str:
    """A number of ours as Twilio dials it: a short one with its area code gets the country's (`0870110`: `+86870110`)."""
    return number if number.startswith("+") else f"+86{number.lstrip('0')}"


def as_telephone_error(error: Any) -> TelephoneError:
    """What an error of a request to Twilio means for the call."""
    told = as_send_error(error)
    if isinstance(told, CarrierIsBusy):
        return ExchangeIsBusy(told.code)
    if isinstance(told, CarrierDidNotAnswer):
        return ExchangeDidNotAnswer(told.code)
    return ExchangeRefused(told.code)
