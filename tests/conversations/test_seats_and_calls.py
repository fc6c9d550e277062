"""Trained seats take danger; who drops off gives it back; texts without a receipt ring; the desk is asked; supervisors sign."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import timers
from sms_gateway.bridge.models import BridgeCall
from sms_gateway.clock import HeldClock
from sms_gateway.conversations import alarm, bridging, giving_back, records, service, talk
from sms_gateway.conversations.ownership import Owner, TalkHasAnotherOwner
from sms_gateway.database import transaction
from sms_gateway.escalations import drills, unrung
from sms_gateway.escalations.ladder import State
from sms_gateway.escalations.models import LookBack
from sms_gateway.messages import inbox
from sms_gateway.messages.models import Message
from sms_gateway.operators import presence
from sms_gateway.operators.models import Operator, Role
from sms_gateway.settings import get_settings
from tests.console.story import add_operator
from tests.telling import Person

from .hands import call_of, events_of, take

KICKING = "有个叔叔一直在踹我家门 就我和弟弟在"


async def _seen(session: AsyncSession, person: Person, operator: Operator) -> None:
    await records.note_child_seen(
        session, thread_id=person.thread_id, operator=operator, by="王警官", at="20:14", where="家里", tonight="外婆"
    )


async def test_only_a_trained_seat_takes_red_and_it_may_take_it_from_one_who_is_none(person: Person) -> None:
    plain, trained = await add_operator("xin", "新人", trained=False), await add_operator("lao", "专席")
    await person.texts("你好")
    await take(person, plain)  # no danger: anybody's
    await person.texts(KICKING)
    with pytest.raises(service.SeatIsNotTrained):
        await take(person, plain)
    assert (await call_of(person)).state == State.RINGING, "it goes on calling for a trained seat"
    await take(person, trained)
    assert (await person.talk()).operator_id == trained.id
    with pytest.raises(service.SeatIsNotTrained):
        await take(person, plain)
    with pytest.raises(TalkHasAnotherOwner):
        await take(person, await add_operator("lao2", "专席二"))


async def test_who_drops_off_gives_danger_back_within_twenty_seconds_and_nobody_is_greeted_twice(
    person: Person, clock: HeldClock
) -> None:
    first, second = await add_operator("jia", "甲"), await add_operator("yi", "乙")
    await person.texts(KICKING)
    await take(person, first)
    await person.run()
    assert [text for text in person.news() if "真人" in text]
    clock.advance(timedelta(seconds=14))
    assert await giving_back.sweep() == 0
    clock.advance(timedelta(seconds=5))
    async with transaction() as session:
        await presence.beat(session, operator_id=second.id)
    assert await giving_back.sweep() == 1
    assert await giving_back.sweep() == 0
    thread, call = await person.talk(), await call_of(person)
    assert (thread.owner, call.state, call.step) == (Owner.WAITING, State.RINGING, 0), "the ladder begins anew"
    assert "given_back" in await events_of(call)
    await take(person, second)
    await person.run()
    assert not person.news(), "a second person joins without a word of ours"


async def test_a_red_text_without_a_receipt_rings_once(person: Person, clock: HeldClock) -> None:
    await person.texts(KICKING)
    clock.advance(timedelta(seconds=61))
    for _ in range(2):
        await timers.sweep()
        await person.run()
        clock.advance(timedelta(seconds=61))
    assert (await events_of(await call_of(person))).count("text_did_not_arrive") == 1


async def test_until_somebody_saw_the_child_the_desk_is_asked_and_then_looked_back_at(
    person: Person, clock: HeldClock
) -> None:
    operator = await add_operator("jia", "甲")
    await person.texts(KICKING)
    await take(person, operator)
    async with transaction() as session:
        await records.note_handed_over(
            session, thread_id=person.thread_id, operator=operator, unit="110", reference="接警员 0231"
        )
    for _ in range(2):
        clock.advance(timedelta(minutes=30, seconds=1))
        await timers.sweep()
        await person.run()
    assert (await events_of(await call_of(person))).count("ask_desk") == 2
    async with transaction() as session:
        await _seen(session, person, operator)
    clock.advance(timedelta(minutes=31))
    await timers.sweep()
    await person.run()
    assert (await events_of(await call_of(person))).count("ask_desk") == 2
    async with transaction() as session:
        assert await session.scalar(select(func.count()).select_from(LookBack)) == 4


async def test_where_a_desk_was_asked_another_supervisor_signs_the_end(person: Person) -> None:
    operator, lead = await add_operator("jia", "甲"), await add_operator("ban", "班长", Role.SUPERVISOR)
    await person.texts(KICKING)
    await take(person, operator)
    async with transaction() as session:
        await bridging.press(session, thread_id=person.thread_id, operator=operator, service="110")
        await service.mark(session, thread_id=person.thread_id, operator=operator, to=State.IN_CONTACT)
        await _seen(session, person, operator)
    for signer in (None, operator):
        with pytest.raises(service.SupervisorMustSign):
            async with transaction() as session:
                await service.close(
                    session,
                    thread_id=person.thread_id,
                    operator=operator,
                    outcome="safe",
                    note_text="好了",
                    signed_by=signer,
                )
    async with transaction() as session:
        await service.close(
            session, thread_id=person.thread_id, operator=operator, outcome="safe", note_text="好了", signed_by=lead
        )
    assert (await call_of(person)).signed_off_by == lead.id


async def test_nobody_answers_the_ladder_rings_on_and_the_bridge_is_only_suggested_without_a_place(
    person: Person, clock: HeldClock
) -> None:
    await add_operator("jia", "甲")
    await person.texts(KICKING)
    for _ in range(8):
        clock.advance(timedelta(seconds=31))
        await timers.sweep()
        await person.run()
    events = await events_of(await call_of(person))
    assert events.count("bridge_suggested") == 1
    assert events.count("rung") >= 6, "after the last step it goes on ringing"
    async with transaction() as session:
        assert await session.scalar(select(func.count()).select_from(BridgeCall)) == 0
    assert (await call_of(person)).closed_at is None


async def test_a_fire_with_a_place_goes_to_the_desk_when_nobody_answers(person: Person, clock: HeldClock) -> None:
    await person.texts("着火了 好大的烟 我在镇雄县泼机镇街上小学宿舍二楼")
    for _ in range(8):
        clock.advance(timedelta(seconds=31))
        await timers.sweep()
        await person.run()
    async with transaction() as session:
        call, *later = (await session.scalars(select(BridgeCall).order_by(BridgeCall.id))).all()
        assert (call.service, call.desk, call.driver, call.requested_by) == ("119", "119@530600", "simulator", None)
        assert [one.desk for one in later] == ["119@530000"], (
            "no gateway, no make-believe desk: silence goes to the province"
        )
        assert call.incident["below_county"] and "不要回拨" in call.incident["approach"]
        message = (await session.scalars(select(Message).order_by(Message.id).limit(1))).one()
        thread = await talk.get_talk(session, message.thread_id)
    assert thread.owner == Owner.WAITING, "the desk has the matter, the child still waits for a person"
    assert get_settings().bridge_live is False


async def test_a_call_whose_timer_was_lost_rings_again(person: Person, clock: HeldClock) -> None:
    await person.texts(KICKING)
    call = await call_of(person)
    async with transaction() as session:
        await timers.drop_timers(session, job="escalations.step", subject_id=call.id)
    assert await unrung.sweep() == 0, "it rang just now"
    clock.advance(timedelta(minutes=4))
    assert await unrung.sweep() == 1
    await timers.sweep()
    await person.run()
    assert (await call_of(person)).step == 4


async def test_a_graver_text_after_a_talk_was_given_back_counts_from_itself(person: Person, clock: HeldClock) -> None:
    operator = await add_operator("jia", "甲")
    await person.texts("班上有个娃娃身上老是有伤 问他就说摔的 我是他班主任")
    await take(person, operator)
    clock.advance(timedelta(seconds=30))
    assert await giving_back.sweep() == 1
    clock.advance(timedelta(minutes=10))
    await person.texts("他爸现在就在学校门口拿刀追他")
    call = await call_of(person)
    assert (call.lane, call.step) == ("red", 0), "not the whole ladder at once"


async def test_who_has_not_written_is_not_greeted(person: Person, clock: HeldClock) -> None:
    operator = await add_operator("jia", "甲")
    await person.texts("老师昨天又骂我了")
    clock.advance(timedelta(hours=20))
    async with transaction() as session:
        thread = await talk.get_talk(session, person.thread_id, for_update=True)
        message = await inbox.find_newest(session, person.thread_id)
        assert message is not None
        await alarm.raise_to_red(
            session, thread, message, reason="回看：孩子不安全", cause="look_back", since=clock.now()
        )
        await presence.beat(session, operator_id=operator.id)
    await person.run()
    person.news()
    await take(person, operator)
    await person.run()
    assert not person.news()


async def test_the_end_of_a_drill_takes_no_timer_of_a_real_text(person: Person, clock: HeldClock) -> None:
    await person.texts(KICKING)
    call = await call_of(person)
    async with transaction() as session:  # a text may have the very number of the call
        due_at = clock.now() + timedelta(hours=1)
        await timers.set_timer(session, job="escalations.no_receipt", subject_id=call.id, due_at=due_at)
    async with transaction() as session:
        assert await drills.end(session, person.thread_id)
    async with transaction() as session:
        kept = select(timers.Timer.due_at).where(
            timers.Timer.job == "escalations.no_receipt", timers.Timer.done_at.is_(None)
        )
        assert due_at in set(await session.scalars(kept))
