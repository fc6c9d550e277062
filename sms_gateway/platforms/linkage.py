"""双向派单 with 110, 119, 120 and 122: one signed POST hands an incident over, signed webhooks tell what becomes of it.

Both ways by Standard Webhooks, as with the general desk. Out: `POST <url>`; `webhook-id` is our reference, so that a try
that is repeated is one incident. 200 or 201 with `{"receipt"}`: accepted; 202: their number follows; 4xx with `{"reason"}`:
refused; anything else, or nothing: try again. In: `{"reference", "state", "receipt", "words"}`.

What we learn later of an incident is posted to `<url>/updates`. The other way round, a matter that is no emergency: the desk
posts a `Matter` to `/platforms/linkage/<desk>/matters`, is answered with our ticket's number, and hears at `<url>/matters` what
becomes of it. No desk's real interface is published; this file is the one to change for another.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sms_gateway import clock, regions
from sms_gateway.carriers import simulator
from sms_gateway.errors import BadInput, HotlineError
from sms_gateway.settings import Settings

from .general import TRY_AGAIN, DeskDidNotAnswer, DeskRefused, SignatureIsWrong, check_signature, signed

WITHIN_SECONDS = 8.0
LONGEST_ID = 64
LONGEST_RECEIPT = 40
MAKE_BELIEVE = "/simulator/desk/incidents"
LONGEST_MATTER = 32 * 1024
"""Bytes of a matter."""
LONGEST_WHAT = 4000
_DESK = re.compile(r"(?:110|119|120|122)@(53[0-9]{4})", re.ASCII)
_PRINTED = r"^[^\x00-\x1f\x7f]+$"

Told = Literal["accepted", "dispatched", "arrived", "child_seen", "lost_contact", "concluded", "refused", "returned"]
"""What a desk may say of an incident. `lost_contact`: they reach neither the person nor the child."""


class UpdateIsUnclear(BadInput):
    sentence = "内容不对：要有 reference、state（accepted、dispatched、arrived、child_seen、lost_contact、concluded、refused、returned），受理时还要有 receipt。"


class MessageIdIsTooLong(HotlineError):
    status_code = 400
    sentence = "webhook-id 太长：最多 64 个字符。"


class MatterIsUnclear(BadInput):
    sentence = (
        "内容不对：要有 number（本台编号，40 字以内）、what（什么事，4000 字以内），"
        "可以有 place、child（200 字以内）、caller（60 字以内）、phone、kind（help、complaint、report）。"
    )


class MatterIsTooLong(HotlineError):
    status_code = 413
    sentence = "内容太长了。"


class Update(BaseModel):
    """What a desk tells of an incident of ours."""

    model_config = ConfigDict(extra="ignore")

    reference: str = Field(pattern=r"^[0-9a-f]{32}$")
    state: Told
    receipt: str | None = Field(default=None, min_length=1, max_length=LONGEST_RECEIPT, pattern=_PRINTED)
    words: str | None = Field(default=None, max_length=1000)


class Matter(BaseModel):
    """A matter that is no emergency, handed to 12345 by a desk. `number`: the desk's own, one a matter; `what`: in the words
    it was told in; `phone`: whom to ask back, never texted by a machine."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True)

    number: str = Field(min_length=1, max_length=LONGEST_RECEIPT, pattern=_PRINTED)
    what: str = Field(min_length=2, max_length=LONGEST_WHAT)
    place: str = Field(default="", max_length=200)
    child: str = Field(default="", max_length=200)
    caller: str = Field(default="", max_length=60)
    phone: str = Field(default="", max_length=20, pattern=r"^[0-9+() -]*$")
    kind: Literal["help", "complaint", "report"] = "help"


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
    simulator.secret(settings)  # says what is missing where there is no key
    return settings.make_believe_desk_secret or ""


def _secret_of(settings: Settings, desk: str) -> str | None:
    """What a real desk signs with, in live mode; None for a desk that is none of ours."""
    found = settings.bridge_desks.get(desk)
    return found.secret.get_secret_value() if settings.bridge_live and found is not None and found.secret else None


