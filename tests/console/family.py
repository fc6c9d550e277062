"""Everything the house may hold of one person, for the walk that looks for it (`test_shut_out.py`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.bridge.models import BridgeCall
from sms_gateway.clock import HeldClock
from sms_gateway.contacts.models import Contact
from sms_gateway.conversations import reviewing, service, transferring
from sms_gateway.conversations.models import Review, TalkTransfer
from sms_gateway.database import transaction
from sms_gateway.escalations import look_backs
from sms_gateway.escalations import service as escalations
from sms_gateway.escalations.models import LookBack
from sms_gateway.handbook import asked, drafts
from sms_gateway.handbook.models import Asked, Outcome
from sms_gateway.messages.models import Message, Thread
from sms_gateway.operators import presence
from sms_gateway.retention import requests
from sms_gateway.retention.models import SubjectRequest
from sms_gateway.retention.request_rules import Asker, Checked, Wants
from sms_gateway.tickets import actors, attachments, children, police, sealed_images
from sms_gateway.tickets import service as tickets
from sms_gateway.tickets.children import ChildFacts
from sms_gateway.tickets.models import Ticket, TicketChild, TicketGroup
from sms_gateway.tickets.police_models import PoliceRequest
from sms_gateway.tickets.police_rules import Letter
from tests.telling import FakeCarrier, Person

from .story import add_operator

WORDS, ASKED, AGAIN, NAME, PLACE = "躲在里屋", "紫金花补助怎么领", "蓝花楹补助怎么领", "阿依朵", "红砖房隔壁"
LINKS = {
    "talk_id": "/talks/{}", "ticket_id": "/tickets/{}", "review_id": "/review/{}", "look_back_id": "/follow/{}", "draft_id": "/handbook/drafts/{}",
    "privacy_id": "/privacy/{}",
}  # fmt: skip


@dataclass
class Family:
    """`ids`: by the name an address uses; `teller`: their contact; `reporter`: another's, who told of the same child."""

    thread_id: int
    ids: dict[str, set[int]] = field(default_factory=dict)
    numbers: set[str] = field(default_factory=set)

    def said(self) -> list[str]:
        """What no answer at all may hold: words, names, the place, the numbers."""
        return [WORDS, ASKED, AGAIN, NAME, PLACE, "138****0001", "13800000001", *self.numbers]

    def traces(self) -> list[str]:
        """What no page that opens may hold: that, and links to what is theirs."""
        return [*self.said(), *(f'{link.format(one)}"' for name, link in LINKS.items() for one in self.ids[name])]


async def settle_in(person: Person, carrier: FakeCarrier, held: HeldClock) -> Family:
    """A red talk in a colleague's hand, with its hand-over, looks, reviews, transfer, tickets, child, questions and draft."""
    he, zhao = await add_operator("he", "和志强"), await add_operator("zhao", "赵")
    await person.texts(f"有人拿刀在打我妈妈 我{WORDS}")
    questions = [await person.hand_in(words) for words in (ASKED, AGAIN)]
    await person.run()
    strangers = [Person(f"+861380000010{n}", carrier, person.run) for n in range(4)]
    for one in strangers:
        await one.texts("学校的饭不好吃")
    async with transaction() as session:
        for id_ in questions:
            text = await session.get_one(Message, id_)
            text.lane, text.judged_at, text.score = "blue", clock.now(), 0.2
            await asked.note_asked(session, thread_id=person.thread_id, message_id=id_, outcome=Outcome.UNANSWERED)
        await service.take_over(session, thread_id=person.thread_id, operator=he)
        call = await escalations.find_open(session, person.thread_id)
        assert call is not None
        (await session.get_one(Contact, call.contact_id)).region = "530627"
        call.note = f"已见到孩子，在{PLACE}"
        session.add(
            BridgeCall(
                escalation_id=call.id, thread_id=person.thread_id, service="110", desk="110@530600", driver="simulator", state="failed",
                requested_at=clock.now(), requested_by=he.id, incident={"where": PLACE}, attempts=1,
            )
        )  # fmt: skip
        await look_backs.plan(session, call)
        today = clock.shanghai(clock.now()).date()
        letter = Letter("昭公调证字〔2026〕12号", "镇雄县公安局", f"{WORDS} 01、乙 02", today, today)
        await police.ask(session, letter=letter, scope="talk", ref=person.thread_id, operator_id=he.id)
        await requests.record(
            session, number=person.number, wants=Wants.ACCESS, asker=Asker.SUBJECT, checked=Checked.IN_PERSON, asker_name=NAME,
            words=f"{PLACE}的本人带身份证来", by=he.id,
        )  # fmt: skip
    mine = await _tickets(person, strangers)
    held.advance(timedelta(days=1))
    async with transaction() as session:
        for seat in (he, zhao):
            await presence.beat(session, operator_id=seat.id)
        await transferring.offer(
            session,
            thread_id=person.thread_id,
            operator=he,
            to_operator_id=zhao.id,
            mode="warm",
            note=f"{NAME}说{WORDS}",
        )
    await reviewing.sweep()
    async with transaction() as session:
        first = await session.scalar(select(Asked.id).where(Asked.message_id == questions[0]))
        assert first is not None
        await drafts.make(session, operator_id=zhao.id, asked_ids=[first])
        read = (await session.scalars(select(Review).where(Review.thread_id == person.thread_id))).first()
        assert read is not None
        read.read_at, read.read_by, read.verdict, read.words = clock.now(), zhao.id, "learn", f"{WORDS}，接得快"
        return await _found(session, person.thread_id, mine)


