"""The hotline's own duty to report: a row for each body that must be told, reported with a receipt or excused by two people.

Whom and by when is `duty_rules`; this file keeps it. Every act needs the ticket's row locked and leaves an event with ids
and codes only; receipts and reasons are sealed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.errors import BadInput, Conflict, HotlineError, NotFound
from sms_gateway.timers import drop_timers, set_timer
from texts.normalise import clean

from . import duty_rules
from .actors import Actor
from .lifecycle import Who
from .models import DutyReport, Ticket
from .record import record_event

LATE_JOB, FEEDBACK_JOB = "tickets.duty_late", "tickets.police_feedback"
OF_ONE_MATTER = timedelta(hours=24)
"""Texts so long before a ticket's own are about the same matter."""
HOW = {"phone": "电话", "visit": "当面", "system": "系统", "letter": "书面"}
LONGEST_RECEIPT, LONGEST_WHY = 100, 1000
SLACK = timedelta(minutes=2)
"""Somebody's watch may go before ours."""


class DutyNotFound(NotFound):
    sentence = "没有这一项报告。"


class DutyIsSettled(Conflict):
    sentence = "这一项已经报了，或者不报的理由已经签了，请刷新后再看。"


class ReceiptIsIncomplete(BadInput):
    sentence = "要写谁接的（姓名、工号或警号）和怎么报的；没给编号就空着。每样不超过 100 字。"


class TimeCannotBe(BadInput):
    sentence = "时间不对：不能晚于现在，也不能早于来信。"


class WhyIsMissing(BadInput):
    sentence = "请写清理由，最多 1000 字。"


class NothingToSign(Conflict):
    sentence = "这一项还没有人写不报的理由，或者已经签了，请刷新后再看。"


class SignedByAnother(HotlineError):
    status_code = 403
    sentence = "不报的理由要由另一位值班长签字，写的人不能自己签。"


# ---- reading ----


async def list_duties(session: AsyncSession, ticket_id: int) -> list[DutyReport]:
    """All of a ticket, the first due first."""
    wanted = select(DutyReport).where(DutyReport.ticket_id == ticket_id)
    return list(await session.scalars(wanted.order_by(DutyReport.due_at, DutyReport.id)))


async def list_unsettled(session: AsyncSession, ticket_id: int) -> list[DutyReport]:
    """What is neither reported nor excused with a signature: before a matter of harm goes to a department (PRACTICE section 1)."""
    return [row for row in await list_duties(session, ticket_id) if row.settled_at is None]


async def _get(session: AsyncSession, ticket: Ticket, duty_id: int, *, open_only: bool = True) -> DutyReport:
    wanted = select(DutyReport).where(DutyReport.id == duty_id, DutyReport.ticket_id == ticket.id).with_for_update()
    row = await session.scalar(wanted.execution_options(populate_existing=True))
    if row is None:
        raise DutyNotFound
    if open_only and row.settled_at is not None:
        raise DutyIsSettled
    return row


# ---- acts of the desk ----


async def report(
    session: AsyncSession, ticket: Ticket, *, duty_id: int, actor: Actor, at: datetime, receipt: Mapping[str, str],
    filed: bool = False,
) -> DutyReport:  # fmt: skip
    """It was reported at `at`; `receipt`: `person` who took it, `how` (a key of `HOW`), `number` or nothing.

    `filed`: the police said that they take the case (受案、立案). Raises `ReceiptIsIncomplete`, `TimeCannotBe`, `DutyIsSettled`.
    """
    row = await _get(session, ticket, duty_id)
    row.receipt = _checked_receipt(receipt)
    row.reported_at = _checked_time(ticket, at)
    row.reported_by = actor.id
    await _settle(session, row)
    detail = {"duty": row.id, "body": row.body, "numbered": bool(row.receipt.get("number"))}
    await _note(session, ticket, "duty_reported", actor, detail)
    if filed:
        await _file(session, ticket, row, actor, row.reported_at)
    return row


async def excuse(session: AsyncSession, ticket: Ticket, *, duty_id: int, actor: Actor, why: str) -> DutyReport:
    """Why it is not reported, in words; open until another shift lead signs. Raises `WhyIsMissing`, `DutyIsSettled`."""
    row = await _get(session, ticket, duty_id)
    row.why_not, row.excused_by, row.signed_by = _checked_why(why), actor.id, None
    await _note(session, ticket, "duty_excused", actor, {"duty": row.id, "body": row.body}, why=row.why_not)
    return row


