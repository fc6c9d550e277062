"""A talk of danger and the emergency desks: what would be told, the hand-over, and what comes back into the talk."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, regions
from sms_gateway.bridge import automatic, choosing
from sms_gateway.bridge import service as bridge
from sms_gateway.bridge.incident import DO_NOT_RING_BACK, UNKNOWN_PLACE, Incident
from sms_gateway.bridge.models import WITH_DESK, BridgeCall
from sms_gateway.bridge.said import LOST, last_said
from sms_gateway.contacts.models import Channel
from sms_gateway.errors import BadInput
from sms_gateway.escalations import service as escalations
from sms_gateway.escalations.ladder import State, can_move
from sms_gateway.escalations.models import Escalation
from sms_gateway.messages.models import Message, Thread
from sms_gateway.operators.models import Operator
from sms_gateway.settings import get_settings
from sms_gateway.tickets import links
from sms_gateway.tickets import service as tickets
from sms_gateway.tickets.models import Ticket
from sms_gateway.triage.judgement import Harm, Writer

from . import caution, harms, records, registering, scene, talk

LONGEST_APPROACH = 300
ALWAYS_SAID = (DO_NOT_RING_BACK, "不要说是谁报的")
"""What every approach note ends with."""
SERVICES = choosing.SERVICES
LIFE = frozenset({Harm.FIRE, Harm.DROWNING, Harm.TRAFFIC, Harm.MEDICAL, Harm.SELF_HARM, Harm.VIOLENCE})
"""Life is in danger: the number is told without asking first (PRACTICE section 7)."""


class ServiceIsUnclear(BadInput):
    sentence = "请选交给 110、119、120 还是 122。"


class NoDeskIsSetUp(BadInput):
    sentence = "这里还没有接通接警台，请用座机打，打完在下面记下谁接的、警情编号。"


async def preview(
    session: AsyncSession, thread: Thread, escalation: Escalation, service: str, *, approach: str = "",
    number_agreed: bool = False, texts: Sequence[Message] | None = None,
) -> Incident:  # fmt: skip
    """What the desk would be told now. `texts`: the person's, oldest first, where the caller has read them."""
    if service not in SERVICES:
        raise ServiceIsUnclear
    texts = await scene.read(session, escalation) if texts is None else scene.keep(escalation, texts)
    bodies = [message.body for message in texts]
    where = await scene.where(session, thread, escalation, texts)
    told_of = caution.for_police(bodies)
    note = approach.strip() or "；".join(part for part in told_of if part not in harms.ABOUT_WEAPONS)
    place = regions.full_name(where.region) if where.region else ""
    told = " ".join(part for part in (place, f"“{where.words}”" if where.words else "") if part)
    began = scene.began(escalation, texts)
    return Incident(
        service=service, what=harms.say(escalation.harm, began.immediacy if began is not None else None),
        place=told or UNKNOWN_PLACE, region=where.region or "", certainty=where.certainty, below_county=where.below_county,
        who=harms.who(texts), weapon="、".join(part for part in told_of if part in harms.ABOUT_WEAPONS) or "没说有没有刀、酒",
        contact="；".join([_contact(thread), *caution.before_calling(bodies)]),
        approach=_approach(note),
        received_at=escalation.received_at.isoformat(), ticket=await _ticket_number(session, thread.id),
        phone=_phone(thread, escalation, texts, agreed=number_agreed),
    )  # fmt: skip


def _approach(note: str) -> str:
    """The note with what is always said, each once: the sheet shows it whole and hands it back. A long note is cut, never these."""
    missing = "；".join(part for part in ALWAYS_SAID if part not in note)
    return "；".join(filter(None, (note[: LONGEST_APPROACH - len(missing) - 1], missing)))


def _contact(thread: Thread) -> str:
    if thread.channel == Channel.DESK:
        desk, _, number = thread.contact.address.partition("/")
        service, _, adcode = desk.partition("@")
        return f"是{regions.full_name(adcode)} {service} 转给我们的（编号 {number}），报警人要问他们"
    return f"只能回{'短信' if thread.channel == Channel.SMS else '网页'}"


def _phone(thread: Thread, escalation: Escalation, texts: Sequence[Message], *, agreed: bool) -> str:
    """The number, where life is in danger, the child itself writes, or the person said yes."""
    if thread.channel != Channel.SMS:
        return ""
    child = any(message.writer == Writer.CHILD for message in texts)
    return thread.contact.address if agreed or child or escalation.harm in LIFE else ""


async def _ticket_number(session: AsyncSession, thread_id: int) -> str:
    ticket = await _open_ticket(session, thread_id)
    return ticket.number if ticket is not None else ""


