"""转办 on a ticket's page: to the general 12345 desk in one step, to another province by record; what the other side says, by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import logs
from sms_gateway.database import transaction
from sms_gateway.tickets import lifecycle, transfer_rules, transfers
from sms_gateway.tickets.lifecycle import Status
from sms_gateway.tickets.models import Ticket, Transfer
from sms_gateway.tickets.transfer_rules import Side, State

from .ids import Id
from .seat import MovingTickets
from .ticket_room import Version, actor_of, done, lock_ticket

log = logs.get("console")
router = APIRouter(prefix="/tickets/{ticket_id}")

Words = Annotated[str, Form(max_length=400)]


@dataclass(frozen=True)
class TransferPart:
    """What `_ticket_transfer.html` shows."""

    rows: Sequence[Transfer]
    may_begin: bool
    provinces: Sequence[str] = transfer_rules.PROVINCES

    @property
    def last(self) -> Transfer | None:
        return self.rows[-1] if self.rows else None

    @property
    def waits_for_number(self) -> bool:
        """An operator has to transfer it and write their number down."""
        return self.last is not None and self.last.state in transfer_rules.FOR_AN_OPERATOR

    @property
    def may_be_told(self) -> tuple[str, ...]:
        """What an operator may write down that the other side said."""
        if self.last is None or self.waits_for_number:
            return ()
        moves = transfer_rules.MOVES[State(self.last.state)]
        return tuple(
            state.value for state in (State.CLOSED, State.RETURNED) if state in moves and self.last.their_number
        )

    @staticmethod
    def is_theirs(row: Transfer) -> bool:
        """Whether number, state and clock are the other side's."""
        return transfer_rules.owner(row.state).clock is Side.THEIRS


async def load(session: AsyncSession, ticket: Ticket) -> TransferPart:
    """The part of a ticket's page."""
    rows = await transfers.list_for(session, ticket.id)
    under_way = bool(rows) and rows[-1].state in (State.REQUESTED, State.BY_HAND, State.REFUSED)
    harmless = ticket.lane == "blue" and not ticket.sealed and ticket.sensitivity is None
    can = harmless and lifecycle.can_move(ticket.status, Status.TRANSFERRED)
    return TransferPart(rows, may_begin=can and not under_way)


@router.post("/transfer")
async def begin(
    request: Request, ticket_id: Id, seat: MovingTickets, version: Version, partner: Words = transfer_rules.GENERAL
) -> Response:
    """One step: the original words go to `partner`. 409 for a matter of harm."""
    async with transaction() as session:
        ticket = await lock_ticket(session, seat, ticket_id, version)
        row = await transfers.begin(session, ticket, actor=actor_of(seat), partner=partner)
    log.info("transfer_begun", ticket=ticket_id, transfer=row.id, operator=seat.operator.id)
    return done(request, f"/tickets/{ticket_id}")


@router.post("/transfer/number")
async def write_number(
    request: Request, ticket_id: Id, seat: MovingTickets, version: Version, number: Words = ""
) -> Response:
    """Transferred by hand: their number. From here on it is theirs."""
    async with transaction() as session:
        await lock_ticket(session, seat, ticket_id, version)
        row = await transfers.get_last(session, ticket_id)
        await transfers.settle(session, row.id, State.ACCEPTED, actor=actor_of(seat), number=number)
    return done(request, f"/tickets/{ticket_id}")


class Said(BaseModel):
    """What an operator heard from the other side, and in which words."""

    version: int
    state: Literal["closed", "returned"]
    words: str = ""


@router.post("/transfer/said")
async def write_said(request: Request, ticket_id: Id, seat: MovingTickets, sent: Annotated[Said, Form()]) -> Response:
    """What the other side said by telephone or letter: done, or given back."""
    async with transaction() as session:
        await lock_ticket(session, seat, ticket_id, sent.version)
        row = await transfers.get_last(session, ticket_id)
        await transfers.settle(session, row.id, State(sent.state), actor=actor_of(seat), reason=sent.words)
    return done(request, f"/tickets/{ticket_id}")
