"""What a text did to a form."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .draft import Draft


class Outcome(StrEnum):
    ANSWERED = "answered"
    SKIPPED = "skipped"
    SUBMIT = "submit"
    """The person wants to be done: go on with `next_question`, which is the confirmation or what is still required."""
    CONFIRMED = "confirmed"
    """Yes to the confirmation: open the ticket."""
    CANCEL = "cancel"
    PAUSED = "paused"
    """Kept as it is. Without a `note_key` send nothing: somebody is near."""
    UNCLEAR = "unclear"
    CORRECTED = "corrected"
    POLICY_QUESTION = "policy_question"
    """Nothing was read. Answer it, then put the question again; if the handbook abstains, read with `as_answer=True`."""
    DANGER = "danger"
    """Somebody is hurt or in danger now: the form ends, a person is called."""
    ELSEWHERE = "elsewhere"
    """The place is outside Yunnan (`draft.elsewhere`)."""


@dataclass(frozen=True)
class Reading:
    """What a text did to a form. `note_key`: wording to say, before `next_question(draft)` where a question follows."""

    outcome: Outcome
    draft: Draft
    note_key: str | None = None