async def _tickets(person: Person, strangers: list[Person]) -> set[int]:
    """One of theirs with a child, another reporter's of the same child, three of others; all say the same. The shut ones."""
    async with transaction() as session:
        made = [await _open(session, one, WORDS if one is person else "学校的饭不好吃") for one in (person, *strangers)]
        made[0].sealed = True
        picture = await attachments.keep(
            session, made[0], attachments.Checked("伤.jpg", "jpg", b"a picture"), who="system"
        )
        await sealed_images.ask(
            session, made[0], attachment_id=picture.id, operator_id=1, reason=f"看{NAME}的伤，好告诉医院"
        )
        facts = ChildFacts("530627", 9, "f", {"name": NAME, "where_now": PLACE})
        child = await children.add(session, ticket_id=made[0].id, version=None, facts=facts, actor=actors.operator(1))
        await children.link(session, ticket_id=made[1].id, version=None, child_id=child.id, actor=actors.operator(1))
        now, ids = clock.now(), [one.id for one in made]
        for members in ([], ids):  # the first row is of no group (`groups._keep`)
            session.add(TicketGroup(found_at=now, since=now, looked_at=5, cut=False, category=None, ticket_ids=members))
        return {made[0].id, made[1].id}


async def _open(session: AsyncSession, person: Person, what: str) -> Ticket:
    message = (
        await session.scalars(select(Message).where(Message.thread_id == person.thread_id).order_by(Message.id))
    ).first()
    assert message is not None
    return await tickets.open_ticket(
        session, thread_id=person.thread_id, contact_id=message.contact_id, asked_in=message.id, kind="complaint", county="530627",
        answers={"what": what},
    )  # fmt: skip


async def _found(session: AsyncSession, thread_id: int, shared: set[int]) -> Family:
    async def ids(column: object) -> set[int]:
        return set(await session.scalars(select(column)))  # type: ignore[call-overload]

    theirs = select(Ticket.id).join(Thread, Thread.contact_id == Ticket.contact_id).where(Thread.id == thread_id)
    tickets_of = shared | set(await session.scalars(theirs))
    mine = set(await session.scalars(select(Review.id).where(Review.thread_id == thread_id)))
    numbers = set(await session.scalars(select(Ticket.number).where(Ticket.id.in_(tickets_of))))
    of_draft = select(Asked.draft_id).where(Asked.draft_id.is_not(None))
    kids = select(TicketChild.child_id).where(TicketChild.ticket_id.in_(tickets_of))
    return Family(
        thread_id,
        {
            "talk_id": {thread_id}, "ticket_id": tickets_of, "child_id": set(await session.scalars(kids)), "review_id": mine,
            "look_back_id": await ids(LookBack.id), "call_id": await ids(BridgeCall.id), "transfer_id": await ids(TalkTransfer.id),
            "request_id": await ids(PoliceRequest.id), "privacy_id": await ids(SubjectRequest.id), "draft_id": {one for one in await session.scalars(of_draft) if one is not None},
        },
        numbers,
    )  # fmt: skip
