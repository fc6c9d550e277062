"""演练: made-up emergencies go the whole way of a real one, are timed, and leave nothing behind that a real one uses.

Their persons live on a channel of their own (`Channel.DRILL`), which is what everybody else tells them by: no carrier, no real
desk, no ticket, no figure, no reading of the day; a real call of the same lane always stands before them.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.contacts import service as contacts
from sms_gateway.contacts.models import Channel
from sms_gateway.errors import Conflict
from sms_gateway.escalations import drills
from sms_gateway.messages import inbox, outbox
from sms_gateway.messages.models import Author, Direction, Message, Thread
from sms_gateway.timers import drop_timers, set_timer

from . import pending, talk
from .drill_cases import Score, ended, seconds
from .models import DrillCase, DrillRun
from .ownership import Owner

CARRIER = "drill"
END_JOB = "conversations.end_drill"


class AnotherDrillRuns(Conflict):
    sentence = "已经有一场演练在进行。等它结束，或者先用 hotline drill --end 收掉。"


class NotADrill(Conflict):
    sentence = "这不是演练的会话。"


def is_drill(thread: Thread) -> bool:
    """Whether the talk is a drill's."""
    return thread.channel == Channel.DRILL


async def begin(session: AsyncSession, *, planned: int, at_most: timedelta) -> DrillRun:
    """A new drill of `planned` cases; raises `AnotherDrillRuns`. What is left of it ends by itself after `at_most`."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext("drill"))))
    if await find_running(session) is not None:
        raise AnotherDrillRuns
    run = DrillRun(started_at=clock.now(), planned=planned)
    session.add(run)
    await session.flush()
    await set_timer(session, job=END_JOB, subject_id=run.id, due_at=run.started_at + at_most)
    return run


async def find_running(session: AsyncSession) -> DrillRun | None:
    """The drill that goes on."""
    wanted = select(DrillRun).where(DrillRun.ended_at.is_(None)).order_by(DrillRun.id.desc()).limit(1)
    return await session.scalar(wanted)


async def send(session: AsyncSession, run_id: int, number: int, text: str, *, harm: str) -> int:
    """Case `number` of the run texts: stored and judged as any text is. The thread's id."""
    address, at = f"drill-{run_id}-{number}", clock.now()
    inbound = inbox.Inbound(Channel.DRILL, address, text, CARRIER, f"{address}-{at.timestamp():.6f}", at)
    recorded = await inbox.receive(session, inbound)
    assert recorded is not None  # its id is its own
    known = select(DrillCase.id).where(DrillCase.run_id == run_id, DrillCase.thread_id == recorded.thread_id)
    if await session.scalar(known) is None:
        session.add(DrillCase(run_id=run_id, thread_id=recorded.thread_id, harm=harm, sent_at=at))
    return recorded.thread_id


async def read(session: AsyncSession, run_id: int) -> list[DrillCase]:
    """The run's cases, their times read anew from their calls and their talks."""
    cases = list(await session.scalars(select(DrillCase).where(DrillCase.run_id == run_id).order_by(DrillCase.id)))
    courses = await drills.courses(session, [case.thread_id for case in cases])
    words = await _first_words(session, [case.thread_id for case in cases])
    for case in cases:
        case.first_word_at = words.get(case.thread_id)
        course = courses.get(case.thread_id)
        if course is not None:
            case.rung_at, case.acknowledged_at = course.rung_at, course.acknowledged_at
            case.handed_over_at = course.handed_over_at
        acknowledged = case.acknowledged_at is not None or case.first_word_at is not None
        case.ended = ended(acknowledged=acknowledged, at_bridge=course is not None and course.at_bridge)
    return cases


async def _first_words(session: AsyncSession, thread_ids: list[int]) -> dict[int, datetime]:
    first = func.min(func.coalesce(Message.sent_at, Message.at))
    said = select(Message.thread_id, first).where(Message.thread_id.in_(thread_ids))
    said = said.where(Message.direction == Direction.OUT, Message.author == Author.OPERATOR)
    said = said.where(Message.text_key.is_(None))  # a fixed text that leaves with "接" is no word of theirs
    return {row.thread_id: row[1] for row in await session.execute(said.group_by(Message.thread_id))}


def score(case: DrillCase) -> Score:
    """The case in seconds from its first text."""
    since = case.sent_at
    return Score(
        case.harm, seconds(since, case.rung_at), seconds(since, case.acknowledged_at), seconds(since, case.first_word_at),
        seconds(since, case.handed_over_at), case.ended or "nobody",
    )  # fmt: skip


async def end(session: AsyncSession, run_id: int) -> list[Score]:
    """End the run: keep what every case came to, and close what is still open, as a drill. Twice is as good as once."""
    run = await session.get(DrillRun, run_id, with_for_update=True)
    if run is None:
        return []
    cases = await read(session, run_id) if run.ended_at is None else await _kept(session, run_id)
    if run.ended_at is None:
        for case in cases:
            await _close(session, case.thread_id)
        run.ended_at = clock.now()
        await drop_timers(session, job=END_JOB, subject_id=run_id)
    return [score(case) for case in cases]


async def _kept(session: AsyncSession, run_id: int) -> list[DrillCase]:
    return list(await session.scalars(select(DrillCase).where(DrillCase.run_id == run_id).order_by(DrillCase.id)))


async def _close(session: AsyncSession, thread_id: int) -> None:
    thread = await talk.get_talk(session, thread_id, for_update=True)
    if not is_drill(thread):
        raise NotADrill
    await drills.end(session, thread_id)
    await outbox.cancel_automatic(session, thread_id)
    await pending.drop(session, thread.contact_id)
    await contacts.set_open_case(session, thread.contact_id, open_case=False)
    thread.lane, thread.waiting_since = "blue", None
    if thread.owner != Owner.CLOSED:
        await talk.move(session, thread, Owner.CLOSED, who="system", detail={"outcome": drills.OUTCOME})
