"""A place told after the matter was opened reaches the matter, its duty, and never what the desk has set."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from sms_gateway.conversations import records, service
from sms_gateway.database import transaction
from sms_gateway.operators import accounts
from sms_gateway.operators.models import Operator, Role
from sms_gateway.operators.presence import set_duty
from sms_gateway.tickets import mending
from sms_gateway.tickets.actors import operator
from sms_gateway.tickets.finer import is_finer
from sms_gateway.tickets.models import PROVINCE, DutyReport, Ticket, TicketEvent
from tests.telling import Person

HARM = "我爸喝醉了就打我 上个星期打得最凶"
ZHENXIONG, LUDIAN, ZHAOTONG = "530627", "530621", "530600"


async def _ticket() -> Ticket:
    async with transaction() as session:
        return (await session.scalars(select(Ticket))).one()


async def _taken(person: Person) -> Operator:
    """A person holds the talk: what is told now is told to them, no form asks."""
    async with transaction() as session:
        guard = await accounts.add(
            session, login="zhiban", name="测试员", role=Role.OPERATOR, password=None, trained=True
        )
        await set_duty(session, operator_id=guard.id, on_duty=True)
    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=guard)
    return guard


@pytest.mark.parametrize(
    ("known", "told", "finer"),
    [
        (PROVINCE, ZHAOTONG, True), (PROVINCE, ZHENXIONG, True), (ZHAOTONG, ZHENXIONG, True),
        (ZHENXIONG, ZHENXIONG, False), (ZHENXIONG, LUDIAN, False), (ZHENXIONG, ZHAOTONG, False),
        ("530100", ZHENXIONG, False),
    ],
)  # fmt: skip
def test_a_place_is_finer_only_inside_what_was_known(known: str, told: str, *, finer: bool) -> None:
    assert is_finer(known, told) is finer


async def test_the_county_told_in_the_next_text_reaches_the_open_matter_and_its_duty(person: Person) -> None:
    await person.texts(HARM)
    ticket = await _ticket()
    assert ticket.place == PROVINCE
    await _taken(person)
    await person.texts("我在镇雄县泼机镇")
    ticket = await _ticket()
    assert (ticket.place, ticket.county) == (ZHENXIONG, ZHENXIONG)
    async with transaction() as session:
        bodies = (await session.scalars(select(DutyReport.body).where(DutyReport.ticket_id == ticket.id))).all()
        event = (await session.scalars(select(TicketEvent).where(TicketEvent.what == "place_set"))).one()
    assert bodies
    assert all(body.endswith(f"@{ZHENXIONG}") for body in bodies)
    assert (event.who, event.detail["before"]) == ("person", PROVINCE)


async def test_a_county_the_desk_has_set_is_not_moved_by_another_place_in_a_text(person: Person) -> None:
    await person.texts(HARM)
    async with transaction() as session:
        ticket = (await session.scalars(select(Ticket).with_for_update())).one()
        await mending.set_place(session, ticket, actor=operator(1), place=LUDIAN)
    await _taken(person)
    await person.texts("我在镇雄县")
    assert (await _ticket()).place == LUDIAN


async def test_the_place_an_operator_writes_down_beside_the_talk_is_the_matters_too(
    person: Person,
) -> None:
    await person.texts(HARM)
    await person.texts("我在鲁甸县")
    guard = await _taken(person)
    async with transaction() as session:
        await records.set_place(session, thread_id=person.thread_id, operator=guard, words="镇雄县泼机村")
    assert (await _ticket()).place == ZHENXIONG
