"""Persons and bodies complained of: kept apart from the child and the reporter, and never given the matter.

未成年人保护法 第11条 and regions-and-departments section 4: no matter goes to whom it is about; where a guardian is the
one complained of, the family is told nothing and the ticket is sealed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.departments import units
from sms_gateway.errors import BadInput, Conflict, NotFound
from texts.normalise import clean

from . import lifecycle, moves
from .accused_reading import RELATIONS, read_accused
from .actors import SYSTEM, Actor
from .children import index_of, turn_page
from .lifecycle import Evidence, Status, Who
from .models import Accused, Dispatch, Ticket, TicketChild
from .record import record_event

ABOUT = ("name", "body", "more")
LONGEST = 300
MOST = 20
NAME = "accused.name"
TAKEN_BACK = "被反映的就是承办单位，收回另派。"
SEALS = "guardian"
"""The relation that keeps a matter from the family."""


class AccusedNotFound(NotFound):
    sentence = "没有这个被反映人。"


class AccusedIsIncomplete(BadInput):
    sentence = "请选被反映人和孩子的关系；单位从列表里选，每样不超过 300 字。"


@dataclass(frozen=True)
class AccusedFacts:
    """`relation`: one of `RELATIONS`. `unit`: where the person works, or the body itself, if it is one of ours. `about`: `ABOUT`."""

    relation: str
    lives_with: bool | None = None
    public_post: bool | None = None
    unit: str | None = None
    child_id: int | None = None
    about: Mapping[str, str] = field(default_factory=dict)

    def checked(self) -> AccusedFacts:
        """With clean words. Raises `AccusedIsIncomplete`, `UnitNotFound`, `UnitCodeMalformed`."""
        about = {key: kept for key in ABOUT if (kept := clean(self.about.get(key, "")))}
        if self.relation not in RELATIONS or any(len(words) > LONGEST for words in about.values()):
            raise AccusedIsIncomplete
        unit = units.get_unit(self.unit).code if self.unit else None
        return AccusedFacts(self.relation, self.lives_with, self.public_post, unit, self.child_id, about)


async def units_complained_of(session: AsyncSession, ticket_id: int) -> frozenset[str]:
    """Codes of our units that the matter is about: no copy of it goes to them."""
    wanted = select(Accused.unit).where(Accused.ticket_id == ticket_id, Accused.unit.is_not(None))
    return frozenset(code for code in await session.scalars(wanted) if code)


async def list_accused(session: AsyncSession, ticket_id: int) -> list[Accused]:
    """Everybody complained of in the matter."""
    return list(await session.scalars(select(Accused).where(Accused.ticket_id == ticket_id).order_by(Accused.id)))


async def take_from_answers(session: AsyncSession, ticket: Ticket, answers: Mapping[str, str]) -> list[Accused]:
    """Who harms by what was said of the locked ticket, each relation once; what people wrote by hand stays."""
    said = read_accused(answers)
    if not said:
        return []
    known = {row.relation for row in await list_accused(session, ticket.id)}
    rows = [
        Accused(
            ticket_id=ticket.id, relation=one.relation, lives_with=one.lives_with, public_post=one.public_post,
            about={"more": f"来信里说的是“{one.word}”"}, made_at=clock.now(),
        )
        for one in said if one.relation not in known
    ]  # fmt: skip
    if rows:
        session.add_all(rows)
        await session.flush()
        await _seal(session, ticket, rows)
        detail = {"accused": [row.id for row in rows], "by": "answers"}
        await record_event(session, ticket, "accused_added", who="assistant", detail=detail)
    return rows


async def bring_along(session: AsyncSession, ticket: Ticket, *, into: Ticket) -> None:
    """The locked `ticket` is merged into the locked `into`: who is complained of there is so here, and what is secret stays so."""
    for row in await list_accused(session, ticket.id):
        row.ticket_id = into.id
        if row.unit:
            await _out_of_its_hands(session, into, row.unit)
    into.sealed = into.sealed or ticket.sealed
    await session.flush()


async def add(
    session: AsyncSession, *, ticket_id: int, version: int | None, facts: AccusedFacts, actor: Actor
) -> Accused:  # fmt: skip
    """Somebody complained of. A unit of ours loses the matter at once. Raises what `AccusedFacts.checked` and `moves.lock` raise."""
    facts = facts.checked()
    ticket = await moves.lock(session, ticket_id, version=version)
    if len(await list_accused(session, ticket_id)) >= MOST:
        raise Conflict(f"一单最多登记 {MOST} 个被反映的人或单位，更多的请写在说明里。")
    row = Accused(ticket_id=ticket_id, made_at=clock.now())
    await _write(session, ticket, row, facts)
    session.add(row)
    await session.flush()
    await _settle(session, ticket, row, actor, "accused_added")
    return row


async def mend(
    session: AsyncSession, *, ticket_id: int, version: int | None, accused_id: int, facts: AccusedFacts, actor: Actor
) -> Accused:  # fmt: skip
    """Write it anew."""
    facts = facts.checked()
    ticket = await moves.lock(session, ticket_id, version=version)
    row = await _get(session, ticket_id, accused_id)
    await _write(session, ticket, row, facts)
    await _settle(session, ticket, row, actor, "accused_mended")
    return row


async def remove(
    session: AsyncSession, *, ticket_id: int, version: int | None, accused_id: int, actor: Actor
) -> None:  # fmt: skip
    """Written down in error. The ticket stays sealed until a person opens it up."""
    ticket = await moves.lock(session, ticket_id, version=version)
    row = await _get(session, ticket_id, accused_id)
    detail = {"accused": accused_id, "relation": row.relation, "unit": row.unit}
    await session.delete(row)
    await turn_page(session, [ticket])
    await record_event(session, ticket, "accused_removed", who=str(actor), detail=detail)


async def _get(session: AsyncSession, ticket_id: int, accused_id: int) -> Accused:
    row = await session.get(Accused, accused_id)
    if row is None or row.ticket_id != ticket_id:
        raise AccusedNotFound
    return row


async def _write(session: AsyncSession, ticket: Ticket, row: Accused, facts: AccusedFacts) -> None:
    if facts.child_id is not None and await session.get(TicketChild, (ticket.id, facts.child_id)) is None:
        raise AccusedIsIncomplete
    row.relation, row.lives_with, row.public_post = facts.relation, facts.lives_with, facts.public_post
    row.unit, row.child_id, row.about = facts.unit, facts.child_id, dict(facts.about) or None
    row.name_index = index_of(facts.about.get("name"), ticket.county or ticket.place, NAME)


async def _settle(session: AsyncSession, ticket: Ticket, row: Accused, actor: Actor, what: str) -> None:
    await _seal(session, ticket, [row])
    had_it = await _out_of_its_hands(session, ticket, row.unit) if row.unit else False
    await turn_page(session, [ticket])
    detail = {"accused": row.id, "relation": row.relation, "unit": row.unit} | ({"had_it": True} if had_it else {})
    await record_event(session, ticket, what, who=str(actor), detail=detail)


async def _seal(session: AsyncSession, ticket: Ticket, rows: list[Accused]) -> None:
    if ticket.sealed or not any(row.relation == SEALS for row in rows):
        return
    ticket.sealed = True
    detail = {"sealed": True, "reason": SEALS}
    await record_event(session, ticket, "sealed_set", who=Who.SYSTEM.value, detail=detail)


async def _out_of_its_hands(session: AsyncSession, ticket: Ticket, unit: str) -> bool:
    """End what the unit complained of still has in hand; whether there was anything. Where it handled the matter, that comes
    back to the desk as a return, with the unit above it named.
    """
    wanted = select(Dispatch).where(Dispatch.ticket_id == ticket.id, Dispatch.unit == unit)
    rows = list(await session.scalars(wanted.where(Dispatch.closed_at.is_(None), Dispatch.returned_at.is_(None))))
    for row in rows:
        row.closed_at = clock.now()
    if ticket.unit == unit and lifecycle.can_move(ticket.status, Status.RETURNED):
        above = units.superior(units.get_unit(unit)) or units.lead_of(ticket.place)
        await moves.move(
            session, ticket, Status.RETURNED, actor=SYSTEM, evidence=frozenset({Evidence.DUTY}), why=TAKEN_BACK,
            detail={"unit": unit, "duty": above.code, "meeting": False},
        )  # fmt: skip
        ticket.unit = None
    return bool(rows)
