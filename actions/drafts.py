"""What the slot `draft` holds: a form so far, the question that is open, since when, and how the form ended. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sms_gateway.tickets.draft import Draft, DraftIsBroken, Kind

KEPT_FOR = timedelta(hours=24)
"""A draft lives for a day after the last word about it (PRACTICE section 6)."""

FORMS = {
    Kind.HELP: "help_form",
    Kind.COMPLAINT: "complaint_form",
    Kind.REPORT: "report_form",
    Kind.MANDATED: "report_form",
}
"""The form of Rasa that holds each kind; who must report is asked other questions in the same form."""


class End(StrEnum):
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    DANGER = "danger"
    DISCLOSED = "disclosed"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True)
class Kept:
    draft: Draft
    asked: str | None
    """The open question's name; None once the form has ended."""
    at: datetime
    paused: bool = False
    end: End | None = None

    @property
    def is_open(self) -> bool:
        return self.end is None and self.asked is not None

    @property
    def form(self) -> str:
        """The name of Rasa's form."""
        return FORMS[self.draft.kind]

    def is_over(self, now: datetime) -> bool:
        """Whether the draft is too old to go on with."""
        return now - self.at > KEPT_FOR

    def ended(self, end: End, draft: Draft) -> Kept:
        return replace(self, draft=draft, asked=None, end=end)

    def as_slot(self) -> dict[str, Any]:
        """As Rasa keeps it (JSON)."""
        return {
            "draft": self.draft.to_json(),
            "asked": self.asked,
            "at": self.at.timestamp(),
            "paused": self.paused,
            "end": self.end,
        }


def read_slot(value: Any) -> Kept | None:
    """What `as_slot` wrote; None when there is none, or when it is of an older make and cannot be read."""
    if not isinstance(value, dict):
        return None
    try:
        draft = Draft.from_json(value["draft"])
        end = End(value["end"]) if value["end"] else None
        return Kept(draft, value["asked"], datetime.fromtimestamp(value["at"], UTC), bool(value["paused"]), end)
    except (DraftIsBroken, KeyError, TypeError, ValueError):
        return None
