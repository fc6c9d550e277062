"""Who is complained of in a ticket: written down, mended, taken out. A unit of ours that is complained of loses the matter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.database import transaction
from sms_gateway.tickets import accused, duty_arising, moves
from sms_gateway.tickets.accused import AccusedFacts

from .ids import Id
from .seat import KeepingChildren
from .ticket_room import Version, actor_of, done, note, read_ticket

router = APIRouter(prefix="/tickets/{ticket_id}/accused")
LONGEST_ID = 18


class AccusedForm(BaseModel):
    version: int
    relation: str = ""
    lives_with: str = ""
    public_post: str = ""
    unit: str = ""
    child: str = ""
    name: str = ""
    body: str = ""
    more: str = ""
    names_kept: bool = False
    """The form did not show the name, and so says nothing about it."""

    def facts(self, before: Mapping[str, str] | None = None) -> AccusedFacts:
        known = {"yes": True, "no": False}
        child = (
            int(self.child) if self.child.isascii() and self.child.isdigit() and len(self.child) <= LONGEST_ID else None
        )
        name = (before or {}).get("name", "") if self.names_kept else self.name
        about = {"name": name, "body": self.body, "more": self.more}
        return AccusedFacts(
            self.relation,
            known.get(self.lives_with),
            known.get(self.public_post),
            self.unit.strip() or None,
            child,
            about,
        )


@router.post("")
async def add_accused(
    request: Request, ticket_id: Id, seat: KeepingChildren, sent: Annotated[AccusedForm, Form()]
) -> Response:
    """A unit of ours that is complained of loses the matter, and is told nothing."""
    async with transaction() as session:
        await read_ticket(session, seat, ticket_id)
        await accused.add(session, ticket_id=ticket_id, version=sent.version, facts=sent.facts(), actor=actor_of(seat))
        await _look_at_duty(session, ticket_id)
        await note(session, seat, "add_accused", ticket_id)
    return _back(request, ticket_id)


@router.post("/{accused_id}")
async def mend_accused(
    request: Request, ticket_id: Id, accused_id: Id, seat: KeepingChildren, sent: Annotated[AccusedForm, Form()]
) -> Response:
    async with transaction() as session:
        await read_ticket(session, seat, ticket_id)
        known = {row.id: row.about for row in await accused.list_accused(session, ticket_id)}
        await accused.mend(
            session,
            ticket_id=ticket_id,
            version=sent.version,
            accused_id=accused_id,
            facts=sent.facts(known.get(accused_id)),
            actor=actor_of(seat),
        )
        await _look_at_duty(session, ticket_id)
        await note(session, seat, "mend_accused", ticket_id)
    return _back(request, ticket_id)


@router.post("/{accused_id}/remove")
async def remove_accused(
    request: Request, ticket_id: Id, accused_id: Id, seat: KeepingChildren, version: Version
) -> Response:
    async with transaction() as session:
        await read_ticket(session, seat, ticket_id)
        await accused.remove(session, ticket_id=ticket_id, version=version, accused_id=accused_id, actor=actor_of(seat))
        await note(session, seat, "remove_accused", ticket_id)
    return _back(request, ticket_id)


async def _look_at_duty(session: AsyncSession, ticket_id: int) -> None:
    """Whom to tell hangs on who is complained of."""
    ticket = await moves.lock(session, ticket_id)
    await duty_arising.arise(session, ticket, since=clock.now())


def _back(request: Request, ticket_id: int) -> Response:
    return done(request, f"/tickets/{ticket_id}")
