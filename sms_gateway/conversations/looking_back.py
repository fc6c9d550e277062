"""What a look back at a child leads to: written down, and danger again where it is not safe."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.escalations import look_backs
from sms_gateway.escalations.look_backs import Look
from sms_gateway.escalations.models import EscalationEvent
from sms_gateway.messages import inbox
from sms_gateway.messages.models import Message

from . import alarm, talk

CAUSE = "look_back"


async def write(
    session: AsyncSession, look_back_id: int, *, region: str | None, operator_id: int, result: str, words: str
) -> Look:
    """`look_backs.write`; `unsafe` opens the talk in red from now on. Nothing is sent to the child's phone."""
    look = await look_backs.write(
        session, look_back_id, region=region, operator_id=operator_id, result=result, words=words
    )
    if result == "unsafe":
        await _open_again(session, look, operator_id)
    return look


async def _open_again(session: AsyncSession, look: Look, operator_id: int) -> None:
    case = look.escalation
    message = await session.get(Message, case.message_id) if case.message_id is not None else None
    if message is None:
        message = await inbox.find_newest(session, case.thread_id)
    assert message is not None  # a call is opened by a text
    thread = await talk.get_talk(session, case.thread_id, for_update=True)
    opened = await alarm.raise_to_red(
        session, thread, message, reason="回看：孩子不安全", harm=case.harm, cause=CAUSE, since=clock.now()
    )
    detail = {"look_back": look.row.id, "case": case.id}
    who = f"operator:{operator_id}"
    session.add(
        EscalationEvent(escalation_id=opened.id, what="look_back_unsafe", who=who, at=clock.now(), detail=detail)
    )
