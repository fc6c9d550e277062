"""What the desk does with a ticket: every button is a route here, every route one call of the room."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import logs
from sms_gateway.database import transaction
from sms_gateway.errors import BadInput
from sms_gateway.tickets import concluding, dispatching, extending, handling, lifecycle, mending, moves, ruling, told
from sms_gateway.tickets.lifecycle import Status
from sms_gateway.tickets.models import Ticket
from sms_gateway.tickets.numbers import find_number
from sms_gateway.tickets.record import record_event

from .ids import Id
from .near import Telling
from .seat import MovingTickets, RulingTickets
from .ticket_room import Version, actor_of, done, lock_ticket, read_ticket

log = logs.get("console")
router = APIRouter(prefix="/tickets/{ticket_id}")

LONGEST_WORDS = 4000
Words = Annotated[str, Form(max_length=LONGEST_WORDS)]


class NoSuchNumber(BadInput):
    sentence = "没有这个单号，请核对 8 位数字。"


class NobodyHasIt(lifecycle.TicketCannotMove):
    sentence = "现在没有单位在办，不用转告。"


class Dispatching(BaseModel):
    """To whom; `more` are helpers chosen beside those that were suggested."""

    version: int
    unit: str = ""
    other: str = ""
    co: list[str] = []
    more: list[str] = []
    why: str = ""

    @property
    def main(self) -> str:
        """The unit that was picked from the list of others, else the suggested one."""
        return self.other.strip() or self.unit.strip()

    @property
    def helpers(self) -> list[str]:
        return [code for code in dict.fromkeys([*self.co, *self.more]) if code.strip() and code != self.main]


@router.post("/dispatch")
async def dispatch(
    request: Request, ticket_id: Id, seat: MovingTickets, sent: Annotated[Dispatching, Form()]
) -> Response:
    """派单; of a returned ticket it is the lead's ruling (403 for others)."""
    if not sent.main:
        raise lifecycle.EvidenceIsMissing({lifecycle.Evidence.UNIT})
    async with transaction() as session:
        ticket = await lock_ticket(session, seat, ticket_id, sent.version)
        hand_on = ruling.rule if ticket.status == Status.RETURNED else dispatching.dispatch
        await hand_on(
            session, ticket, unit=sent.main, actor=actor_of(seat), co=sent.helpers, why=said(sent.why) or None
        )
    log.info("ticket_dispatched", ticket=ticket_id, operator=seat.operator.id)
    return _back(request, ticket_id)


@router.post("/ask")
async def ask(request: Request, ticket_id: Id, seat: MovingTickets, version: Version, words: Words = "") -> Response:
    async with transaction() as session:
        ticket = await lock_ticket(session, seat, ticket_id, version)
        await handling.ask(session, ticket, actor=actor_of(seat), question=said(words))
    return _back(request, ticket_id)


@router.post("/resume")
async def resume(request: Request, ticket_id: Id, seat: MovingTickets, version: Version, words: Words = "") -> Response:
    """补充好了: what the person answered, in the desk's words, goes to the unit."""
    async with transaction() as session:
        ticket = await lock_ticket(session, seat, ticket_id, version)
        await handling.resume(session, ticket, actor=actor_of(seat), why=said(words) or None)
    return _back(request, ticket_id)


@router.post("/tell-unit")
async def tell_unit(request: Request, ticket_id: Id, seat: MovingTickets, words: Words = "") -> Response:
    """转告承办单位: what the person said since, in words that give nobody away."""
    if not said(words):
        raise lifecycle.EvidenceIsMissing({lifecycle.Evidence.WORDS})
    async with transaction() as session:
        ticket = await lock_ticket(session, seat, ticket_id)
        if not await dispatching.open_dispatches(session, ticket_id):
            raise NobodyHasIt
        await record_event(session, ticket, told.TOLD_UNIT, who=str(actor_of(seat)), why=said(words))
    return _back(request, ticket_id)


@router.post("/conclude")
async def conclude(
    *, request: Request, ticket_id: Id, seat: MovingTickets, version: Version, near: Telling, words: Words = ""
) -> Response:
    async with transaction() as session:
        ticket = await lock_ticket(session, seat, ticket_id, version)
        await concluding.conclude(session, ticket, actor=actor_of(seat), why=said(words), near=near)
    log.info("ticket_concluded", ticket=ticket_id, operator=seat.operator.id)
    return _back(request, ticket_id)


@router.post("/send-back")
async def send_back(request: Request, ticket_id: Id, seat: MovingTickets, version: Version, words: Words = "") -> Response:  # fmt: skip
    """答复退回再办."""
    async with transaction() as session:
        ticket = await lock_ticket(session, seat, ticket_id, version)
        if ticket.status != Status.REPLIED:
            raise lifecycle.TicketCannotMove
        await handling.send_back(session, ticket, actor=actor_of(seat), why=said(words))
    return _back(request, ticket_id)


class Declining(BaseModel):
    """Why not, and `where` the person should go instead."""

    version: int
    words: str = ""
    where: str = ""


