"""An operator speaks in the very instant in which the machine's text is being taken for sending."""

from __future__ import annotations

import asyncio

from sms_gateway.conversations import service, talk
from sms_gateway.database import transaction
from sms_gateway.messages import outbox
from sms_gateway.messages.delivery import State
from sms_gateway.messages.models import Author, Message
from tests.console.story import add_operator
from tests.telling import Person


async def _machine_is_about_to_say(person: Person, *bodies: str) -> list[int]:
    async with transaction() as session:
        thread = await talk.get_talk(session, person.thread_id)
        queued = [await outbox.queue(session, thread=thread, author=Author.ASSISTANT, body=body) for body in bodies]
    return [one for one in queued if one is not None]


async def _state(message_id: int) -> str | None:
    async with transaction() as session:
        return (await session.get_one(Message, message_id)).state


async def test_the_machines_text_that_was_not_yet_taken_is_discarded(person: Person) -> None:
    operator = await add_operator("zhuanxi", "专席")
    await person.hand_in("你好")
    (machine,) = await _machine_is_about_to_say(person, "请问你要问什么？")
    async with transaction() as session:  # the operator's click is not committed yet when the worker comes
        await service.take_over(session, thread_id=person.thread_id, operator=operator)
        await service.reply(session, thread_id=person.thread_id, operator=operator, body="我在，你说。")
        claiming = asyncio.create_task(_claim(machine))
        await asyncio.sleep(0.2)
        assert not claiming.done(), "it waits for who speaks"
    assert await claiming is None
    assert await _state(machine) == State.CANCELLED
    await person.run()
    assert person.news()[-1] == "我在，你说。"


async def test_one_that_is_on_its_way_leaves_alone_and_nothing_follows_it(person: Person) -> None:
    operator = await add_operator("zhuanxi", "专席")
    await person.hand_in("你好")
    first, second = await _machine_is_about_to_say(person, "第一段", "第二段")
    async with transaction() as session:
        assert await outbox.claim(session, first) is not None
        speaking = asyncio.create_task(_take_and_say(person.thread_id, operator))
        await asyncio.sleep(0.2)
        assert not speaking.done()
    await speaking
    assert (await _state(first), await _state(second)) == (State.SENDING, State.CANCELLED)
    assert await _claim(second) is None


async def _claim(message_id: int) -> outbox.Outgoing | None:
    async with transaction() as session:
        return await outbox.claim(session, message_id)


async def _take_and_say(thread_id: int, operator: object) -> None:
    async with transaction() as session:
        await service.take_over(session, thread_id=thread_id, operator=operator)  # type: ignore[arg-type]
        await service.reply(session, thread_id=thread_id, operator=operator, body="我在。")  # type: ignore[arg-type]
