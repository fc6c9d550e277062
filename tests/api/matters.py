"""Tickets in the hands of a unit, for the API's tests."""

from __future__ import annotations

from itertools import count

from sms_gateway import clock
from sms_gateway.contacts.models import Channel
from sms_gateway.database import transaction
from sms_gateway.messages import inbox
from sms_gateway.operators import accounts, api_keys
from sms_gateway.operators.models import Role
from sms_gateway.tickets import actors, dispatching, moves, service

EDU, OTHER_EDU, CIVIL = "edu@530627", "edu@530628", "civil@530627"
_ids = count(1)


async def give_key(unit: str) -> dict[str, str]:
    """Headers of a new key of that unit."""
    async with transaction() as session:
        _key, token = await api_keys.make(session, unit=unit, name="测试系统")
    return {"Authorization": f"Bearer {token}"}


async def open_matter(
    text: str = "我是班主任王老师 13800000009 学校每周末补课收800元", *, filed: str | None = "D13"
) -> tuple[int, str]:
    """A blue complaint from 镇雄; its id and number."""
    mark = next(_ids)
    async with transaction() as session:
        inbound = inbox.Inbound(Channel.SMS, f"+86138000{mark:05d}", text, "simulator", f"matter-{mark}", clock.now())
        recorded = await inbox.receive(session, inbound)
        assert recorded is not None
        ticket = await service.open_ticket(
            session, thread_id=recorded.thread_id, contact_id=recorded.contact_id, asked_in=recorded.message_id,
            kind="complaint", county="530627", answers={"what": text, "place": "镇雄某中学"},
        )  # fmt: skip
        ticket.category = filed or ticket.category
        return ticket.id, ticket.number


async def lead() -> actors.Actor:
    """A shift lead."""
    async with transaction() as session:
        operator = await accounts.add(
            session, login=f"banzhang{next(_ids)}", name="值班长", role=Role.SUPERVISOR, password=None
        )
        return actors.operator(operator.id, lead=True)


async def dispatched(unit: str = EDU, text: str | None = None) -> tuple[int, str]:
    """A matter that was dispatched to `unit`; its id and number."""
    ticket_id, number = await (open_matter(text) if text else open_matter())
    by = await lead()
    async with transaction() as session:
        ticket = await moves.lock(session, ticket_id)
        await dispatching.dispatch(session, ticket, unit=unit, actor=by)
    return ticket_id, number