async def _open_ticket(session: AsyncSession, thread_id: int) -> Ticket | None:
    wanted = select(Ticket).where(Ticket.thread_id == thread_id, Ticket.closed_at.is_(None))
    return await session.scalar(wanted.order_by(Ticket.id.desc()).limit(1))


def route_to(thread: Thread, service: str, region: str | None, *, can_speak: bool = True) -> choosing.Route:
    """The desk and the way to it, as things are set up."""
    now = get_settings()
    ways = {
        key: choosing.Ways(linkage=desk.url is not None, phone=desk.phone is not None)
        for key, desk in now.bridge_desks.items()
    }
    return choosing.choose(
        service, region, ways, live=now.bridge_live, production=now.production, voice=now.voice_driver != "none",
        drill=thread.channel == Channel.DRILL, text=now.bridge_text_12110, can_speak=can_speak,
    )  # fmt: skip


async def hand_over(
    session: AsyncSession, *, thread: Thread, escalation: Escalation, operator: Operator | None, service: str,
    approach: str = "", number_agreed: bool = False, texts: Sequence[Message] | None = None,
    route: choosing.Route | None = None,
) -> BridgeCall:  # fmt: skip
    """Hand the matter to the desk; `operator` None: the ladder does it; `route`: not to the desk its place has, but to this.

    Raises `NoDeskIsSetUp`, `IsRequestedAlready`.
    """
    texts = await scene.read(session, escalation) if texts is None else texts
    incident = await preview(
        session, thread, escalation, service, approach=approach, number_agreed=number_agreed, texts=texts
    )
    can_speak = caution.can_speak(message.body for message in texts)
    route = route or route_to(thread, service, incident.region or None, can_speak=can_speak)
    if route.driver == "hand":
        raise NoDeskIsSetUp
    ticket = await _open_ticket(session, thread.id)
    call = await bridge.request(
        session, escalation_id=escalation.id, thread_id=thread.id, route=route, incident=incident,
        requested_by=operator.id if operator else None, ticket_id=ticket.id if ticket else None,
    )  # fmt: skip
    if ticket is not None:
        await links.link(session, ticket_id=ticket.id, kind=links.Linked.BRIDGE, ref=call.id)
    who = f"operator:{operator.id}" if operator else "system"
    await talk.note(session, thread.id, "bridge_requested", who=who, detail={"bridge": call.id, "service": service})
    return call


async def press(
    session: AsyncSession,
    *,
    thread_id: int,
    operator: Operator,
    service: str,
    approach: str = "",
    number_agreed: bool = False,
) -> BridgeCall:
    """The operator who has the talk hands it over by one click. Raises `NotYourTalk`, `NothingIsOpen`, what `hand_over` raises."""
    escalation = await records.get_own_call(session, thread_id, operator)
    thread = await talk.get_talk(session, thread_id)
    await registering.register_danger(session, thread, escalation)
    return await hand_over(
        session, thread=thread, escalation=escalation, operator=operator, service=service, approach=approach,
        number_agreed=number_agreed,
    )  # fmt: skip


async def on_rung(session: AsyncSession, escalation_id: int) -> None:
    """The ladder's last step: call the desk where the rule allows it, else suggest it on every page."""
    thread_id = await session.scalar(select(Escalation.thread_id).where(Escalation.id == escalation_id))
    if thread_id is None:
        return
    thread = await talk.get_talk(session, thread_id, for_update=True)
    escalation = await escalations.find_open(session, thread.id, for_update=True)
    if escalation is None or escalation.id != escalation_id or escalation.state != State.RINGING:
        return
    service = next(iter(escalation.services), "110")
    if await bridge.is_with_desk(session, escalation.id, service=service):
        return  # it rings because nobody of ours is with the child; the desk has the matter
    texts = await scene.read(session, escalation)
    where = await scene.where(session, thread, escalation, texts)
    began = scene.began(escalation, texts)
    allowed = automatic.may_call(
        escalation.harm, [message.body for message in texts], services=escalation.services,
        now=began is not None and began.immediacy == "now", below_county=where.below_county,
        sexual=any(message.sexual for message in texts),
    )  # fmt: skip
    route = route_to(thread, service, where.region)
    if not allowed or route.driver in ("hand", "call"):  # a three-way call needs somebody of ours to speak
        await escalations.note_bridge(session, escalation, "bridge_suggested", bridge_id=0, service=service)
        return
    try:
        await hand_over(session, thread=thread, escalation=escalation, operator=None, service=service, texts=texts)
    except bridge.IsRequestedAlready:
        return