def _check_sender(settings: Settings, desk: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Who signed it: True for the make-believe desk, False for the real one. Raises `SignatureIsWrong`.

    In live mode a drill still goes to the make-believe desk, whose word then counts for the drill alone.
    """
    _check_name(desk)
    secret = _secret_of(settings, desk)
    if secret is not None and _is_signed(secret, headers, body):
        return False
    if settings.production:
        raise SignatureIsWrong
    check_signature(make_believe_secret(settings), headers, body)
    return True


def _check_name(desk: str) -> None:
    found = _DESK.fullmatch(desk)
    try:
        regions.get_region(found[1] if found is not None else "")
    except regions.RegionNotFound:
        raise SignatureIsWrong from None


def _is_signed(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    try:
        check_signature(secret, headers, body)
    except SignatureIsWrong:
        return False
    return True


async def send(way: Way, *, reference: str, desk: str, incident: Mapping[str, Any]) -> str | None:
    """Hand it over: their receipt number, None when it will follow. Raises `DeskRefused`, `DeskDidNotAnswer`."""
    body = json.dumps({"reference": reference, "desk": desk, "incident": dict(incident)}, ensure_ascii=False).encode()
    return _read(await _post(way.url, way.secret, reference, body))


async def _post(url: str, secret: str, name: str, body: bytes) -> httpx.Response:
    at = datetime.fromtimestamp(clock.wall_seconds(), UTC)  # the desk compares it with its own clock
    headers = signed(secret, name, body, at=at)
    headers["idempotency-key"] = name
    try:
        async with httpx.AsyncClient(timeout=WITHIN_SECONDS, trust_env=False, follow_redirects=False) as http:
            return await http.post(url, content=body, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL):
        raise DeskDidNotAnswer("no_answer") from None


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


def read_update(settings: Settings, desk: str, headers: Mapping[str, str], body: bytes) -> tuple[Update, bool]:
    """A desk's signed word, and whether the make-believe desk says it. Raises `SignatureIsWrong` (also for a desk that is
    none of ours), `MessageIdIsTooLong` (cut, two of them would be one), `UpdateIsUnclear`."""
    make_believe = _check_sender(settings, desk, headers, body)
    if len(headers["webhook-id"]) > LONGEST_ID:
        raise MessageIdIsTooLong
    try:
        update = Update.model_validate_json(body)
    except ValidationError:
        raise UpdateIsUnclear from None
    if update.state == "accepted" and update.receipt is None:
        raise UpdateIsUnclear
    return update, make_believe


def read_matter(settings: Settings, desk: str, headers: Mapping[str, str], body: bytes) -> Matter:
    """A matter that is no emergency, signed by the desk that hands it to 12345. Raises `SignatureIsWrong` (in live mode also
    for the make-believe desk: nothing made up becomes a ticket there), `MatterIsTooLong`, `MatterIsUnclear`."""
    if _check_sender(settings, desk, headers, body) and settings.bridge_live:
        raise SignatureIsWrong
    if len(body) > LONGEST_MATTER:
        raise MatterIsTooLong
    try:
        return Matter.model_validate_json(body)
    except ValidationError:
        raise MatterIsUnclear from None


async def tell_news(way: Way, *, name: str, reference: str, state: str, words: str) -> None:
    """Tell the desk news of an incident it has from us: `POST <url>/updates` with `state` `place` (and the place in `words`),
    `child_seen` or `false_alarm`; any 2xx is heard. `name`: one a piece of news. Raises `DeskRefused`, `DeskDidNotAnswer`."""
    body = json.dumps({"reference": reference, "state": state, "words": words}, ensure_ascii=False).encode()
    _check_heard(await _post(way.url.rstrip("/") + "/updates", way.secret, name, body))


async def tell_status(way: Way, *, name: str, number: str, ticket: str, state: str) -> None:
    """Tell the desk what became of its matter `number`: `POST <url>/matters`, any 2xx is heard. `name`: one a status, so that a
    repeated try is one. Raises `DeskRefused`, `DeskDidNotAnswer`."""
    body = json.dumps({"number": number, "ticket": ticket, "state": state}).encode()
    _check_heard(await _post(way.url.rstrip("/") + "/matters", way.secret, name, body))


def _check_heard(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    if 400 <= answer.status_code < 500 and answer.status_code not in TRY_AGAIN | {401, 403, 404}:
        raise DeskRefused(str(answer.status_code))
    raise DeskDidNotAnswer(str(answer.status_code))
