"""The door of Rasa: one turn in, the replies out, for the front door only.

POST `/webhooks/hotline/webhook` with the header `X-Hotline-Secret` and `{"sender", "message", "metadata"}` gives 200 and
`[{"text", "custom"?}, …]`. 401: wrong secret. 400: not a turn. 500: something failed or nothing was said. 504: the
deadline (`metadata["deadline"]`, unix seconds) passed; the turn was stopped and left no trace in the tracker. Unlike
the stock REST channel it never logs a text and never answers half of a failed turn.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from rasa.core.channels.channel import CollectingOutputChannel, InputChannel, UserMessage
from rasa.shared.exceptions import RasaException
from sanic import Blueprint, response
from sanic.exceptions import InvalidUsage
from sanic.request import Request
from sanic.response import HTTPResponse

from . import action_answers, quiet, turns

log = logging.getLogger("bot.channel")

TURNS_AT_A_TIME = 4
"""More at once only make each slower: parsing holds the process (DESIGN section 2)."""
DEFAULT_SECONDS = 5.0
HEADER = "X-Hotline-Secret"

OnNewMessage = Callable[[UserMessage], Awaitable[Any]]


@dataclass(frozen=True)
class Turn:
    sender: str
    text: str
    metadata: dict[str, Any]
    deadline: float

    @classmethod
    def read(cls, body: Any) -> Turn | None:
        """The turn in a request's JSON, or None when it is not one."""
        if not isinstance(body, dict):
            return None
        sender, text, metadata = body.get("sender"), body.get("message"), body.get("metadata", {})
        if not isinstance(sender, str) or not sender or not isinstance(text, str) or not text.strip():
            return None
        if not isinstance(metadata, dict):
            return None
        deadline = metadata.get("deadline", time.time() + DEFAULT_SECONDS)
        if isinstance(deadline, bool) or not isinstance(deadline, (int, float)):
            return None
        return cls(sender, _as_plain_text(text), metadata, float(deadline))


def _as_plain_text(text: str) -> str:
    """Rasa takes a leading `/` for a command (`/restart`): a person's text is never one."""
    text = text.strip()
    return "／" + text[1:] if text.startswith("/") else text


class Replies(CollectingOutputChannel):
    """Collects each reply whole: text and custom part together, blank lines kept."""

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        reply = {key: message[key] for key in ("text", "custom") if message.get(key)}
        if reply:
            self.messages.append(reply)


class HotlineInput(InputChannel):
    @classmethod
    def name(cls) -> str:
        return "hotline"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> InputChannel:
        secret = str((credentials or {}).get("secret") or "")
        if len(secret) < 16:
            raise RasaException("HOTLINE_BOT_SECRET 没有设置，或少于 16 个字符：Rasa 的入口需要它。")
        return cls(secret)

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._places = asyncio.Semaphore(TURNS_AT_A_TIME)
        quiet.keep_texts_out()
        action_answers.install()

    def blueprint(self, on_new_message: OnNewMessage) -> Blueprint:
        door = Blueprint("hotline", __name__)

        @door.route("/webhook", methods=["POST"])
        async def receive(request: Request) -> HTTPResponse:
            given = request.headers.get(HEADER, "").encode("utf-8", "replace")
            if not hmac.compare_digest(given, self._secret):
                return _refusal(401, "wrong_secret")
            try:
                turn = Turn.read(request.json)
            except InvalidUsage:
                turn = None
            return _refusal(400, "not_a_turn") if turn is None else await self._answer(turn, on_new_message)

        return door

    async def _answer(self, turn: Turn, on_new_message: OnNewMessage) -> HTTPResponse:
        known = turn.metadata.get("message")
        message = known if isinstance(known, int) else None
        outcome, replies = turns.Outcome(message=message, form_off=turn.metadata.get("form_off") is True), Replies()
        outcome.trace = _trace_of(turn.metadata)
        turns.begin(outcome)  # before the task below, which inherits it: refusals belong to the turn too
        try:
            await asyncio.wait_for(self._take(turn, replies, on_new_message), turn.deadline - time.time())
        except asyncio.TimeoutError:
            return _refusal(504, "turn_late")
        except Exception:  # anything at all: a person takes over, and the text stays out of the log
            if not outcome.said_before:
                log.exception("turn_failed")
                return _refusal(500, "turn_failed")
        if outcome.said_before:
            return response.json(outcome.said_before)
        if outcome.failed or not replies.messages:
            return _refusal(500, "turn_failed" if outcome.failed else "nothing_said")
        log.info("turn_answered")
        return response.json(replies.messages)

    async def _take(self, turn: Turn, replies: Replies, on_new_message: OnNewMessage) -> None:
        async with self._places:
            message = UserMessage(turn.text, replies, turn.sender, input_channel=self.name(), metadata=turn.metadata)
            await on_new_message(message)


def _trace_of(metadata: dict[str, Any]) -> str | None:
    """Sixteen hexadecimal digits (`sms_gateway.tracing`) and nothing else: it goes into the log."""
    given = metadata.get("trace")
    return given if isinstance(given, str) and re.fullmatch("[0-9a-f]{16}", given) else None


def _refusal(status: int, event: str) -> HTTPResponse:
    log.warning(event)
    return response.json({"error": event}, status=status)
