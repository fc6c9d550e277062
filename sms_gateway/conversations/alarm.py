"""What a danger text sets in motion: owner, escalation, ticket, and the one fixed text that goes back."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, regions
from sms_gateway.contacts import service as contacts
from sms_gateway.contacts.models import Channel
from sms_gateway.escalations import service as escalations
from sms_gateway.escalations.models import Escalation
from sms_gateway.messages import inbox, outbox
from sms_gateway.messages.delivery import State
from sms_gateway.messages.models import Author, Direction, Message, Thread
from sms_gateway.operators.presence import is_anyone_on_duty, is_there
from sms_gateway.settings import get_settings
from sms_gateway.tickets import inquiries, links
from sms_gateway.tickets import service as tickets
from sms_gateway.tickets.models import Ticket
from sms_gateway.triage.judgement import Harm, Judgement, Lane, Writer
from sms_gateway.triage.replies import reply_key

from . import beside, giving_back, pending, safe_reply, side_by_side, talk
from .commands import is_all_well, read_command
from .ownership import Owner

SAME_WRITER_WITHIN = timedelta(hours=2)
_TO_A_CHILD = frozenset(
    {"red.violence", "red.abuse", "red.abuse.recent", "red.confined", "red.alone", "red.other", "red.suicide"}
)
"""Safe replies that speak to the child in danger."""
OK_ONCE_IN = timedelta(minutes=30)
CHILD_LIKE = frozenset({"child", "unknown"})


async def on_red(session: AsyncSession, message: Message, judged: Judgement) -> None:
    """Danger: the talk waits for a person, the escalation rings, the safe reply of its type is queued. Once a text."""
    thread = await talk.get_talk(session, message.thread_id, for_update=True)
    fresh = await inbox.mark_answered(session, message.id, "judge")
    if not fresh and message.answered_by != "spool":  # the spool has answered, but could call nobody
        return
    escalation, news = await escalations.open_or_raise(
        session,
        message=message,
        cause="danger",
        lane=Lane.RED,
        harm=judged.type,
        services=list(judged.services),
        reasons=list(judged.reasons),
    )
    talk.raise_lane(thread, Lane.RED)
    await tickets.raise_lane(session, thread_id=thread.id, lane=Lane.RED, since=message.at)
    if thread.owner == Owner.OPERATOR:
        return
    await _wait_for_person(session, thread, message)
    if news:
        await outbox.cancel_automatic(session, thread.id)
    if not fresh:
        return
    command = read_command(message.body, talking=True)
    if command is not None and command.stop_with_plea:
        await contacts.opt_out(session, thread.contact_id)
        await escalations.note_silence(session, escalation, message.id)
        return  # somebody may be holding the phone: nothing goes back
    await _answer(session, thread, escalation, message, await _key_for_writer(session, message, judged))


async def _key_for_writer(session: AsyncSession, message: Message, judged: Judgement) -> str | None:
    """The safe reply for who writes: somebody who wrote as a teacher or doctor before is one still."""
    if judged.writer is Writer.PROFESSIONAL or judged.reply_key not in _TO_A_CHILD:
        return judged.reply_key
    before = select(Message.id).where(Message.thread_id == message.thread_id, Message.direction == Direction.IN)
    before = before.where(Message.writer == Writer.PROFESSIONAL, Message.at >= message.at - SAME_WRITER_WITHIN)
    if await session.scalar(before.limit(1)) is None:
        return judged.reply_key
    return reply_key(
        judged.type, writer=Writer.PROFESSIONAL, immediacy=judged.immediacy, services=tuple(judged.services)
    )


async def _wait_for_person(session: AsyncSession, thread: Thread, message: Message) -> None:
    if thread.owner not in (Owner.WAITING, Owner.OPERATOR):  # who has an operator waits for nobody
        thread.waiting_since = message.at
        await talk.move(session, thread, Owner.WAITING, who="triage", detail={"message": message.id})


async def call_another_if_gone(session: AsyncSession, thread: Thread, message: Message) -> None:
    """A text for an operator whose console is shut: the talk waits for a person again, and rings if it is danger.

    Shut: silent for `gone_after_seconds`. Who is silent so long does not read what comes now; a person is due within a minute.
    """
    holder, gone_after = thread.operator_id, timedelta(seconds=get_settings().gone_after_seconds)
    if holder is not None and await is_there(session, holder, within=gone_after):
        return
    await giving_back.give_back(session, thread, holder=holder, why="gone", waiting_since=message.at)


async def _answer(
    session: AsyncSession, thread: Thread, escalation: Escalation, message: Message, reply_key: str | None
) -> None:
    if thread.contact.silent_at is not None:
        kept = {"then": reply_key} if reply_key else {}
        await pending.ask_what_text_asks(session, contact_id=thread.contact_id, key="silent.back", detail=kept)
        if not await _is_joined(session, thread.id, "silent.back"):
            await outbox.queue_fixed(session, thread=thread, key="silent.back", reply_to=message.id)
        return
    key = safe_reply.choose(reply_key, await _red_talk(session, thread, escalation))
    if key is not None:
        await outbox.queue_fixed(session, thread=thread, key=key, reply_to=message.id)
        await pending.ask_what_text_asks(session, contact_id=thread.contact_id, key=key)


async def _red_talk(session: AsyncSession, thread: Thread, escalation: Escalation) -> safe_reply.RedTalk:
    said = await _said_since(session, thread.id, min(escalation.opened_at, escalation.received_at))
    now = clock.now()
    return safe_reply.RedTalk(
        said=[key for key, _at in said],
        since_first=now - escalation.received_at,
        joined=any(at > _joined_since() for _key, at in said),
        place_known=thread.contact.region is not None,
        somebody_on_duty=await is_anyone_on_duty(session),
    )


async def _said_since(session: AsyncSession, thread_id: int, since: datetime) -> list[tuple[str, datetime]]:
    said = select(Message.text_key, Message.at).where(
        Message.thread_id == thread_id, Message.direction == Direction.OUT
    )
    said = said.where(Message.author == Author.SYSTEM, Message.at >= since, Message.state != State.CANCELLED)
    return [(key, at) for key, at in await session.execute(said) if key is not None]


def _joined_since() -> datetime:
    """What was said after this is still the answer to texts that come now (PRACTICE section 3)."""
    return clock.now() - timedelta(seconds=get_settings().joining_seconds)


async def _is_joined(session: AsyncSession, thread_id: int, key: str) -> bool:
    since = _joined_since()
    return any(said == key and at > since for said, at in await _said_since(session, thread_id, since))


async def was_said_since(session: AsyncSession, thread_id: int, keys: str | Collection[str], since: datetime) -> bool:
    """Whether that fixed text (or one of several) went to this talk since then."""
    wanted = {keys} if isinstance(keys, str) else set(keys)
    return any(said in wanted for said, _at in await _said_since(session, thread_id, since))


async def say_fixed(session: AsyncSession, thread: Thread, message: Message, key: str) -> None:
    """One fixed text answers `message`, and the question it ends in stands."""
    await outbox.queue_fixed(session, thread=thread, key=key, reply_to=message.id)
    await pending.ask_what_text_asks(session, contact_id=thread.contact_id, key=key)


async def follow_up(session: AsyncSession, thread: Thread, message: Message) -> None:
    """A text without new danger while the talk waits in red or about abuse: at most one fixed text goes back."""
    escalation = await escalations.find_open(session, thread.id)
    if escalation is None:
        return
    if escalation.lane == Lane.RED and is_all_well(message.body) and await _may_say_ok(session, thread):
        await outbox.queue_fixed(session, thread=thread, key="ok.after.red", reply_to=message.id)
        return
    if await _said_beside(session, thread, message, escalation):
        return
    if escalation.lane == Lane.RED:
        await _answer(session, thread, escalation, message, None)
        return
    joined = await _is_joined(session, thread.id, "orange.more")
    if thread.contact.silent_at is None and not joined:
        await outbox.queue_fixed(session, thread=thread, key="orange.more", reply_to=message.id)


async def _said_beside(session: AsyncSession, thread: Thread, message: Message, escalation: Escalation) -> bool:
    """Answer "别告诉我妈", "你是真人吗" in the words for that, once; False when the text is none of that."""
    key = beside.wording_for(message.body)
    if key is None or thread.contact.silent_at is not None:
        return False
    if await was_said_since(session, thread.id, key, min(escalation.opened_at, escalation.received_at)):
        return False
    await say_fixed(session, thread, message, key)
    return True


async def _may_say_ok(session: AsyncSession, thread: Thread) -> bool:
    if thread.contact.silent_at is not None:
        return False
    return not await was_said_since(session, thread.id, "ok.after.red", clock.now() - OK_ONCE_IN)


async def on_orange(session: AsyncSession, message: Message, judged: Judgement) -> None:
    """Suspected harm: on top without ringing, a ticket with its own clock; a sexual disclosure also brings a person.

    The third separate talk of harm within a week is red. The words go back in the turn, except where the assistant must
    not speak at all.
    """
    thread = await talk.get_talk(session, message.thread_id, for_update=True)
    sexual = judged.sexual or judged.type is Harm.SEXUAL
    ticket = await put_on_top(
        session, thread, message, cause="disclosure", harm=Harm.SEXUAL if sexual else judged.type,
        reasons=list(judged.reasons),
    )  # fmt: skip
    owner_before = thread.owner
    talks = await side_by_side.find_raising(session, message)
    if talks and ticket is not None:
        await side_by_side.raise_ticket(session, ticket, talks, message=message)
        reason = side_by_side.reason_of(talks)
        await raise_to_red(
            session, thread, message, reason=reason, harm=Harm.SEXUAL if sexual else judged.type, cause="third_talk"
        )
    if not (sexual or talks) or owner_before == Owner.OPERATOR:
        return
    waiting = owner_before == Owner.WAITING
    await _wait_for_person(session, thread, message)
    command = read_command(message.body, talking=True)
    if command is not None and command.stop_with_plea:
        return  # 退订 beside it: the turn stops outreach, and nothing goes back
    if waiting or thread.contact.silent_at is not None or not await inbox.mark_answered(session, message.id, "judge"):
        return
    key = orange_key(judged)
    await outbox.queue_fixed(session, thread=thread, key=key, reply_to=message.id)
    await pending.ask_what_text_asks(session, contact_id=thread.contact_id, key=key)


async def put_on_top(
    session: AsyncSession, thread: Thread, message: Message, *, cause: str, harm: str | None, reasons: list[str],
    since: datetime | None = None,
) -> Ticket | None:  # fmt: skip
    """Orange: a call that does not ring, and its ticket; None in a drill, whose made-up matter is nobody's to handle."""
    escalation, _news = await escalations.open_or_raise(
        session, message=message, cause=cause, lane=Lane.ORANGE, harm=harm, reasons=reasons, since=since
    )
    talk.raise_lane(thread, Lane.ORANGE)
    return None if thread.channel == Channel.DRILL else await _register(session, thread, message, escalation)


