"""What a talk's page shows beside the words: who answers where the child is, other reporters, the clock of evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.bridge import duty_book, matters
from sms_gateway.bridge import service as bridge
from sms_gateway.bridge.incident import Incident
from sms_gateway.bridge.models import WITH_DESK, BridgeCall, BridgeEvent, DeskMatter
from sms_gateway.bridge.said import Said, last_said
from sms_gateway.broadcasts import replies
from sms_gateway.contacts.models import Channel
from sms_gateway.conversations import bridging, province
from sms_gateway.conversations.overview import TalkPage
from sms_gateway.tickets import children, duty, duty_rules, near_ones, near_ones_rules
from sms_gateway.tickets.models import Ticket
from sms_gateway.triage.judgement import Harm

NEAR = ("desk110", "police_post", "civil_night")
"""Whom the first screen names, one of each kind; the whole book is a click away."""


@dataclass(frozen=True)
class Bridge:
    """A hand-over with what came back, oldest first."""

    call: BridgeCall
    events: Sequence[BridgeEvent]

    @property
    def is_bad(self) -> bool:
        """Nobody has it, and nobody has written how that was mended."""
        return self.call.state in ("failed", "returned") and self.call.settled_at is None

    @property
    def said(self) -> Said | None:
        """How far the desk that has it says it is."""
        return last_said(self.events) if self.call.state in WITH_DESK else None

    @property
    def on_the_line(self) -> bool:
        """The desk's telephone was picked up, and nobody has written down whether it took the matter."""
        return self.call.state == "requested" and any(event.what == "desk_answered" for event in self.events)

    @property
    def last_words(self) -> str:
        """The newest words of the desk."""
        return next((event.words for event in reversed(self.events) if event.words and event.who == "desk"), "")


async def list_bridges(session: AsyncSession, thread_id: int, *, limit: int = 6) -> list[Bridge]:
    """That talk's hand-overs, the newest first."""
    calls = await bridge.list_of_talk(session, thread_id, limit=limit)
    events = await bridge.list_events(session, [call.id for call in calls]) if calls else []
    return [Bridge(call, [event for event in events if event.call_id == call.id]) for call in calls]


@dataclass(frozen=True)
class Handing:
    """What one click would hand over now, and by which way (`hand`: there is no desk, the operator telephones)."""

    incident: Incident
    driver: str
    desk: str


async def _handing(session: AsyncSession, page: TalkPage) -> Handing | None:
    call = page.escalation
    if call is None or call.lane not in ("red", "orange"):
        return None
    service = next(iter(call.services), "110")
    incident = await bridging.preview(session, page.thread, call, service, texts=page.inbound)
    route = bridging.route_to(page.thread, service, incident.region or None)
    return Handing(incident, route.driver, route.desk)


@dataclass(frozen=True)
class Beside:
    """Loaded for one page. `posts`: one of each of `NEAR` that is there; `reporters`: other contacts who told of this child."""

    posts: Sequence[duty_book.Post] = ()
    reporters: int = 0
    called: str = ""
    """How the child wants to be called, as a form or an operator wrote it down."""
    bridges: Sequence[Bridge] = ()
    """Hand-overs of this talk to emergency desks, the newest first."""
    for_province: Sequence[BridgeCall] = ()
    """Of these, what a prefecture's desk did not take and the province's can be asked."""
    handing: Handing | None = None
    """What the main button would hand over; None where there is no danger."""
    matter: DeskMatter | None = None
    """Where the talk is a matter that a desk handed to us."""
    evidence_until: datetime | None = None
    """Of sexual harm: when the 72 hours for evidence and medicine end."""
    near: Sequence[tuple[str, str]] = ()
    """Of self-harm in red: whom the desk may say it told, for the sheet that ends it."""
    outreach: replies.Context | None = None
    """The broadcast that reached this phone in the last week, and which texts answered it."""


async def load(session: AsyncSession, page: TalkPage, place: str | None) -> Beside:
    """Read it. `place`: the adcode the page goes by."""
    on_hand = await duty_book.on_hand(session, place)
    firsts = [next((post for post in on_hand if post.kind == kind), None) for kind in NEAR]
    about = [ticket for ticket in page.tickets if ticket.thread_id == page.thread.id][:5]
    known = [child for ticket in about for child in await children.list_children(session, ticket.id)]
    others = await children.list_tickets(session, {child.id for child in known}) if known else []
    bridges = await list_bridges(session, page.thread.id)
    names = [children.facts_of(child).about.get("name", "") for child in known]
    return Beside(
        posts=[post for post in firsts if post is not None],
        reporters=len({ticket.contact_id for _child, ticket in others} - {page.contact.id}),
        called=next(filter(None, names), ""),
        bridges=bridges,
        for_province=_for_province(page, bridges),
        handing=await _handing(session, page),
        matter=await matters.find_of_talk(session, page.thread.id) if page.thread.channel == Channel.DESK else None,
        evidence_until=await _evidence(session, page, about),
        near=await _near(session, page),
        outreach=await replies.find_context(session, page.thread.id, page.contact, at=clock.now()),
    )


async def _near(session: AsyncSession, page: TalkPage) -> Sequence[tuple[str, str]]:
    call = page.escalation
    if call is None or call.lane != "red" or call.harm != Harm.SELF_HARM:
        return ()
    return near_ones_rules.choices(guardian_harms=await near_ones.guardian_harms(session, page.contact.id))


def _for_province(page: TalkPage, bridges: Sequence[Bridge]) -> list[BridgeCall]:
    if page.escalation is None:
        return []
    calls = [one.call for one in bridges if one.call.escalation_id == page.escalation.id]
    return [call for call, _route in province.next_of(page.thread, calls)]


async def _evidence(session: AsyncSession, page: TalkPage, about: Sequence[Ticket]) -> datetime | None:
    """The end of the 72 hours: as the ticket has it, else read from the text that brought the call."""
    for ticket in about:
        for row in await duty.list_duties(session, ticket.id):
            if row.evidence_until is not None:
                return row.evidence_until
    call = page.escalation
    if call is None or call.harm != Harm.SEXUAL:
        return None
    return duty_rules.evidence_until(page.began.body if page.began is not None else "", call.received_at)[0]


def safe_contact(tickets: Sequence[Ticket]) -> str:
    """How the person last said they can be reached without harm; empty when they never did."""
    return next((said for ticket in tickets if (said := (ticket.answers or {}).get("contact"))), "")
