"""One operator's shift: no leaving with danger in hand, a break after a severe case, and a supervisor who listens in is seen to."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from sms_gateway.clock import HeldClock
from sms_gateway.console import words
from sms_gateway.contacts.models import Channel
from sms_gateway.conversations import records, resting, service, transferring
from sms_gateway.database import transaction
from sms_gateway.escalations.ladder import State
from sms_gateway.messages.models import Thread, ThreadEvent
from sms_gateway.operators import presence
from sms_gateway.operators.models import AuditRow, Operator, Role
from tests.telling import Person

from .conftest import Desk, SignIn
from .story import add_operator

DANGER = "我爸在打我 他拿着刀"


async def _events(person: Person, what: str) -> list[ThreadEvent]:
    async with transaction() as session:
        wanted = select(ThreadEvent).where(ThreadEvent.thread_id == person.thread_id, ThreadEvent.what == what)
        return list(await session.scalars(wanted))


async def _on(*desks: Desk) -> None:
    async with transaction() as session:
        for desk in desks:
            await presence.set_duty(session, operator_id=desk.operator.id, on_duty=True)


async def _row(operator: Operator) -> Operator:
    async with transaction() as session:
        return await session.get_one(Operator, operator.id)


@pytest.mark.parametrize("text", [DANGER, "上学期校长摸过我 现在不敢说"])
async def test_nobody_goes_off_duty_or_signs_out_with_danger_in_hand(
    sign_in: SignIn, person: Person, text: str
) -> None:
    li = await sign_in("li", "李春燕")
    await _on(li)
    await person.texts(text)
    at = f"/talks/{person.thread_id}"
    assert (await li.do(f"{at}/take")).status_code == 200
    for path, form in (("/live/duty", {"on": "0"}), ("/sign-out", {})):
        answer = await li.do(path, **form)
        assert (answer.status_code, "再下班" in answer.text) == (409, True), path
    assert (await _row(li.operator)).on_duty
    assert (await li.do(f"{at}/back-to-queue")).status_code == 200
    assert (await li.do("/live/duty", on="0")).status_code == 204
    assert (await li.do("/sign-out")).status_code == 303


async def test_listening_in_is_written_down_once_a_sitting_where_all_see_it(
    sign_in: SignIn, person: Person, clock: HeldClock
) -> None:
    lead, li = await sign_in("lead", "杨丽萍", Role.SUPERVISOR), await sign_in("li", "李春燕")
    await _on(lead, li)
    await person.texts(DANGER)
    at = f"/talks/{person.thread_id}"
    await lead.see(at)
    assert await _events(person, "listen_in") == [], "nobody has it yet: there is nobody to listen to"
    await li.do(f"{at}/take")
    assert (await lead.do(f"{at}/listen")).status_code == 204
    for _ in range(3):
        await lead.see(at)
    await lead.see(f"{at}/live")
    await li.see(at)
    (event,) = await _events(person, "listen_in")
    assert (event.who, event.detail) == (f"operator:{lead.operator.id}", {"colleague": li.operator.id})
    async with transaction() as session:
        (row,) = await session.scalars(select(AuditRow).where(AuditRow.what == "listen_in"))
        assert (row.operator_id, row.subject) == (lead.operator.id, f"thread:{person.thread_id}")
    assert "旁听" in (await li.see(at)).text, "who is listened to reads it in the talk's history"
    clock.advance(timedelta(minutes=31))
    await lead.see(at)
    assert len(await _events(person, "listen_in")) == 2


async def test_a_red_that_a_desk_took_and_that_is_passed_on_is_a_severe_case_and_counts_once(person: Person) -> None:
    li, he = await add_operator("li", "李春燕"), await add_operator("he", "和志强")
    await person.texts(DANGER)
    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=li)
        await transferring.offer(session, thread_id=person.thread_id, operator=li, to_operator_id=he.id, mode="cold")
    assert (await _row(li)).break_until is None, "nothing was done with it yet"
    async with transaction() as session:
        await records.note_handed_over(
            session, thread_id=person.thread_id, operator=he, unit="110", reference="接警员 0231"
        )
        await transferring.offer(session, thread_id=person.thread_id, operator=he, to_operator_id=li.id, mode="cold")
    rested = await _row(he)
    assert (rested.break_until is not None, rested.severe_in_a_row) == (True, 1)
    assert [event.who for event in await _events(person, "break_begins")] == [f"operator:{he.id}"]
    async with transaction() as session:
        await transferring.back_to_queue(session, thread_id=person.thread_id, operator=li)
        await service.take_over(session, thread_id=person.thread_id, operator=he)
        await transferring.back_to_queue(session, thread_id=person.thread_id, operator=he)
    assert (await _row(he)).severe_in_a_row == 1, "the same case again is no second one"


async def test_a_drill_is_no_severe_case(person: Person) -> None:
    li = await add_operator("li", "李春燕")
    await person.texts(DANGER)
    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=li)
        await service.mark(session, thread_id=person.thread_id, operator=li, to=State.IN_CONTACT)
        seen = {"by": "王警官", "at": "20:14", "where": "家门口", "tonight": "外婆"}
        await records.note_child_seen(session, thread_id=person.thread_id, operator=li, **seen)
        await session.execute(update(Thread).values(channel=Channel.DRILL))
    async with transaction() as session:
        await service.close(session, thread_id=person.thread_id, operator=li, outcome="safe", note_text="好了")
    after = await _row(li)
    assert (after.severe_in_a_row, after.break_until) == (0, None)


@pytest.mark.parametrize(
    ("lane", "state", "channel", "severe"),
    [
        ("red", "resolved", "sms", True), ("red", "handed_over", "sms", True), ("red", "lost_contact", "web", True),
        ("red", "in_contact", "sms", False), ("red", "false_alarm", "sms", False), ("orange", "resolved", "sms", False),
        ("red", "resolved", "drill", False),
    ],
)  # fmt: skip
def test_what_is_severe(lane: str, state: str, channel: str, severe: bool) -> None:
    assert resting.is_severe(lane=lane, state=state, channel=channel) is severe


def test_a_call_is_named_alike_on_every_page_and_a_chance_is_said_in_words() -> None:
    assert words.call_state("ringing", "red") == "响铃中"
    assert words.call_state("ringing", "orange") == words.call_state("ringing", "blue") == "等人看"
    assert words.call_state("child_seen", "orange") == "已见到孩子"
    said = [words.chance(score) for score in (0.0, 0.0004, 0.0312, 0.27, 0.81)]
    assert said == ["很低 不到 0.1%", "很低 不到 0.1%", "低 3.1%", "中 27.0%", "高 81.0%"]
