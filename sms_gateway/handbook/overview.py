"""What the editors' pages show: gaps by meaning, what is near a text already, entries and how old their figures are."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from policy_faq.entry import Entry
from policy_faq.handbook import Handbook
from policy_faq.past_review import short_answer
from policy_faq.ranking import Vector
from texts.embedding import DIMENSIONS, embed, unpack

from .grouping import group
from .models import Asked
from .wishes import without_numbers

NEAREST = 3


@dataclass(frozen=True)
class Near:
    """An entry that is near a text: `nearness` of meaning to its nearest wording, about 0 to 1."""

    entry: Entry
    nearness: float


@dataclass(frozen=True)
class Question:
    """One gap as it is shown: its words without long numbers, why it is here, what it was answered with."""

    row: Asked
    words: str
    answered: Entry | None

    @property
    def why(self) -> str:
        """The key of the reason in the pages' words."""
        return self.row.verdict if self.row.verdict not in (None, "useful") else self.row.outcome


@dataclass(frozen=True)
class GapGroup:
    """Gaps that mean the same, the most typical first, and the entry that is nearest to that one."""

    questions: list[Question]
    nearest: Near | None

    @property
    def newest(self) -> datetime.datetime:
        return max(question.row.at for question in self.questions)


def question_of(row: Asked, book: Handbook) -> Question:
    """A row with its message loaded, as it is shown."""
    answered = book.entry(row.entry_id) if row.entry_id else None
    return Question(row, without_numbers(row.message.body).strip(), answered)


async def group_gaps(rows: Sequence[Asked], book: Handbook) -> list[GapGroup]:
    """The rows by meaning, largest group first; arithmetic in a thread, so that no page waits for it."""
    return await asyncio.to_thread(_group_gaps, rows, book)


def _group_gaps(rows: Sequence[Asked], book: Handbook) -> list[GapGroup]:
    vectors = np.stack([_vector(row) for row in rows]) if rows else np.zeros((0, DIMENSIONS), np.float32)
    groups = []
    for places in group(vectors, book.middle):
        questions = [question_of(rows[place], book) for place in places]
        near = _near(book, questions[0].words, vectors[places[0]], 1)
        groups.append(GapGroup(questions, near[0] if near else None))
    return groups


def _vector(row: Asked) -> Vector:
    packed = row.message.vector
    return unpack(packed) if packed is not None else embed(row.message.body)


async def near(text: str, book: Handbook, *, count: int = NEAREST, but: str = "") -> list[Near]:
    """The entries nearest to `text`, without the one of the id `but`."""
    if not text.strip():
        return []
    found = await asyncio.to_thread(lambda: _near(book, text, embed(text), count + 1))
    return [each for each in found if each.entry.id != but][:count]


def _near(book: Handbook, text: str, vector: Vector, count: int) -> list[Near]:
    return [Near(found.entry, found.parts["nearest"]) for found in book.search(text, count, vector)]


def said_today(entry: Entry, today: datetime.date) -> str:
    """The short answer as it is said today."""
    return short_answer(entry, today)


def past_review(book: Handbook, today: datetime.date) -> list[Entry]:
    """Entries whose figures should be looked at, the longest overdue first."""
    late = [entry for entry in book.entries if entry.is_past_review(today)]
    return sorted(late, key=lambda entry: (entry.review_date or today, entry.id))
