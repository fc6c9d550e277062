"""What was said in a ticket, as search reads it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from texts.normalise import normalise


def normal_form(said: Mapping[str, str] | None) -> str:
    """Every answer, a line each, in the form triage reads."""
    return "\n".join(normalise(str(value)) for value in (said or {}).values())


def holds(read: str, words: Sequence[str]) -> bool:
    """Whether every word, in normal form, stands in what `normal_form` made."""
    return all(word in read for word in words)
