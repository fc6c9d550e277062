"""What a new matter is filed under before a person looks: a category where the words leave no doubt, and whether it is sensitive. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sms_gateway.departments.sensitivity import sensitivity_of
from sms_gateway.departments.suggesting import suggest

CLEAR = 8.0
"""Score of a suggestion that holds at least one phrase typical of its category."""
AHEAD = 1.6
"""How many times the second suggestion's score the first must have."""
TELLING = ("what", "more", "place")
"""Answers that say what the matter is."""


@dataclass(frozen=True)
class Class:
    category: str | None
    sensitivity: str | None
    """None: the category's own default (`visibility.is_sensitive`)."""


def classify(answers: Mapping[str, str]) -> Class:
    """The first filing of a matter. The desk sees it as a proposal and may write another.

    Nothing is filed as not sensitive here: only a person may say so.
    """
    words = "。".join(answers[name] for name in TELLING if answers.get(name))
    if not words:
        return Class(None, None)
    ranked = suggest(words, limit=2)
    clear = (
        bool(ranked) and ranked[0].score >= CLEAR and (len(ranked) == 1 or ranked[0].score >= AHEAD * ranked[1].score)
    )
    category = ranked[0].category if clear else None
    said = sensitivity_of(words)
    return Class(category, said.value if said is not None else None)
