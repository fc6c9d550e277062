"""Twilio: texts out through its Messages API, its signed callbacks read into our words.

Twilio's own words stop in this file: one table for its message states, one for its error codes.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from aiohttp import (
    ClientConnectionError,
    ClientConnectorError,
    ClientError,
    ClientSession,
    TCPConnector,
    encode_basic_auth,
)
from twilio.base.exceptions import TwilioRestException, TwilioServiceException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from sms_gateway.settings import Settings

from .carrier import (
    CarrierBlockedText,
    CarrierDidNotAnswer,
    CarrierIsBusy,
    CarrierRefused,
    CarrierRefusedPerson,
    CarrierRefusesUs,
    Found,
    SendError,
)
from .incoming import FormIsIncomplete, ReceiptIn, TextIn, read_id, read_reference

NAME: Final = "twilio"
API = "https://api.twilio.com"
SIGNATURE_HEADER = "X-Twilio-Signature"
EMPTY_TWIML = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'

STATES: Final[dict[str, str | None]] = {
    "accepted": None,
    "scheduled": None,
    "queued": None,
    "sending": None,
    "sent": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "partially_delivered": "undelivered",
    "undelivered": "undelivered",
    "failed": "failed",
    "canceled": "cancelled",
}
"""Twilio's message states in ours; None says nothing new. Source: Twilio's OpenAPI description, `message_enum_status`."""

REFUSALS: Final[dict[int, type[SendError]]] = {
    20003: CarrierRefusesUs,  # not authenticated
    20005: CarrierRefusesUs,  # account not active
    20429: CarrierIsBusy,  # too many requests
    21610: CarrierRefusedPerson,  # the person texted STOP
    30004: CarrierRefusedPerson,  # the person's line takes no such texts
    30007: CarrierBlockedText,  # carrier's content filter
    30038: CarrierBlockedText,  # body filtered
}
"""Twilio's error codes that are not plain refusals. Source: twilio.com/docs/api/errors [recalled]."""

REFUSED_FOR_NOW: Final = frozenset({429, 503})
"""Statuses that say surely nothing was accepted; after another 5xx it may have been."""

TIMEOUT_SECONDS = 10.0
"""For a whole request; twilio-python's own default is none at all."""
CONNECTIONS = 128
"""At once from one process. More sends than this must not be under way: a wait for a free connection would end as a lost answer.
A worker of outreach is a process with connections of its own, so it takes none of those a talk's reply needs."""
LOOK_UP_LIMIT = 50
LONGEST_VALIDITY = 36_000
"""Seconds. Source: Twilio's OpenAPI description, `ValidityPeriod` of CreateMessage."""
SKEW = timedelta(seconds=2)
OUTREACH = 10**17
"""References from here on are of texts to many (`broadcasts.references.FIRST`)."""
SKEW_OF_OUTREACH = timedelta(minutes=2)
"""How far a sending machine's clock may be ahead of Twilio's. Of a text to many, which goes to a number once, an earlier one of the
same words can be no other; of a talk's it may be (the same reply again)."""


class HttpClient(AsyncTwilioHttpClient):
    """Twilio's pooled client with our time-outs, an address of our choice, and no logs (its own quote numbers)."""

    def __init__(self, api_url: str) -> None:
        super().__init__(pool_connections=False)
        self.session = ClientSession(connector=TCPConnector(limit=CONNECTIONS))
        self._api_url = api_url.rstrip("/")

    async def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        kwargs["timeout"] = kwargs.get("timeout") or TIMEOUT_SECONDS
        if (login := kwargs.pop("auth", None)) is not None:  # as a header: aiohttp gives `auth` up
            kwargs["headers"] = {**kwargs.get("headers", {}), "Authorization": encode_basic_auth(*login)}
        response: Response = await super().request(method, url.replace(API, self._api_url, 1), *args, **kwargs)
        self._test_only_last_request = self._test_only_last_response = None  # holds a text
        return response

    def log_request(self, kwargs: dict[str, Any]) -> None:
        pass

    def log_response(self, status_code: int, response: object) -> None:
        pass


