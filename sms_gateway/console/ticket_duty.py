"""The hotline's duty to report on a ticket's page: told with a receipt, excused and signed by another, filed, answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, logs
from sms_gateway.clock import SHANGHAI
from sms_gateway.database import transaction
from sms_gateway.operators import roster
from sms_gateway.operators.models import Operator
from sms_gateway.tickets import duty, duty_late
from sms_gateway.tickets.duty import TimeCannotBe
from sms_gateway.tickets.duty_late import Banner
from sms_gateway.tickets.models import DutyReport, Ticket

from .ids import Id
from .seat import ReportingDuty, SigningDuty
from .ticket_room import Version, actor_of, done, lock_ticket, note

log = logs.get("console")
router = APIRouter(prefix="/tickets/{ticket_id}/duties/{duty_id}")


class Said(BaseModel):
    """A reason, or what somebody told us."""

    version: int
    words: str = ""


class Moment(BaseModel):
    """A time field (`2026-11-30T09:30`, Shanghai's time)."""

    version: int
    at: str = ""


@dataclass(frozen=True)
class DutyPart:
    """What `_ticket_duty.html` shows. `named`: the operators behind ids; `how`: ways of telling; `moment`: now, for a time field."""

    rows: Sequence[DutyReport]
    banner: Banner | None
    named: dict[int, Operator]
    how: dict[str, str]
    moment: str

    def who(self, operator_id: int | None) -> str:
        found = self.named.get(operator_id or 0)
        return found.name if found else ""


async def load(session: AsyncSession, ticket: Ticket) -> DutyPart:
    """The part of a ticket's page."""
    rows = await duty.list_duties(session, ticket.id)
    people = {id_ for row in rows for id_ in (row.reported_by, row.excused_by, row.signed_by) if id_}
    named = await roster.name_operators(session, people)
    moment = f"{clock.shanghai(clock.now()):%Y-%m-%dT%H:%M}"
    return DutyPart(rows, duty_late.banner(ticket, rows), dict(named), duty.HOW, moment)


def read_time(words: str) -> datetime:
    """A time field's value as Shanghai's time. Raises `TimeCannotBe`."""
    try:
        return datetime.fromisoformat(words.strip()).replace(tzinfo=SHANGHAI)
    except ValueError:
        raise TimeCannotBe from None


class ReportForm(BaseModel):
    """When, to whom, with what receipt; `filed`: the police take the case."""

    version: int
    at: str = ""
    person: str = ""
    number: str = ""
    how: str = "phone"
    filed: str = ""


@router.post("/report")
async def report(
    request: Request, ticket_id: Id, duty_id: Id, seat: ReportingDuty, sent: Annotated[ReportForm, Form()]
) -> Response:
    """已报告."""
    receipt = {"person": sent.person, "number": sent.number, "how": sent.how}
    async with transaction() as session:
        ticket = await lock_ticket(session, seat, ticket_id, sent.version)
        await duty.report(
            session, ticket, duty_id=duty_id, actor=actor_of(seat), at=read_time(sent.at), receipt=receipt,
            filed=sent.filed == "1",
        )  # fmt: skip
        await note(session, seat, "report_duty", ticket_id)
    log.info("duty_reported", ticket=ticket_id, duty=duty_id, operator=seat.operator.id)
    return _back(request, ticket_id)


@router.post("/excuse")
async def excuse(
    request: Request, ticket_id: Id, duty_id: Id, seat: ReportingDuty, sent: Annotated[Said, Form()]
) -> Response:
    """为什么不报: counts only once another, a shift lead, has signed."""
    async with transaction() as session:
        ticket = await lock_ticket(session, seat, ticket_id, sent.version)
        await duty.excuse(session, ticket, duty_id=duty_id, actor=actor_of(seat), why=sent.words)
        await note(session, seat, "excuse_duty", ticket_id)
    return _back(request, ticket_id)


@router.post("/sign")
async def sign(request: Request, ticket_id: Id, duty_id: Id, seat: SigningDuty, version: Version) -> Response:
    async with transaction() as session:
        ticket = await lock_ticket(session, seat, ticket_id, version)
        await duty.sign(session, ticket, duty_id=duty_id, actor=actor_of(seat))
        await note(session, seat, "sign_duty", ticket_id)
    log.info("duty_excuse_signed", ticket=ticket_id, duty=duty_id, operator=seat.operator.id)
    return _back(request, ticket_id)


@router.post("/refuse")
async def refuse(
    request: Request, ticket_id: Id, duty_id: Id, seat: SigningDuty, sent: Annotated[Said, Form()]
) -> Response:
    """The lead does not accept the reason: it has to be reported."""
    async with transaction() as session:
        ticket = await lock_ticket(session, seat, ticket_id, sent.version)
        await duty.refuse_excuse(session, ticket, duty_id=duty_id, actor=actor_of(seat), why=sent.words)
        await note(session, seat, "refuse_excuse", ticket_id)
    return _back(request, ticket_id)


@router.post("/filed")
async def filed(
    request: Request, ticket_id: Id, duty_id: Id, seat: ReportingDuty, sent: Annotated[Moment, Form()]
) -> Response:
    """受案、立案: from here the police have three days."""
    async with transaction() as session:
        ticket = await lock_ticket(session, seat, ticket_id, sent.version)
        await duty.note_filed(session, ticket, duty_id=duty_id, actor=actor_of(seat), at=read_time(sent.at))
        await note(session, seat, "case_filed", ticket_id)
    return _back(request, ticket_id)


@router.post("/feedback")
async def feedback(
    request: Request, ticket_id: Id, duty_id: Id, seat: ReportingDuty, sent: Annotated[Said, Form()]
) -> Response:
    """What the police told us."""
    async with transaction() as session:
        ticket = await lock_ticket(session, seat, ticket_id, sent.version)
        await duty.note_feedback(session, ticket, duty_id=duty_id, actor=actor_of(seat), words=sent.words)
        await note(session, seat, "police_feedback", ticket_id)
    return _back(request, ticket_id)


@router.post("/occurred")
async def occurred(
    request: Request, ticket_id: Id, duty_id: Id, seat: ReportingDuty, sent: Annotated[Moment, Form()]
) -> Response:
    """When it happened: the 72 hours count from there."""
    async with transaction() as session:
        ticket = await lock_ticket(session, seat, ticket_id, sent.version)
        await duty.set_occurred(session, ticket, duty_id=duty_id, actor=actor_of(seat), at=read_time(sent.at))
        await note(session, seat, "set_occurred", ticket_id)
    return _back(request, ticket_id)


def _back(request: Request, ticket_id: int) -> Response:
    return done(request, f"/tickets/{ticket_id}")
