"""值班手机: a text and a call to the supervisor while red waits, with nothing about the child in them.

One text and one call a phone for each time the call for help comes to that step; a call nobody picks up is made again
while it still rings. An orange one that stays unread is one text a phone, once. A drill rings nobody's pocket: its notices
are written down as `drill`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.calls import service as calls
from sms_gateway.calls.models import Call
from sms_gateway.calls.states import IN_VAIN, PICKED_UP, State
from sms_gateway.calls.words import NOTICE_TEXT, UNREAD_TEXT, Purpose
from sms_gateway.contacts.models import Channel, Contact
from sms_gateway.errors import HotlineError
from sms_gateway.jobs import defer
from sms_gateway.operators.models import Operator, Role
from sms_gateway.settings import get_settings

from . import ladder
from .models import DutyNotice, Escalation, EscalationEvent

SUPERVISOR_STEP = 3
UNREAD = 0
"""The round of a text about an orange one; the rounds of red count from 1."""
CALLS_EACH = 3
"""How often one phone is called in a round while nobody picks up."""
MAX_ATTEMPTS = 8


class NoticeWaits(HotlineError):
    """The text did not leave yet: its job tries again."""

    retryable = True
    sentence = "值班手机的短信还没有发出去。"


@dataclass(frozen=True)
class Phone:
    """Somebody to ring; `operator_id` None is the hotline's own duty phone."""

    operator_id: int | None
    on_duty: bool
    region: str | None
    """An adcode; None: the whole province."""


@dataclass(frozen=True)
class NoticeOut:
    """A text about to leave."""

    notice_id: int
    to: str
    body: str
    attempts: int


def whom_to_ring(phones: Sequence[Phone], region: str | None, *, has_duty_phone: bool) -> list[Phone]:
    """Who is on duty; else whoever answers for the place; else the hotline's own duty phone. Pure."""
    chosen = [phone for phone in phones if phone.on_duty]
    chosen = chosen or [phone for phone in phones if covers(phone.region, region)]
    return chosen or ([Phone(None, True, None)] if has_duty_phone else [])


def covers(theirs: str | None, place: str | None) -> bool:
    """Whether whoever answers for `theirs` (an adcode, None: all) answers for `place`. A place nobody knows is everybody's."""
    if theirs is None or place is None:
        return True
    short = theirs[:2] if theirs.endswith("0000") else theirs[:4] if theirs.endswith("00") else theirs
    return place.startswith(short)


async def ring_phone(session: AsyncSession, escalation: Escalation) -> int:
    """Text and call the supervisor's phone; how many notices were made (0 when this round has them already).

    The escalation's row is locked by the caller, as the ladder does.
    """
    return await _tell(session, escalation, ("text", "call"), await _round(session, escalation))


async def text_unread(session: AsyncSession, escalation: Escalation) -> int:
    """Text the supervisor's phone that an orange one is unread: once an escalation; how many notices were made."""
    return await _tell(session, escalation, ("text",), UNREAD)


async def _tell(session: AsyncSession, escalation: Escalation, kinds: Sequence[str], turn: int) -> int:
    contact = select(Contact.channel, Contact.region).where(Contact.id == escalation.contact_id)
    channel, region = (await session.execute(contact)).one()
    chosen = whom_to_ring(await _phones(session), region, has_duty_phone=get_settings().duty_phone is not None)
    if not chosen:
        await _note(session, escalation, "no_duty_phone")
    made = 0
    for phone in chosen:
        for kind in kinds:
            made += await _make(session, escalation, phone.operator_id, kind, turn, drill=channel == Channel.DRILL)
    return made


async def _phones(session: AsyncSession) -> list[Phone]:
    wanted = select(Operator).where(
        Operator.role == Role.SUPERVISOR, Operator.disabled_at.is_(None), Operator.phone_sealed.is_not(None)
    )
    return [
        Phone(row.id, row.on_duty, row.unit.partition("@")[2] if row.unit else None)
        for row in await session.scalars(wanted.order_by(Operator.id))
    ]


