"""What an event looks like outside: how much of it each sight shows, as CloudEvents 1.0 JSON, signed. Pure.

Nothing is shown because nobody took it out: each sight names what it shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from standardwebhooks import Webhook

from sms_gateway.clock import shanghai
from sms_gateway.departments.visibility import Sight

SOURCE = "//12345.yunnan/minors"
CONTENT_TYPE = "application/cloudevents+json"

COUNTED = ("category", "level", "place", "lane", "sensitivity")
"""The facts a count is made of: no number, no words, no unit."""

WITHOUT_REPORTER = {
    "ticket": ("number", "kind", "category", "status", "lane", "urgent", "place", "level", "units", "received_at", "due_at"),
    "event": ("what", "at", "by", "from_status", "to_status", "detail", "reply"),
    "words": ("copy",),
    "children": ("age", "sex", "county"),
    "accused": ("relation", "lives_with", "public_post", "unit"),
}  # fmt: skip
"""The parts of the data, and of each part the fields, that never lead to the reporter."""

FULL = {
    "ticket": (*WITHOUT_REPORTER["ticket"], "sensitivity", "sealed", "anonymous"),
    "event": (*WITHOUT_REPORTER["event"], "why"),
    "words": WITHOUT_REPORTER["words"],
    "children": (*WITHOUT_REPORTER["children"], "name", "school", "where_now", "with_whom", "siblings", "more"),
    "accused": (*WITHOUT_REPORTER["accused"], "name", "body"),
    "reporter": ("number",),
}
"""What the unit that handles the matter gets. An anonymous reporter is not in the data at all."""


@dataclass(frozen=True)
class Happening:
    """One event as it was written. `position` orders events for every reader."""

    id: UUID
    position: int
    type: str
    subject: str
    at: datetime
    facts: Mapping[str, Any]
    data: Mapping[str, Any]


def shape(happening: Happening, sight: Sight) -> dict[str, Any]:
    """The data a reader with this sight gets. Raises ValueError for `NONE`."""
    if sight is Sight.COUNTS:
        return {"counted": _only(happening.facts, COUNTED), "day": _day(happening.at).date().isoformat()}
    if sight is Sight.WITHOUT_REPORTER:
        return _parts(happening.data, WITHOUT_REPORTER)
    if sight is Sight.FULL:
        return _parts(happening.data, FULL)
    raise ValueError("nothing is shown to this reader")


def _parts(data: Mapping[str, Any], shown: Mapping[str, Iterable[str]]) -> dict[str, Any]:
    shaped: dict[str, Any] = {}
    for part, fields in shown.items():
        value = data.get(part)
        if isinstance(value, list):
            shaped[part] = [_only(each, fields) for each in value]
        elif value is not None:
            shaped[part] = _only(value, fields)
    return shaped


def _only(values: Mapping[str, Any], fields: Iterable[str]) -> dict[str, Any]:
    return {name: values[name] for name in fields if values.get(name) is not None}


def _day(at: datetime) -> datetime:
    """The start of that day in Yunnan: a count that told the minute would point at a child."""
    return shanghai(at).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def cloud_event(happening: Happening, sight: Sight) -> CloudEvent:
    """The event for this sight. `sequence` grows from event to event (20 digits, so that text sorts as numbers do);

    `sight` says how much is in it: `counts`, `without_reporter` or `full`. A count has no subject and knows only the day.
    """
    counts = sight is Sight.COUNTS
    attributes: dict[str, Any] = {
        "id": str(happening.id),
        "source": SOURCE,
        "type": happening.type,
        "time": _day(happening.at) if counts else happening.at.astimezone(UTC),
        "datacontenttype": "application/json",
        "sequence": f"{happening.position:020d}",
        "sight": str(sight),
    }
    if not counts:
        attributes["subject"] = happening.subject
    return CloudEvent(attributes, shape(happening, sight))


def as_json(happening: Happening, sight: Sight) -> bytes:
    """The body of a push."""
    return JSONFormat().write(cloud_event(happening, sight))


def signed_headers(webhook: Webhook, happening_id: UUID, body: bytes, *, sent_at: datetime) -> dict[str, str]:
    """Headers of a push (Standard Webhooks): `webhook-id` is the event's id, the same in every try."""
    name = str(happening_id)
    return {
        "content-type": CONTENT_TYPE,
        "webhook-id": name,
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": webhook.sign(name, sent_at, body.decode()),
    }