async def sign(session: AsyncSession, ticket: Ticket, *, duty_id: int, actor: Actor) -> DutyReport:
    """A shift lead, another person than the one who wrote it, signs that it is not reported. Raises `SignedByAnother`, `NothingToSign`."""
    row = await _excused(session, ticket, duty_id, actor)
    row.signed_by = actor.id
    await _settle(session, row)
    await _note(session, ticket, "duty_excuse_signed", actor, {"duty": row.id, "body": row.body})
    return row


async def refuse_excuse(session: AsyncSession, ticket: Ticket, *, duty_id: int, actor: Actor, why: str) -> DutyReport:
    """The shift lead does not accept it: it has to be reported. What was written stays with its event."""
    row = await _excused(session, ticket, duty_id, actor)
    why = _checked_why(why)
    row.why_not, row.excused_by = None, None
    await _note(session, ticket, "duty_excuse_refused", actor, {"duty": row.id, "body": row.body}, why=why)
    return row


async def _excused(session: AsyncSession, ticket: Ticket, duty_id: int, actor: Actor) -> DutyReport:
    row = await _get(session, ticket, duty_id)
    if row.excused_by is None:
        raise NothingToSign
    if actor.who is not Who.LEAD or actor.id == row.excused_by:
        raise SignedByAnother
    return row


async def note_filed(session: AsyncSession, ticket: Ticket, *, duty_id: int, actor: Actor, at: datetime) -> DutyReport:
    """The police took or filed the case at `at`: three days from there they owe us word."""
    row = await _get(session, ticket, duty_id, open_only=False)
    if row.reported_at is None:
        raise Conflict("要先记下已经报了，才有受案、立案。")
    await _file(session, ticket, row, actor, _checked_time(ticket, at))
    return row


async def note_feedback(session: AsyncSession, ticket: Ticket, *, duty_id: int, actor: Actor, words: str) -> DutyReport:
    """What the police told us about the case."""
    row = await _get(session, ticket, duty_id, open_only=False)
    if row.filed_at is None:
        raise Conflict("要先记下受案、立案的时间。")
    words = _checked_why(words)
    row.feedback_at = clock.now()
    await drop_timers(session, job=FEEDBACK_JOB, subject_id=row.id)
    await _note(session, ticket, "police_feedback", actor, {"duty": row.id, "body": row.body}, why=words)
    return row


async def set_occurred(
    session: AsyncSession, ticket: Ticket, *, duty_id: int, actor: Actor, at: datetime
) -> DutyReport:
    """When the sexual harm happened, as it turned out: the 72 hours count from there."""
    row = await _get(session, ticket, duty_id, open_only=False)
    if at > clock.now() + SLACK:
        raise TimeCannotBe
    row.evidence_until, row.evidence_from = at + duty_rules.EVIDENCE_WITHIN, "told"
    await _note(session, ticket, "evidence_set", actor, {"duty": row.id})
    return row


async def _file(session: AsyncSession, ticket: Ticket, row: DutyReport, actor: Actor, at: datetime) -> None:
    row.filed_at, row.feedback_due_at = at, at + duty_rules.FEEDBACK_WITHIN
    await drop_timers(session, job=FEEDBACK_JOB, subject_id=row.id)
    await set_timer(session, job=FEEDBACK_JOB, subject_id=row.id, due_at=row.feedback_due_at)
    await _note(session, ticket, "case_filed", actor, {"duty": row.id, "body": row.body})


async def _settle(session: AsyncSession, row: DutyReport) -> None:
    row.settled_at = clock.now()
    await drop_timers(session, job=LATE_JOB, subject_id=row.id)


async def _note(
    session: AsyncSession, ticket: Ticket, what: str, actor: Actor, detail: Mapping[str, object], *, why: str | None = None
) -> None:  # fmt: skip
    ticket.version += 1
    await record_event(session, ticket, what, who=str(actor), detail=detail, why=why)


def _checked_receipt(receipt: Mapping[str, str]) -> dict[str, str]:
    kept = {name: clean(receipt.get(name, "")) for name in ("number", "person", "how")}
    if not kept["person"] or kept["how"] not in HOW or any(len(words) > LONGEST_RECEIPT for words in kept.values()):
        raise ReceiptIsIncomplete
    return kept


def _checked_time(ticket: Ticket, at: datetime) -> datetime:
    if at > clock.now() + SLACK or at < ticket.received_at - OF_ONE_MATTER:
        raise TimeCannotBe
    return min(at, clock.now())


def _checked_why(why: str) -> str:
    kept = clean(why)
    if not kept or len(kept) > LONGEST_WHY:
        raise WhyIsMissing
    return kept
