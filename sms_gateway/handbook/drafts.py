"""Drafts: made from what was asked or from an entry, saved, proposed, decided. Every move writes its event."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from policy_faq.entry import Entry
from sms_gateway import clock
from sms_gateway.errors import BadInput, NotFound

from . import asked, published
from .draft_form import Form, blank, entry_of, of_entry, problems_of, written
from .lifecycle import OPEN, DraftHasMoved, State, check_second_person, move
from .models import Draft, DraftEvent
from .overlay import shared_wordings
from .wishes import BLOTTED, without_numbers

LONGEST_REASON = 500
WORDING_LIMIT = 60
"""Characters of a question that is taken over as a way of asking; longer ones are for reading only."""


class DraftNotFound(NotFound):
    sentence = "没有这份草稿。"


class DraftIsNotReady(BadInput):
    sentence = "还有没写好的地方，看标红的几处。"


async def make(
    session: AsyncSession, *, operator_id: int, asked_ids: Sequence[int] = (), entry: Entry | None = None
) -> Draft:
    """A draft for these questions: a new entry, or a new version of `entry` with them as further ways of asking."""
    now = clock.now()
    draft = Draft(
        author_id=operator_id, writers=[operator_id], created_at=now, changed_at=now, content={},
        replaces=entry.id if entry else None,
    )  # fmt: skip
    session.add(draft)
    await session.flush()
    await asked.give_to_draft(session, ids=asked_ids, draft_id=draft.id)
    questions = await asked.list_of_draft(session, draft.id)
    wordings = list(dict.fromkeys(without_numbers(row.message.body).strip() for row in questions))
    short = [each for each in wordings if len(each) <= WORDING_LIMIT and "\n" not in each and BLOTTED not in each]
    draft.content = of_entry(entry, more_variants=short) if entry else blank(f"asked-{draft.id}", wordings=short)
    await note(session, draft, "made", operator_id=operator_id, detail={"asked": len(questions)})
    return draft


async def get(session: AsyncSession, draft_id: int, *, for_update: bool = False) -> Draft:
    """The draft of that id; raises `DraftNotFound`."""
    wanted = select(Draft).where(Draft.id == draft_id)
    found = await session.scalar(wanted.with_for_update() if for_update else wanted)
    if found is None:
        raise DraftNotFound
    return found


async def list_drafts(session: AsyncSession, *, states: Sequence[State], limit: int = 200) -> Sequence[Draft]:
    """Drafts in these states, what changed last first."""
    wanted = select(Draft).where(Draft.state.in_(states)).order_by(Draft.changed_at.desc(), Draft.id.desc())
    return (await session.scalars(wanted.limit(limit))).all()


async def count_drafts(session: AsyncSession) -> dict[str, int]:
    """How many drafts there are, by state."""
    counted = select(Draft.state, func.count()).group_by(Draft.state)
    return {row[0]: row[1] for row in await session.execute(counted)}


async def list_events(session: AsyncSession, draft_id: int) -> Sequence[DraftEvent]:
    """What happened to a draft, oldest first."""
    return (
        await session.scalars(select(DraftEvent).where(DraftEvent.draft_id == draft_id).order_by(DraftEvent.id))
    ).all()


async def save(session: AsyncSession, *, draft_id: int, operator_id: int, version: int, form: Form) -> Draft:
    """Keep what was typed, right or not. Raises `DraftHasMoved` when it is not being written or somebody was quicker."""
    draft = await get(session, draft_id, for_update=True)
    if draft.state == State.REJECTED:
        await _move(session, draft, State.DRAFT, operator_id=operator_id)
    if draft.state != State.DRAFT or draft.version != version:
        raise DraftHasMoved
    draft.content = form
    draft.version += 1
    draft.changed_at = clock.now()
    _sign(draft, operator_id)
    return draft


async def propose(
    session: AsyncSession, *, draft_id: int, operator_id: int, version: int, form: Form, others: Sequence[Entry]
) -> Draft:
    """Hand the draft to a second person. `others`: all entries there are. Raises `DraftIsNotReady`."""
    if problems_of(form) or clashes(form, others):
        raise DraftIsNotReady
    draft = await save(session, draft_id=draft_id, operator_id=operator_id, version=version, form=form)
    draft.proposed_by = operator_id
    await _move(session, draft, State.PROPOSED, operator_id=operator_id)
    return draft


def clashes(form: Form, others: Sequence[Entry]) -> list[str]:
    """Ways of asking that stand in another entry already, each with which."""
    if problems_of(form):
        return []
    return [f"“{wording}”已在“{other.question}”里" for wording, other in shared_wordings(entry_of(form), others)]


async def withdraw(session: AsyncSession, *, draft_id: int, operator_id: int) -> Draft:
    """Take a proposed draft back to write on."""
    draft = await get(session, draft_id, for_update=True)
    await _move(session, draft, State.DRAFT, operator_id=operator_id)
    return draft


async def reject(session: AsyncSession, *, draft_id: int, operator_id: int, reason: str) -> Draft:
    """A second person says what is wrong. Raises `SecondPersonNeeded`."""
    reason = reason.strip()[:LONGEST_REASON]
    if not reason:
        raise BadInput("请写一句哪里要改。")
    draft = await get(session, draft_id, for_update=True)
    check_second_person(operator_id, writers=frozenset(draft.writers))
    draft.reason, draft.decided_by = reason, operator_id
    await _move(session, draft, State.REJECTED, operator_id=operator_id)
    return draft


async def approve(
    session: AsyncSession, *, draft_id: int, operator_id: int, version: int, others: Sequence[Entry]
) -> Draft:
    """A second person lets the answer go out: from the commit on it is given everywhere.

    `version`: what they have read. Raises `SecondPersonNeeded`, `DraftHasMoved`, `DraftIsNotReady`.
    """
    draft = await get(session, draft_id, for_update=True)
    check_second_person(operator_id, writers=frozenset(draft.writers))
    form = draft.content
    if draft.version != version:
        raise DraftHasMoved
    move(draft.state, State.APPROVED)
    if problems_of(form) or clashes(form, others):
        raise DraftIsNotReady
    entry = entry_of(form)
    packed = await asyncio.to_thread(published.pack_vectors, entry)
    await _retire_draft_of(session, entry.id, operator_id=operator_id)
    row = await published.publish(
        session, entry=entry, content=written(form), packed=packed, draft_id=draft.id, approved_by=operator_id
    )
    draft.decided_by = operator_id
    await _move(session, draft, State.APPROVED, operator_id=operator_id, detail={"version": row.version})
    await asked.settle_of_draft(session, draft_id=draft.id, operator_id=operator_id)
    return draft


async def throw_away(session: AsyncSession, *, draft_id: int, operator_id: int) -> None:
    """A draft nobody goes on with; its questions are open again."""
    draft = await get(session, draft_id, for_update=True)
    if draft.state not in OPEN:
        raise DraftHasMoved
    await _move(session, draft, State.RETIRED, operator_id=operator_id)
    await asked.take_back_from_draft(session, draft_id=draft.id)


async def retire_entry(session: AsyncSession, *, entry_id: str, operator_id: int, has_file: bool) -> None:
    """Stop giving an answer, everywhere, at once. One person may: a wrong answer does harm each minute."""
    await _retire_draft_of(session, entry_id, operator_id=operator_id)
    await published.retire(session, entry_id=entry_id, operator_id=operator_id, has_file=has_file)


async def _retire_draft_of(session: AsyncSession, entry_id: str, *, operator_id: int) -> None:
    """The draft that the present version was approved from has had its time."""
    live = await published.find_live(session, entry_id)
    if live is not None and live.draft_id is not None:
        await _move(session, await get(session, live.draft_id, for_update=True), State.RETIRED, operator_id=operator_id)


async def note(
    session: AsyncSession, draft: Draft, what: str, *, operator_id: int, detail: dict[str, Any] | None = None
) -> None:
    """Write an event of the draft."""
    session.add(DraftEvent(draft_id=draft.id, what=what, operator_id=operator_id, at=clock.now(), detail=detail or {}))


async def _move(
    session: AsyncSession, draft: Draft, to: State, *, operator_id: int, detail: dict[str, Any] | None = None
) -> None:
    draft.state = move(draft.state, to)
    draft.changed_at = clock.now()
    if to in (State.DRAFT, State.PROPOSED):
        _sign(draft, operator_id)
    await note(session, draft, str(to), operator_id=operator_id, detail=detail)


def _sign(draft: Draft, operator_id: int) -> None:
    if operator_id not in draft.writers:
        draft.writers = [*draft.writers, operator_id]
