"""The names in a matter's record: whoever types one into a reason does not show it to who reads reasons."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.tickets.models import Accused, Child, Ticket, TicketChild

from .ids import is_id

FEWEST = 2
"""Signs a name has at least: one alone would hide every word with it."""


async def known(session: AsyncSession, subjects: Collection[str]) -> dict[str, list[str]]:
    """By subject (`ticket:12`, `thread:3`; of others nothing is known): names of the children and of those complained of, the longest first."""
    of_ticket: dict[int, list[str]] = {id_: [f"ticket:{id_}"] for id_ in _ids(subjects, "ticket")}
    threads = _ids(subjects, "thread")
    if threads:
        found = await session.execute(select(Ticket.id, Ticket.thread_id).where(Ticket.thread_id.in_(threads)))
        for ticket_id, thread_id in found:
            of_ticket.setdefault(ticket_id, []).append(f"thread:{thread_id}")
    if not of_ticket:
        return {}
    names: dict[str, set[str]] = {}
    in_children = select(TicketChild.ticket_id, Child).join(Child, Child.id == TicketChild.child_id)
    told = list(await session.execute(in_children.where(TicketChild.ticket_id.in_(of_ticket))))
    told += await session.execute(select(Accused.ticket_id, Accused).where(Accused.ticket_id.in_(of_ticket)))
    for ticket_id, one in told:
        name = _name(one.about)
        for subject in of_ticket[ticket_id] if name else ():
            names.setdefault(subject, set()).add(name)
    return {subject: sorted(some, key=len, reverse=True) for subject, some in names.items()}


def _ids(subjects: Collection[str], kind: str) -> set[int]:
    parts = (subject.partition(":") for subject in subjects)
    return {int(rest) for of, _, rest in parts if of == kind and is_id(rest)}


def _name(about: Mapping[str, str] | None) -> str:
    name = (about or {}).get("name", "").strip()
    return name if len(name) >= FEWEST else ""
