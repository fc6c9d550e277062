"""Finding tickets by number, its tail, any list's filters, and words.

Texts are sealed, so words are looked for by opening rows: only those the reader may see, newest first, in batches, at most
`MOST`, and no further than enough hits. Words come in by POST, are never logged and never stand in an address.
A department's words are looked for in the copies in its own hands, not in what was said to the hotline.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload, load_only

from sms_gateway.crypto import opened_from
from texts.normalise import clean, normalise

from . import filters
from .filters import Filter
from .models import Dispatch, Ticket
from .spoken import holds, normal_form

MOST = 1_500
"""Rows opened for one search. The issue allows 5,000; so many that a search over 100,000 tickets takes less than three times one
over 1,000 (`benchmarks/casework_pages.py`). The page says when it stopped, and that place, time or kind lead further back.
"""
MOST_COPIES = 300
"""The same for a department's account: a copy has no normal form beside it, so a row costs ten times as much."""
BATCH = 500
ENOUGH = 50
LONGEST_WORDS = 60
FEWEST_SIGNS = 2
NUMBER = 8
TAIL = 3
"""The digits a text message shows of a number."""


@dataclass(frozen=True)
class Query:
    """What somebody looks for. `number`: eight digits, or three to seven of its end; `words`: all of them must be found."""

    wanted: Filter
    number: str = ""
    words: tuple[str, ...] = ()

    @classmethod
    def read(cls, wanted: Filter, *, number: str = "", words: str = "") -> Query:
        """From what was typed; words in the form triage reads, the longest part of a text that is one is kept."""
        digits = "".join(sign for sign in number if sign.isascii() and sign.isdigit())[:NUMBER]
        read = (normalise(word) for word in clean(words[:LONGEST_WORDS]).split())
        kept = tuple(dict.fromkeys(word for word in read if word))
        return cls(wanted, digits if len(digits) >= TAIL else "", kept if len("".join(kept)) >= FEWEST_SIGNS else ())

    @property
    def is_empty(self) -> bool:
        """Nothing to look for that a list does not show by itself."""
        return not (self.number or self.words or self.wanted.narrows)


@dataclass(frozen=True)
class Found:
    """Tickets with their contacts, newest first. `looked_at`: rows opened; `cut`: older ones were not looked at;
    `more`: there may be more hits than are shown.
    """

    rows: Sequence[Ticket]
    looked_at: int = 0
    cut: bool = False
    more: bool = False


async def search(session: AsyncSession, query: Query, *, within: ColumnElement[bool], unit: str | None = None) -> Found:
    """What `query` finds among the tickets of `within`; `unit`: a department's account, whose copies are looked through."""
    if not query.words:
        rows = await _list(session, _matching(query, within).limit(ENOUGH + 1))
        return Found(rows[:ENOUGH], more=len(rows) > ENOUGH)
    hits, looked_at, cut = await _look_through(session, query, within, unit)
    rows = await _list(session, select(Ticket).where(Ticket.id.in_(hits[:ENOUGH])).order_by(Ticket.id.desc()))
    return Found(rows, looked_at, cut, len(hits) > ENOUGH)


def _matching(query: Query, within: ColumnElement[bool]) -> Select[Ticket]:
    """Newest first; a number needs no further narrowing to be quick, its end has an index."""
    found = select(Ticket).where(within, filters.where(query.wanted)).order_by(Ticket.id.desc())
    if len(query.number) == NUMBER:
        return found.where(Ticket.number == query.number)
    if query.number:
        end = func.right(Ticket.number, literal_column(str(TAIL))) == query.number[-TAIL:]  # as the index is written
        return found.where(end, Ticket.number.like(f"%{query.number}"))
    return found


async def _list(session: AsyncSession, wanted: Select[Ticket]) -> list[Ticket]:
    return list((await session.scalars(wanted.options(joinedload(Ticket.contact)))).all())


async def _look_through(
    session: AsyncSession, query: Query, within: ColumnElement[bool], unit: str | None
) -> tuple[list[int], int, bool]:
    """Ids of hits, how many rows were opened, and whether the limit ended it before the rows did."""
    hits: list[int] = []
    looked_at, last = 0, None
    most = most_for(unit)
    if unit is not None:
        within = and_(within, Ticket.id.in_(select(Dispatch.ticket_id).where(Dispatch.unit == unit)))
    while looked_at < most and len(hits) <= ENOUGH:
        wanted = _matching(query, within).with_only_columns(*_SEALED)
        batch = (wanted if last is None else wanted.where(Ticket.id < last)).limit(min(BATCH, most - looked_at))
        rows = (await session.execute(batch)).all()
        if not rows:
            return hits, looked_at, False
        copies = await copies_of(session, [row.id for row in rows], unit) if unit is not None else None
        hits += await asyncio.to_thread(_hits, rows, query.words, copies)
        looked_at += len(rows)
        last = rows[-1].id
    rest = await session.scalar(_matching(query, within).where(Ticket.id < last).with_only_columns(Ticket.id).limit(1))
    return hits, looked_at, rest is not None and len(hits) <= ENOUGH


def most_for(unit: str | None) -> int:
    """How many rows a search by words opens for a desk's (None) or a department's account."""
    return MOST if unit is None else MOST_COPIES


_SEALED = (
    Ticket.id, Ticket.uid, Ticket.words_sealed,
    case((Ticket.words_sealed.is_(None), Ticket.answers_sealed)).label("answers_sealed"),  # of before there were `words`
)  # fmt: skip


async def copies_of(session: AsyncSession, ids: Iterable[int], unit: str) -> dict[int, list[Dispatch]]:
    """What this unit was given to read of these tickets."""
    mine = select(Dispatch).where(Dispatch.ticket_id.in_(list(ids)), Dispatch.unit == unit)
    found: dict[int, list[Dispatch]] = {}
    for row in await session.scalars(
        mine.options(load_only(Dispatch.id, Dispatch.uid, Dispatch.ticket_id, Dispatch.copy_sealed))
    ):
        found.setdefault(row.ticket_id, []).append(row)
    return found


def _hits(rows: Sequence[Any], words: Sequence[str], copies: dict[int, list[Dispatch]] | None) -> list[int]:
    if copies is None:
        return [row.id for row in rows if holds(_read(row), words)]
    return [row.id for row in rows if any(holds(normal_form(copy.copy), words) for copy in copies.get(row.id, ()))]


def _read(row: Any) -> str:
    if row.words_sealed is not None:
        return str(opened_from(Ticket.__tablename__, "words_sealed", row.uid, row.words_sealed))
    if row.answers_sealed is None:
        return ""
    return normal_form(opened_from(Ticket.__tablename__, "answers_sealed", row.uid, row.answers_sealed))
