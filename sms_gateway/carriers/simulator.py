"""The make-believe carrier's edge: it posts to the simulator door as to any carrier, and signs what comes back.

A signature is `t=<unix seconds>,v1=<hex HMAC-SHA256>` over time, path with query, and body; one older than
`WINDOW_SECONDS` is refused, so that a recorded request cannot be played again for ever.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Final

import httpx

from sms_gateway import clock
from sms_gateway.settings import Settings

from .carrier import Found
from .door_client import DoorClient
from .incoming import FormCannotBeRead, FormIsIncomplete, ReceiptIn, TextIn, read_id, read_reference

NAME: Final = "simulator"
SIGNATURE_HEADER = "X-Simulator-Signature"
MOST_AT_ONCE: Final = 500
"""Texts in a request, and receipts in one: as domestic gateways push them."""
WINDOW_SECONDS = 300
PATH: Final = "/simulator/messages"
ANSWER_SECONDS = 10.0

STATES: Final[dict[str, str]] = {
    "sent": "sent",
    "delivered": "delivered",
    "undelivered": "undelivered",
    "blocked": "blocked",
    "failed": "failed",
}
"""The make-believe carrier's states in ours."""

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


class SimulatorCarrier(DoorClient):
    """Hands texts to the simulator door over HTTP, pooled, as a real carrier's client would."""

    name = NAME
    echoes_reference = True
    most_at_once = MOST_AT_ONCE

    def __init__(self, *, url: str, token: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        super().__init__(url=url, token=token, path=PATH, seconds=ANSWER_SECONDS, transport=transport)

    @classmethod
    def from_settings(cls, settings: Settings) -> SimulatorCarrier:
        """To the process `HOTLINE_SIMULATOR_URL` names, or to this machine's own gateway."""
        return cls(url=settings.simulator_url or settings.gateway_url, token=access_token(settings))

    async def find(self, *, to: str, body: str, reference: int, since: datetime) -> tuple[Found, str | None]:  # noqa: ARG002  # the reference is enough
        """Look up our reference among the texts the make-believe carrier remembers; of those before that it cannot say."""
        answer = await self._call("GET", PATH, params={"reference": reference})
        if isinstance(answer.get("id"), str):
            return Found.SENT, str(answer["id"])
        known_since = datetime.fromtimestamp(float(answer.get("running_since", clock.now().timestamp())), UTC)
        return (Found.ABSENT if known_since <= since - timedelta(seconds=1) else Found.CANNOT_SAY), None
