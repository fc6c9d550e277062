"""A break after a severe case, stepping out after three, and "I need help now" (PRACTICE section 8)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.database import notify
from sms_gateway.errors import Conflict, HotlineError, NotFound
from sms_gateway.settings import get_settings

from .models import Operator, Role
from .presence import note as audit

STEP_OUT_AFTER = 3
"""Severe cases in a row (PRACTICE section 8: 连续三件重案换下)."""


class ColleagueNotFound(NotFound):
    sentence = "没有这位同事。"


class OnlyALead(HotlineError):
    status_code = 403
    sentence = "这一步只有值班长能做。"


class NotAskedForHelp(Conflict):
    sentence = "这位同事现在没有在叫人，或者已经有人去了。"


async def after_severe(session: AsyncSession, operator_id: int, *, counts: bool = True) -> bool:
    """A severe case has ended for them: nothing is offered to them for `break_minutes`. Whether they should step out now.

    `counts` is False for a case that was counted already: passed on, and closed when it came back.
    """
    one = await _lock(session, operator_id)
    one.break_until = clock.now() + timedelta(minutes=get_settings().break_minutes)
    one.severe_in_a_row += counts
    await audit(session, operator_id=operator_id, what="break_begins", subject=f"operator:{operator_id}")
    await _tell(session)
    return one.severe_in_a_row >= STEP_OUT_AFTER


async def end_break(session: AsyncSession, operator_id: int) -> None:
    """They say they are ready again before the time; the audit knows."""
    one = await _lock(session, operator_id)
    if one.break_until is not None and one.break_until > clock.now():
        one.break_until = None
        await audit(session, operator_id=operator_id, what="break_ended_early", subject=f"operator:{operator_id}")
        await _tell(session)


async def relieve(session: AsyncSession, *, operator_id: int, lead: Operator) -> None:
    """换下: a supervisor takes them off duty; they begin anew when they come back. What they hold stays theirs until passed on."""
    _check_lead(lead)
    one = await _lock(session, operator_id)
    one.on_duty, one.duty_since, one.severe_in_a_row = False, None, 0
    await audit(session, operator_id=lead.id, what="relieve", subject=f"operator:{operator_id}")
    await _tell(session)


async def ask_help(session: AsyncSession, operator_id: int) -> None:
    """“我现在需要帮忙”: rings on every supervisor's page until one comes. Pressed again it stays the first time."""
    one = await _lock(session, operator_id)
    if one.needs_help_at is None:
        one.needs_help_at = clock.now()
        await audit(session, operator_id=operator_id, what="ask_help", subject=f"operator:{operator_id}")
    await _tell(session)


async def come(session: AsyncSession, *, operator_id: int, lead: Operator) -> None:
    """“我来了”: a supervisor goes to them; the ringing stops. Raises `NotAskedForHelp` when another was quicker."""
    _check_lead(lead)
    one = await _lock(session, operator_id)
    if one.needs_help_at is None:
        raise NotAskedForHelp
    one.needs_help_at = None
    await audit(session, operator_id=lead.id, what="come_to_help", subject=f"operator:{operator_id}")
    await _tell(session)


async def list_in_need(session: AsyncSession) -> Sequence[Operator]:
    """Who asks for help now, the longest first."""
    wanted = select(Operator).where(Operator.needs_help_at.is_not(None), Operator.disabled_at.is_(None))
    return (await session.scalars(wanted.order_by(Operator.needs_help_at))).all()


async def list_to_relieve(session: AsyncSession) -> Sequence[Operator]:
    """Who is on duty after three severe cases in a row."""
    wanted = select(Operator).where(Operator.severe_in_a_row >= STEP_OUT_AFTER, Operator.on_duty)
    return (await session.scalars(wanted.where(Operator.disabled_at.is_(None)).order_by(Operator.badge))).all()


def _check_lead(lead: Operator) -> None:
    if lead.role != Role.SUPERVISOR:
        raise OnlyALead


async def _lock(session: AsyncSession, operator_id: int) -> Operator:
    one = await session.get(Operator, operator_id, with_for_update={"key_share": True}, populate_existing=True)
    if one is None:
        raise ColleagueNotFound
    return one


async def _tell(session: AsyncSession) -> None:
    await notify(session, "hotline_escalation", "0")  # the pages' alarms are looked at again
