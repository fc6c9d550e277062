"""The general 12345 platform: one signed POST hands a matter over, one signed webhook of theirs tells what became of it.

Both ways by Standard Webhooks (`webhook-id`, `webhook-timestamp`, `webhook-signature`, one shared secret). Out:
`POST <url>/matters`; `webhook-id` and `idempotency-key` are made of our number, so that a try that is repeated is one
matter. 200 or 201 with `{"number"}`: they have it; 202: their number follows; 4xx with `{"reason"}`: they do not take
it; anything else, or nothing: try again. In: see `read_notice`. No platform's real interface is published; this is ours to
offer, and the only file to change for another.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Self

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from standardwebhooks import Webhook

from sms_gateway import clock
from sms_gateway.errors import BadInput, HotlineError
from sms_gateway.settings import Settings

WITHIN_SECONDS = 10.0
TRY_AGAIN = frozenset({408, 409, 425, 429})
"""Answers of the 4xx kind that speak of the moment, not of the matter."""
LONGEST_NUMBER = 40
LONGEST_ANSWER = 64 * 1024


class DeskDidNotAnswer(HotlineError):
    """No answer, or one that says nothing; `status`: its status or a code, for the log."""

    status_code = 502
    sentence = "12345 总台没有应答。"

    def __init__(self, status: str) -> None:
        self.status = status
        super().__init__()


class DeskRefused(HotlineError):
    """They do not take it, and why."""

    status_code = 502
    sentence = "12345 总台没有接这一单。"

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__()


class SignatureIsWrong(HotlineError):
    status_code = 403
    sentence = "签名不对。"


class NoticeIsUnclear(BadInput):
    sentence = "内容不对：要有 number、state（accepted、refused、returned、closed），受理时还要有 their_number。"


@dataclass(frozen=True)
class Matter:
    """What is handed over. `number` is ours; `place` an adcode; `phone` E.164, whom to answer."""

    number: str
    words: str
    received_at: datetime
    place: str
    phone: str | None


class Notice(BaseModel):
    """What they tell of a matter of ours."""

    model_config = ConfigDict(extra="ignore")

    number: str = Field(pattern=r"^[1-9][0-9]{7}$")
    """Ours."""
    state: Literal["accepted", "refused", "returned", "closed"]
    their_number: str | None = Field(default=None, min_length=1, max_length=LONGEST_NUMBER)
    reason: str | None = Field(default=None, max_length=1000)


def signed(secret: str, name: str, body: bytes, *, at: datetime) -> dict[str, str]:
    """The headers of a message with the id `name` (at most 40 characters), signed at the UTC time `at`."""
    return {
        "content-type": "application/json",
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(name, at, body.decode()),
    }


def check_signature(secret: str, headers: Mapping[str, str], body: bytes) -> None:
    """Raise `SignatureIsWrong` unless the message was signed with `secret` within five minutes of now."""
    try:
        Webhook(secret).verify(body, dict(headers), json_parse=False)
    except Exception:  # noqa: BLE001 - the library lets broken headers and bodies fall through as all sorts of errors
        raise SignatureIsWrong from None


def read_notice(settings: Settings, headers: Mapping[str, str], body: bytes) -> Notice:
    """Their signed word: `{"number", "state", "their_number", "reason"}`. Raises `SignatureIsWrong` (also where no desk is
    set up), `NoticeIsUnclear`."""
    if settings.general_desk_secret is None:
        raise SignatureIsWrong
    check_signature(settings.general_desk_secret.get_secret_value(), headers, body)
    try:
        notice = Notice.model_validate_json(body)
    except ValidationError:
        raise NoticeIsUnclear from None
    if notice.state == "accepted" and notice.their_number is None:
        raise NoticeIsUnclear
    return notice


class GeneralDesk:
    """The way to the platform."""

    def __init__(self, *, url: str, secret: str, within: float = WITHIN_SECONDS) -> None:
        self._secret = secret
        self._url = url.rstrip("/") + "/matters"
        self._http = httpx.AsyncClient(timeout=within, trust_env=False, follow_redirects=False)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self | None:
        """The desk that is set up, or None."""
        if settings.general_desk_url is None or settings.general_desk_secret is None:
            return None
        return cls(url=settings.general_desk_url, secret=settings.general_desk_secret.get_secret_value())

    async def hand_over(self, matter: Matter) -> str | None:
        """Their number; None when it will follow. Raises `DeskRefused`, `DeskDidNotAnswer`."""
        body = json.dumps(
            {
                "number": matter.number, "words": matter.words, "place": matter.place, "phone": matter.phone,
                "received_at": matter.received_at.astimezone(UTC).isoformat(timespec="seconds"),
            }, ensure_ascii=False,
        ).encode()  # fmt: skip
        at = datetime.fromtimestamp(clock.wall_seconds(), UTC)  # the platform compares it with its own clock
        headers = signed(self._secret, f"matter-{matter.number}", body, at=at)
        headers["idempotency-key"] = matter.number
        try:
            answer = await self._http.post(self._url, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL):
            raise DeskDidNotAnswer("no_answer") from None
        return _read_answer(answer)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def _read_answer(answer: httpx.Response) -> str | None:
    said = _json(answer)
    if answer.status_code in (200, 201):
        number = said.get("number")
        if isinstance(number, str) and 0 < len(number.strip()) <= LONGEST_NUMBER:
            return number.strip()
        raise DeskDidNotAnswer("no_number")
    if answer.status_code == 202:
        return None
    if 400 <= answer.status_code < 500 and answer.status_code not in TRY_AGAIN:
        raise DeskRefused(str(said.get("reason") or f"对方回了 {answer.status_code}")[:200])
    raise DeskDidNotAnswer(str(answer.status_code))


def _json(answer: httpx.Response) -> dict[str, Any]:
    if len(answer.content) > LONGEST_ANSWER:
        return {}
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
