"""Danger comes before everything, and needs nothing but the database."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from sms_gateway.clock import HeldClock
from sms_gateway.conversations import service
from sms_gateway.database import transaction
from sms_gateway.escalations.models import Escalation
from sms_gateway.messages.models import Message
from sms_gateway.operators import accounts
from sms_gateway.operators.models import Operator, Role
from sms_gateway.operators.presence import set_duty
from sms_gateway.wording import say
from tests.telling import Person

KICKING = "有个叔叔一直在踹我家门 就我和弟弟在"


async def _operator(login: str = "zhiban") -> Operator:
    async with transaction() as session:
        operator = await accounts.add(
            session, login=login, name="测试员", role=Role.OPERATOR, password=None, trained=True
        )
        await set_duty(session, operator_id=operator.id, on_duty=True)
        return operator


async def _escalations() -> list[Escalation]:
    async with transaction() as session:
        return list(await session.scalars(select(Escalation).order_by(Escalation.id)))


async def test_a_frightened_child_gets_the_safe_reply_and_the_call_rings(person: Person, clock: HeldClock) -> None:
    replies = await person.texts(KICKING)
    assert replies == [say("red.violence")] or replies == [say("red.other")]
    [call] = await _escalations()
    assert (call.lane, call.state, call.services[0], call.step) == ("red", "ringing", "110", 0)
    assert call.received_at == clock.now()
    assert (await person.talk()).owner == "waiting"


async def test_more_texts_get_one_fixed_text_each_and_close_ones_are_joined(person: Person, clock: HeldClock) -> None:
    await person.texts(KICKING)
    assert await person.texts("他还在踹") == []
    clock.advance(timedelta(seconds=10))
    assert await person.texts("怎么办") == [say("human.none.red")]
    clock.advance(timedelta(seconds=10))
    assert await person.texts("快点") == [say("ask.place")]
    clock.advance(timedelta(seconds=60))
    assert await person.texts("在镇雄") == [say("wait.red")]


async def test_an_operator_takes_over_and_the_machine_is_silent(person: Person, clock: HeldClock) -> None:
    operator = await _operator()
    await person.texts(KICKING)
    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=operator)
    await person.run()
    assert person.news() == [say("human.joins", badge=operator.badge)]
    clock.advance(timedelta(seconds=10))
    assert await person.texts("我在 弟弟哭了") == []
    async with transaction() as session:
        await service.reply(session, thread_id=person.thread_id, operator=operator, body="我在，先躲到里屋。")
    await person.run()
    assert person.news() == ["我在，先躲到里屋。"]
    [call] = await _escalations()
    assert call.state == "in_contact"


async def test_a_reply_of_the_machine_is_dropped_when_a_human_takes_over_in_the_same_second(person: Person) -> None:
    operator = await _operator()
    message_id = await person.hand_in(KICKING)
    from sms_gateway.conversations import judging

    await judging.judge(message_id)  # the safe reply is queued, not sent
    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=operator)
    await person.run()
    assert person.news() == [say("human.joins", badge=operator.badge)]


async def test_a_past_disclosure_brings_a_person_without_ringing(person: Person) -> None:
    replies = await person.texts("上学期校长摸过我 现在不敢说")
    assert replies == [say("orange.abuse")]
    [call] = await _escalations()
    assert (call.lane, call.step) == ("orange", -1)
    assert (await person.talk()).owner == "waiting"


async def test_silence_is_kept_and_danger_still_rings(person: Person, clock: HeldClock) -> None:
    await person.texts(KICKING)
    clock.advance(timedelta(seconds=10))
    assert await person.texts("88") == []
    clock.advance(timedelta(seconds=10))
    assert await person.texts("他要打死我") == [say("silent.back")]
    clock.advance(timedelta(seconds=10))
    assert await person.texts("1") != []


async def test_a_dead_assistant_means_a_person_and_an_honest_text(person: Person) -> None:
    assert await person.texts("孤儿每个月能领多少钱") == [say("bot.down")]
    [call] = await _escalations()
    assert call.cause == "assistant_silent"


async def test_zero_brings_a_person_or_an_honest_text_and_a_ticket(person: Person) -> None:
    assert await person.texts("0") == [say("human.none")]
    async with transaction() as session:
        from sms_gateway.tickets.models import Ticket

        [ticket] = await session.scalars(select(Ticket))
    assert ticket.kind == "callback"


async def test_opting_out_stops_outreach_not_help(person: Person) -> None:
    assert await person.texts("退订") == [say("optout")]
    assert await person.texts(KICKING) != []


async def test_a_stop_in_danger_is_answered_like_any_text_and_told_the_operator(
    person: Person, clock: HeldClock
) -> None:
    await person.texts(KICKING)
    clock.advance(timedelta(seconds=10))
    assert await person.texts("退订") == [say("optout.red")]


async def test_the_judgement_is_kept_with_the_text_and_sealed(person: Person) -> None:
    await person.texts(KICKING)
    async with transaction() as session:
        message = (await session.scalars(select(Message).where(Message.direction == "in"))).one()
    assert message.reasons and message.vector and message.lane == "red"
    assert KICKING.encode() not in message.body_sealed


async def test_danger_in_a_talk_its_operator_holds_rings_until_they_answer(person: Person, clock: HeldClock) -> None:
    operator = await _operator()
    await person.texts("0")
    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=operator)
    await person.run()
    person.news()
    clock.advance(timedelta(seconds=10))
    async with transaction() as session:
        await set_duty(session, operator_id=operator.id, on_duty=True)
    assert await person.texts(KICKING) == []
    [call] = await _escalations()
    assert (call.lane, call.state, call.acknowledged_by) == ("red", "ringing", None)
    async with transaction() as session:
        await service.reply(session, thread_id=person.thread_id, operator=operator, body="我在，你先躲好。")
    [call] = await _escalations()
    assert (call.state, call.acknowledged_by) == ("in_contact", operator.id)


async def test_a_new_text_opens_a_closed_talk_again_and_takes_it_from_nobody(person: Person, clock: HeldClock) -> None:
    operator = await _operator()
    await person.texts("0")
    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=operator)
    await person.texts("谢谢你")
    assert (await person.talk()).owner == "operator"
    async with transaction() as session:
        await service.close(
            session, thread_id=person.thread_id, operator=operator, outcome="answered", note_text="问完了"
        )
    assert (await person.talk()).owner == "closed"
    clock.advance(timedelta(minutes=5))
    await person.texts("退订")
    assert (await person.talk()).owner == "assistant"
