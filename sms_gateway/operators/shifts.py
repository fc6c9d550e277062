"""交接班: what one shift leaves to the next in writing, and who took it. Going off duty is never held up by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.clock import shanghai
from sms_gateway.errors import BadInput, Conflict, NotFound
from texts.normalise import clean

from .models import Operator, ShiftHandover
from .presence import note as audit

NIGHT_BEGINS, NIGHT_ENDS = 22, 8
"""Hours in Yunnan in which nobody is to be alone (PRACTICE section 8: 夜班不单人); a default of the hotline."""
KEPT_FOR = timedelta(days=14)
"""How far back the page goes."""
LONGEST_NOTE = 4000
WRITTEN_TWICE_WITHIN = timedelta(minutes=1)


class HandoverNotFound(NotFound):
    sentence = "没有这一次交班。"


class HandoverIsTaken(Conflict):
    sentence = "这一班已经有人接了，请刷新后再看。"


class NotYourOwn(BadInput):
    sentence = "交班的人不能自己接：要由下一班的人签。"


class NoteIsMissing(BadInput):
    sentence = "请写一句：这一班有什么要接着做的，没有就写“没有”。"


class NoteIsTooLong(BadInput):
    sentence = f"最多写 {LONGEST_NOTE} 字。"


class JustHandedOver(Conflict):
    sentence = "刚刚已经交过班了，请刷新后再看。"


def lacks(there: Sequence[Operator], at: datetime) -> tuple[str, ...]:
    """What this shift lacks, in sentences (PRACTICE section 8): a woman on every shift, two people at night. Pure."""
    found = []
    if not there:
        return ("现在没有人在值班。",)
    if not any(one.woman for one in there):
        found.append("这一班没有女值班员：女孩要女值班员接时，先请值班长叫人。")
    if is_night(at) and len(there) < 2:
        found.append("夜班只有一个人：请值班长再叫一个人来。")
    if not any(one.trained for one in there):
        found.append("这一班没有未保专席：红色、橙色没有人能接。")
    return tuple(found)


def is_night(at: datetime) -> bool:
    """Whether it is night in Yunnan at `at`."""
    hour = shanghai(at).hour
    return hour >= NIGHT_BEGINS or hour < NIGHT_ENDS


async def hand_over(
    session: AsyncSession, *, operator_id: int, words: str, promised: str, left_open: Mapping[str, Sequence[int]]
) -> ShiftHandover:
    """Write what is left to the next shift. `promised`: what children were told that we would do; `left_open`: ids only.

    Raises `NoteIsMissing`, `NoteIsTooLong`, `JustHandedOver` (the button pressed twice).
    """
    words, promised = clean(words).strip(), clean(promised).strip()
    if not words:
        raise NoteIsMissing
    whole = f"{words}\n答应过孩子的：{promised}" if promised else words
    if len(whole) > LONGEST_NOTE:
        raise NoteIsTooLong
    await session.get(Operator, operator_id, with_for_update=True)  # pressed twice: the second waits here
    since = clock.now() - WRITTEN_TWICE_WITHIN
    just = select(ShiftHandover.id).where(ShiftHandover.written_by == operator_id, ShiftHandover.written_at > since)
    if await session.scalar(just.limit(1)) is not None:
        raise JustHandedOver
    kept = {kind: list(ids) for kind, ids in left_open.items()}
    made = ShiftHandover(written_by=operator_id, written_at=clock.now(), note=whole, left_open=kept)
    session.add(made)
    await session.flush()
    await audit(session, operator_id=operator_id, what="hand_shift", subject=f"shift:{made.id}")
    return made


async def take(session: AsyncSession, handover_id: int, *, operator_id: int) -> ShiftHandover:
    """The next shift has read it and signs. Raises `HandoverNotFound`, `HandoverIsTaken`, `NotYourOwn`."""
    found = await session.get(ShiftHandover, handover_id, with_for_update=True)
    if found is None:
        raise HandoverNotFound
    if found.taken_by is not None:
        raise HandoverIsTaken
    if found.written_by == operator_id:
        raise NotYourOwn
    found.taken_by, found.taken_at = operator_id, clock.now()
    await audit(session, operator_id=operator_id, what="take_shift", subject=f"shift:{handover_id}")
    return found


async def list_recent(session: AsyncSession) -> Sequence[ShiftHandover]:
    """The last fourteen days', newest first."""
    wanted = select(ShiftHandover).where(ShiftHandover.written_at >= clock.now() - KEPT_FOR)
    return (await session.scalars(wanted.order_by(ShiftHandover.id.desc()))).all()