class TwilioCarrier:
    """Sends by Twilio's Messages API over pooled connections; to be made inside a running event loop."""

    name = NAME
    echoes_reference = True

    def __init__(
        self, *, account: str, token: str, sender: dict[str, str], webhook_url: str, api_url: str = API
    ) -> None:
        self._http = HttpClient(api_url)
        self._client = Client(account, token, http_client=self._http)
        self._sender = sender
        self._callback = f"{webhook_url}/twilio/status"

    @classmethod
    def from_settings(cls, settings: Settings) -> TwilioCarrier:
        """As `HOTLINE_TWILIO_…` say. Raises `CarrierRefused` when account or token are missing."""
        if settings.twilio_account_sid is None or settings.twilio_auth_token is None:
            raise CarrierRefused("not_configured")
        service = settings.twilio_messaging_service_sid
        sender = {"messaging_service_sid": service} if service else {"from_": settings.twilio_from or ""}
        return cls(
            account=settings.twilio_account_sid,
            token=settings.twilio_auth_token.get_secret_value(),
            sender=sender,
            webhook_url=settings.webhook_url,
            api_url=settings.twilio_api_url or API,
        )

    async def send(self, *, to: str, body: str, reference: int, validity: timedelta | None = None) -> str:
        """Hand a text over; returns its `MessageSid`. Twilio holds one for `validity` (whole seconds, 1 s to 10 h). Raises `SendError`."""
        wanted: dict[str, Any] = {**self._sender, "status_callback": f"{self._callback}?m={reference}"}
        if validity is not None:
            wanted["validity_period"] = min(max(int(validity.total_seconds()), 1), LONGEST_VALIDITY)
        with _our_errors():
            made = await self._client.messages.create_async(to=to, body=body, **wanted)
        if not made.sid:
            raise CarrierDidNotAnswer("no_sid")
        return str(made.sid)

    async def find(self, *, to: str, body: str, reference: int, since: datetime) -> tuple[Found, str | None]:
        """Look among the last texts to that number for one of that body, made since `since`: Twilio keeps no reference."""
        with _our_errors():
            found = await self._client.messages.list_async(to=to, limit=LOOK_UP_LIMIT, page_size=LOOK_UP_LIMIT)
        words = body.split()  # blanks at the ends and ends of lines may come back as others
        earliest = since - (SKEW_OF_OUTREACH if reference >= OUTREACH else SKEW)
        ours = [text for text in found if _created(text) >= earliest]
        matching = sorted((text for text in ours if text.body.split() == words), key=_created)
        if matching:
            return Found.SENT, str(matching[0].sid)
        return (Found.CANNOT_SAY if len(ours) == LOOK_UP_LIMIT else Found.ABSENT), None

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.close()


def _created(text: Any) -> datetime:
    created: datetime | None = text.date_created
    return created.astimezone(UTC) if created is not None else datetime.max.replace(tzinfo=UTC)


class _our_errors:  # noqa: N801  # reads as a function, as contextlib's own
    """Twilio's and the network's failures as ours; their texts, which quote numbers, are dropped."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception):
            raise as_send_error(error) from None


def as_send_error(error: Exception) -> SendError:
    """What `error` of a call to Twilio means for the text."""
    if isinstance(error, SendError):
        return error
    if isinstance(error, TwilioRestException | TwilioServiceException):
        return refusal(error.status, error.code)
    if isinstance(error, ClientConnectorError):
        return CarrierIsBusy("no_connection")  # nothing left this machine
    if isinstance(error, TimeoutError | ClientConnectionError | ClientError):
        return CarrierDidNotAnswer("no_answer")
    return CarrierDidNotAnswer("unreadable_answer")


def refusal(status: int, code: int | None) -> SendError:
    """What an answer of Twilio's with HTTP `status` and error `code` means for the text."""
    known = REFUSALS.get(code or 0)
    if known is not None:
        return known(str(code))
    if status in REFUSED_FOR_NOW:
        return CarrierIsBusy(str(code or status))
    if status >= 500:
        return CarrierDidNotAnswer(str(code or status))
    if status == 401:
        return CarrierRefusesUs(str(code or status))
    return CarrierRefused(str(code or status))


@lru_cache(maxsize=4)
def _validator(token: str) -> RequestValidator:
    return RequestValidator(token)


def is_genuine(*, token: str, url: str, form: dict[str, str], signature: str | None) -> bool:
    """Whether Twilio signed this form for this address."""
    if not signature:
        return False
    return bool(_validator(token).validate(url, form, signature))


def _id_field(form: dict[str, str]) -> str:
    """Twilio gives its id under up to three names, the older ones alone in some callbacks."""
    return next((field for field in ("MessageSid", "SmsMessageSid", "SmsSid") if field in form), "MessageSid")


def read_text(form: dict[str, str]) -> TextIn:
    """An inbound text. Pictures are not fetched, their number is noted. Raises `FormIsIncomplete`."""
    sid = read_id(form, _id_field(form))
    if "From" not in form:
        raise FormIsIncomplete("From")
    pictures = read_reference(form.get("NumMedia")) or 0
    body = form.get("Body", "") + (f"［图片{pictures}张］" if pictures else "")
    return TextIn(carrier=NAME, carrier_id=sid, sender=form["From"], body=body)


def read_receipt(form: dict[str, str], reference: str | None) -> ReceiptIn | None:
    """A status callback; None when it says nothing new. Raises `FormIsIncomplete`."""
    sid = read_id(form, _id_field(form))
    status = form.get("MessageStatus") or form.get("SmsStatus")
    if not status:
        raise FormIsIncomplete("MessageStatus")
    state = STATES.get(status)
    if state is None:
        return None
    code = read_reference(form.get("ErrorCode"))
    known = REFUSALS.get(code or 0)
    if state in ("failed", "undelivered") and known is not None and known is not CarrierIsBusy:
        state = known.state
    return ReceiptIn(
        carrier=NAME,
        carrier_id=sid,
        state=state,
        error=str(code) if code else None,
        reference=read_reference(reference),
        person_refuses=known is CarrierRefusedPerson,
    )
