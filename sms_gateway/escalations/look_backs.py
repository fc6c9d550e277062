"""回看: after a child was seen, somebody looks again after 24 h, 72 h, 7 and 30 days (PRACTICE section 7).

Through the safe contact or on the spot, never through the child's phone. Who was not reached is looked for again the next
day, day after day until reached, unless a planned look falls due before that. What is not safe is danger again: `conversations.looking_back`
opens it. A false alarm, a merged matter and a drill are looked back at by nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from sms_gateway import clock
from sms_gateway.contacts.models import Channel, Contact
from sms_gateway.database import notify
from sms_gateway.errors import BadInput, Conflict, NotFound
from sms_gateway.operators.presence import note as audit
from sms_gateway.regions import get_region
from texts.normalise import clean

from .ladder import State
from .models import Escalation, EscalationEvent, LookBack

MARKS: Mapping[str, timedelta] = {
    "24h": timedelta(hours=24), "72h": timedelta(hours=72), "7d": timedelta(days=7), "30d": timedelta(days=30),
}  # fmt: skip
RESULTS = ("safe", "not_reached", "unsafe")
MOVED = "moved"
"""The result of what was still to come when the danger was opened again: the new case plans its own."""
AGAIN_AFTER = timedelta(days=1)
LONGEST_WORDS = 2000


class LookBackNotFound(NotFound):
    sentence = "没有这一条回看。"


class LookBackIsDone(Conflict):
    sentence = "这一条刚有人写过结果，请刷新后再看。"


class ResultIsMissing(BadInput):
    sentence = "请选结果：安全、没见到、不安全。"


class WordsAreMissing(BadInput):
    sentence = "请写一句：找的谁、孩子怎么样、和谁在一起。"


class WordsAreTooLong(BadInput):
    sentence = f"一次最多写 {LONGEST_WORDS} 字。"


@dataclass(frozen=True)
class Look:
    """A look back with the case it belongs to. `region`: as the case knows it now."""

    row: LookBack
    escalation: Escalation
    region: str | None

    @property
    def overdue(self) -> bool:
        return self.row.done_at is None and self.row.due_at <= clock.now()


async def plan(session: AsyncSession, escalation: Escalation) -> int:
    """Note when to look again, from now on (somebody has just seen the child); returns how many are new. Once a case."""
    contact = await session.get(Contact, escalation.contact_id)
    if contact is None or contact.channel == Channel.DRILL or not _is_real(escalation):
        return 0
    now = clock.now()
    rows = [
        {"escalation_id": escalation.id, "contact_id": contact.id, "region": contact.region, "mark": mark, "due_at": now + after}
        for mark, after in MARKS.items()
    ]  # fmt: skip
    made = await _add(session, rows)
    if made:
        _event(session, escalation.id, "look_backs_planned", who="system", detail={"count": made})
    return made


def _is_real(escalation: Escalation) -> bool:
    return escalation.state != State.FALSE_ALARM and escalation.outcome not in ("false_alarm", "merged")


async def _add(session: AsyncSession, rows: Sequence[Mapping[str, object]]) -> int:
    from uuid import uuid4

    wanted = insert(LookBack).values([{"uid": uuid4(), **row} for row in rows]).on_conflict_do_nothing()
    return len((await session.execute(wanted.returning(LookBack.id))).all())


def _event(session: AsyncSession, escalation_id: int, what: str, *, who: str, detail: dict[str, object]) -> None:
    session.add(EscalationEvent(escalation_id=escalation_id, what=what, who=who, at=clock.now(), detail=detail))


_REGION: ColumnElement[str | None] = func.coalesce(Contact.region, LookBack.region)
_REAL = (
    Escalation.state != State.FALSE_ALARM, func.coalesce(Escalation.outcome, "").not_in(("false_alarm", "merged")),
    Contact.channel != Channel.DRILL,
)  # fmt: skip


def _within(region: str | None) -> list[ColumnElement[bool]]:
    """Cases in that place; None: everywhere, those without a place too."""
    if region is None:
        return []
    digits = {"province": 2, "prefecture": 4, "county": 6}[get_region(region).level]
    return [_REGION.startswith(region[:digits])]


def _looks(region: str | None, without: Select[int] | None = None) -> Select[LookBack, Escalation, str | None]:
    """`without`: ids of contacts whose looks the reader may not see ("我认识这家人")."""
    wanted = select(LookBack, Escalation, _REGION).join(Escalation, Escalation.id == LookBack.escalation_id)
    wanted = wanted.join(Contact, Contact.id == LookBack.contact_id)
    if without is not None:
        wanted = wanted.where(LookBack.contact_id.not_in(without))
    return wanted.where(*_REAL, *_within(region)).options(joinedload(Escalation.contact))


async def _list(session: AsyncSession, wanted: Select[LookBack, Escalation, str | None]) -> list[Look]:
    return [Look(row, escalation, region) for row, escalation, region in (await session.execute(wanted))]


async def list_open(
    session: AsyncSession, *, region: str | None = None, until: datetime | None = None, without: Select[int] | None = None,
    limit: int = 200,
) -> list[Look]:  # fmt: skip
    """What is still to be looked at in `region` (None: everywhere), overdue first; `until`: due by then; `without`: as in `_looks`."""
    wanted = _looks(region, without).where(LookBack.done_at.is_(None))
    if until is not None:
        wanted = wanted.where(LookBack.due_at <= until)
    return await _list(session, wanted.order_by(LookBack.due_at, LookBack.id).limit(limit))


async def list_done(
    session: AsyncSession, *, region: str | None = None, without: Select[int] | None = None, limit: int = 50
) -> list[Look]:
    """What was looked at last, newest first; `without`: as in `_looks`."""
    wanted = _looks(region, without).where(LookBack.done_at.is_not(None), LookBack.result != MOVED)
    return await _list(session, wanted.order_by(LookBack.done_at.desc(), LookBack.id.desc()).limit(limit))


async def list_of_case(session: AsyncSession, escalation_id: int) -> Sequence[LookBack]:
    """All looks of a case, in the order in which they fall due."""
    wanted = select(LookBack).where(LookBack.escalation_id == escalation_id).order_by(LookBack.due_at, LookBack.id)
    return (await session.scalars(wanted)).all()


async def overdue_count(session: AsyncSession, *, region: str | None = None, without: Select[int] | None = None) -> int:
    """How many looks should have been made by now; for the supervisors' wall and the county's list."""
    late = _looks(region, without).where(LookBack.done_at.is_(None), LookBack.due_at <= clock.now()).options()
    return await session.scalar(late.with_only_columns(func.count())) or 0


async def overdue_by_region(session: AsyncSession, *, without: Select[int] | None = None) -> dict[str | None, int]:
    """The same by county; None: cases without a place."""
    late = _looks(None, without).where(LookBack.done_at.is_(None), LookBack.due_at <= clock.now())
    counted = late.with_only_columns(_REGION, func.count()).group_by(_REGION)
    return dict((await session.execute(counted)).all())


async def get_look(session: AsyncSession, look_back_id: int, *, region: str | None) -> Look:
    """One look in `region` (None: everywhere). Raises `LookBackNotFound`, also for one that lies elsewhere."""
    found = await _list(session, _looks(region).where(LookBack.id == look_back_id))
    if not found:
        raise LookBackNotFound
    return found[0]


async def write(
    session: AsyncSession, look_back_id: int, *, region: str | None, operator_id: int, result: str, words: str
) -> Look:
    """Write what came of a look; raises `LookBackNotFound`, `LookBackIsDone`, `ResultIsMissing`, `WordsAreMissing`.

    Opening the danger again is `conversations.looking_back`'s.
    """
    words = clean(words).strip()
    if result not in RESULTS:
        raise ResultIsMissing
    if not words:
        raise WordsAreMissing
    if len(words) > LONGEST_WORDS:
        raise WordsAreTooLong
    await session.execute(select(LookBack.id).where(LookBack.id == look_back_id).with_for_update())
    look = await get_look(session, look_back_id, region=region)
    row = look.row
    await session.refresh(row, ["done_at"])
    if row.done_at is not None:
        raise LookBackIsDone
    row.done_at, row.done_by, row.result, row.words = clock.now(), operator_id, result, words
    detail: dict[str, object] = {"look_back": row.id, "mark": row.mark}
    _event(session, row.escalation_id, f"look_back_{result}", who=f"operator:{operator_id}", detail=detail)
    if result == "not_reached":
        await _look_again(session, row)
    if result == "unsafe":
        await _end_the_rest(session, row.escalation_id, operator_id)
    await audit(session, operator_id=operator_id, what="write_look_back", subject=f"look_back:{row.id}")
    await notify(session, "hotline_escalation", str(row.escalation_id))
    return look


async def _look_again(session: AsyncSession, row: LookBack) -> None:
    """The next day, unless a look that is planned already falls due before that."""
    rows = await list_of_case(session, row.escalation_id)
    again = clock.now() + AGAIN_AFTER
    if any(other.done_at is None and other.id != row.id and other.due_at <= again for other in rows):
        return
    tries = 1 + sum(other.mark.startswith("r") for other in rows)
    await _add(session, [
        {"escalation_id": row.escalation_id, "contact_id": row.contact_id, "region": row.region, "mark": f"r{tries}", "due_at": again}
    ])  # fmt: skip


async def _end_the_rest(session: AsyncSession, escalation_id: int, operator_id: int) -> None:
    rest = update(LookBack).where(LookBack.escalation_id == escalation_id, LookBack.done_at.is_(None))
    await session.execute(rest.values(done_at=clock.now(), done_by=operator_id, result=MOVED))
