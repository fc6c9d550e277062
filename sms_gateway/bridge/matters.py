"""Matters an emergency desk handed to us because they are no emergency (双向派单): kept once, and the desk hears what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.database import notify
from sms_gateway.errors import Conflict
from sms_gateway.jobs import defer
from sms_gateway.timers import set_timer

from .models import DeskMatter

TAKEN = "taken"
LAST = frozenset({"concluded", "declined", "transferred", "withdrawn", "merged"})
"""States after which the desk is told no more."""
TELL = "bridge.tell_desk"
PAUSES = (5, 30, 120, 600, 3600, 6 * 3600)
"""Seconds before the next try to tell a desk; the last one again and again."""
MOST_TRIES = 20
"""About four days; then it is given up, and the ticket goes on all the same."""


class NumberIsTaken(Conflict):
    sentence = "这个编号以前来过，内容不一样。补充、更正请用新编号再发一次。"


@dataclass(frozen=True)
class Status:
    """What a desk is told of its matter. `name`: the same for each try of the same state."""

    name: str
    desk: str
    number: str
    ticket: str
    """Our ticket's number."""
    state: str


async def lock_number(session: AsyncSession, *, desk: str, number: str) -> None:
    """Until this transaction ends nobody else takes the same number of that desk: sent twice at once, it is one matter."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"desk_matter {desk} {number}"))))


async def find(session: AsyncSession, *, desk: str, number: str, said: Mapping[str, str]) -> DeskMatter | None:
    """The desk's matter of that number; raises `NumberIsTaken` when it said something else before."""
    found = await session.scalar(select(DeskMatter).where(DeskMatter.desk == desk, DeskMatter.number == number))
    if found is not None and found.said != dict(said):
        raise NumberIsTaken
    return found


async def keep(
    session: AsyncSession,
    *,
    desk: str,
    number: str,
    said: Mapping[str, str],
    thread_id: int,
    ticket_id: int,
    ticket: str,
) -> DeskMatter:
    """Write the matter down beside its ticket (its id and its number)."""
    matter = DeskMatter(
        desk=desk, number=number, said=dict(said), thread_id=thread_id, ticket_id=ticket_id, ticket=ticket,
        at=clock.now(), state=TAKEN, told=TAKEN,
    )  # fmt: skip
    session.add(matter)
    await session.flush()
    return matter


async def list_phones(session: AsyncSession, *, of_tickets: Select[int]) -> list[str]:
    """The numbers that desks wrote with matters that became these tickets, as they wrote them."""
    found = await session.scalars(select(DeskMatter).where(DeskMatter.ticket_id.in_(of_tickets)))
    return [number for matter in found if (number := matter.said.get("phone"))]


async def find_of_talk(session: AsyncSession, thread_id: int) -> DeskMatter | None:
    """The matter that talk is about."""
    return await session.scalar(select(DeskMatter).where(DeskMatter.thread_id == thread_id))


async def note_state(session: AsyncSession, matter: DeskMatter, state: str) -> None:
    """The locked matter has come to another state: the desk is told at once."""
    matter.state, matter.tries = state, 0
    await defer(session, TELL, subject_id=matter.id)


async def begin_telling(session: AsyncSession, matter_id: int) -> Status | None:
    """What to tell the desk now, its try counted; None when it has heard that."""
    matter = await _lock(session, matter_id)
    if matter.told == matter.state or matter.ended_at is not None:
        return None
    matter.tries += 1
    name = f"{matter.uid.hex}-{matter.state[:7]}"
    return Status(name, matter.desk, matter.number, matter.ticket, matter.state)


async def note_told(session: AsyncSession, matter_id: int, state: str) -> None:
    """The desk has heard `state`."""
    matter = await _lock(session, matter_id)
    matter.told = state
    if state in LAST and matter.state == state:
        matter.ended_at = clock.now()
    await notify(session, "hotline_thread", str(matter.thread_id))


async def try_again(session: AsyncSession, matter_id: int, state: str) -> bool:
    """The desk did not answer: the next try has its time; False when it is given up."""
    matter = await _lock(session, matter_id)
    if matter.state != state or matter.told == state:
        return True
    if matter.tries >= MOST_TRIES:
        matter.ended_at = clock.now()
        return False
    pause = PAUSES[min(matter.tries, len(PAUSES)) - 1]
    await set_timer(session, job=TELL, subject_id=matter.id, due_at=clock.now() + timedelta(seconds=pause))
    return True


async def _lock(session: AsyncSession, matter_id: int) -> DeskMatter:
    return (await session.scalars(select(DeskMatter).where(DeskMatter.id == matter_id).with_for_update())).one()
