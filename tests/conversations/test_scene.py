"""What was said of an older matter: no desk is sent to it, no phone rings because of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from sms_gateway import timers
from sms_gateway.bridge.calling_rules import may_call_person
from sms_gateway.bridge.incident import Incident
from sms_gateway.bridge.models import BridgeCall
from sms_gateway.clock import HeldClock
from sms_gateway.conversations import bridging, calling, records, service, talk
from sms_gateway.database import transaction
from sms_gateway.escalations.ladder import State
from sms_gateway.escalations.models import Escalation
from sms_gateway.messages.models import Message
from sms_gateway.operators.models import Operator
from sms_gateway.tickets import service as tickets
from tests.console.story import add_operator
from tests.telling import Person

KICKING = "有个叔叔一直在踹我家门 就我和弟弟在"
FIRE = "着火了 好大的烟 快来人"


async def _open(person: Person) -> Escalation:
    async with transaction() as session:
        wanted = select(Escalation).where(Escalation.thread_id == person.thread_id, Escalation.closed_at.is_(None))
        return (await session.scalars(wanted)).one()


async def _told(person: Person, number: str = "110", *, approach: str = "") -> Incident:
    """What the desk would be told now."""
    async with transaction() as session:
        thread = await talk.get_talk(session, person.thread_id)
        return await bridging.preview(session, thread, await _open(person), number, approach=approach)


async def _climb(person: Person, clock: HeldClock, seconds: float = 240) -> list[BridgeCall]:
    """Nobody answers; the bridge calls there are then."""
    for _ in range(int(seconds // 30)):
        clock.advance(timedelta(seconds=31))
        await timers.sweep()
        await person.run()
    async with transaction() as session:
        return list(await session.scalars(select(BridgeCall)))


async def _end(person: Person, operator: Operator) -> None:
    talk_id = person.thread_id
    async with transaction() as session:
        await service.mark(session, thread_id=talk_id, operator=operator, to=State.IN_CONTACT)
        await records.note_child_seen(
            session, thread_id=talk_id, operator=operator, by="王警官", at="20:14", where="家里", tonight="外婆"
        )
        await service.close(session, thread_id=talk_id, operator=operator, outcome="safe", note_text="好了")


async def _answers(person: Person, contact: str) -> None:
    """They chose in a form how to be reached."""
    async with transaction() as session:
        text = (await session.scalars(select(Message).where(Message.thread_id == person.thread_id).limit(1))).one()
        await tickets.open_ticket(
            session, thread_id=text.thread_id, contact_id=text.contact_id, asked_in=text.id, kind="help",
            answers={"what": "求助", "contact": contact},
        )  # fmt: skip


async def test_what_was_told_of_an_older_matter_sends_no_desk_anywhere(person: Person, clock: HeldClock) -> None:
    await person.texts("我家在镇雄县泼机镇老街12号 爸爸喝了酒 家里有狗 想问低保怎么办")
    clock.advance(timedelta(days=120))
    await person.texts(FIRE)
    told = await _told(person, "119")
    assert "老街" not in told.place and not told.below_county and told.certainty != "said"
    assert "狗" not in told.approach and "酒" not in told.weapon.replace("没说有没有刀、酒", "")
    assert not await _climb(person, clock)


async def test_what_was_told_an_hour_before_belongs_to_it(person: Person, clock: HeldClock) -> None:
    await person.texts("我家在镇雄县泼机镇老街12号 家里有狗 想问低保怎么办")
    clock.advance(timedelta(hours=1))
    await person.texts(FIRE)
    told = await _told(person, "119")
    assert "老街" in told.place and told.below_county and "家里有狗" in told.approach
    assert {call.service for call in await _climb(person, clock)} == {"119"}


async def test_a_danger_that_goes_on_for_days_keeps_what_was_said_when_it_began(
    person: Person, clock: HeldClock
) -> None:
    assert await person.texts("有个叔叔一直在踹我家门 我在镇雄县泼机镇老街12号")
    clock.advance(timedelta(days=2))
    await person.texts("他又在踹门了")
    assert "老街" in (await _told(person)).place


async def test_a_county_an_operator_wrote_down_in_an_older_matter_is_a_guess(person: Person, clock: HeldClock) -> None:
    operator = await add_operator("jia", "甲")
    await person.texts(KICKING)
    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=operator)
        await records.set_place(session, thread_id=person.thread_id, operator=operator, words="昭通市镇雄县")
    assert (await _told(person)).certainty == "operator"
    await _end(person, operator)
    clock.advance(timedelta(days=100))
    await person.texts("有个叔叔在拿刀追我 快来")
    told = await _told(person)
    assert (told.region, told.certainty) == ("530627", "guessed")
    await person.texts("我在大理市下关镇")
    told = await _told(person)
    assert (told.region, told.certainty) == ("532901", "said"), "the child's word of today is better than last year's"


@pytest.mark.parametrize(("before", "rings"), [(timedelta(days=200), False), (timedelta(hours=1), True)])
async def test_a_form_lets_the_phone_ring_only_in_the_matter_it_was_answered_in(
    person: Person, clock: HeldClock, before: timedelta, rings: bool
) -> None:
    await person.texts("我想问低保")
    await _answers(person, "打电话")
    clock.advance(before)
    await person.texts(KICKING)
    async with transaction() as session:
        known = await calling.known_about(session, await _open(person))
    assert may_call_person(known) is rings


async def test_a_no_of_an_older_matter_keeps_the_phone_silent(person: Person, clock: HeldClock) -> None:
    await person.texts("我想问低保")
    await _answers(person, "先别找我")
    clock.advance(timedelta(days=200))
    await person.texts(KICKING)
    await _answers(person, "打电话")
    async with transaction() as session:
        assert not may_call_person(await calling.known_about(session, await _open(person)))


async def test_an_approach_note_that_comes_back_from_the_sheet_says_everything_once(person: Person) -> None:
    await person.texts(KICKING)
    first = await _told(person)
    assert await _told(person, approach=first.approach) == first
    long = await _told(person, approach="别敲前门，从后面的菜地过来。" * 40)
    assert len(long.approach) <= bridging.LONGEST_APPROACH
    assert all(long.approach.count(part) == 1 for part in bridging.ALWAYS_SAID)
