"""Fixed sayings while a person is waited for: "别告诉我妈", "爸爸会不会被抓", "你是真人吗" get their own words there too. Pure.

The sayings are the assistant's (`bot/data/sayings.yml`): one file for both, so that a phrase is taught once.
"""

from __future__ import annotations

import re
from functools import lru_cache

import yaml

from sms_gateway.settings import ROOT
from texts.normalise import normalise

INVITES = "ask.gentle"
_FILE = ROOT / "bot" / "data" / "sayings.yml"
_SAID = {
    "ask_secret": "keep.secret",
    "ask_arrest": "will.arrest",
    "ask_machine": "machine",
    "wants_to_tell": INVITES,
}
"""Saying to wording key."""
_WHOLE = 16
"""Characters up to which a text with such a phrase says nothing else, and is not read together with earlier ones."""


def wording_for(text: str) -> str | None:
    """The wording key that answers the saying in `text`; None when there is none. Never raises on any text."""
    plain = normalise(text)
    return next((key for key, patterns in _patterns() if any(each.search(plain) for each in patterns)), None)


def is_only_beside(text: str) -> bool:
    """Whether the whole text is such a saying."""
    return len(normalise(text)) <= _WHOLE and wording_for(text) is not None


def wants_to_tell(text: str) -> bool:
    """Whether somebody only feels their way ("我可以说一个秘密吗"): they are invited to go on, not questioned."""
    return wording_for(text) == INVITES


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, tuple[re.Pattern[str], ...]], ...]:
    entries = yaml.safe_load(_FILE.read_text(encoding="utf-8"))["nlu"]
    return tuple(
        (
            _SAID[entry["regex"]],
            tuple(re.compile(line[2:]) for line in entry["examples"].splitlines() if line[:2] == "- "),
        )
        for entry in entries
        if entry["regex"] in _SAID
    )