async def _round(session: AsyncSession, escalation: Escalation) -> int:
    """Times it came to this step: counted by the events that the ladder writes."""
    came = select(func.count()).where(
        EscalationEvent.escalation_id == escalation.id, EscalationEvent.what == "rung",
        EscalationEvent.detail["step"].as_integer() == SUPERVISOR_STEP,
    )  # fmt: skip
    return await session.scalar(came) or 0


async def _make(
    session: AsyncSession, escalation: Escalation, operator_id: int | None, kind: str, turn: int, *, drill: bool
) -> int:
    known = select(DutyNotice.id).where(
        DutyNotice.escalation_id == escalation.id, DutyNotice.operator_id.is_not_distinct_from(operator_id),
        DutyNotice.kind == kind, DutyNotice.round == turn,
    )  # fmt: skip
    if await session.scalar(known) is not None:
        return 0
    state = "drill" if drill else "queued"
    notice = DutyNotice(
        escalation_id=escalation.id, operator_id=operator_id, kind=kind, round=turn, state=state, at=clock.now()
    )
    session.add(notice)
    await session.flush()
    await _note(session, escalation, f"duty_{kind}", notice=notice.id, state=state)
    if not drill:
        await defer(session, "escalations.notify_phone", notice_id=notice.id)
    return 1


async def claim_text(session: AsyncSession, notice: DutyNotice) -> NoticeOut | None:
    """The text to send for a locked notice; None when there is no phone any more, which is then its failure."""
    to = await _number(session, notice)
    if to is None:
        notice.state, notice.error = "failed", "no_phone"
        return None
    notice.attempts += 1
    return NoticeOut(notice.id, to, UNREAD_TEXT if notice.round == UNREAD else NOTICE_TEXT, notice.attempts)


async def get_queued(session: AsyncSession, notice_id: int) -> DutyNotice | None:
    """That notice, locked, while it waits; None once it is done."""
    wanted = select(DutyNotice).where(DutyNotice.id == notice_id, DutyNotice.state == "queued")
    return await session.scalar(wanted.with_for_update())


async def mark(session: AsyncSession, notice_id: int, state: str, error: str | None) -> None:
    """What became of a notice: `queued` (again), `sent` or `failed`."""
    notice = (await session.scalars(select(DutyNotice).where(DutyNotice.id == notice_id).with_for_update())).one()
    notice.state, notice.error = state, error
    if state == "failed":
        escalation = (await session.scalars(select(Escalation).where(Escalation.id == notice.escalation_id))).one()
        await _note(session, escalation, "duty_notice_failed", notice=notice.id, error=error)


async def call(session: AsyncSession, notice: DutyNotice) -> None:
    """Let the phone of a locked notice ring."""
    to = await _number(session, notice)
    if to is None:
        await mark(session, notice.id, "failed", "no_phone")
        return
    try:
        await calls.place(session, purpose=Purpose.NOTICE, subject_id=notice.id, to=to)
    except calls.NoTelephone:
        await mark(session, notice.id, "failed", "no_telephone")
        return
    notice.attempts += 1


async def follow_call(session: AsyncSession, made: Call) -> None:
    """Something became of a call to that phone: picked up is sent; in vain is made again while red still waits."""
    notice = await get_queued(session, made.subject_id)
    if notice is None:
        return
    if State(made.state) in PICKED_UP:
        notice.state = "sent"
    elif State(made.state) in IN_VAIN:
        newest = (await calls.list_of(session, [Purpose.NOTICE], notice.id))[-1]
        if newest.id != made.id:
            return  # told twice: the next call is out already
        escalation = (await session.scalars(select(Escalation).where(Escalation.id == notice.escalation_id))).one()
        waits = escalation.closed_at is None and escalation.state == ladder.State.RINGING
        if waits and notice.attempts < CALLS_EACH:
            await call(session, notice)
        else:
            await mark(session, notice.id, "failed", made.state)


async def _number(session: AsyncSession, notice: DutyNotice) -> str | None:
    if notice.operator_id is None:
        return get_settings().duty_phone
    operator = await session.scalar(select(Operator).where(Operator.id == notice.operator_id))
    return operator.phone if operator is not None and operator.disabled_at is None else None


async def _note(session: AsyncSession, escalation: Escalation, what: str, **detail: object) -> None:
    session.add(EscalationEvent(escalation_id=escalation.id, what=what, who="system", at=clock.now(), detail=detail))
