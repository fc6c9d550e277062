"""三方通话: the operator, the emergency desk and, only where they said it is safe, the person, in one conference.

The operator's phone rings first, so that nobody ever picks up to an empty line; once they pressed 1 the desk's, and the
person's if they may be called. Who picks up may be a recording: the desk has the matter when the operator has written down
its number or who took it (`conversations.desk_word`). Nobody's leaving ends the conference for those who stay: an operator
may hand over and go; whoever is left alone is hung up. Recording is off unless it is set.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.calls import service as calls
from sms_gateway.calls.models import Call
from sms_gateway.calls.states import State
from sms_gateway.calls.words import CONFIRMS, Purpose
from sms_gateway.contacts.models import Channel, Contact
from sms_gateway.jobs import defer
from sms_gateway.messages.models import Thread
from sms_gateway.operators.models import Operator, Role
from sms_gateway.settings import Settings, get_settings

from . import record
from .calling_rules import Calling, Legs, Step, may_call_person, next_steps, why_failed
from .models import BridgeCall
from .text12110 import AREAS

CAPITAL = "5301"
LEGS = (Purpose.OPERATOR, Purpose.DESK, Purpose.PERSON)


async def begin(session: AsyncSession, call: BridgeCall) -> None:
    """Ring the operator who wants it (or, for the ladder, the supervisor on duty). With nobody to speak it fails at once."""
    if await _legs(session, call.id):
        return  # a repeated job
    phone = await _phone_of_ours(session, call.requested_by)
    if phone is None:
        await record.fail(session, call, error="no_operator_phone")
        return
    try:
        await _place(session, call, Purpose.OPERATOR, phone)
    except calls.NoTelephone:
        await record.fail(session, call, error="no_telephone")


async def follow(session: AsyncSession, made: Call, state: State) -> None:
    """A leg came to `state`: write it down, and take what follows from how all legs stand now."""
    call = await record.lock(session, made.subject_id)
    confirmed = state is State.ANSWERED and made.key == CONFIRMS
    what = f"{made.purpose}_there" if confirmed else f"{made.purpose}_{state}"
    await record.note(session, call, what, who="system", detail={"call": made.id})
    legs = await _legs(session, call.id)
    states: Legs = {Purpose(leg.purpose): State(leg.state) for leg in legs}
    for step in next_steps(states, requested=call.state == "requested", there=any(_is_there(leg) for leg in legs)):
        if step is Step.CALL_DESK:
            await _call_desk(session, call)
        elif step is Step.ASK_FOR_PERSON:
            await defer(session, "conversations.person_may_join", call_id=call.id)
        elif step is Step.FAIL:
            await record.fail(session, call, error=why_failed(states))
        else:
            for leg in legs:
                await calls.hang_up(session, leg)


async def call_person(session: AsyncSession, call_id: int, known: Calling) -> bool:
    """Bring the person in, where the rule allows it and an operator is there to speak; whether their phone rings.

    The only way by which a person's phone is ever dialled.
    """
    call = await record.lock(session, call_id)
    legs = {Purpose(leg.purpose): leg for leg in await _legs(session, call_id)}
    operator = legs.get(Purpose.OPERATOR)
    if Purpose.PERSON in legs or operator is None or not _is_there(operator):
        return False
    if not may_call_person(known):
        await record.note(session, call, "person_not_called", who="system", detail={"because": "not_safe"})
        return False
    contact = select(Contact).join(Thread, Thread.contact_id == Contact.id).where(Thread.id == call.thread_id)
    person = (await session.scalars(contact)).one()
    if person.channel != Channel.SMS or person.silent_at is not None:
        return False
    await _place(session, call, Purpose.PERSON, person.address)
    return True


def desk_number(settings: Settings, desk: str) -> str | None:
    """The number of a desk (`110@530600`) as it is dialled: what `HOTLINE_BRIDGE_DESKS` says, on a real line only while
    the bridge is live; on the make-believe line 区号＋110 where nothing is set. None: there is none.
    """
    make_believe = settings.voice_driver == "simulator"
    if not make_believe and not settings.bridge_live:
        return None
    written = settings.bridge_desks.get(desk)
    phone = written.phone if written is not None else None
    if phone is None and make_believe:
        service, _, adcode = desk.partition("@")
        phone = f"+86{AREAS.get(adcode[:4], AREAS[CAPITAL])}{service}"
    return phone


async def _call_desk(session: AsyncSession, call: BridgeCall) -> None:
    desk_phone = desk_number(get_settings(), call.desk)
    if desk_phone is None:
        await record.fail(session, call, error="no_desk_phone")
    else:
        await _place(session, call, Purpose.DESK, desk_phone)


async def _place(session: AsyncSession, call: BridgeCall, purpose: Purpose, to: str) -> None:
    made = await calls.place(session, purpose=purpose, subject_id=call.id, to=to, conference=call.uid.hex)
    await record.note(session, call, f"{purpose}_called", who="system", detail={"call": made.id})


def _is_there(leg: Call) -> bool:
    """The operator is on the line, and no machine of theirs."""
    return leg.purpose == Purpose.OPERATOR and leg.state == State.ANSWERED and leg.key == CONFIRMS


async def _legs(session: AsyncSession, call_id: int) -> list[Call]:
    return list(await calls.list_of(session, LEGS, call_id))


async def _phone_of_ours(session: AsyncSession, operator_id: int | None) -> str | None:
    """The phone of the operator who wants it, of a supervisor on duty, or the hotline's duty phone."""
    wanted = select(Operator).where(Operator.phone_sealed.is_not(None), Operator.disabled_at.is_(None))
    if operator_id is not None and (own := await session.scalar(wanted.where(Operator.id == operator_id))) is not None:
        return own.phone
    on_duty = wanted.where(Operator.role == Role.SUPERVISOR, Operator.on_duty).order_by(Operator.last_seen_at.desc())
    supervisor = await session.scalar(on_duty.limit(1))
    return supervisor.phone if supervisor is not None else get_settings().duty_phone
