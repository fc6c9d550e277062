"""The hotline's own duty to report: whom by rule, by when, and what happens when it is late, moved, merged or done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from sms_gateway import regions, timers
from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from sms_gateway.departments.categories import load
from sms_gateway.departments.units import get_unit
from sms_gateway.messages.models import Message
from sms_gateway.operators import accounts
from sms_gateway.operators.models import Role
from sms_gateway.tickets import (
    accused,
    actors,
    children,
    concluding,
    duty,
    duty_arising,
    duty_late,
    duty_rules,
    moves,
    reporter_rules,
    service,
)
from sms_gateway.tickets.accused import AccusedFacts
from sms_gateway.tickets.duty_rules import whom_to_tell
from sms_gateway.tickets.follow_up_rules import Facts, Reason
from sms_gateway.tickets.models import DutyReport, TicketEvent
from sms_gateway.triage.judgement import Harm
from sms_gateway.wording import say
from tests.telling import Person

ZHENXIONG = "530627"
DESK, LEAD = actors.operator(1), actors.operator(2, lead=True)
MORNING = datetime(2026, 11, 30, 2, 0, tzinfo=UTC)


@pytest.fixture
def clock(clock: HeldClock) -> HeldClock:
    clock.advance(MORNING - clock.now())
    return clock


@pytest.fixture
async def person(person: Person) -> Person:
    """Somebody who texts; at the desk are an operator (1) and a lead (2)."""
    async with transaction() as session:
        for login, role in (("zhiban", Role.OPERATOR), ("banzhang", Role.SUPERVISOR)):
            await accounts.add(session, login=login, name="测试员", role=role, password=None, trained=True)
    return person


def codes(*args: str | None, **more: object) -> list[str]:
    return [unit.code for unit in whom_to_tell(*args, **more)]  # type: ignore[arg-type]


def test_police_always_civil_affairs_and_schools_by_rule() -> None:
    assert codes("violence_in_progress", None, ZHENXIONG) == ["police@530627"]
    assert codes("abandoned_alone", None, ZHENXIONG) == ["police@530627", "civil@530627"]
    assert codes("violence_in_progress", "D04", ZHENXIONG) == ["police@530627", "civil@530627"]
    assert codes("sexual_abuse", None, ZHENXIONG, at_school=True) == ["police@530627", "edu@530627"]
    assert codes(None, "D11", ZHENXIONG) == ["police@530627", "edu@530627"]
    assert codes(None, None, "530600") == ["police@530600"] and codes(None, None, "530000") == ["police@530000"]


def test_the_childs_age_decides_about_school_and_work() -> None:
    assert codes(None, "D12", ZHENXIONG, age=12) == ["edu@530627"]
    assert codes(None, "D12", ZHENXIONG, age=17) == ["police@530627"]
    assert codes(None, "D26", ZHENXIONG, age=14) == ["police@530627", "hrss@530627"]
    assert codes(None, "D26", ZHENXIONG, age=16) == ["hrss@530627"]


def test_a_body_complained_of_is_not_told_the_one_above_it_is() -> None:
    assert codes("violence_in_progress", None, ZHENXIONG, avoid=["police@530627"]) == ["police@530600"]
    assert codes("violence_in_progress", None, ZHENXIONG, avoid=["police@530627", "police@530600"]) == ["police@530000"]
    everything = [f"police@{place}" for place in (ZHENXIONG, "530600", "530000")]
    assert codes("abandoned_alone", None, ZHENXIONG, avoid=everything) == ["civil@530627"]


@given(
    st.sampled_from([None, *Harm]), st.sampled_from([None, *load().categories]),
    st.sampled_from([region.adcode for region in regions.list_regions()]), st.none() | st.integers(0, 17), st.booleans(),
)  # fmt: skip
def test_somebody_is_always_told_each_once_and_all_of_them_exist(harm: str | None, category: str | None, place: str, age: int | None, at_school: bool) -> None:  # fmt: skip
    told = codes(harm, category, place, age=age, at_school=at_school)
    assert told and len(set(told)) == len(told) and all(get_unit(code) for code in told)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"writer": "bystander"}, None), ({"writer": "professional", "sealed": True}, None), ({"writer": "parent"}, None),
        ({"writer": "parent", "sealed": True}, Reason.SEALED), ({"writer": "child"}, Reason.CHILD_PHONE), ({}, Reason.CHILD_PHONE),
        ({"writer": "bystander", "silent": True}, Reason.SILENT), ({"writer": "bystander", "wish": "先别找我"}, Reason.LEFT_ALONE),
        ({"writer": "bystander", "again": "不能"}, Reason.LEFT_ALONE), ({"writer": "bystander", "anonymous": True}, Reason.ANONYMOUS),
        ({"writer": "bystander", "talk_lane": "red"}, Reason.DANGER_OPEN), ({"writer": "bystander", "channel": "web"}, Reason.NO_ADDRESS),
    ],
)  # fmt: skip
def test_the_reporter_is_told_only_where_nothing_speaks_against_it(
    changed: dict[str, object], reason: Reason | None
) -> None:
    assert reporter_rules.why_not(Facts(**{"lane": "orange", **changed}), other_danger=False) is reason  # type: ignore[arg-type]
    assert reporter_rules.why_not(Facts(lane="orange", writer="bystander"), other_danger=True) is Reason.DANGER_OPEN


async def opened(
    person: Person, words: str = "有个男的老是打一个娃", *, lane: str = "orange", harm: str = "violence_in_progress", sexual: bool = False,
    writer: str = "bystander", county: str | None = ZHENXIONG,
) -> int:  # fmt: skip
    message_id = await person.hand_in("x")
    async with transaction() as session:
        message = (await session.scalars(select(Message).where(Message.id == message_id))).one()
        message.lane, message.harm, message.sexual, message.writer = lane, harm, sexual, writer
        message.judged_at, message.answered_by = message.at, "turn"
        ticket = await service.open_ticket(
            session, thread_id=person.thread_id, contact_id=message.contact_id, asked_in=message_id, kind="report", county=county,
            answers={"what": words}, lane=lane,
        )  # fmt: skip
        return ticket.id


async def rows_of(ticket_id: int) -> list[DutyReport]:
    async with transaction() as session:
        return await duty.list_duties(session, ticket_id)


async def events_of(ticket_id: int) -> list[TicketEvent]:
    async with transaction() as session:
        return list(await service.list_events(session, ticket_id))


async def pass_time(clock: HeldClock, person: Person, **by: float) -> None:
    clock.advance(timedelta(**by))
    await timers.sweep()
    await person.run()


async def report(ticket_id: int, *, filed: bool = False) -> None:
    async with transaction() as session:
        ticket = await moves.lock(session, ticket_id)
        for row in await duty.list_unsettled(session, ticket_id):
            receipt = {"person": "王警官", "number": "JQ1", "how": "phone"}
            await duty.report(
                session, ticket, duty_id=row.id, actor=DESK, at=ticket.received_at, receipt=receipt, filed=filed
            )


async def test_orange_is_due_in_two_hours_from_the_text_and_red_in_three_minutes(
    person: Person, clock: HeldClock
) -> None:
    ticket_id = await opened(person)
    [row] = await rows_of(ticket_id)
    assert (row.body, row.due_at - row.arose_at, row.arose_at) == ("police@530627", timedelta(hours=2), clock.now())
    clock.advance(timedelta(minutes=20))
    async with transaction() as session:
        await service.raise_lane(session, thread_id=person.thread_id, lane="red")
    [row] = await rows_of(ticket_id)
    assert row.due_at == clock.now() + timedelta(minutes=3)


@pytest.mark.parametrize(("lane", "harm"), [("blue", "none"), ("red", "fire"), ("red", "drowning")])
async def test_no_report_where_nobody_does_harm(person: Person, clock: HeldClock, lane: str, harm: str) -> None:
    assert await rows_of(await opened(person, lane=lane, harm=harm)) == []


async def test_a_late_report_is_put_before_the_lead_step_by_step_and_once_after_an_outage(
    person: Person, clock: HeldClock
) -> None:
    ticket_id = await opened(person)
    await pass_time(clock, person, hours=1, minutes=59)
    assert (await rows_of(ticket_id))[0].overdue_steps == 0
    await pass_time(clock, person, minutes=1)
    await pass_time(clock, person, minutes=30)
    assert [event.detail["step"] for event in await events_of(ticket_id) if event.what == "duty_overdue"] == [1, 2]
    await pass_time(clock, person, hours=12)  # nothing ran meanwhile
    assert [event.detail["step"] for event in await events_of(ticket_id) if event.what == "duty_overdue"] == [1, 2, 4]
    async with transaction() as session:
        assert not await duty_late.put_before_lead(session, (await rows_of(ticket_id))[0].id)


async def test_what_was_reported_in_time_is_never_late(person: Person, clock: HeldClock) -> None:
    ticket_id = await opened(person)
    await report(ticket_id)
    await pass_time(clock, person, hours=5)
    assert [event.what for event in await events_of(ticket_id)][-1] == "duty_reported"


async def test_three_days_after_the_case_was_filed_the_police_are_urged_until_they_answer(
    person: Person, clock: HeldClock
) -> None:
    ticket_id = await opened(person)
    await report(ticket_id, filed=True)
    await pass_time(clock, person, days=2, hours=23)
    assert "police_urged" not in [event.what for event in await events_of(ticket_id)]
    await pass_time(clock, person, hours=1)
    await pass_time(clock, person, days=3)
    assert [event.what for event in await events_of(ticket_id)].count("police_urged") == 2
    async with transaction() as session:
        ticket = await moves.lock(session, ticket_id)
        assert duty_late.banner(ticket, await duty.list_duties(session, ticket_id)).feedback_late  # type: ignore[union-attr]
        await duty.note_feedback(
            session, ticket, duty_id=(await duty.list_duties(session, ticket_id))[0].id, actor=DESK, words="已立案侦查"
        )
    await pass_time(clock, person, days=7)
    assert [event.what for event in await events_of(ticket_id)].count("police_urged") == 2


async def test_the_72_hours_stand_with_the_police_and_can_be_mended(person: Person, clock: HeldClock) -> None:
    ticket_id = await opened(person, "昨晚班主任摸了她", harm="other_danger", sexual=True)
    police, schools = await rows_of(ticket_id)
    assert (police.body, schools.body) == ("police@530627", "edu@530627")
    assert (police.evidence_until, police.evidence_from) == (clock.now() + timedelta(hours=56), "told")
    async with transaction() as session:
        ticket = await moves.lock(session, ticket_id)
        banner = duty_late.banner(ticket, await duty.list_duties(session, ticket_id))
        assert banner is not None and banner.evidence_until == police.evidence_until and not banner.evidence_is_over
        with pytest.raises(duty.TimeCannotBe):
            await duty.set_occurred(session, ticket, duty_id=police.id, actor=DESK, at=clock.now() + timedelta(hours=1))
        row = await duty.set_occurred(
            session, ticket, duty_id=police.id, actor=DESK, at=clock.now() - timedelta(hours=10)
        )
        assert row.evidence_until == clock.now() + timedelta(hours=62)


async def test_a_county_that_is_told_later_moves_the_report_and_a_body_complained_of_loses_it(
    person: Person, clock: HeldClock
) -> None:
    ticket_id = await opened(person, county=None)
    assert [row.body for row in await rows_of(ticket_id)] == ["police@530000"]
    async with transaction() as session:
        ticket = await moves.lock(session, ticket_id)
        ticket.county = ticket.place = ZHENXIONG
        await duty_arising.arise(session, ticket, since=clock.now())
        await duty_arising.arise(session, ticket, since=clock.now())
    assert [row.body for row in await rows_of(ticket_id)] == ["police@530627"]
    async with transaction() as session:
        await accused.add(
            session, ticket_id=ticket_id, version=None, facts=AccusedFacts("official", unit="police@530627"), actor=DESK
        )
        await duty_arising.arise(session, await moves.lock(session, ticket_id), since=clock.now())
    assert [row.body for row in await rows_of(ticket_id)] == ["police@530600"]


async def test_a_guardian_who_harms_seals_the_ticket(person: Person, clock: HeldClock) -> None:
    ticket_id = await opened(person, "后爸天天打他，娃8岁")
    async with transaction() as session:
        ticket = await moves.lock(session, ticket_id)
        [row] = await accused.list_accused(session, ticket_id)
        [child] = await children.list_children(session, ticket_id)
    assert ticket.sealed and (row.relation, row.lives_with) == ("guardian", True) and child.age == 8


async def test_merged_matters_are_reported_from_the_one_that_stays(person: Person, clock: HeldClock) -> None:
    first, second = (
        await opened(person, "班主任打她，9岁"),
        await opened(person, "没人管，娃6岁", harm="abandoned_alone"),
    )
    await report(first)
    async with transaction() as session:
        into, gone = await moves.lock(session, first), await moves.lock(session, second)
        await concluding.merge(session, gone, into=into, actor=DESK)
    assert await rows_of(second) == []
    assert {row.body: row.settled_at is None for row in await rows_of(first)} == {
        "police@530627": False, "edu@530627": False, "civil@530627": True,
    }  # fmt: skip
    async with transaction() as session:
        assert sorted(child.age or 0 for child in await children.list_children(session, first)) == [6, 9]


async def conclude(ticket_id: int) -> None:
    async with transaction() as session:
        await concluding.conclude(session, await moves.lock(session, ticket_id), actor=LEAD, why="已核实，孩子安全")


async def test_the_reporter_hears_once_that_it_was_looked_into(person: Person, clock: HeldClock) -> None:
    ticket_id = await opened(person)
    await person.run()
    person.news()
    await conclude(ticket_id)
    await pass_time(clock, person, hours=1)
    assert person.news() == []  # nobody was told of it yet: not before
    await report(ticket_id)
    for _ in range(4):
        await pass_time(clock, person, days=1)
    assert person.news() == [say("reporter.result")]
    assert (await rows_of(ticket_id))[0].reporter_told_at is not None


async def test_a_child_who_told_it_hears_nothing_and_the_reason_is_kept(person: Person, clock: HeldClock) -> None:
    ticket_id = await opened(person, writer="child")
    await person.run()
    person.news()
    await report(ticket_id)
    await conclude(ticket_id)
    await pass_time(clock, person, days=2)
    assert person.news() == []
    [event] = [event for event in await events_of(ticket_id) if event.what == "reporter_not_told"]
    assert event.detail == {"reason": "child_phone"}


async def test_a_matter_that_comes_back_is_not_told_as_done(person: Person, clock: HeldClock) -> None:
    ticket_id = await opened(person)
    await person.run()
    person.news()
    await report(ticket_id)
    await conclude(ticket_id)
    async with transaction() as session:
        await concluding.rework(session, await moves.lock(session, ticket_id), actor=LEAD, why="还没见到孩子")
    await pass_time(clock, person, days=1)
    assert person.news() == []


def test_every_reason_and_event_has_its_word() -> None:
    from sms_gateway.console import words

    assert {reason.value for reason in Reason} <= set(words.NOT_ASKED)
    assert {
        "duty_arose",
        "duty_moved",
        "duty_overdue",
        "police_urged",
        "child_added",
        "children_merged",
        "same_child",
    } <= set(words.TICKET_EVENTS)
    assert duty_rules.steps_due(MORNING, MORNING - timedelta(seconds=1)) == 0
