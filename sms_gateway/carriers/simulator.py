"""The make-believe carrier's edge: it posts to the simulator door as to any carrier, and signs what comes back.

A signature is `t=<unix seconds>,v1=<hex HMAC-SHA256>` over time, path with query, and body; one older than
`WINDOW_SECONDS` is refused, so that a recorded request cannot be played again for ever.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx

from sms_gateway import clock
from sms_gateway.settings import Settings

from .carrier import (
    CarrierBlockedText,
    CarrierDidNotAnswer,
    CarrierIsBusy,
    CarrierRefused,
    CarrierRefusedPerson,
    Found,
    SendError,
    TextOut,
)
from .incoming import FormCannotBeRead, FormIsIncomplete, ReceiptIn, TextIn, read_id, read_reference

NAME: Final = "simulator"
SIGNATURE_HEADER = "X-Simulator-Signature"
MOST_AT_ONCE: Final = 500
"""Texts in a request, and receipts in one: as domestic gateways push them."""
WINDOW_SECONDS = 300
CONNECTIONS = 128
"""At once from one process: as many sends as a worker has under way."""

STATES: Final[dict[str, str]] = {
    "sent": "sent",
    "delivered": "delivered",
    "undelivered": "undelivered",
    "blocked": "blocked",
    "failed": "failed",
}
"""The make-believe carrier's states in ours."""

REFUSALS: Final[dict[str, type[SendError]]] = {
    "busy": CarrierIsBusy,
    "refused": CarrierRefused,
    "blocked": CarrierBlockedText,
    "opted_out": CarrierRefusedPerson,
}

_SIGNATURE = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")


def secret(settings: Settings) -> bytes:
    """What the make-believe carrier and this gateway share: derived, so that there is nothing to set up."""
    key = settings.make_believe_key
    if key is None:
        raise SystemExit("没有 HOTLINE_SESSION_KEY：用 make run 启动会自动生成，或按 .env.example 设置。")
    return key


def access_token(settings: Settings) -> str:
    """What the simulator door asks of whoever hands it a text."""
    return hmac.new(secret(settings), b"access", hashlib.sha256).hexdigest()


def sign(key: bytes, *, path: str, body: bytes, at: datetime) -> str:
    """The signature header for a callback to `path` (with its query)."""
    stamp = int(at.timestamp())
    return f"t={stamp},v1={_digest(key, stamp, path, body)}"


def is_genuine(key: bytes, *, path: str, body: bytes, signature: str | None, at: datetime) -> bool:
    """Whether `signature` is ours, over exactly this, and fresh at `at`."""
    found = _SIGNATURE.fullmatch(signature or "")
    if found is None or abs(at.timestamp() - int(found[1])) > WINDOW_SECONDS:
        return False
    return hmac.compare_digest(_digest(key, int(found[1]), path, body), found[2])


def _digest(key: bytes, stamp: int, path: str, body: bytes) -> str:
    return hmac.new(key, f"{stamp}.{path}.".encode() + body, hashlib.sha256).hexdigest()


def read_text(form: dict[str, str]) -> TextIn:
    """An inbound text. Raises `FormIsIncomplete`."""
    carrier_id = read_id(form, "id")
    if "from" not in form:
        raise FormIsIncomplete("from")
    return TextIn(carrier=NAME, carrier_id=carrier_id, sender=form["from"], body=form.get("body", ""))


def read_receipt(form: dict[str, str]) -> ReceiptIn:
    """A delivery receipt. Raises `FormIsIncomplete`."""
    carrier_id, state = read_id(form, "id"), STATES.get(form.get("state", ""))
    if state is None:
        raise FormIsIncomplete("state")
    error = (form.get("error") or "")[:40] or None
    return ReceiptIn(
        carrier=NAME, carrier_id=carrier_id, state=state, error=error, reference=read_reference(form.get("reference")),
        person_refuses=error == "opted_out",
    )  # fmt: skip


