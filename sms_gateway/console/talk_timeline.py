"""The timeline of a talk: every text and every step, told in words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from sms_gateway.conversations.overview import TalkPage
from sms_gateway.conversations.records import UNITS
from sms_gateway.messages.models import Direction, Message
from sms_gateway.wording import SIGNATURE

from . import words


@dataclass(frozen=True)
class Entry:
    """A line of the timeline."""

    at: datetime
    who: str
    what: str
    lane: str = ""
    body: str = ""


def timeline(
    page: TalkPage, messages: Iterable[Message], who: Callable[[str], str], *, since: datetime | None
) -> list[Entry]:
    """What happened from `since` on, newest first. `who` gives the words for `operator:3`."""
    entries = [Entry(event.at, who(event.who), thread_event(event.what, event.detail)) for event in page.events]
    entries += [
        Entry(step.at, who(step.who), call_event(step.what, step.detail), step.detail.get("lane", ""))
        for step in page.steps
        if step.what != "acknowledged"  # the talk's own event says so
    ]
    entries = [entry for entry in entries if since is None or entry.at >= since]
    entries += [_text(message, who) for message in messages]
    return sorted(entries, key=lambda entry: entry.at, reverse=True)


def thread_event(what: str, detail: dict[str, object]) -> str:
    """A talk's event in words."""
    says = words.THREAD_EVENTS.get(what, what)
    if what == "called_by_hand":
        return f"{says}：{UNITS.get(str(detail.get('unit')), '')}"
    return says


def call_event(what: str, detail: dict[str, object]) -> str:
    """A call's step in words."""
    says = words.CALL_EVENTS.get(what, what)
    if what == "rung":
        number = detail.get("step")
        return words.STEPS.get(number, says) if isinstance(number, int) else says
    if what in ("opened", "raised"):
        return f"{says}（{words.LANES.get(str(detail.get('lane')), '')}）"
    if what == "closed":
        return f"{says}：{words.ENDED.get(str(detail.get('outcome')), '')}"
    return says


def _text(message: Message, who: Callable[[str], str]) -> Entry:
    if message.direction == Direction.IN:
        return Entry(message.at, "来信人", "来信", message.lane or "", message.body)
    writer = who(f"operator:{message.operator_id}") if message.operator_id else words.WHO["assistant"]
    state = words.DELIVERY.get(message.state or "", "")
    return Entry(message.at, writer, f"去信 · {state}", "", message.body.removeprefix(SIGNATURE))
