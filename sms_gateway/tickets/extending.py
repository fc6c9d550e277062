"""延期: a unit asks for more time, once, and a shift lead decides."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.clock import SHANGHAI
from sms_gateway.errors import BadInput, Conflict, HotlineError, NotFound

from . import deadlines, lifecycle, moves
from .actors import Actor
from .lifecycle import Evidence, EvidenceIsMissing, Status, TicketCannotMove, Who
from .models import Extension, Ticket, TicketEvent
from .record import record_event
from .working_time import is_working_day

EXTENDABLE = (
    frozenset(state for state, to in lifecycle.MOVES.items() if Status.EXTENDED in to) - lifecycle.STOPPED_CLOCK
)


class DangerIsNotExtended(Conflict):
    sentence = "红色、橙色的事不能延期。"


class AlreadyAsked(Conflict):
    sentence = "这一单已经有一个延期申请，等值班长决定。"


class ExtensionsUsedUp(Conflict):
    sentence = "这一单的延期次数已经用完。"


class AskedTooLate(Conflict):
    sentence = "已经过了办理期限，不能再申请延期。"


class UntilOutOfRange(BadInput):
    """`latest`: the last day there may be."""

    def __init__(self, latest: date) -> None:
        self.latest = latest
        super().__init__(f"延到的日子要晚于现在的期限，最晚 {latest.month}月{latest.day}日，而且是工作日。")


class NothingAsked(NotFound):
    sentence = "这一单没有等着决定的延期申请。"


class NotYourOwnRequest(HotlineError):
    status_code = 403
    sentence = "自己提的申请，要由别的值班长决定。"


async def find_request(session: AsyncSession, ticket_id: int) -> Extension | None:
    """The request that waits for a decision, if there is one."""
    return await session.scalar(
        select(Extension).where(Extension.ticket_id == ticket_id, Extension.decided_at.is_(None))
    )


async def list_requests(session: AsyncSession, ticket_id: int) -> list[Extension]:
    """Every request for this ticket, the oldest first."""
    return list(await session.scalars(select(Extension).where(Extension.ticket_id == ticket_id).order_by(Extension.id)))


async def ask(session: AsyncSession, ticket: Ticket, *, actor: Actor, reason: str, until: date) -> Extension:
    """The unit that has the locked ticket in hand asks to have until the end of business on `until`.

    Raises `TicketCannotMove`, `AlreadyAsked`, `ExtensionsUsedUp`, `AskedTooLate`, `DangerIsNotExtended` (409),
    `NotYoursToMove` (403), `EvidenceIsMissing`, `UntilOutOfRange` (422).
    """
    if actor.who is not Who.UNIT or not await moves.has_in_hand(session, ticket, actor.unit):
        raise lifecycle.NotYoursToMove
    if not reason.strip():
        raise EvidenceIsMissing({Evidence.WHY})
    _check_may_be_extended(ticket)
    if await find_request(session, ticket.id) is not None:
        raise AlreadyAsked
    now = clock.now()
    if now >= ticket.due_at:
        raise AskedTooLate
    request = Extension(
        ticket_id=ticket.id, unit=ticket.unit, asked_by=str(actor), asked_at=now, reason=reason, until=_end_of(ticket, until)
    )  # fmt: skip
    session.add(request)
    await session.flush()
    ticket.next_clock_at = now
    detail = {"extension": request.id, "until": until.isoformat()}
    await record_event(session, ticket, "extension_asked", who=str(actor), why=reason, detail=detail)
    return request


async def approve(session: AsyncSession, ticket: Ticket, *, actor: Actor, why: str | None = None) -> TicketEvent:
    """A shift lead grants the open request: the ticket is `extended`, due when it asked for; its clocks begin anew.

    Raises `NothingAsked` (404), `NotYourOwnRequest`, `NotYoursToMove` (403), `TicketCannotMove`, `DangerIsNotExtended`,
    `ExtensionsUsedUp` (409).
    """
    request = await _decidable(session, ticket, actor)
    _check_may_be_extended(ticket)
    detail = {"extension": request.id, "until": request.until.astimezone(SHANGHAI).date().isoformat()}
    ticket.due_at, ticket.extensions = max(ticket.due_at, request.until), ticket.extensions + 1
    ticket.warned_at, ticket.supervised = None, 0
    event = await moves.move(
        session, ticket, Status.EXTENDED, actor=actor, evidence=frozenset({Evidence.UNTIL}), why=why, detail=detail
    )
    request.decided_at, request.decided_by, request.approved = clock.now(), actor.id, True
    await session.flush()
    return event


async def refuse(session: AsyncSession, ticket: Ticket, *, actor: Actor, why: str) -> TicketEvent:
    """A shift lead does not grant the open request and says why; nothing else changes. Raises as `approve`."""
    request = await _decidable(session, ticket, actor)
    if not why.strip():
        raise EvidenceIsMissing({Evidence.WHY})
    request.decided_at, request.decided_by, request.approved = clock.now(), actor.id, False
    ticket.next_clock_at = clock.now()
    detail = {"extension": request.id}
    return await record_event(session, ticket, "extension_refused", who=str(actor), why=why, detail=detail)


async def _decidable(session: AsyncSession, ticket: Ticket, actor: Actor) -> Extension:
    if actor.who is not Who.LEAD:
        raise lifecycle.NotYoursToMove
    request = await find_request(session, ticket.id)
    if request is None:
        raise NothingAsked
    if request.asked_by == str(actor) or request.asked_by.endswith(f":{actor.id}"):  # one account in two posts
        raise NotYourOwnRequest
    return request


def _check_may_be_extended(ticket: Ticket) -> None:
    if ticket.lane != "blue":
        raise DangerIsNotExtended
    if Status(ticket.status) not in EXTENDABLE:
        raise TicketCannotMove
    if ticket.extensions >= deadlines.time_limits().extensions_allowed:
        raise ExtensionsUsedUp


def _end_of(ticket: Ticket, until: date) -> datetime:
    latest = deadlines.latest_extension(ticket.received_at)
    wanted = datetime.combine(until, deadlines.time_limits().business_ends, SHANGHAI)
    if not (ticket.due_at < wanted <= latest and is_working_day(until)):
        raise UntilOutOfRange(latest.date())
    return wanted
