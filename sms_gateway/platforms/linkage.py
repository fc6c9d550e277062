"""双向派单 with 110, 119, 120 and 122: one signed POST hands an incident over, signed webhooks tell what becomes of it.

Both ways by Standard Webhooks, as with the general desk. Out: `POST <url>`; `webhook-id` is our reference, so that a try
that is repeated is one incident. 200 or 201 with `{"receipt"}`: accepted; 202: their number follows; 4xx with `{"reason"}`:
refused; anything else, or nothing: try again. In: `{"reference", "state", "receipt", "words"}`. No desk's real interface is
published; this file is the one to change for another.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sms_gateway import clock
from sms_gateway.carriers import simulator
from sms_gateway.errors import BadInput
from sms_gateway.settings import Settings

from .general import TRY_AGAIN, DeskDidNotAnswer, DeskRefused, SignatureIsWrong, check_signature, signed

WITHIN_SECONDS = 8.0
LONGEST_RECEIPT = 40
MAKE_BELIEVE = "/simulator/desk/incidents"


Told = Literal["accepted", "dispatched", "arrived", "child_seen", "concluded", "refused", "returned"]
"""What a desk may say of an incident."""


class UpdateIsUnclear(BadInput):
    sentence = "内容不对：要有 reference、state（accepted、dispatched、arrived、child_seen、concluded、refused、returned），受理时还要有 receipt。"


class Update(BaseModel):
    """What a desk tells of an incident of ours."""

    model_config = ConfigDict(extra="ignore")

    reference: str = Field(pattern=r"^[0-9a-f]{32}$")
    state: Told
    receipt: str | None = Field(default=None, min_length=1, max_length=LONGEST_RECEIPT, pattern=r"^[^\x00-\x1f]+$")
    words: str | None = Field(default=None, max_length=1000)


@dataclass(frozen=True)
class Way:
    """Where a desk listens, and the secret both sides sign with."""

    url: str
    secret: str


def way_to(settings: Settings, desk: str, driver: str) -> Way | None:
    """The way to that desk; None where none is set up. The make-believe desk's is made of this machine's own keys."""
    if driver == "simulator":
        return None if settings.production else Way(settings.gateway_url + MAKE_BELIEVE, make_believe_secret(settings))
    found = settings.bridge_desks.get(desk)
    if not settings.bridge_live or found is None or found.url is None or found.secret is None:
        return None
    return Way(found.url, found.secret.get_secret_value())


def make_believe_secret(settings: Settings) -> str:
    """Shared by this gateway and its make-believe desk: derived, so that there is nothing to set up."""
    return "whsec_" + b64encode(sha256(b"hotline simulator desk" + simulator.secret(settings)).digest()).decode()


def secret_of(settings: Settings, desk: str) -> str | None:
    """What `desk` signs its updates with; None for a desk that is none of ours."""
    found = settings.bridge_desks.get(desk)
    if settings.bridge_live:
        return found.secret.get_secret_value() if found is not None and found.secret is not None else None
    return None if settings.production else make_believe_secret(settings)


async def send(way: Way, *, reference: str, desk: str, incident: Mapping[str, Any]) -> str | None:
    """Hand it over: their receipt number, None when it will follow. Raises `DeskRefused`, `DeskDidNotAnswer`."""
    body = json.dumps({"reference": reference, "desk": desk, "incident": dict(incident)}, ensure_ascii=False).encode()
    at = datetime.fromtimestamp(clock.wall_seconds(), UTC)  # the desk compares it with its own clock
    headers = signed(way.secret, reference, body, at=at)
    headers["idempotency-key"] = reference
    try:
        async with httpx.AsyncClient(timeout=WITHIN_SECONDS, trust_env=False, follow_redirects=False) as http:
            answer = await http.post(way.url, content=body, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL):
        raise DeskDidNotAnswer("no_answer") from None
    return _read(answer)


def _read(answer: httpx.Response) -> str | None:
    try:
        said = answer.json() if len(answer.content) <= 65_536 else {}
    except ValueError:
        said = {}
    said = said if isinstance(said, dict) else {}
    if answer.status_code in (200, 201):
        receipt = said.get("receipt")
        if isinstance(receipt, str) and 0 < len(receipt.strip()) <= LONGEST_RECEIPT:
            return receipt.strip()
        raise DeskDidNotAnswer("no_receipt")
    if answer.status_code == 202:
        return None
    if 400 <= answer.status_code < 500 and answer.status_code not in TRY_AGAIN | {401, 403, 404}:
        raise DeskRefused(str(said.get("reason") or "没有说为什么")[:200])
    raise DeskDidNotAnswer(str(answer.status_code))


def read_update(settings: Settings, desk: str, headers: Mapping[str, str], body: bytes) -> Update:
    """A desk's signed word. Raises `SignatureIsWrong` (also for a desk that is none of ours), `UpdateIsUnclear`."""
    secret = secret_of(settings, desk)
    if secret is None:
        raise SignatureIsWrong
    check_signature(secret, headers, body)
    try:
        update = Update.model_validate_json(body)
    except ValidationError:
        raise UpdateIsUnclear from None
    if update.state == "accepted" and update.receipt is None:
        raise UpdateIsUnclear
    return update
