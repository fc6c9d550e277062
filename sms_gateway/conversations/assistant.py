"""The edge to Rasa over our own channel (`bot/channel.py`). Late, failing or empty: `AssistantDidNotAnswer`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import httpx

from sms_gateway.errors import HotlineError
from sms_gateway.settings import get_settings

SOON_OUT = 1.0
"""Seconds to reach Rasa at all: a process that is down answers at once, one that is stuck does not."""


HUSH = "hush"
"""Key of the assistant's deliberate silence: somebody came in while a form was being filled in."""


class AssistantDidNotAnswer(HotlineError):
    """`late` when the time was used up: asking again would only keep the person waiting."""

    def __init__(self, *, late: bool) -> None:
        super().__init__()
        self.late = late


@dataclass(frozen=True)
class Reply:
    """One text of the assistant. `asks`: it ends in a question (`form`, `choice`) whose digits the assistant reads."""

    text: str
    key: str | None
    asks: str | None
    entry: str | None = None
    """The handbook entry it gives."""
    score: float | None = None


@lru_cache(maxsize=1)
def _client() -> httpx.AsyncClient:
    settings = get_settings()
    secret = settings.bot_secret.get_secret_value() if settings.bot_secret else ""
    limits = httpx.Limits(max_connections=16, max_keepalive_connections=8)
    return httpx.AsyncClient(
        base_url=settings.rasa_url, headers={"X-Hotline-Secret": secret}, limits=limits, trust_env=False
    )


async def ask(*, sender: str, text: str, metadata: dict[str, Any], within: float) -> list[Reply]:
    """The assistant's replies to `text`; none only where it is silent on purpose. Raises `AssistantDidNotAnswer`."""
    body = {"sender": sender, "message": text, "metadata": metadata}
    timeout = httpx.Timeout(within, connect=min(SOON_OUT, within))
    try:
        answer = await _client().post("/webhooks/hotline/webhook", json=body, timeout=timeout)
    except httpx.TimeoutException as error:
        raise AssistantDidNotAnswer(late=not isinstance(error, httpx.ConnectTimeout)) from None
    except httpx.HTTPError:
        raise AssistantDidNotAnswer(late=False) from None
    if answer.status_code != httpx.codes.OK:
        raise AssistantDidNotAnswer(late=answer.status_code == httpx.codes.GATEWAY_TIMEOUT)
    said = [_reply(each) for each in _listed(answer)]
    replies = [reply for reply in said if reply.text]
    if not replies and not any(
        reply.key == HUSH for reply in said
    ):  # an action server that is down still gives 200 and []
        raise AssistantDidNotAnswer(late=False)
    return replies


def _listed(answer: httpx.Response) -> list[dict[str, Any]]:
    try:
        found = answer.json()
    except ValueError:
        return []
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _reply(found: dict[str, Any]) -> Reply:
    custom = found.get("custom") or {}
    score = custom.get("score")
    return Reply(
        text=str(found.get("text") or "").strip(), key=custom.get("key"), asks=custom.get("asks"), entry=custom.get("entry"),
        score=float(score) if isinstance(score, int | float) else None,
    )  # fmt: skip


async def close() -> None:
    """Close the connections (a process's end, or the next test)."""
    if _client.cache_info().currsize:
        await _client().aclose()
        _client.cache_clear()
