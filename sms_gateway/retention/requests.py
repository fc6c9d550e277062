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
from sms_gateway.errors import BadInput, Conflict, HotlineError
from sms_gateway.operators import presence
from sms_gateway.tickets.models import Accused, Ticket
from texts.normalise import clean

from . import connected, decision, erasing, one_at_a_time, periods, request_rules, standing
from .connected import Connected
from .holds import checked_reason
from .models import SubjectRequest
from .request_rules import Asker, Checked, Facts, Outcome, Wants

SHOWN = 100
SHORTEST_NAME, LONGEST_NAME = 2, 40
ERASED_ON_REQUEST = "本人申请删除，内容已清除；单号、时间、状态和指纹依法保留"


class RequestNotFound(HotlineError):
    status_code = 404
    sentence = "没有这份申请。"


class RequestIsDone(Conflict):
    sentence = "这份申请已经办完了。"


class RequestIsNotGranted(Conflict):
    sentence = "这份申请现在不能办，请按页面上的话回答。"


class NeedsAnother(HotlineError):
    status_code = 403
    sentence = "这一步要两个人：登记的人不能自己办，请另一位值班长核过本人再点。"


class NameIsMissing(BadInput):
    sentence = f"请照证件写来问的人的姓名（{SHORTEST_NAME} 到 {LONGEST_NAME} 个字），只用来比对，不留下。"


async def record(
    session: AsyncSession, *, number: str, wants: Wants, asker: Asker, checked: Checked, asker_name: str, words: str, by: int,
) -> SubjectRequest:  # fmt: skip
    """Look the number up, decide, and keep the request without it and without the name.

    Raises `NotAPhoneNumber`, `NameIsMissing`, `HoldNeedsReason` (422).

    An audit row is written whatever comes of it, so that looking numbers up here leaves a trace each time.
    """
    reason, name = checked_reason(words), checked_name(asker_name)
    contact = await service.find(session, channel=Channel.SMS, address=phone.parse(number))
    facts = Facts(known=False)
    if contact is not None:
        facts = await facts_of(session, contact, asker_name=name, by=by)
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


def checked_name(written: str) -> str:
    """The asker's name by their document, without blanks. Raises `NameIsMissing`."""
    name = "".join(clean(written).split())
    if not SHORTEST_NAME <= len(name) <= LONGEST_NAME:
        raise NameIsMissing
    return name


async def facts_of(session: AsyncSession, contact: Contact, *, asker_name: str = "", by: int | None = None) -> Facts:
    """What `request_rules.decide` asks of this person, with all that belongs together with them."""
    together = await connected.load(session, contact.id)
    stands = await standing.load(session, contact, together)
    keep = {kind: period.keep for kind, period in periods.load().items()}
    accused = (await session.scalars(select(Accused).where(Accused.ticket_id.in_(together.tickets)))).all()
    sealed = select(Ticket.id).where(Ticket.id.in_(together.tickets), Ticket.sealed)
    names = {name for one in accused if (name := "".join((one.about or {}).get("name", "").split()))}
    return Facts(
        known=True, harm=any(matter.harm for matter in stands.matters),
        suspected=any(one.relation in ("guardian", "relative") or one.lives_with for one in accused)
        or await session.scalar(sealed.limit(1)) is not None,
        named=any(asker_name in name or name in asker_name for name in names) if asker_name else False,
        keeps=decision.why_kept(stands, keep, clock.now()), knows_family=by is not None and await _knows(session, by, together),
    )  # fmt: skip


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


async def list_newest(session: AsyncSession, *, by: int) -> Sequence[SubjectRequest]:
    """Those that wait for somebody first, then the newest; none of a family that `by` knows."""
    order = SubjectRequest.done_at.is_(None).desc(), SubjectRequest.id.desc()
    known = SubjectRequest.contact_id.in_(recusing.shut_to(by))
    open_to = select(SubjectRequest).where(SubjectRequest.contact_id.is_(None) | ~known)
    return (await session.scalars(open_to.order_by(*order).limit(SHOWN))).all()


async def wants_another(session: AsyncSession, one: SubjectRequest) -> bool:
    """Whether a granted request is for another supervisor than who recorded it, as things stand now."""
    contact = await session.get_one(Contact, one.contact_id)
    return request_rules.needs_another(Wants(one.wants), await facts_of(session, contact))


async def hand_out(session: AsyncSession, request_id: int, *, asker_name: str, by: int) -> Contact:
    """Whose texts go into the file. Decided anew, with the name said again: what came to light since counts.

    Raises `NeedsAnother` (403), `NameIsMissing`, `RequestIsDone`, `RequestIsNotGranted`.
    """
    one = await _granted(session, request_id, Wants.ACCESS)
    contact = await session.get_one(Contact, one.contact_id)
    await _decide_anew(session, one, contact, asker_name, by)
    one.done_by, one.done_at = by, clock.now()
    await presence.note(session, operator_id=by, what="hand_out", subject=f"request:{one.id}", detail=one.words)
    return contact


async def erase(session: AsyncSession, request_id: int, *, asker_name: str, by: int) -> None:
    """Texts and personal values go at once; number, kind, times, hashes stay. Another than who recorded it does it.

    Raises `NeedsAnother` (403), `NameIsMissing`, `RequestIsDone`, `RequestIsNotGranted`.
    """
    await one_at_a_time.take(session)
    one = await _granted(session, request_id, Wants.ERASURE)
    locked = select(Contact).where(Contact.id == one.contact_id).with_for_update()
    contact = (await session.scalars(locked.execution_options(populate_existing=True))).one()
    await _decide_anew(session, one, contact, asker_name, by)
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


async def _decide_anew(session: AsyncSession, one: SubjectRequest, contact: Contact, asker_name: str, by: int) -> None:
    """A hold, a new matter, a name since it was recorded: it is not granted any more. Raises as `hand_out`."""
    wants, facts = Wants(one.wants), await facts_of(session, contact, asker_name=checked_name(asker_name), by=by)
    if request_rules.needs_another(wants, facts) and one.recorded_by == by:
        raise NeedsAnother
    if request_rules.decide(Asker(one.asker), Checked(one.checked), wants, facts) is not Outcome.GRANTED:
        raise RequestIsNotGranted
