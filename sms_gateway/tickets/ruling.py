"""退单裁决: whether a unit was right to return a matter is the shift lead's to say; the second return goes to a meeting."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.errors import BadInput, HotlineError

from . import dispatching, lifecycle
from .actors import Actor
from .lifecycle import Status, Who
from .models import Ticket, TicketEvent
from .record import record_event


class OnlyTheLeadRules(HotlineError):
    status_code = 403
    sentence = "退回的单由值班长裁决，请值班长来派。"


class RulingNeedsWords(BadInput):
    sentence = "还派给退单的单位，要写为什么归它。"


class MeetingNeedsWords(BadInput):
    sentence = "已经退了两次，要上会：请写会商的结论，再派。"


async def find_return(session: AsyncSession, ticket_id: int) -> TicketEvent | None:
    """The newest return: who gave it back (`detail.unit`), whose duty it says it is (`duty`), whether it goes to a meeting."""
    wanted = select(TicketEvent).where(TicketEvent.ticket_id == ticket_id, TicketEvent.what == Status.RETURNED.value)
    return await session.scalar(wanted.order_by(TicketEvent.seq.desc()).limit(1))


async def rule(
    session: AsyncSession, ticket: Ticket, *, actor: Actor, unit: str, co: Iterable[str] = (), why: str | None = None,
    category: str | None = None,
) -> TicketEvent:  # fmt: skip
    """Decide on a returned ticket by dispatching it: to another unit (the return stands), or to the same (it does not).

    Raises `TicketCannotMove` (409) for one that is not returned, `OnlyTheLeadRules` (403), `RulingNeedsWords` and
    `MeetingNeedsWords` (422), and what `dispatching.dispatch` raises.
    """
    if ticket.status != Status.RETURNED:
        raise lifecycle.TicketCannotMove
    if actor.who is not Who.LEAD:
        raise OnlyTheLeadRules
    returned = await find_return(session, ticket.id)
    same = returned is not None and returned.detail.get("unit") == unit
    said = bool(why and why.strip())
    if ticket.returns >= lifecycle.RETURNS_UNTIL_MEETING and not said:
        raise MeetingNeedsWords
    if same and not said:
        raise RulingNeedsWords
    detail = {"stands": not same, "unit": unit, "meeting": ticket.returns >= lifecycle.RETURNS_UNTIL_MEETING}
    await record_event(session, ticket, "ruled", who=str(actor), detail=detail)
    return await dispatching.dispatch(session, ticket, unit=unit, actor=actor, co=co, why=why, category=category)
