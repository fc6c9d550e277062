"""A matter an emergency desk hands to 12345 (双向派单): a ticket at once, its words judged as any text is, its end told to the desk.

Such a matter is a talk of its own on `Channel.DESK`: it is read, rings and is worked on like any other, but nothing is ever
written back by text. What is harm rings whatever the desk called it: who says "no emergency" has not read it with our eyes.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import case, select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, regions
from sms_gateway.bridge import matters
from sms_gateway.bridge.models import DeskMatter
from sms_gateway.contacts.models import Channel
from sms_gateway.database import transaction
from sms_gateway.escalations import open_cases
from sms_gateway.escalations import service as escalations
from sms_gateway.jobs import defer
from sms_gateway.messages import inbox
from sms_gateway.messages.models import Message, Thread
from sms_gateway.tickets import links
from sms_gateway.tickets import service as tickets
from sms_gateway.tickets.lifecycle import Status
from sms_gateway.tickets.models import Ticket
from sms_gateway.triage.judgement import Harm, Judgement, Lane

from . import talk
from .ownership import Owner

CARRIER = "desk"
BECAME = {
    Status.REPLIED: "answered", Status.CONCLUDED: "concluded", Status.FOLLOWED_UP: "concluded", Status.EVALUATED: "concluded",
    Status.DECLINED: "declined", Status.TRANSFERRED: "transferred", Status.WITHDRAWN: "withdrawn", Status.MERGED: "merged",
}  # fmt: skip
"""What a desk hears of a ticket in that state; of the others nothing."""
AT_ONCE = 50
"""Matters whose desks are told of news in one look."""


async def take(session: AsyncSession, *, desk: str, number: str, said: Mapping[str, str]) -> tuple[str, bool]:
    """Take the matter `number` of `desk` (`110@530600`): our ticket's number, and whether the matter is new.

    `said`: what, place, child, caller, phone, kind. Raises `NumberIsTaken`.
    """
    await matters.lock_number(session, desk=desk, number=number)
    known = await matters.find(session, desk=desk, number=number, said=said)
    if known is not None:
        return known.ticket, False
    name = f"{desk}/{number}"
    inbound = inbox.Inbound(Channel.DESK, name, _in_words(said), CARRIER, name, clock.now())
    recorded = await inbox.record(session, inbound)
    assert recorded is not None  # the desk's number is its own, and locked
    thread = await talk.get_talk(session, recorded.thread_id)
    county, thread.contact.region = _where(desk, said)
    thread.last_inbound_at = inbound.received_at
    ticket = await tickets.open_ticket(
        session, thread_id=thread.id, contact_id=thread.contact_id, asked_in=recorded.message_id, kind=said["kind"],
        county=county, answers=_answers(number, said),
    )  # fmt: skip
    await matters.keep(
        session, desk=desk, number=number, said=said, thread_id=thread.id, ticket_id=ticket.id, ticket=ticket.number
    )
    await links.link(session, ticket_id=ticket.id, kind=links.Linked.THREAD, ref=thread.id)
    await defer(session, "conversations.judge", message_id=recorded.message_id)
    return ticket.number, True


def _in_words(said: Mapping[str, str]) -> str:
    """As one text, for triage and for who reads the talk: who called and from where is no part of it."""
    parts = [said["what"], said["place"] and f"地点：{said['place']}", said["child"] and f"孩子：{said['child']}"]
    return "\n".join(filter(None, parts))


def _answers(number: str, said: Mapping[str, str]) -> dict[str, str]:
    """As a form's answers. Caller and number stay with the matter: a unit that handles it has no business with them."""
    told = {"what": said["what"], "place": said["place"], "child": said["child"], "reference": number}
    return {name: words for name, words in told.items() if words}


def _where(desk: str, said: Mapping[str, str]) -> tuple[str | None, str]:
    """The county, if it can be told, and the most exact region known: at least the desk's own."""
    own = desk.partition("@")[2]
    for words in filter(None, (said["place"], said["what"])):
        found = regions.recognise(words)
        if found.county is not None:
            return found.county.adcode, found.county.adcode
        near = [one.adcode for one in found.candidates if one.adcode[:4] == own[:4]]
        if len(near) == 1 and not own.endswith("0000"):
            return near[0], near[0]
        if found.prefecture is not None:
            return None, found.prefecture.adcode
    return (None if own.endswith("00") else own), own


async def act(session: AsyncSession, thread: Thread, message: Message, judged: Judgement) -> None:
    """The desk's words were judged: harm rings or lies on top, and its ticket goes up with it; the rest is worked on as a ticket."""
    await inbox.mark_answered(session, message.id, "judge")
    if judged.lane is Lane.BLUE and not judged.unsure:
        return
    sexual = judged.sexual or judged.type is Harm.SEXUAL
    danger = judged.lane is not Lane.BLUE
    escalation, _news = await escalations.open_or_raise(
        session, message=message, cause={Lane.RED: "danger", Lane.ORANGE: "disclosure"}.get(judged.lane, "unsure"),
        lane=judged.lane, harm=Harm.SEXUAL if sexual else judged.type, services=list(judged.services),
        reasons=list(judged.reasons),
    )  # fmt: skip
    talk.raise_lane(thread, judged.lane)
    matter = await matters.find_of_talk(session, thread.id)
    if danger:
        await tickets.raise_lane(session, thread_id=thread.id, lane=judged.lane, since=message.at)
        await open_cases.mark_number(session, matter.said.get("phone", "") if matter is not None else "")
    if matter is not None:
        await links.link(session, ticket_id=matter.ticket_id, kind=links.Linked.ESCALATION, ref=escalation.id)
    if thread.owner not in (Owner.WAITING, Owner.OPERATOR):
        thread.waiting_since = message.at
        await talk.move(session, thread, Owner.WAITING, who="triage", detail={"message": message.id})


async def sweep() -> int:
    """Desks hear what their matters' tickets have come to; returns how many. Any number of processes may sweep (`jobs.PACE`)."""
    became = case({str(status): state for status, state in BECAME.items()}, value=Ticket.status)
    wanted = select(DeskMatter, became).join(Ticket, Ticket.id == DeskMatter.ticket_id)
    wanted = wanted.where(DeskMatter.ended_at.is_(None), became.is_not(None), became != DeskMatter.state)
    wanted = wanted.order_by(DeskMatter.id).limit(AT_ONCE).with_for_update(of=DeskMatter, skip_locked=True)
    async with transaction() as session:
        found = list(await session.execute(wanted))
        for matter, state in found:
            await matters.note_state(session, matter, state)
    return len(found)