async def _register(session: AsyncSession, thread: Thread, message: Message, escalation: Escalation) -> Ticket:
    """The ticket of what was disclosed; if the desk had asked this person something, this is what came of it."""
    ticket = await tickets.open_disclosure(
        session, thread_id=thread.id, contact_id=thread.contact_id, asked_in=message.id,
        county=thread.contact.region, words=message.body,
    )  # fmt: skip
    await links.link(session, ticket_id=ticket.id, kind=links.Linked.ESCALATION, ref=escalation.id)
    asked = await inquiries.find_waiting(session, contact_id=thread.contact_id)
    if asked is not None and asked.answered_at is None:
        await inquiries.take_answer(session, asked.id, message_id=message.id)
    return ticket


def orange_key(judged: Judgement) -> str:
    """The fixed text for a disclosure that is not happening now."""
    sexual = judged.sexual or judged.type is Harm.SEXUAL
    return words_for_orange(sexual=sexual, writer=judged.writer, reply_key=judged.reply_key)


def words_for_orange(*, sexual: bool, writer: str, reply_key: str | None = None) -> str:
    """The key by what was disclosed and who writes; `reply_key`: the judgement's own words, if it has any."""
    if reply_key is not None:
        return reply_key
    if sexual and writer == "professional":
        return "must.report"
    if writer not in CHILD_LIKE:
        return "orange.witness"
    return "orange.abuse" if sexual else "orange.harm"


