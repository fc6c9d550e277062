"""A text that was on its way when the talk turned red rings when no receipt comes."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from sms_gateway import timers
from sms_gateway.clock import HeldClock
from sms_gateway.conversations import talk
from sms_gateway.database import transaction
from sms_gateway.escalations.models import Escalation, EscalationEvent
from sms_gateway.messages import outbox
from sms_gateway.messages.models import Author
from tests.telling import Person

KICKING = "有个叔叔一直在踹我家门 就我和弟弟在"


async def _said(person: Person) -> int:
    async with transaction() as session:
        thread = await talk.get_talk(session, person.thread_id)
        message_id = await outbox.queue(session, thread=thread, author=Author.OPERATOR, body="我在，你慢慢说。")
    await person.run()
    assert message_id is not None
    return message_id


async def _rung_for() -> set[int]:
    async with transaction() as session:
        await session.scalars(select(Escalation))
        wanted = select(EscalationEvent.detail).where(EscalationEvent.what == "text_did_not_arrive")
        return {detail["message"] for detail in await session.scalars(wanted)}


async def test_what_was_said_in_blue_is_waited_for_once_red_comes(person: Person, clock: HeldClock) -> None:
    await person.texts("你好")
    old = await _said(person)
    clock.advance(timedelta(minutes=20))
    fresh = await _said(person)
    clock.advance(timedelta(seconds=20))
    await person.texts(KICKING)
    await timers.sweep()
    await person.run()
    assert fresh not in await _rung_for(), "it has its minute"
    clock.advance(timedelta(seconds=41))
    await timers.sweep()
    await person.run()
    rung = await _rung_for()
    assert fresh in rung
    assert old not in rung
