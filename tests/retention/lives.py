"""Years that pass over people's matters: what the purge's tests begin with."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from sqlalchemy import select, update

from sms_gateway import clock
from sms_gateway.clock import HeldClock
from sms_gateway.contacts.models import Contact
from sms_gateway.crypto import opened_from
from sms_gateway.database import transaction
from sms_gateway.messages.models import Message, Thread
from sms_gateway.migrations.models import metadata
from sms_gateway.operators import accounts
from sms_gateway.operators.models import Role
from sms_gateway.retention import running
from sms_gateway.tickets import moves
from sms_gateway.tickets.models import DutyReport, Ticket, TicketEvent
from sms_gateway.tickets.verify import check_ticket


def years(held: HeldClock, count: float) -> None:
    held.advance(timedelta(days=round(366 * count)))


async def purge() -> Counter[str]:
    """Today's purge, to its end."""
    return await running.run()


async def close(ticket_id: int) -> None:
    """As a matter that is over."""
    async with transaction() as session:
        ticket = await moves.lock(session, ticket_id)
        ticket.status, ticket.closed_at = "concluded", clock.now()


async def settle_duties() -> None:
    """The hotline's own reports were made and answered."""
    async with transaction() as session:
        await session.execute(update(DutyReport).values(settled_at=clock.now(), feedback_at=clock.now()))
        await session.execute(update(Contact).values(open_case=False))  # as `escalations.settle_open_case` finds it


async def supervisors(*logins: str) -> list[int]:
    async with transaction() as session:
        made = [
            await accounts.add(session, login=login, name=login, role=Role.SUPERVISOR, password=None, trained=True)
            for login in logins
        ]
        return [one.id for one in made]


async def bodies(thread_id: int) -> list[str]:
    async with transaction() as session:
        wanted = select(Message).where(Message.thread_id == thread_id).order_by(Message.id)
        return [one.body for one in await session.scalars(wanted)]


async def contact_of(thread_id: int) -> Contact:
    async with transaction() as session:
        wanted = select(Contact).join(Thread, Thread.contact_id == Contact.id).where(Thread.id == thread_id)
        return (await session.scalars(wanted)).one()


async def ticket(ticket_id: int) -> Ticket:
    async with transaction() as session:
        return await session.get_one(Ticket, ticket_id)


async def findings(ticket_id: int) -> list[str]:
    """What `hotline audit verify` would say of that ticket's chain."""
    async with transaction() as session:
        wanted = select(TicketEvent).where(TicketEvent.ticket_id == ticket_id).order_by(TicketEvent.seq)
        events = (await session.scalars(wanted)).all()
        return [str(one) for one in check_ticket(await session.get_one(Ticket, ticket_id), events)]


async def everything_opened() -> dict[str, str]:
    """Every sealed value in the database that is bound to its row, opened, by `table.column:row`."""
    found: dict[str, str] = {}
    async with transaction() as session:
        for table in metadata().sorted_tables:
            if "uid" not in table.c:
                continue
            sealed = [column for column in table.c if column.name.endswith("_sealed")]
            for row in (await session.execute(select(table.c.uid, *sealed))).all() if sealed else ():
                for column, value in zip(sealed, row[1:], strict=True):
                    if value is not None:
                        opened = opened_from(table.name, column.name, row.uid, value)
                        found[f"{table.name}.{column.name}:{row.uid.hex}"] = (
                            opened.decode(errors="replace") if isinstance(opened, bytes) else str(opened)
                        )
    return found