def note_place(thread: Thread, body: str) -> bool:
    """Remember the county (or prefecture) the person names; whether that is news."""
    place = regions.recognise(body)
    found = place.county or place.prefecture
    if found is None or (thread.contact.region is not None and place.county is None):
        return False
    before, thread.contact.region = thread.contact.region, found.adcode
    return before != found.adcode


async def on_unsafe_answer(session: AsyncSession, thread: Thread, message: Message, *, reason: str) -> None:
    """An answer that says "not safe": the same as a danger text, with what was told before."""
    escalation = await raise_to_red(session, thread, message, reason=reason)
    await _answer(session, thread, escalation, message, "red.other")


async def raise_to_red(
    session: AsyncSession, thread: Thread, message: Message, *, reason: str, harm: str | None = None,
    cause: str = "danger", since: datetime | None = None,
) -> Escalation:  # fmt: skip
    """Danger now, whatever the text alone was judged to be: the person said so, or others did. `since`: if it was not this text."""
    escalation, _news = await escalations.open_or_raise(
        session, message=message, cause=cause, lane=Lane.RED, harm=harm or Harm.OTHER, services=["110"], reasons=[reason],
        since=since,
    )  # fmt: skip
    talk.raise_lane(thread, Lane.RED)
    await tickets.raise_lane(session, thread_id=thread.id, lane=Lane.RED, since=since or message.at)
    await _wait_for_person(session, thread, message)
    return escalation
