"""A person steps in: called, takes over, writes, hands back, closes. One owner at every instant."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.bridge import service as bridge
from sms_gateway.contacts.models import Channel
from sms_gateway.errors import BadInput, HotlineError
from sms_gateway.escalations import service as escalations
from sms_gateway.escalations.ladder import State
from sms_gateway.escalations.models import Escalation
from sms_gateway.jobs import defer
from sms_gateway.messages import inbox, outbox
from sms_gateway.messages.models import Author, Message, Thread
from sms_gateway.operators.models import Operator, Role
from sms_gateway.operators.presence import beat, is_anyone_on_duty, note
from sms_gateway.operators.seats import DANGER
from sms_gateway.tickets import near_ones, near_ones_rules
from sms_gateway.tickets import service as tickets
from sms_gateway.tickets.near_ones_rules import Near
from sms_gateway.triage.judgement import Harm

from . import alarm, answering_later, pending, registering, resting, talk
from .ownership import Owner, TalkHasAnotherOwner

MAX_REPLY = 1000
"""Characters an operator may send at once (an SMS of 15 segments)."""


class SeatIsNotTrained(HotlineError):
    status_code = 403
    sentence = "红色、橙色只由受过训的未保专席接。已经在响铃叫专席，你可以点“我现在需要帮忙”叫班长。"


class SupervisorMustSign(BadInput):
    status_code = 422
    sentence = "用过 110、119、120、122 转接的，要另一位值班长签字才能结束。"


class NobodyToWriteTo(BadInput):
    sentence = "这件事是接警台转来的，这里没有人能收信。请打电话问报警人，或者在下面记一句。"


class DangerIsNotClosedSo(BadInput):
    sentence = "红色和橙色要先写结果，再结束。"


async def hand_over(
    session: AsyncSession, *, thread_id: int, message_id: int, cause: str, ticketed: bool = False
) -> str:
    """Call a person for a talk; the key of the fixed text to say.

    `cause`: asked_for_person, transfer (to another province), disclosure, unsure, language, assistant_silent, or danger (a form's
    "is somebody in danger now" was answered yes). With nobody on duty a ticket keeps the promise (`ticketed`: one is there already).
    """
    thread = await talk.get_talk(session, thread_id, for_update=True)
    message = await inbox.get_message(session, message_id)
    if cause == "danger":
        await alarm.raise_to_red(session, thread, message, reason="登记时问有没有危险，回答有")
        # A word of the system, since the assistant's no longer leave in red; where it says the same, this one stands.
        await outbox.queue_fixed(session, thread=thread, key="danger.noted", reply_to=message_id)
        return "danger.noted"
    if thread.owner == Owner.OPERATOR:
        return "human.still"  # somebody stepped in while the machine was still busy: the talk is theirs
    there = await is_anyone_on_duty(session)
    lane = "orange" if cause == "disclosure" else "blue"
    await escalations.open_or_raise(session, message=message, cause=cause, lane=lane)
    talk.raise_lane(thread, lane)
    if thread.owner == Owner.WAITING:
        return "human.still" if there else "human.none"
    thread.waiting_since = message.at
    await talk.move(session, thread, Owner.WAITING, who="assistant", detail={"cause": cause, "message": message_id})
    if there:
        return "human.queued"
    if ticketed or thread.channel == Channel.DRILL:
        return "human.none"
    await tickets.open_ticket(
        session, thread_id=thread_id, contact_id=thread.contact_id, asked_in=message_id, kind="callback",
        county=thread.contact.region, answers={"what": message.body}, lane=thread.lane,
    )  # fmt: skip
    return "human.none"


async def take_over(session: AsyncSession, *, thread_id: int, operator: Operator) -> Thread:
    """The talk is this operator's; raises `TalkHasAnotherOwner` when a colleague was quicker. The machine falls silent.

    Danger is taken by trained seats only (`SeatIsNotTrained`); they may take it from a colleague who is none.
    """
    thread = await talk.get_talk(session, thread_id, for_update=True)
    escalation = await escalations.find_open(session, thread_id, for_update=True)
    lane = escalation.lane if escalation is not None else thread.lane
    if lane in DANGER and not operator.trained:
        raise SeatIsNotTrained
    if thread.owner == Owner.OPERATOR and thread.operator_id == operator.id:
        await _answer_ringing(session, thread_id, operator)
        return thread
    if thread.owner == Owner.OPERATOR and not (lane in DANGER and await _is_untrained(session, thread.operator_id)):
        raise TalkHasAnotherOwner
    if not await talk.move(session, thread, Owner.OPERATOR, who=f"operator:{operator.id}", operator_id=operator.id):
        raise TalkHasAnotherOwner
    await outbox.cancel_automatic(session, thread_id)
    await answering_later.give_to_operator(session, thread_id)
    await pending.drop(session, thread.contact_id)  # digits are no longer read by the machine
    if escalation is not None:
        await escalations.acknowledge(session, escalation, operator_id=operator.id)
        await registering.register_danger(session, thread, escalation)
    await note(session, operator_id=operator.id, what="take_over", subject=f"thread:{thread_id}")
    await beat(session, operator_id=operator.id)
    await _greet(session, thread, escalation, operator)
    return thread


async def _greet(session: AsyncSession, thread: Thread, escalation: Escalation | None, operator: Operator) -> None:
    """One word that a person is there; once an escalation, and never where the person has not written: a phone lights up.

    A look back, a second reading or somebody else's report opens a call too (PRACTICE sections 3 and 7).
    """
    if escalation is not None and not await inbox.has_written_since(session, thread.id, escalation.received_at):
        return
    if thread.contact.silent_at is not None:
        await outbox.queue_as_operator(session, thread=thread, key="silent.back", operator=operator)
    elif escalation is None or not await outbox.was_queued_since(
        session, thread.id, "human.joins", escalation.opened_at
    ):
        await outbox.queue_as_operator(session, thread=thread, key="human.joins", operator=operator)


async def _is_untrained(session: AsyncSession, operator_id: int | None) -> bool:
    holder = await session.get(Operator, operator_id) if operator_id is not None else None
    return holder is None or not holder.trained


async def reply(
    session: AsyncSession, *, thread_id: int, operator: Operator, body: str, token: str | None = None
) -> int | None:
    """Send the operator's words; the message's id. None: a reply of that `token` (the page's own) is there already."""
    thread = await talk.get_own(session, thread_id, operator.id)
    if thread.channel == Channel.DESK:
        raise NobodyToWriteTo
    body = body.strip()
    if not body:
        raise BadInput("还没有写字。")
    if len(body) > MAX_REPLY:
        raise BadInput(f"一次最多 {MAX_REPLY} 字，请分开发。")
    await _answer_ringing(session, thread_id, operator)
    escalation = await escalations.find_open(session, thread_id, for_update=True)
    if escalation is not None and escalation.state == State.ACKNOWLEDGED:
        await escalations.move(session, escalation, State.IN_CONTACT, who=f"operator:{operator.id}")
    return await outbox.queue(
        session, thread=thread, author=Author.OPERATOR, body=body, operator_id=operator.id, client_token=token
    )


async def answer_as_seat(session: AsyncSession, escalation: Escalation, operator: Operator) -> None:
    """What stops the ringing of danger is a trained seat's to say (`SeatIsNotTrained`); saying it takes the call."""
    if escalation.lane in DANGER and not operator.trained:
        raise SeatIsNotTrained
    if escalation.state == State.RINGING:
        await escalations.acknowledge(session, escalation, operator_id=operator.id)


async def _answer_ringing(session: AsyncSession, thread_id: int, operator: Operator) -> None:
    """The operator who has the talk has seen that it got worse: the ringing stops. Danger goes on calling for a trained seat."""
    escalation = await escalations.find_open(session, thread_id, for_update=True)
    if escalation is not None and (operator.trained or escalation.lane not in DANGER):
        await answer_as_seat(session, escalation, operator)


async def hand_back(session: AsyncSession, *, thread_id: int, operator: Operator) -> None:
    """The assistant goes on. Not while danger is open."""
    thread = await talk.get_own(session, thread_id, operator.id)
    escalation = await escalations.find_open(session, thread_id, for_update=True)
    if escalation is not None and escalation.lane in DANGER:
        raise DangerIsNotClosedSo
    if escalation is not None:
        await escalations.conclude(
            session, escalation, operator_id=operator.id, outcome="handed_back", note="交还小助手"
        )
    await talk.move(session, thread, Owner.ASSISTANT, who=f"operator:{operator.id}")
    await outbox.queue_fixed(session, thread=thread, key="handback")


async def mark(session: AsyncSession, *, thread_id: int, operator: Operator, to: State) -> None:
    """Note how far the matter is: handed over, child seen, contact lost … Raises `SeatIsNotTrained` while it is danger."""
    await talk.get_own(session, thread_id, operator.id)
    escalation = await escalations.find_open(session, thread_id, for_update=True)
    if escalation is not None:
        await answer_as_seat(session, escalation, operator)
        await escalations.move(session, escalation, to, who=f"operator:{operator.id}")


async def close(
    session: AsyncSession, *, thread_id: int, operator: Operator, outcome: str, note_text: str,
    signed_by: Operator | None = None, near: Near | None = None,
) -> None:  # fmt: skip
    """End the talk with an outcome and a note; in red only once somebody saw the child.

    Where a bridge was used, `signed_by` is a supervisor other than who closes it (`SupervisorMustSign`).
    Self-harm in red says in `near` whom the desk told (`SayWhoWasTold`, `GuardianIsTheHarm`); the record keeps it.

    The person's next text opens it again. A goodbye goes out only where it cannot give anybody away.
    """
    thread = await talk.get_own(session, thread_id, operator.id)
    escalation = await escalations.find_open(session, thread_id, for_update=True)
    danger = escalation is not None and escalation.lane in DANGER
    if escalation is not None:
        await answer_as_seat(session, escalation, operator)
        signer = await _sign_off(session, escalation, operator, signed_by)
        told = await _told(session, thread, escalation, near)
        await escalations.conclude(
            session,
            escalation,
            operator_id=operator.id,
            outcome=outcome,
            note=f"{note_text}{told}",
            signed_off_by=signer,
        )
    if escalation is not None:
        await resting.after(session, thread, escalation, operator_id=operator.id)
    if thread.contact.silent_at is None:
        await outbox.queue_as_operator(session, thread=thread, key="bye.red" if danger else "closed", operator=operator)
    thread.lane, thread.waiting_since = "blue", None
    await talk.move(session, thread, Owner.CLOSED, who=f"operator:{operator.id}", detail={"outcome": outcome})
    await note(session, operator_id=operator.id, what="close", subject=f"thread:{thread_id}")


async def _told(session: AsyncSession, thread: Thread, escalation: Escalation, near: Near | None) -> str:
    """A line for the record where it is self-harm in red; else nothing."""
    if escalation.lane != "red" or escalation.harm != Harm.SELF_HARM:
        return ""
    harms = await near_ones.guardian_harms(session, thread.contact_id)
    return "\n" + near_ones_rules.checked(near or Near(), guardian_harms=harms)


async def _sign_off(
    session: AsyncSession, escalation: Escalation, operator: Operator, signed_by: Operator | None
) -> int | None:
    if not await bridge.was_used(session, escalation.id):
        return None
    if signed_by is None or signed_by.role != Role.SUPERVISOR or signed_by.id == operator.id:
        raise SupervisorMustSign
    return signed_by.id


async def lower_after_false_alarm(
    session: AsyncSession, *, thread_id: int, operator: Operator, second: Operator, note_text: str
) -> None:
    """Two people say that there is no danger: the escalation ends as a false alarm and the talk is blue again.

    Both are trained, or the second is a supervisor; where a bridge was used, it is one (`SupervisorMustSign`).
    """
    if operator.id == second.id:
        raise BadInput("判误报要两个人。")
    thread = await talk.get_own(session, thread_id, operator.id)
    escalation = await escalations.find_open(session, thread_id, for_update=True)
    if escalation is None:
        return
    if escalation.lane in DANGER and not (operator.trained and (second.trained or second.role == Role.SUPERVISOR)):
        raise SeatIsNotTrained("红色、橙色判误报，要受过训的专席来判，再由另一位专席或值班长签字。")
    signer = await _sign_off(session, escalation, operator, second)
    await escalations.conclude(
        session, escalation, operator_id=operator.id, outcome="false_alarm", note=note_text, signatures=2,
        signed_off_by=signer,
    )  # fmt: skip
    await defer(session, "conversations.tell_desks", subject_id=escalation.id)
    thread.lane = "blue"
    await talk.note(
        session,
        thread_id,
        "false_alarm",
        who=f"operator:{operator.id}",
        detail={"second": second.id, "at": clock.now().isoformat()},
    )


async def call_quietly(session: AsyncSession, *, thread: Thread, message: Message, cause: str) -> None:
    """A person should read this when they can; the talk stays the assistant's."""
    await escalations.open_or_raise(
        session, message=message, cause=cause, lane="blue", harm=message.harm, reasons=message.reasons
    )
    await talk.note(
        session, thread.id, "shown_to_person", who="assistant", detail={"cause": cause, "message": message.id}
    )
