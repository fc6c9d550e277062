"""What comes back to outreach: danger is danger, a wish for no more is met, a small word gets a small answer, all is noted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from sms_gateway import clock as clocks
from sms_gateway.broadcasts import replies
from sms_gateway.broadcasts.models import BroadcastReply
from sms_gateway.clock import HeldClock
from sms_gateway.contacts.models import Channel
from sms_gateway.conversations import judging, outreach_replies, turn
from sms_gateway.conversations.outreach_replies import Said, is_alone
from sms_gateway.database import transaction
from sms_gateway.escalations.models import Escalation
from sms_gateway.messages import inbox
from sms_gateway.messages.models import Message
from sms_gateway.operators import accounts
from sms_gateway.operators.models import Role
from sms_gateway.operators.presence import set_duty
from sms_gateway.wording import say
from tests.broadcasts.reached import contact_of, end, minutes_of, reach, replies_to
from tests.telling import FakeCarrier, Person

HITS = "我爸打我 现在还在打"
POLICY = "孤儿每个月能领多少钱"


@pytest.fixture
def another(carrier: FakeCarrier, run_jobs: Callable[[], Awaitable[None]]) -> Person:
    return Person("+8613800000002", carrier, run_jobs)


async def calls_of(person: Person) -> list[Escalation]:
    async with transaction() as session:
        found = select(Escalation).where(Escalation.thread_id == person.thread_id).order_by(Escalation.id)
        return list(await session.scalars(found))


async def test_a_mother_who_answers_received_gets_one_kind_word_and_then_none(person: Person, clock: HeldClock) -> None:
    broadcast = await reach(person.number)
    clock.advance(timedelta(minutes=5))
    assert await person.texts("收到") == [say("outreach.thanks")]
    clock.advance(timedelta(minutes=1))
    assert await person.texts("好的，谢谢") == []
    clock.advance(timedelta(days=1))
    assert await person.texts("收到") == []
    assert await replies_to(broadcast) == [("blue", "thanks")] * 3
    assert await minutes_of(broadcast) == {"reply": 3}
    assert await calls_of(person) == [], "no person is called for thanks"


async def test_a_child_who_answers_that_it_is_beaten_rings_as_ever_and_the_broadcast_is_noted(
    person: Person, another: Person, clock: HeldClock
) -> None:
    broadcast = await reach(person.number)
    clock.advance(timedelta(minutes=5))
    heard, elsewhere = await person.texts(HITS), await another.texts(HITS)
    assert heard == elsewhere and heard[0].startswith("收到"), "the same as for a text that answers nothing"
    [call] = await calls_of(person)
    [other] = await calls_of(another)
    assert (call.lane, call.cause, call.state, call.step) == (other.lane, other.cause, other.state, other.step)
    assert call.lane == "red"
    assert await replies_to(broadcast) == [("red", "danger")]
    assert await minutes_of(broadcast) == {"reply": 1, "reply_red": 1}


async def test_harm_that_is_over_is_noted_as_orange(person: Person, clock: HeldClock) -> None:
    broadcast = await reach(person.number)
    await person.texts("我后爸上个月老是打我")
    assert await replies_to(broadcast) == [("orange", "harm")]
    assert await minutes_of(broadcast) == {"reply": 1, "reply_orange": 1}


@pytest.mark.parametrize("words", ["TD", "td。", "退订短信", "stop 12345", "别再发了", "烦死了别发短信", "不想收到"])
async def test_a_wish_for_no_more_is_met_and_help_goes_on(person: Person, clock: HeldClock, words: str) -> None:
    broadcast = await reach(person.number)
    clock.advance(timedelta(minutes=5))
    assert await person.texts(words) == [say("optout")]
    assert (await contact_of(person)).outreach_opted_out_at is not None
    assert (await contact_of(person)).silent_at is None
    assert await replies_to(broadcast) == [("blue", "opt_out")]
    assert await minutes_of(broadcast) == {"reply": 1, "reply_opt_out": 1}
    clock.advance(timedelta(minutes=5))
    await person.texts(HITS)
    assert [call.lane for call in await calls_of(person)] == ["red"]


async def test_nothing_they_write_later_subscribes_them_again_but_their_word_for_it(
    person: Person, clock: HeldClock
) -> None:
    await reach(person.number)
    await person.texts("TD")
    for words in ("收到", "你好", HITS):
        clock.advance(timedelta(minutes=10))
        await person.texts(words)
        assert (await contact_of(person)).outreach_opted_out_at is not None
    clock.advance(timedelta(minutes=10))


async def test_do_not_send_in_an_open_talk_is_silence_and_naming_outreach_opts_out(
    person: Person, another: Person, clock: HeldClock
) -> None:
    await person.texts("0")
    await another.texts("0")
    clock.advance(timedelta(minutes=1))
    await reach(person.number, another.number)
    clock.advance(timedelta(minutes=1))
    assert await person.texts("别再发了") == []
    assert (await contact_of(person)).silent_at is not None
    assert (await contact_of(person)).outreach_opted_out_at is None
    assert await another.texts("以后不要再给我发这种宣传短信了") == [say("optout")]
    assert (await contact_of(another)).outreach_opted_out_at is not None
    assert (await contact_of(another)).silent_at is None


async def test_without_a_recent_broadcast_free_words_of_an_hour_ago_stay_what_they_were(
    person: Person, clock: HeldClock
) -> None:
    await person.texts("别再发了")
    assert (await contact_of(person)).outreach_opted_out_at is not None, (
        "outside of a talk it means outreach, as before"
    )


async def test_a_stop_in_red_is_met_with_the_plain_word_and_told_the_operator(person: Person, clock: HeldClock) -> None:
    broadcast = await reach(person.number)
    await person.texts(HITS)
    clock.advance(timedelta(minutes=1))
    assert await person.texts("TD") == [say("optout.red")]
    assert (await contact_of(person)).outreach_opted_out_at is not None
    assert await replies_to(broadcast) == [("red", "danger"), ("blue", "opt_out")]


async def test_a_stop_joined_with_a_plea_is_answered_with_nothing_and_rings(person: Person, clock: HeldClock) -> None:
    broadcast = await reach(person.number)
    assert await person.texts("救命 td 他在打我") == []
    assert (await contact_of(person)).outreach_opted_out_at is not None
    assert [call.lane for call in await calls_of(person)] == ["red"]
    assert await replies_to(broadcast) == [("red", "danger")]


async def test_that_opting_out_does_not_help_is_no_wish_to_opt_out(person: Person, clock: HeldClock) -> None:
    await reach(person.number)
    [safe] = await person.texts("退订也没用他还是打我")
    assert safe not in (say("optout"), say("optout.red"))
    assert (await contact_of(person)).outreach_opted_out_at is None


async def test_abuse_told_beside_a_stop_gets_nothing_back_and_no_more_outreach(
    person: Person, clock: HeldClock
) -> None:
    await reach(person.number)
    assert await person.texts("td 去年我舅舅摸我 我不敢说") == []
    assert (await contact_of(person)).outreach_opted_out_at is not None
    assert len(await calls_of(person)) == 1


async def test_a_stop_is_met_while_the_line_is_silent(person: Person, clock: HeldClock) -> None:
    await person.texts("88")
    clock.advance(timedelta(minutes=1))
    assert await person.texts("退订") == [say("silent.back")]
    assert (await contact_of(person)).outreach_opted_out_at is not None


@pytest.mark.parametrize(
    ("words", "key", "kind"),
    [
        ("谁啊", "outreach.doubt", "doubt"),
        ("你们是不是骗子", "outreach.doubt", "doubt"),
        ("发错了吧", "outreach.not_mine", "not_mine"),
        ("别再给我妈发了", "outreach.other_phone", "other"),
        ("不要发给我爸", "outreach.other_phone", "other"),
    ],
)
async def test_a_small_answer_gets_its_fixed_word(
    person: Person, clock: HeldClock, words: str, key: str, kind: str
) -> None:
    broadcast = await reach(person.number)
    clock.advance(timedelta(minutes=5))
    assert await person.texts(words) == [say(key)]
    assert (await contact_of(person)).outreach_opted_out_at is None
    assert await replies_to(broadcast) == [("blue", kind)]


async def test_who_asks_who_we_are_and_then_wants_no_more_is_still_answering_outreach(
    person: Person, clock: HeldClock
) -> None:
    await reach(person.number)
    assert await person.texts("谁啊") == [say("outreach.doubt")]
    clock.advance(timedelta(minutes=1))
    assert await person.texts("别发了") == [say("optout")]
    assert (await contact_of(person)).silent_at is None


async def test_a_digit_is_not_guessed(person: Person, clock: HeldClock) -> None:
    broadcast = await reach(person.number)
    assert await person.texts("1") == [say("digit.lost")]
    assert await replies_to(broadcast) == [("blue", "other")]


async def test_thanks_in_a_talk_are_no_answer_to_outreach(person: Person, clock: HeldClock) -> None:
    await person.texts("0")
    clock.advance(timedelta(minutes=1))
    broadcast = await reach(person.number)
    clock.advance(timedelta(minutes=1))
    assert say("outreach.thanks") not in await person.texts("谢谢")
    assert len(await replies_to(broadcast)) == 1, "it is noted all the same: it came after outreach"


async def test_of_two_broadcasts_the_later_one_is_answered(person: Person, clock: HeldClock) -> None:
    first = await reach(person.number, title="第一次")
    await end(first)
    clock.advance(timedelta(days=1))
    second = await reach(person.number, title="第二次")
    clock.advance(timedelta(hours=1))
    await person.texts("收到")
    assert (await replies_to(first), await replies_to(second)) == ([], [("blue", "thanks")])


async def test_after_a_week_there_is_no_broadcast_any_more(person: Person, clock: HeldClock) -> None:
    broadcast = await reach(person.number)
    clock.advance(timedelta(days=8))
    assert say("outreach.thanks") not in await person.texts("收到")
    assert await replies_to(broadcast) == []


@pytest.mark.parametrize("state", ["created", "failed", "suppressed", "cancelled"])
async def test_who_was_not_texted_answers_nothing(person: Person, clock: HeldClock, state: str) -> None:
    broadcast = await reach(person.number, state=state)
    await person.texts("你好")
    assert await replies_to(broadcast) == []


async def test_a_text_from_before_it_left_answers_nothing(person: Person, clock: HeldClock) -> None:
    broadcast = await reach(person.number, at=clock.now() + timedelta(minutes=1))
    await person.texts("你好")
    assert await replies_to(broadcast) == []


async def test_a_web_talk_answers_no_outreach(
    database: str, run_jobs: Callable[[], Awaitable[None]], clock: HeldClock
) -> None:
    broadcast = await reach("+8613800000001")
    inbound = inbox.Inbound(Channel.WEB, "+8613800000001", "收到", "web", "in-web-1", clock.now())
    async with transaction() as session:
        assert await inbox.receive(session, inbound) is not None
    await run_jobs()
    assert await replies_to(broadcast) == []


async def test_the_same_text_delivered_twice_and_a_turn_taken_twice_are_one_reply(
    person: Person, run_jobs: Callable[[], Awaitable[None]], clock: HeldClock
) -> None:
    broadcast = await reach(person.number)
    inbound = inbox.Inbound(Channel.SMS, person.number, HITS, "simulator", "same-one", clock.now())
    async with transaction() as session:
        first = await inbox.receive(session, inbound)
    async with transaction() as session:
        assert await inbox.receive(session, inbound) is None
    assert first is not None
    await run_jobs()
    await judging.judge(first.message_id)
    await turn.take(first.message_id)
    assert await replies_to(broadcast) == [("red", "danger")]
    assert await minutes_of(broadcast) == {"reply": 1, "reply_red": 1}


async def test_an_alarm_stands_though_its_reply_cannot_be_noted_and_the_turn_notes_it_later(
    person: Person, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    broadcast = await reach(person.number)
    message_id = await person.hand_in(HITS)

    async def fails(*_: object, **__: object) -> bool:
        raise RuntimeError("no partition")

    with monkeypatch.context() as broken:
        broken.setattr(replies, "note", fails)
        await judging.judge(message_id)
    assert [call.lane for call in await calls_of(person)] == ["red"]
    assert await replies_to(broadcast) == []
    await person.run()
    assert await replies_to(broadcast) == [("red", "danger")]


async def test_a_note_that_fails_in_the_database_costs_no_turn(person: Person, clock: HeldClock) -> None:
    await reach(person.number)
    async with transaction() as session:
        await session.execute(text("ALTER TABLE broadcast_replies ADD CONSTRAINT never CHECK (false)"))
    assert await person.texts("收到") == [say("outreach.thanks")]
    async with transaction() as session:
        assert await session.scalar(select(func.count()).select_from(BroadcastReply)) == 0
        answered = await session.scalar(select(Message.answered_by).where(Message.direction == "in"))
    assert answered == "turn"


async def test_a_broadcast_somebody_holds_locked_holds_up_no_turn(person: Person, clock: HeldClock) -> None:
    broadcast = await reach(person.number)
    async with transaction() as holding:
        await holding.execute(text(f"SELECT 1 FROM broadcasts WHERE id = {broadcast} FOR UPDATE"))
        before = clocks.wall_seconds()
        assert await person.texts("收到") == [say("outreach.thanks")]
        assert clocks.wall_seconds() - before < 8


async def test_a_person_asked_for_is_called_and_noted(person: Person, clock: HeldClock) -> None:
    async with transaction() as session:
        made = await accounts.add(session, login="zhiban", name="甲", role=Role.OPERATOR, password=None, trained=True)
        await set_duty(session, operator_id=made.id, on_duty=True)
    broadcast = await reach(person.number)
    assert await person.texts("转人工") == [say("human.queued")]
    assert await replies_to(broadcast) == [("blue", "person")]


async def test_a_wish_that_only_the_assistant_understood_is_counted_as_one(person: Person, clock: HeldClock) -> None:
    broadcast = await reach(person.number)
    message_id = await person.hand_in("那个短信嘛我觉得没有必要")
    await person.run()
    async with transaction() as session:
        message = await inbox.get_message(session, message_id)
        await outreach_replies.note_understood(session, message, ["policy.answer"])
        await outreach_replies.note_understood(session, message, ["optout"])
        await outreach_replies.note_understood(session, message, ["optout"])
    assert await replies_to(broadcast) == [("blue", "opt_out")]
    assert await minutes_of(broadcast) == {"reply": 1, "reply_opt_out": 1}


async def test_a_lost_digit_between_them_makes_no_talk_of_it(person: Person, clock: HeldClock) -> None:
    await reach(person.number)
    await person.texts("1")
    clock.advance(timedelta(minutes=1))
    assert await person.texts("别发了") == [say("optout")]


NOW = clocks.now()
INBOUND = Said(inbound=True, at=NOW - timedelta(minutes=1), key=None, lane="blue")
OURS = Said(inbound=False, at=NOW - timedelta(minutes=1), key="outreach.doubt", lane=None)


@pytest.mark.parametrize(
    ("before", "alone"),
    [
        ([], True),
        ([INBOUND], True),
        ([INBOUND, OURS], True),
        ([replace(OURS, key="optout")], True),
        ([replace(OURS, key="greet")], False),
        ([replace(OURS, key=None)], False),
        ([replace(INBOUND, lane="orange")], False),
        ([replace(INBOUND, at=NOW - timedelta(hours=1))], False),
        ([replace(OURS, key="greet", at=NOW - timedelta(hours=3))], True),
    ],
)
def test_outreach_is_answered_alone_only_where_nothing_else_is_said(before: list[Said], alone: bool) -> None:
    assert is_alone(before, reached_at=NOW - timedelta(minutes=10), at=NOW) is alone