@router.post("/decline")
async def decline(request: Request, ticket_id: Id, seat: MovingTickets, sent: Annotated[Declining, Form()]) -> Response:
    """不予受理: the reason, and where to go."""
    if not said(sent.where):
        raise BadInput("还要写：该去哪里。")
    async with transaction() as session:
        ticket = await lock_ticket(session, seat, ticket_id, sent.version)
        reason = f"{said(sent.words)}\n该去：{said(sent.where)}" if said(sent.words) else ""
        await concluding.decline(session, ticket, actor=actor_of(seat), why=reason)
    return _back(request, ticket_id)


@router.post("/reopen")
async def reopen(request: Request, ticket_id: Id, seat: RulingTickets, version: Version, words: Words = "") -> Response:
    """A wrong refusal is taken back by the lead."""
    async with transaction() as session:
        ticket = await lock_ticket(session, seat, ticket_id, version)
        if ticket.status != Status.DECLINED:
            raise lifecycle.TicketCannotMove
        await moves.move(session, ticket, Status.ACCEPTED, actor=actor_of(seat), why=said(words), what="reopened")
    return _back(request, ticket_id)


@router.post("/withdraw")
async def withdraw(request: Request, ticket_id: Id, seat: MovingTickets, version: Version) -> Response:
    """撤回, as the person wished; of suspected harm only the wish is noted."""
    async with transaction() as session:
        ticket = await lock_ticket(session, seat, ticket_id, version)
        await concluding.withdraw(session, ticket, actor=actor_of(seat))
    return _back(request, ticket_id)


@router.post("/rework")
async def rework(request: Request, ticket_id: Id, seat: MovingTickets, version: Version, words: Words = "") -> Response:
    if not said(words):
        raise lifecycle.EvidenceIsMissing({lifecycle.Evidence.WHY})
    async with transaction() as session:
        ticket = await lock_ticket(session, seat, ticket_id, version)
        await concluding.rework(session, ticket, actor=actor_of(seat), why=said(words))
    return _back(request, ticket_id)


class Deciding(BaseModel):
    """Yes or no to more time."""

    version: int
    approved: bool = False
    words: str = ""


class Merging(BaseModel):
    """Into the ticket of that number."""

    version: int
    number: str = ""
    words: str = ""


@router.post("/merge")
async def merge(request: Request, ticket_id: Id, seat: MovingTickets, sent: Annotated[Merging, Form()]) -> Response:
    """并单; this one's page then leads to the other."""
    async with transaction() as session:
        into = await _of_number(session, sent.number)
        await read_ticket(session, seat, into)
        locked = {key: await lock_ticket(session, seat, key) for key in sorted({ticket_id, into})}  # in one order
        if locked[ticket_id].version != sent.version:
            raise moves.SomebodyWasQuicker
        await concluding.merge(
            session, locked[ticket_id], into=locked[into], actor=actor_of(seat), why=said(sent.words) or None
        )
    log.info("ticket_merged", ticket=ticket_id, into=into, operator=seat.operator.id)
    return _back(request, into)


async def _of_number(session: AsyncSession, number: str) -> int:
    written = find_number(number)
    found = await session.scalar(select(Ticket.id).where(Ticket.number == written)) if written else None
    if found is None:
        raise NoSuchNumber
    return found


@router.post("/extension")
async def decide_extension(
    request: Request, ticket_id: Id, seat: RulingTickets, sent: Annotated[Deciding, Form()]
) -> Response:
    """同意或不同意延期; a refusal says why."""
    async with transaction() as session:
        ticket = await lock_ticket(session, seat, ticket_id, sent.version)
        if sent.approved:
            await extending.approve(session, ticket, actor=actor_of(seat), why=said(sent.words) or None)
        else:
            await extending.refuse(session, ticket, actor=actor_of(seat), why=said(sent.words))
    return _back(request, ticket_id)


class Mending(BaseModel):
    """What the desk says of the matter; a box that is not ticked does not come at all."""

    version: int
    category: str = ""
    place: str = ""
    urgent: bool = False
    sealed: bool = False
    sensitivity: str = ""


@router.post("/mend")
async def mend(request: Request, ticket_id: Id, seat: MovingTickets, wanted: Annotated[Mending, Form()]) -> Response:
    """Category, place, urgency and secrecy; what is the same leaves no trace."""
    actor = actor_of(seat)
    async with transaction() as session:
        ticket = await lock_ticket(session, seat, ticket_id, wanted.version)
        if ticket.closed_at is not None:
            raise lifecycle.TicketCannotMove
        if wanted.category:
            await mending.set_category(session, ticket, actor=actor, category=wanted.category)
        if wanted.place:
            await mending.set_place(session, ticket, actor=actor, place=wanted.place)
        await mending.set_urgent(session, ticket, actor=actor, urgent=wanted.urgent)
        await mending.set_secrecy(
            session, ticket, actor=actor, sealed=wanted.sealed, sensitivity=wanted.sensitivity or None
        )
    return _back(request, ticket_id)


def said(text: str) -> str:
    """What somebody wrote, without signs that cannot be seen, cut at the longest."""
    seen = (sign for sign in text.replace("\r\n", "\n") if sign.isprintable() or sign == "\n")
    return "".join(seen).strip()[:LONGEST_WORDS]


def _back(request: Request, ticket_id: int) -> Response:
    return done(request, f"/tickets/{ticket_id}")
