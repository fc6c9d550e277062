"""拨测 by machine: a post of the duty book is called, hears one sentence, and presses 1.

Who picks up without pressing has not been reached: a voicemail picks up too. Emergency lines (110, 119, 120, 122) are
never called by a machine: somebody calls them by agreement and writes down what came of it.
"""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.calls import service as calls
from sms_gateway.calls.models import Call
from sms_gateway.calls.states import IN_VAIN, State
from sms_gateway.calls.words import CONFIRMS, Purpose
from sms_gateway.clock import shanghai
from sms_gateway.errors import Conflict
from sms_gateway.operators.presence import note as audit
from sms_gateway.settings import Settings, get_settings

from .duty_rules import month_begins
from .models import DutyPost, DutyTest

FROM_HOUR, TO_HOUR = 9, 18
LOOKED_AT = 200
_EMERGENCY = re.compile(r"(?:\+86|0)?[0-9]{0,3}?(?:110|119|120|122|12110|12345)", re.ASCII)


class NotCalledByMachine(Conflict):
    sentence = "报警、急救的号码不用机器拨测，请人拨一次，把结果写上。"


class TestsAreOff(Conflict):
    sentence = "没有开通机器拨测，请人拨一次，把结果写上。"


class PostIsGone(Conflict):
    sentence = "这个值守点已经撤了。"


class IsBeingCalled(Conflict):
    sentence = "正在拨，请等这一次的结果。"


def is_emergency_line(phone: str) -> bool:
    """Whether a number, short, with an area code or as E.164, is one of the emergency desks'. Pure."""
    return _EMERGENCY.fullmatch(phone.replace(" ", "").replace("-", "")) is not None


def is_time_to_test(now: datetime) -> bool:
    """Whether a machine may call offices now: between nine and six of Yunnan. Pure."""
    return FROM_HOUR <= shanghai(now).hour < TO_HOUR


async def find_due(session: AsyncSession) -> int | None:
    """A post that was not called this month, by whomever, the longest waiting first; None outside office hours, and where
    no real line may be used by itself (a make-believe one would only turn a demonstration red)."""
    now, settings = clock.now(), get_settings()
    if settings.voice_driver == "simulator" or not may_test(settings) or not is_time_to_test(now):
        return None
    tested = exists().where(DutyTest.post_id == DutyPost.id, DutyTest.at >= month_begins(now))
    due = select(DutyPost).where(DutyPost.ended_at.is_(None), DutyPost.kind != "desk110", ~tested)
    for post in await session.scalars(due.order_by(DutyPost.id).limit(LOOKED_AT)):
        if not is_emergency_line(post.phone):
            return post.id
    return None


def may_test(settings: Settings) -> bool:
    """Whether a machine may call posts: a line is set up, and it is make-believe or the bridge is live."""
    voice = settings.voice_driver
    return voice == "simulator" or (voice != "none" and settings.bridge_live)


async def begin(session: AsyncSession, post_id: int, by: int | None) -> DutyTest:
    """Call that post now; the result comes by itself. `by`: the operator who asked for it.

    Raises `TestsAreOff`, `PostIsGone`, `NotCalledByMachine`, `IsBeingCalled`.
    """
    if not may_test(get_settings()):
        raise TestsAreOff
    post = await session.scalar(select(DutyPost).where(DutyPost.id == post_id).with_for_update())
    if post is None or post.ended_at is not None:
        raise PostIsGone
    if is_emergency_line(post.phone):
        raise NotCalledByMachine
    running = select(DutyTest.at).where(DutyTest.post_id == post_id, DutyTest.result == "calling")
    newest = await session.scalar(running.order_by(DutyTest.id.desc()).limit(1))
    if newest is not None and clock.now() - newest < calls.NO_WORD_AFTER:
        raise IsBeingCalled
    test = DutyTest(post_id=post_id, at=clock.now(), by=by, result="calling")
    session.add(test)
    await session.flush()
    call = await calls.place(session, purpose=Purpose.DUTY_TEST, subject_id=test.id, to=post.phone)
    test.call_reference = call.uid.hex
    if by is not None:
        await audit(session, operator_id=by, what="test_duty_post", subject=f"duty_post:{post_id}")
    return test


def result_of(state: State, key: str | None) -> str | None:
    """`answered` once 1 was pressed, `unanswered` once it is over without; None while it goes on. Pure."""
    if key == CONFIRMS:
        return "answered"
    if state in IN_VAIN or state is State.COMPLETED or key is not None:
        return "unanswered"
    return None


async def follow(session: AsyncSession, call: Call) -> None:
    """Something became of that test call."""
    test = (await session.scalars(select(DutyTest).where(DutyTest.id == call.subject_id).with_for_update())).one()
    result = result_of(State(call.state), call.key)
    if result is None or test.result == "answered" or test.call_reference != call.uid.hex:
        return
    test.result = result
    if result == "unanswered":
        test.note = "接了，没有按1" if call.answered_at is not None else None
