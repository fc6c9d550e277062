"""查阅和删除: recording a request, deciding it, handing out the file, erasing. The number is looked up by its blind index and not kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.contacts import phone, service
from sms_gateway.contacts.models import Channel, Contact
from sms_gateway.conversations import recusing
from sms_gateway.errors import Conflict, HotlineError
from sms_gateway.operators import presence
from sms_gateway.tickets.models import Accused, Child, Ticket, TicketChild

from . import connected, decision, erasing, one_at_a_time, periods, request_rules, standing
from .connected import Connected
from .holds import checked_reason
from .models import SubjectRequest
from .request_rules import Asker, Checked, Facts, Outcome, Wants

SHOWN = 100
ERASED_ON_REQUEST = "本人申请删除，内容已清除；单号、时间、状态和指纹依法保留"


class RequestNotFound(HotlineError):
    status_code = 404
    sentence = "没有这份申请。"


class RequestIsDone(Conflict):
    sentence = "这份申请已经办完了。"


class RequestIsNotGranted(Conflict):
    sentence = "这份申请现在不能办，请按页面上的话回答。"


class ErasureNeedsAnother(HotlineError):
    status_code = 403
    sentence = "删除要两个人：登记的人不能自己删，请另一位值班长核过再点。"


async def record(
    session: AsyncSession, *, number: str, wants: Wants, asker: Asker, checked: Checked, asker_name: str, words: str, by: int,
) -> SubjectRequest:  # fmt: skip
    """Look the number up, decide, and keep the request without it. Raises `NotAPhoneNumber`, `HoldNeedsReason` (422).

    An audit row is written whatever comes of it, so that looking numbers up here leaves a trace each time.
    """
    reason = checked_reason(words)
    contact = await service.find(session, channel=Channel.SMS, address=phone.parse(number))
    facts = Facts(known=False)
    if contact is not None:
        facts = await facts_of(session, contact, asker_name=asker_name, by=by)
    outcome = request_rules.decide(asker, checked, wants, facts)
    found = contact.id if contact is not None and outcome is not Outcome.NOTHING else None
    one = SubjectRequest(
        contact_id=found, wants=wants, asker=asker, checked=checked, outcome=outcome, words=reason, recorded_by=by,
        recorded_at=clock.now(),
    )  # fmt: skip
    if outcome is not Outcome.GRANTED:
        one.done_by, one.done_at = by, clock.now()
    session.add(one)
    await session.flush()
    subject = f"request:{one.id}"
    await presence.note(session, operator_id=by, what=f"record_{wants}", subject=subject, detail=reason)
    return one


async def facts_of(session: AsyncSession, contact: Contact, *, asker_name: str = "", by: int | None = None) -> Facts:
    """What `request_rules.decide` asks of this person, with all that belongs together with them."""
    together = await connected.load(session, contact.id)
    stands = await standing.load(session, contact, together)
    keep = {kind: period.keep for kind, period in periods.load().items()}
    accused = (await session.scalars(select(Accused).where(Accused.ticket_id.in_(together.tickets)))).all()
    sealed = select(Ticket.id).where(Ticket.id.in_(together.tickets), Ticket.sealed)
    names = {name for one in accused if (name := (one.about or {}).get("name"))}
    return Facts(
        known=True, harm=any(matter.harm for matter in stands.matters),
        suspected=any(one.relation in ("guardian", "relative") or one.lives_with for one in accused)
        or await session.scalar(sealed.limit(1)) is not None,
        named=_is_named(asker_name, names), youngest=await _youngest(session, together),
        keeps=decision.why_kept(stands, keep, clock.now()),
        knows_family=by is not None and await _knows(session, by, together),
    )  # fmt: skip


def _is_named(asker: str, names: set[str]) -> bool:
    said = "".join(asker.split())
    return bool(said) and any(said in "".join(name.split()) or "".join(name.split()) in said for name in names)


async def _youngest(session: AsyncSession, together: Connected) -> int | None:
    """By now; None where the age of any child, or every child, is unknown."""
    wanted = select(Child.age, Child.made_at).join(TicketChild, TicketChild.child_id == Child.id)
    rows = (await session.execute(wanted.where(TicketChild.ticket_id.in_(together.tickets)))).all()
    ages = [None if age is None else age + (clock.now() - at).days // 365 for age, at in rows]
    known = [age for age in ages if age is not None]
    return max(known) if known and len(known) == len(ages) else None


async def _knows(session: AsyncSession, operator_id: int, together: Connected) -> bool:
    """Whether the supervisor said that they know anybody of these ("我认识这家人")."""
    shut = recusing.shut_to(operator_id)
    known = select(Contact.id).where(Contact.id.in_(together.contacts), Contact.id.in_(shut))
    return await session.scalar(known.limit(1)) is not None


async def get(session: AsyncSession, request_id: int, *, lock: bool = False) -> SubjectRequest:
    """Raises `RequestNotFound`."""
    wanted = select(SubjectRequest).where(SubjectRequest.id == request_id)
    one = await session.scalar(wanted.with_for_update().execution_options(populate_existing=True) if lock else wanted)
    if one is None:
        raise RequestNotFound
    return one


async def list_newest(session: AsyncSession) -> Sequence[SubjectRequest]:
    """Those that wait for somebody first, then the newest."""
    order = SubjectRequest.done_at.is_(None).desc(), SubjectRequest.id.desc()
    return (await session.scalars(select(SubjectRequest).order_by(*order).limit(SHOWN))).all()


async def hand_out(session: AsyncSession, request_id: int, *, by: int) -> Contact:
    """Whose texts go into the file. Decided anew: what came to light since counts. Raises `RequestIsDone`, `RequestIsNotGranted`."""
    one = await _granted(session, request_id, Wants.ACCESS)
    contact = await session.get_one(Contact, one.contact_id)
    await _decide_anew(session, one, contact, by)
    one.done_by, one.done_at = by, clock.now()
    await presence.note(session, operator_id=by, what="hand_out", subject=f"request:{one.id}", detail=one.words)
    return contact


async def erase(session: AsyncSession, request_id: int, *, by: int) -> None:
    """Texts and personal values go at once; number, kind, times, hashes stay. Another than who recorded it does it.

    Raises `ErasureNeedsAnother` (403), `RequestIsDone`, `RequestIsNotGranted`.
    """
    await one_at_a_time.take(session)
    one = await _granted(session, request_id, Wants.ERASURE)
    if one.recorded_by == by:
        raise ErasureNeedsAnother
    locked = select(Contact).where(Contact.id == one.contact_id).with_for_update()
    contact = (await session.scalars(locked.execution_options(populate_existing=True))).one()
    await _decide_anew(session, one, contact, by)
    tickets = select(Ticket.id).where(Ticket.contact_id == contact.id, Ticket.erased_at.is_(None))
    for ticket_id in await session.scalars(tickets.order_by(Ticket.id)):
        await erasing.erase_ticket(session, ticket_id, why=ERASED_ON_REQUEST)
    everything = clock.now() + timedelta(days=1)
    while await erasing.erase_texts(session, contact.id, everything) == erasing.MOST_TEXTS:
        pass
    await erasing.forget_person(session, contact)
    one.done_by, one.done_at = by, clock.now()
    await presence.note(session, operator_id=by, what="erase_on_request", subject=f"request:{one.id}", detail=one.words)


async def _granted(session: AsyncSession, request_id: int, wants: Wants) -> SubjectRequest:
    one = await get(session, request_id, lock=True)
    if one.outcome != Outcome.GRANTED or one.wants != wants:
        raise RequestIsNotGranted
    if one.done_at is not None:
        raise RequestIsDone
    return one


async def _decide_anew(session: AsyncSession, one: SubjectRequest, contact: Contact, by: int) -> None:
    """A hold, a new matter, a name since it was recorded: it is not granted any more. Raises `RequestIsNotGranted`."""
    facts = await facts_of(session, contact, by=by)
    if request_rules.decide(Asker(one.asker), Checked(one.checked), Wants(one.wants), facts) is not Outcome.GRANTED:
        raise RequestIsNotGranted
