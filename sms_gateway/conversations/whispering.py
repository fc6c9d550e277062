"""A supervisor listens in, and says a word to the colleague who has the talk, and back. The person never sees it, and it is in no text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.database import notify
from sms_gateway.errors import BadInput, Conflict, HotlineError
from sms_gateway.messages.models import Thread, ThreadEvent
from sms_gateway.operators.models import Operator, Role
from sms_gateway.operators.presence import note as audit

from . import talk
from .models import Whisper
from .ownership import Owner

LONGEST = 500
FRESH = timedelta(hours=12)
"""One shift: what was whispered longer ago calls nobody."""


LISTENED_IN = "listen_in"
SITTING = timedelta(minutes=30)
"""Who reads along opens the page many times: once in so long it is written down (an engineering default)."""


class NobodyToHear(Conflict):
    sentence = "这个会话现在没有同事在谈，悄悄话没有人收。"


class NobodyWhispered(BadInput):
    sentence = "还没有人对你说悄悄话；要找值班长，请按“我现在需要帮忙”。"


class NotForYou(HotlineError):
    status_code = 403
    sentence = "悄悄话只有值班长能说，谈话的同事能回。"


async def whisper(session: AsyncSession, *, thread_id: int, operator: Operator, words: str) -> Whisper:
    """A supervisor to whoever has the talk, or whoever has it back to who whispered last.

    Raises `NobodyToHear`, `NobodyWhispered`, `NotForYou`, `BadInput`.
    """
    words = words.strip()
    if not words:
        raise BadInput("还没有写字。")
    if len(words) > LONGEST:
        raise BadInput(f"一次最多写 {LONGEST} 字。")
    thread = await talk.get_talk(session, thread_id, for_update=True)
    row = Whisper(
        thread_id=thread.id, from_operator=operator.id, to_operator=await _listener(session, thread, operator), words=words,
        at=clock.now(), seen_at=None,
    )  # fmt: skip
    session.add(row)
    await session.flush()
    await talk.note(session, thread.id, "whispered", who=f"operator:{operator.id}", detail={"whisper": row.id})
    await _tell(session, thread.id)
    return row


async def listen(session: AsyncSession, *, thread_id: int, operator: Operator) -> bool:
    """Note that a supervisor reads along in a colleague's talk: in its history and in the audit, once a `SITTING` and colleague.

    False where there is nothing to note: it is nobody's or their own, or was noted a moment ago.
    """
    thread = await talk.get_talk(session, thread_id)  # not locked: a page that is read holds nobody's reply up
    held_by = thread.operator_id if thread.owner == Owner.OPERATOR else None
    if operator.role != Role.SUPERVISOR or held_by is None or held_by == operator.id:
        return False
    who = f"operator:{operator.id}"
    noted = select(ThreadEvent.id).where(ThreadEvent.thread_id == thread_id, ThreadEvent.what == LISTENED_IN)
    noted = noted.where(ThreadEvent.who == who, ThreadEvent.at > clock.now() - SITTING)
    if await session.scalar(noted.where(ThreadEvent.detail["colleague"].as_integer() == held_by).limit(1)) is not None:
        return False
    await talk.note(session, thread_id, LISTENED_IN, who=who, detail={"colleague": held_by})
    await audit(session, operator_id=operator.id, what=LISTENED_IN, subject=f"thread:{thread_id}")
    await notify(session, "hotline_thread", str(thread_id))
    return True


async def _listener(session: AsyncSession, thread: Thread, operator: Operator) -> int:
    held_by = thread.operator_id if thread.owner == Owner.OPERATOR else None
    if held_by == operator.id:
        last = select(Whisper.from_operator).where(Whisper.thread_id == thread.id, Whisper.to_operator == operator.id)
        found = await session.scalar(last.order_by(Whisper.id.desc()).limit(1))
        if found is None:
            raise NobodyWhispered
        return found
    if operator.role != Role.SUPERVISOR:
        raise NotForYou
    if held_by is None:
        raise NobodyToHear
    return held_by


async def mark_seen(session: AsyncSession, *, thread_id: int, operator: Operator) -> int:
    """This operator has read what was whispered to them there; how many there were."""
    unseen = update(Whisper).where(Whisper.thread_id == thread_id, Whisper.to_operator == operator.id)
    unseen = unseen.where(Whisper.seen_at.is_(None)).values(seen_at=clock.now()).returning(Whisper.id)
    seen = (await session.scalars(unseen)).all()
    if seen:
        await _tell(session, thread_id)
    return len(seen)


async def list_of_talk(session: AsyncSession, thread_id: int, *, limit: int = 30) -> list[Whisper]:
    """The talk's whispers, oldest first; the newest `limit`."""
    newest = select(Whisper).where(Whisper.thread_id == thread_id).order_by(Whisper.id.desc()).limit(limit)
    return list(reversed((await session.scalars(newest)).all()))


async def list_unseen(session: AsyncSession) -> Sequence[Whisper]:
    """What nobody has read yet, of this shift, oldest first."""
    wanted = select(Whisper).where(Whisper.seen_at.is_(None)).order_by(Whisper.id)
    return (await session.scalars(wanted.where(Whisper.at >= clock.now() - FRESH).limit(200))).all()


async def _tell(session: AsyncSession, thread_id: int) -> None:
    await notify(session, "hotline_thread", str(thread_id))
    await notify(session, "hotline_escalation", "0")  # the pages' alarms are looked at again
