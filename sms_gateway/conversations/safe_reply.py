"""Which fixed text a danger text gets. Pure.

Red, before a person joins (PRACTICE sections 3 and 4): the safe reply of its type first; then at most one text for
each incoming text, texts that come within seconds of each other answered as one, nothing said twice.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

PLACE_FIRST = timedelta(seconds=60)
"""For a minute the place is asked for; after that the person is told that we are still calling."""
ONE_ROUND = timedelta(seconds=180)
"""A round of ringing that nobody answered."""


@dataclass(frozen=True)
class RedTalk:
    """What is known of a talk in red that waits for a person. Times are since the moment named."""

    said: Collection[str]
    """Keys of the fixed texts already sent since this danger began."""
    since_first: timedelta
    """Since the text that began it was received."""
    joined: bool
    """We said something seconds ago: this text still belongs to the one before."""
    place_known: bool
    somebody_on_duty: bool


def choose(reply_key: str | None, talk: RedTalk) -> str | None:
    """The key of the fixed text for a text judged red (`reply_key`) or not (None); None: nothing is sent for it."""
    if reply_key is not None and not _same_danger(reply_key, talk.said):
        return reply_key
    if talk.joined:
        return None
    if (not talk.somebody_on_duty or talk.since_first >= ONE_ROUND) and "human.none.red" not in talk.said:
        return "human.none.red"
    if not talk.place_known and talk.since_first < PLACE_FIRST and "ask.place" not in talk.said:
        return "ask.place"
    return "wait.red"


def _same_danger(reply_key: str, said: Collection[str]) -> bool:
    """Whether its safe reply was given already: another wording of the same danger is no new one, nor is a vaguer one."""
    told = [key for key in said if key.startswith(("red.", "parent.", "must."))]
    kind = reply_key.split(".")[:2]
    return bool(told) and (reply_key == "red.other" or any(key.split(".")[:2] == kind for key in told))
