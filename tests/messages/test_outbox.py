"""Texts out: once, in order, never over a human, and settled by rank whatever order receipts come in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from sms_gateway.carriers.carrier import CarrierBlockedText, CarrierDidNotAnswer, CarrierIsBusy
from sms_gateway.clock import HeldClock
from sms_gateway.contacts.models import Channel
from sms_gateway.conversations import talk
from sms_gateway.database import transaction
from sms_gateway.messages import inbox, outbox, tasks
from sms_gateway.messages.models import Author, Message
from tests.telling import Person


async def _thread(person: Person) -> int:
    from sms_gateway import clock

    async with transaction() as session:
        thread_id, _contact = await inbox.find_or_make_thread(session, Channel.SMS, person.number, clock.now())
    return thread_id


async def _queue(person: Person, body: str, author: Author = Author.SYSTEM) -> int:
    thread_id = await _thread(person)
    async with transaction() as session:
        queued = await outbox.queue(session, thread=await talk.get_talk(session, thread_id), author=author, body=body)
    assert queued is not None
    return queued


async def _state(message_id: int) -> str | None:
    async with transaction() as session:
        return await session.scalar(select(Message.state).where(Message.id == message_id))


async def test_a_text_leaves_once_even_when_its_job_runs_twice(person: Person) -> None:
    message_id = await _queue(person, "你好")
    await tasks.send(message_id)
    await tasks.send(message_id)
    assert person.news() == ["你好"]
    assert await _state(message_id) == "sent"


async def test_replies_to_one_text_leave_in_order_and_a_repeated_turn_adds_none(
    person: Person, clock: HeldClock
) -> None:
    asked = await person.hand_in("在吗")
    async with transaction() as session:
        thread = await talk.get_talk(session, person.thread_id)
        await outbox.queue_replies(session, thread=thread, bodies=["一", "二", "三"], reply_to=asked)
        assert await outbox.queue_replies(session, thread=thread, bodies=["四"], reply_to=asked) == []
    await person.run()
    assert person.news()[:3] == ["一", "二", "三"]


async def test_a_busy_carrier_is_tried_again_and_a_blocked_text_is_not(person: Person) -> None:
    person.carrier.fails = [CarrierIsBusy("503")]
    busy = await _queue(person, "等一下")
    with pytest.raises(CarrierIsBusy):
        await tasks.send(busy)
    assert await _state(busy) == "queued"
    await tasks.send(busy)
    assert await _state(busy) == "sent"
    person.carrier.fails = [CarrierBlockedText("30007")]
    blocked = await _queue(person, "被拦的")
    await tasks.send(blocked)
    assert await _state(blocked) == "blocked"


async def test_a_text_that_may_have_left_is_looked_up_and_sent_again_only_if_absent(
    person: Person, clock: HeldClock
) -> None:
    person.carrier.fails = [CarrierDidNotAnswer()]
    absent = await _queue(person, "没发出去")
    await tasks.send(absent)
    assert await _state(absent) == "unknown"
    gone = await _queue(person, "发出去了")
    person.carrier.fails = [CarrierDidNotAnswer()]
    await tasks.send(gone)
    person.carrier.sent.append((person.number, "【云南12345】发出去了"))
    clock.advance(timedelta(seconds=31))
    await tasks.sweep()
    await person.run()
    assert sorted(person.news()) == sorted(["没发出去", "发出去了"])
    assert (await _state(absent), await _state(gone)) == ("sent", "sent")


@pytest.mark.parametrize("order", [["sent", "delivered"], ["delivered", "sent"], ["delivered", "undelivered"]])
async def test_a_late_receipt_never_undoes_a_delivery(person: Person, order: list[str]) -> None:
    message_id = await _queue(person, "你好")
    await tasks.send(message_id)
    async with transaction() as session:
        for state in order:
            assert await outbox.apply_receipt(
                session, carrier="simulator", carrier_id=f"fake-{message_id}", state=state
            )
    assert await _state(message_id) == "delivered"


async def test_a_receipt_that_is_quicker_than_our_own_note_is_not_lost(person: Person) -> None:
    message_id = await _queue(person, "你好")
    async with transaction() as session:
        known = await outbox.apply_receipt(
            session, carrier="simulator", carrier_id=f"fake-{message_id}", state="delivered"
        )
    assert not known
    await tasks.send(message_id)
    assert await _state(message_id) == "delivered"


def test_who_may_still_speak() -> None:
    assert outbox.may_leave(Author.OPERATOR, "operator", "red")
    assert not outbox.may_leave(Author.SYSTEM, "operator", "red")
    assert not outbox.may_leave(Author.ASSISTANT, "operator", "blue")
    assert not outbox.may_leave(Author.ASSISTANT, "waiting", "red")
    assert outbox.may_leave(Author.SYSTEM, "waiting", "red")
    assert outbox.may_leave(Author.ASSISTANT, "waiting", "blue")
