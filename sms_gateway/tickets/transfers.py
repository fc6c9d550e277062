"""转办: a matter goes to the general 12345 platform or another province in one step, with its original words; what comes back is caught.

Which side owns number, state and clock says `transfer_rules.owner`. Here are the records and their moves; the wire is
`platforms`', reached from `tasks` only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from sms_gateway import clock
from sms_gateway.contacts.models import Channel
from sms_gateway.errors import BadInput, Conflict, NotFound
from sms_gateway.jobs import defer
from sms_gateway.messages import inbox
from sms_gateway.messages.models import Message, Thread
from sms_gateway.settings import get_settings
from sms_gateway.timers import set_timer

from . import deadlines, dispatching, lifecycle, moves, service, transfer_rules
from .actors import SYSTEM, Actor
from .lifecycle import Evidence, Status
from .models import Ticket, Transfer
from .record import record_event
from .telling_transfers import tell
from .transfer_rules import GENERAL, State

JOB = "tickets.pass_on"
LONGEST_NUMBER = 40
LONGEST_REASON = 200


class MustNotBeTransferred(Conflict):
    sentence = "红色、橙色、保密和敏感的单不转出去，请按流程办。"


class NumberIsTaken(Conflict):
    sentence = "这个对方单号已经记在另一单上了，请核对。"


class NumberDiffers(Conflict):
    sentence = "对方报的单号和记下的不一样，请核对。"


class NumberIsWrong(BadInput):
    sentence = f"请写对方的单号，1 到 {LONGEST_NUMBER} 个字。"


class TransferNotFound(NotFound):
    sentence = "没有这一单的转办记录。"


@dataclass(frozen=True)
class Letter:
    """What goes over the wire. `number` is ours, and the same in every try: one number, one matter of theirs."""

    transfer_id: int
    number: str
    words: str
    received_at: datetime
    place: str
    phone: str | None
    """Whom to answer; None for a visitor of the web page."""
    tries: int


async def open_for_text(
    session: AsyncSession, *, message_id: int, partner: str = GENERAL, words: str | None = None
) -> Transfer | None:
    """A text was none of ours: a ticket of kind `transfer`, handed on with `words` (None: the text's own).

    None where it must stay: danger or harm is open for this person, or the text itself was judged so.
    """
    message = await inbox.get_message(session, message_id)
    if (
        message.lane not in (None, "blue")
        or message.unsure
        or message.thread.lane != "blue"
        or message.contact.open_case
    ):
        return None
    said = words or message.body
    ticket = await service.open_ticket(
        session, thread_id=message.thread_id, contact_id=message.contact_id, asked_in=message_id, kind="transfer",
        county=message.contact.region, answers={"what": said},
    )  # fmt: skip
    if ticket.kind != "transfer":
        return None
    return await begin(session, await moves.lock(session, ticket.id), actor=SYSTEM, partner=partner, words=said)


async def begin(
    session: AsyncSession, ticket: Ticket, *, actor: Actor, partner: str = GENERAL, words: str | None = None
) -> Transfer:
    """Hand the locked ticket on; the one that is under way already stays as it is.

    Raises `MustNotBeTransferred`, `BadInput` for a partner that is none, and `TicketCannotMove` where it cannot go.
    """
    if ticket.lane != "blue" or ticket.sealed or ticket.sensitivity is not None:
        raise MustNotBeTransferred
    if partner not in transfer_rules.PARTNERS:
        raise BadInput("请选转到哪里。")
    under_way = await _latest(session, ticket.id)
    if under_way is not None and under_way.state in (State.REQUESTED, State.BY_HAND):
        return under_way
    if not lifecycle.can_move(ticket.status, Status.TRANSFERRED):
        raise lifecycle.TicketCannotMove
    by_machine = partner == GENERAL and get_settings().general_desk_url is not None
    row = Transfer(
        ticket_id=ticket.id, partner=partner, state=State.REQUESTED if by_machine else State.BY_HAND,
        words=words or await _original_words(session, ticket), asked_at=clock.now(), tries=0,
    )  # fmt: skip
    session.add(row)
    await session.flush()
    what = "transfer_asked" if by_machine else "transfer_by_hand"
    await record_event(session, ticket, what, who=str(actor), detail={"transfer": row.id, "partner": partner})
    if by_machine:
        await defer(session, JOB, subject_id=row.id)
    return row


async def _original_words(session: AsyncSession, ticket: Ticket) -> str:
    """What the person wrote: the form's own words where a form was filled in, else the text that brought the matter."""
    said = ticket.answers or {}
    kept = [said[name] for name in ("what", "more", "wish") if said.get(name)]
    if kept:
        return "\n".join(kept)
    message = await session.scalar(select(Message).where(Message.id == ticket.asked_in))
    return message.body if message is not None else ""


async def next_letter(session: AsyncSession, transfer_id: int) -> Letter | None:
    """What to send for a transfer that still waits for an answer; the try is counted. None: it is settled."""
    wanted = select(Transfer).where(Transfer.id == transfer_id, Transfer.state == State.REQUESTED)
    row = await session.scalar(wanted.with_for_update())
    if row is None:
        return None
    row.tries += 1
    ticket = (await session.scalars(select(Ticket).where(Ticket.id == row.ticket_id))).one()
    of = select(Thread).where(Thread.id == ticket.thread_id).options(joinedload(Thread.contact))
    thread = (await session.scalars(of)).one()
    phone = thread.contact.address if thread.channel == Channel.SMS else None
    return Letter(row.id, ticket.number, row.words, ticket.received_at, ticket.place, phone, row.tries)


async def note_failure(session: AsyncSession, transfer_id: int) -> None:
    """A try was in vain: another later, or an operator does it by hand."""
    row, ticket = await _claim(session, transfer_id)
    if row.state != State.REQUESTED:
        return
    pause = transfer_rules.pause_after(row.tries)
    if pause is not None:
        await set_timer(session, job=JOB, subject_id=row.id, due_at=clock.now() + pause)
        return
    row.state = State.BY_HAND
    detail = {"transfer": row.id, "partner": row.partner, "tries": row.tries}
    await record_event(session, ticket, "transfer_by_hand", who=str(SYSTEM), detail=detail)
    await tell(session, row, ticket)


async def note_pending(session: AsyncSession, transfer_id: int) -> None:
    """They have it but gave no number yet: their word will come, or we ask again."""
    row, _ticket = await _claim(session, transfer_id)
    if row.state == State.REQUESTED:
        due_at = clock.now() + transfer_rules.WAITS_FOR_NUMBER
        await set_timer(session, job=JOB, subject_id=row.id, due_at=due_at)


async def settle(
    session: AsyncSession, transfer_id: int, state: State, *, actor: Actor = SYSTEM, number: str | None = None,
    reason: str | None = None,
) -> bool:  # fmt: skip
    """What the other side says (or an operator for it). False when it was known.

    Raises `TransferCannotMove`, `NumberIsWrong`, `NumberIsTaken`, `NumberDiffers`.
    """
    row, ticket = await _claim(session, transfer_id)
    if row.state == state and (number is None or number == row.their_number):
        return False
    transfer_rules.check(row.state, state)
    if number is not None or state is State.ACCEPTED:
        row.their_number = await _free_number(session, row, number)
    before = transfer_rules.owner(row.state)
    row.state, row.answered_at = state, clock.now()
    why = reason.strip()[:LONGEST_REASON] if reason and reason.strip() else None
    await _follow(session, row, ticket, before=before, actor=actor, why=why)
    await tell(session, row, ticket)
    return True


async def _follow(
    session: AsyncSession, row: Transfer, ticket: Ticket, *, before: transfer_rules.Ownership, actor: Actor, why: str | None
) -> None:  # fmt: skip
    """Let our ticket follow the rule of ownership: it leaves with their number, it comes back whole, else it is noted."""
    after, detail = transfer_rules.owner(row.state), {"transfer": row.id, "partner": row.partner}
    theirs = after.clock is transfer_rules.Side.THEIRS
    if theirs and before != after and lifecycle.can_move(ticket.status, Status.TRANSFERRED):
        evidence = frozenset({Evidence.TARGET})
        await moves.move(session, ticket, Status.TRANSFERRED, actor=actor, evidence=evidence, why=why, detail=detail)
        await dispatching.take_back(session, ticket)
    elif row.state == State.RETURNED and ticket.status == Status.TRANSFERRED:
        await moves.move(session, ticket, Status.ACCEPTED, actor=actor, why=why or "对方平台退回", detail=detail)
        ticket.due_at = deadlines.due_at(ticket.lane, clock.now(), kind=ticket.kind, urgent=ticket.urgent)
        ticket.supervised, ticket.warned_at, ticket.next_clock_at = 0, None, clock.now()
    if row.state in (State.REFUSED, State.CLOSED):
        await record_event(session, ticket, f"transfer_{row.state}", who=str(actor), why=why, detail=detail)


async def _free_number(session: AsyncSession, row: Transfer, number: str | None) -> str:
    number = (number or row.their_number or "").strip()
    if not 0 < len(number) <= LONGEST_NUMBER or not number.isprintable():
        raise NumberIsWrong
    if row.their_number not in (None, number):
        raise NumberDiffers
    same = select(Transfer.id).where(Transfer.partner == row.partner, Transfer.their_number == number)
    if await session.scalar(same.where(Transfer.id != row.id)) is not None:
        raise NumberIsTaken
    return number


async def _claim(session: AsyncSession, transfer_id: int) -> tuple[Transfer, Ticket]:
    """The transfer and its ticket, both locked, the ticket first. Raises `TransferNotFound`."""
    ticket_id = await session.scalar(select(Transfer.ticket_id).where(Transfer.id == transfer_id))
    if ticket_id is None:
        raise TransferNotFound
    ticket = await moves.lock(session, ticket_id)
    wanted = select(Transfer).where(Transfer.id == transfer_id).with_for_update()
    return (await session.scalars(wanted.execution_options(populate_existing=True))).one(), ticket


async def find_by_our_number(session: AsyncSession, number: str) -> Transfer:
    """The newest transfer of our ticket of that number to the general platform. Raises `TransferNotFound`."""
    of = select(Transfer).join(Ticket, Ticket.id == Transfer.ticket_id)
    wanted = of.where(Ticket.number == number, Transfer.partner == GENERAL).order_by(Transfer.id.desc()).limit(1)
    row = await session.scalar(wanted)
    if row is None:
        raise TransferNotFound
    return row


async def _latest(session: AsyncSession, ticket_id: int) -> Transfer | None:
    wanted = select(Transfer).where(Transfer.ticket_id == ticket_id).order_by(Transfer.id.desc()).limit(1)
    return await session.scalar(wanted)


async def get_last(session: AsyncSession, ticket_id: int) -> Transfer:
    """The newest transfer of a ticket. Raises `TransferNotFound`."""
    row = await _latest(session, ticket_id)
    if row is None:
        raise TransferNotFound
    return row


async def list_for(session: AsyncSession, ticket_id: int) -> Sequence[Transfer]:
    """A ticket's transfers, oldest first."""
    return (await session.scalars(select(Transfer).where(Transfer.ticket_id == ticket_id).order_by(Transfer.id))).all()


async def list_by_hand(session: AsyncSession, *, limit: int = 200) -> Sequence[Transfer]:
    """What an operator has to transfer by hand, the longest waiting first."""
    wanted = (
        select(Transfer).where(Transfer.state.in_(transfer_rules.FOR_AN_OPERATOR)).options(joinedload(Transfer.ticket))
    )
    return (await session.scalars(wanted.order_by(Transfer.asked_at).limit(limit))).all()
