"""Tickets and the supervisor's page."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from sms_gateway.operators.models import Role
from sms_gateway.tickets import service
from sms_gateway.tickets.models import Ticket
from tests.telling import Person

from .conftest import SignIn


async def _open(person: Person, **values: object) -> Ticket:
    message_id = await person.hand_in("我要投诉 学校天天占体育课")
    async with transaction() as session:
        from sms_gateway.messages.models import Message

        message = (await session.scalars(select(Message).where(Message.id == message_id))).one()
        answers = {"secret": "要", "what": "学校天天占体育课", "wish": "把课还给孩子"}
        return await service.open_ticket(
            session, thread_id=person.thread_id, contact_id=message.contact_id, asked_in=message_id, kind="complaint",
            county="530627", answers=answers, **values,  # type: ignore[arg-type]
        )  # fmt: skip


async def test_a_ticket_shows_its_answers_in_the_forms_order_and_its_clock(sign_in: SignIn, person: Person) -> None:
    desk = await sign_in()
    ticket = await _open(person)
    page = (await desk.see(f"/tickets/{ticket.id}")).text
    assert page.index("学校天天占体育课") < page.index("把课还给孩子") < page.index("要不要保密")
    assert "昭通市镇雄县" in page and "138****0001" in page and ticket.number in page and "已受理" in page
    assert f'data-due="{int(ticket.due_at.timestamp() * 1000)}"' in page
    assert f'href="/talks/{person.thread_id}"' in page


async def test_the_list_shows_danger_first_and_what_is_late(
    sign_in: SignIn, person: Person, another: Person, clock: HeldClock
) -> None:
    desk = await sign_in()
    blue, orange = await _open(person), await _open(another, lane="orange")
    everything = (await desk.see("/tickets")).text
    assert everything.index(orange.number) < everything.index(blue.number)
    assert blue.number not in (await desk.see("/tickets?show=danger")).text
    clock.advance(timedelta(hours=1, minutes=50))
    desk = await sign_in("later", "后来的人")
    assert orange.number not in (await desk.see("/tickets?show=late")).text
    clock.advance(timedelta(minutes=20))
    assert orange.number in (await desk.see("/tickets?show=late")).text
    assert (await desk.see("/tickets?show=closed")).status_code == 200
    assert (await desk.see("/tickets?show=%00<b>")).status_code == 200


async def test_a_number_leads_to_its_ticket_a_wrong_one_is_said(sign_in: SignIn, person: Person) -> None:
    desk = await sign_in()
    ticket = await _open(person)
    assert (await desk.see(f"/tickets?number={ticket.number}")).headers["location"] == f"/tickets/{ticket.id}"
    assert "没有单号是“00000000”的工单" in (await desk.see("/tickets?number=00000000")).text


async def test_the_supervisor_sees_who_is_there_and_what_was_done(
    sign_in: SignIn, person: Person, clock: HeldClock
) -> None:
    desk, lead = await sign_in("zhiban", "值班甲"), await sign_in("banzhang", "班长", Role.SUPERVISOR)
    await person.texts("有个叔叔一直在踹我家门 就我和弟弟在")
    await desk.do(f"/talks/{person.thread_id}/take")
    page = (await lead.see("/team")).text
    assert "值班甲" in page and "值班中" in page and "接手" in page and f'href="/talks/{person.thread_id}"' in page
    clock.advance(timedelta(seconds=30))
    assert ">断线<" in (await lead.see("/team")).text