async def on_changed(session: AsyncSession, call_id: int) -> None:
    """Put what became of a hand-over into the talk. Said twice, it changes nothing."""
    call = await bridge.lock(session, call_id)
    escalation = await session.scalar(select(Escalation).where(Escalation.id == call.escalation_id).with_for_update())
    thread = await talk.get_talk(session, call.thread_id)
    assert escalation is not None
    told = await _last_told(session, escalation, call)
    if call.state in WITH_DESK:
        if told != "bridge_accepted":
            await _accepted(session, call, escalation, thread)
        await _lost(session, call, escalation)
    elif call.state == "failed" and told != "bridge_failed":
        await escalations.note_bridge(session, escalation, "bridge_failed", bridge_id=call.id)
        await _ours_again(session, call, escalation)
    elif call.state == "returned" and told != "bridge_returned":
        await _returned(session, call, escalation, thread)
    elif call.state == "requested" and call.alarmed_at is not None and told != "bridge_late":
        await escalations.note_bridge(session, escalation, "bridge_late", bridge_id=call.id)


async def _last_told(session: AsyncSession, escalation: Escalation, call: BridgeCall) -> str | None:
    """What the talk heard last of this hand-over: a desk may refuse, take it after all, and refuse again."""
    for event in reversed(await escalations.list_events(session, escalation.id)):
        if event.detail.get("bridge") == call.id and event.what.startswith("bridge_"):
            return event.what
    return None


async def _accepted(session: AsyncSession, call: BridgeCall, escalation: Escalation, thread: Thread) -> None:
    await escalations.note_bridge(session, escalation, "bridge_accepted", bridge_id=call.id, service=call.service)
    # While nobody of ours has answered it goes on ringing: the desk has the matter, the child has nobody to talk to.
    if can_move(escalation.state, State.HANDED_OVER, lane=escalation.lane):
        await escalations.move(session, escalation, State.HANDED_OVER, who="desk", detail={"bridge": call.id})
    await escalations.ask_desk_later(session, escalation)
    operator = await session.get(Operator, call.requested_by) if call.requested_by else None
    if operator is not None:
        await registering.settle_duty(
            session, thread, operator=operator, unit=call.service, reference=call.receipt or ""
        )


async def _lost(session: AsyncSession, call: BridgeCall, escalation: Escalation) -> None:
    """The desk reaches neither the person nor the child: the call stays open as lost, and the operator looks by other ways."""
    said = last_said(await bridge.list_events(session, [call.id]))
    if said is None or said.what != LOST:
        return
    known = await escalations.list_events(session, escalation.id)
    if any(event.what == "desk_lost_contact" and event.at >= said.at for event in known):
        return
    await escalations.note_bridge(session, escalation, "desk_lost_contact", bridge_id=call.id)
    if can_move(escalation.state, State.LOST_CONTACT, lane=escalation.lane):
        await escalations.move(session, escalation, State.LOST_CONTACT, who="desk", detail={"bridge": call.id})


async def _ours_again(session: AsyncSession, call: BridgeCall, escalation: Escalation) -> None:
    """A desk gave up what it had: unless another desk has the matter, it does not go on as handed over."""
    handed_over = escalation.state == State.HANDED_OVER and call.accepted_at is not None
    if handed_over and not await bridge.is_with_desk(session, escalation.id):
        await escalations.move(session, escalation, State.IN_CONTACT, who="desk", detail={"bridge": call.id})


async def _returned(session: AsyncSession, call: BridgeCall, escalation: Escalation, thread: Thread) -> None:
    """The desk says it is no emergency: the matter stays ours and is a ticket from now on (双向)."""
    await escalations.note_bridge(session, escalation, "bridge_returned", bridge_id=call.id)
    await _ours_again(session, call, escalation)
    if thread.channel == Channel.DRILL:
        return
    ticket = await _open_ticket(session, thread.id)
    if ticket is None and escalation.message_id is not None:
        message = (await session.scalars(select(Message).where(Message.id == escalation.message_id))).one()
        ticket = await tickets.open_ticket(
            session, thread_id=thread.id, contact_id=thread.contact_id, asked_in=message.id, kind="help",
            county=thread.contact.region, answers={"what": message.body}, lane="orange",
        )  # fmt: skip
    if ticket is not None:
        call.ticket_id = ticket.id
        await links.link(session, ticket_id=ticket.id, kind=links.Linked.BRIDGE, ref=call.id)
    await talk.note(
        session, thread.id, "bridge_returned", who="desk", detail={"bridge": call.id, "at": clock.now().isoformat()}
    )
