"""What one has registered can be taken back or mended by a text, as the confirmation says."""

from __future__ import annotations

from sqlalchemy import select, update

from sms_gateway.database import transaction
from sms_gateway.tickets.models import Ticket, TicketEvent
from sms_gateway.wording import say
from tests.journeys.records import tickets_of
from tests.telling import Person


async def _registered(person: Person) -> Ticket:
    for text in ("我要投诉 学校天天占体育课", "镇雄的", "就这些", "1"):
        await person.texts(text)
    return (await tickets_of(person))[0]


async def _last_event(ticket: Ticket) -> TicketEvent:
    async with transaction() as session:
        wanted = select(TicketEvent).where(TicketEvent.ticket_id == ticket.id).order_by(TicketEvent.id.desc()).limit(1)
        return (await session.scalars(wanted)).one()


async def test_a_complaint_is_taken_back(person: Person) -> None:
    ticket = await _registered(person)
    assert await person.texts("我要撤销投诉") == [say("change.withdrawn", tail=ticket.number[-3:])]
    [ticket] = await tickets_of(person)
    assert (ticket.status, ticket.closed_at is None) == ("withdrawn", False)
    assert (await _last_event(ticket)).what == "withdrawn"
    assert await person.texts("撤诉") == [say("status.none")]


async def test_a_correction_is_noted_on_the_ticket(person: Person) -> None:
    ticket = await _registered(person)
    assert await person.texts("刚才的投诉写错了 是二中") == [say("change.more", tail=ticket.number[-3:])]
    event = await _last_event(ticket)
    assert (event.what, event.who) == ("more", "person")
    assert event.detail["message"] > ticket.asked_in


async def test_harm_is_nobodys_to_take_back_and_nothing_tells_of_it(person: Person) -> None:
    ticket = await _registered(person)
    async with transaction() as session:
        await session.execute(update(Ticket).where(Ticket.id == ticket.id).values(lane="orange"))
    assert await person.texts("撤诉") == [say("change.noted")]
    [ticket] = await tickets_of(person)
    assert (ticket.status, ticket.closed_at) == ("accepted", None)
    assert (await _last_event(ticket)).what == "wish_noted"


async def test_a_number_of_somebody_else_changes_nothing(person: Person) -> None:
    ticket = await _registered(person)
    other = "999" if not ticket.number.endswith("999") else "998"
    assert await person.texts(f"撤{other}") == [say("status.not_yours")]
    assert [found.status for found in await tickets_of(person)] == ["accepted"]