def read_receipts(raw: bytes) -> list[ReceiptIn]:
    """Many receipts in one body: a JSON list of objects as in `read_receipt`. Raises `FormCannotBeRead`, `FormIsIncomplete`."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        raise FormCannotBeRead from None
    if not isinstance(found, list) or len(found) > MOST_AT_ONCE or not all(_is_form(each) for each in found):
        raise FormCannotBeRead
    return [read_receipt(form) for form in found]


def _is_form(found: object) -> bool:
    return isinstance(found, dict) and all(isinstance(value, str) for value in found.values())


class SimulatorCarrier:
    """Hands texts to the simulator door over HTTP, pooled, as a real carrier's client would."""

    name = NAME
    echoes_reference = True
    most_at_once = MOST_AT_ONCE

    def __init__(self, *, url: str, token: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._http = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(10, connect=2),
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
            trust_env=False,
            transport=transport,
        )

    @classmethod
    def from_settings(cls, settings: Settings) -> SimulatorCarrier:
        """To the process `HOTLINE_SIMULATOR_URL` names, or to this machine's own gateway."""
        return cls(url=settings.simulator_url or settings.gateway_url, token=access_token(settings))

    async def send(self, *, to: str, body: str, reference: int, validity: timedelta | None = None) -> str:
        """Hand a text over; returns the make-believe carrier's id. Raises `SendError`."""
        answer = await self._call("POST", json=_form(TextOut(to, body, reference, validity)))
        carrier_id = answer.get("id")
        if not isinstance(carrier_id, str):
            raise CarrierDidNotAnswer("no_id")
        return carrier_id

    async def send_many(self, texts: Sequence[TextOut]) -> list[str | SendError]:
        """Hand over up to `most_at_once` texts in one request; without an answer each of them may have left."""
        if len(texts) > MOST_AT_ONCE:
            raise ValueError(f"not more than {MOST_AT_ONCE} texts at once")
        if not texts:
            return []
        try:
            answer = await self._call(
                "POST", "/simulator/messages/many", json={"texts": [_form(text) for text in texts]}
            )
        except SendError as error:
            return [type(error)(error.code) for _ in texts]
        answers = answer.get("answers")
        if not isinstance(answers, list) or len(answers) != len(texts):
            return [CarrierDidNotAnswer("unreadable_answer") for _ in texts]
        return [_outcome(each) for each in answers]

    async def find(self, *, to: str, body: str, reference: int, since: datetime) -> tuple[Found, str | None]:  # noqa: ARG002  # the reference is enough
        """Look up our reference among the texts the make-believe carrier remembers; of those before that it cannot say."""
        answer = await self._call("GET", params={"reference": reference})
        if isinstance(answer.get("id"), str):
            return Found.SENT, str(answer["id"])
        known_since = datetime.fromtimestamp(float(answer.get("running_since", clock.now().timestamp())), UTC)
        return (Found.ABSENT if known_since <= since - timedelta(seconds=1) else Found.CANNOT_SAY), None

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _call(self, method: str, path: str = "/simulator/messages", **request: Any) -> dict[str, Any]:
        try:
            answer = await self._http.request(method, path, **request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            raise CarrierIsBusy("no_connection") from None
        except httpx.HTTPError:
            raise CarrierDidNotAnswer("no_answer") from None
        return _read_answer(answer)


def _form(text: TextOut) -> dict[str, str | int | float | None]:
    validity = None if text.validity is None else max(text.validity.total_seconds(), 1.0)
    return {"to": text.to, "body": text.body, "reference": text.reference, "validity": validity}


def _outcome(answer: Any) -> str | SendError:
    """A text's part of an answer for many."""
    if isinstance(answer, dict) and isinstance(answer.get("id"), str):
        return str(answer["id"])
    code = str(answer.get("code", "")) if isinstance(answer, dict) else ""
    return REFUSALS.get(code, CarrierDidNotAnswer)(code or "no_id")


def _read_answer(answer: httpx.Response) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise CarrierDidNotAnswer(str(answer.status_code))
    if answer.is_success:
        return content
    code = str(content.get("code", ""))
    if code in REFUSALS:
        raise REFUSALS[code](code)
    if answer.status_code in (429, 503):
        raise CarrierIsBusy(str(answer.status_code))
    if answer.status_code >= 500:
        raise CarrierDidNotAnswer(str(answer.status_code))
    raise CarrierRefused(str(answer.status_code))
