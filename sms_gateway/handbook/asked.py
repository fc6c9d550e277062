"""What was asked of the handbook, what it got, what the person said to it: written down after the turn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Select, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from sms_gateway import clock
from sms_gateway.messages.models import Message

from .models import GAP, Asked, Outcome, Verdict

ABOUT_THE_LAST_WITHIN = timedelta(minutes=30)
"""A word about an answer is about the last one, if that is not older."""
MOST_GAPS = 400
"""Open gaps that are grouped at once, the newest; grouping takes time with their square."""


async def note_asked(
    session: AsyncSession,
    *,
    thread_id: int,
    message_id: int,
    outcome: Outcome,
    entry_id: str | None = None,
    score: float | None = None,
) -> None:
    """A question got `outcome`. Twice is as good as once."""
    row = insert(Asked).values(
        thread_id=thread_id, message_id=message_id, at=clock.now(), outcome=outcome, entry_id=entry_id, score=score
    )
    await session.execute(row.on_conflict_do_nothing(index_elements=["message_id"]))


async def note_chosen(session: AsyncSession, *, thread_id: int, entry_id: str | None) -> None:
    """The person chose between the two entries they were asked about."""
    found = await find_last(session, thread_id, outcomes=(Outcome.UNCLEAR,))
    if found is not None:
        found.outcome, found.entry_id = Outcome.ANSWERED, entry_id


async def note_verdict(session: AsyncSession, *, thread_id: int, verdict: Verdict, message_id: int) -> None:
    """The person said `verdict` about the last answer; without one in the last half hour it is about nothing of ours.

    What was said first stands, but for praise: who then asks for a person was not helped after all.
    """
    wanted = tuple(Outcome) if verdict in (Verdict.NOT_THIS, Verdict.HANDED_OVER) else (Outcome.ANSWERED,)
    found = await find_last(session, thread_id, outcomes=wanted)
    if found is None or found.verdict not in (None, Verdict.USEFUL):
        return
    found.verdict, found.verdict_message_id = verdict, message_id


async def find_last(session: AsyncSession, thread_id: int, *, outcomes: tuple[Outcome, ...]) -> Asked | None:
    """The talk's last question, if it is of the last half hour and got one of `outcomes`."""
    newest = select(Asked).where(Asked.thread_id == thread_id, Asked.at >= clock.now() - ABOUT_THE_LAST_WITHIN)
    found = await session.scalar(newest.order_by(Asked.id.desc()).limit(1))
    return found if found is not None and found.outcome in outcomes else None


async def list_gaps(
    session: AsyncSession, *, without: Select[int] | None = None, limit: int = MOST_GAPS
) -> Sequence[Asked]:
    """Open gaps with their messages, newest first; only of texts in which nobody was in danger or harmed.

    `without`: ids of talks whose words the reader may not see ("我认识这家人").
    """
    wanted = select(Asked).join(Asked.message).where(text(GAP), Asked.draft_id.is_(None), Message.lane == "blue")
    wanted = wanted.options(joinedload(Asked.message)).order_by(Asked.id.desc()).limit(limit)
    if without is not None:
        wanted = wanted.where(Asked.thread_id.not_in(without))
    return (await session.scalars(wanted)).all()


async def list_of_draft(session: AsyncSession, draft_id: int) -> Sequence[Asked]:
    """The questions a draft is to answer."""
    wanted = select(Asked).where(Asked.draft_id == draft_id).options(joinedload(Asked.message)).order_by(Asked.id)
    return (await session.scalars(wanted)).all()


async def settle(session: AsyncSession, *, ids: Sequence[int], operator_id: int) -> int:
    """Nothing needs to be written for these; returns how many were still open."""
    rows = update(Asked).where(Asked.id.in_(ids), Asked.settled_at.is_(None), Asked.draft_id.is_(None))
    done = await session.scalars(rows.values(settled_at=clock.now(), settled_by=operator_id).returning(Asked.id))
    return len(done.all())


async def give_to_draft(session: AsyncSession, *, ids: Sequence[int], draft_id: int) -> None:
    """These questions are what the draft is written for."""
    rows = update(Asked).where(Asked.id.in_(ids), Asked.settled_at.is_(None), Asked.draft_id.is_(None))
    await session.execute(rows.values(draft_id=draft_id))


async def settle_of_draft(session: AsyncSession, *, draft_id: int, operator_id: int) -> None:
    """The draft is approved: its questions have an answer now."""
    rows = update(Asked).where(Asked.draft_id == draft_id, Asked.settled_at.is_(None))
    await session.execute(rows.values(settled_at=clock.now(), settled_by=operator_id))


async def take_back_from_draft(session: AsyncSession, *, draft_id: int) -> None:
    """The draft was thrown away: its questions are open again."""
    await session.execute(
        update(Asked).where(Asked.draft_id == draft_id, Asked.settled_at.is_(None)).values(draft_id=None)
    )
