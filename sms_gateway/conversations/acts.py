"""The steps that are the line's own to do: one short function each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.contacts import service as contacts
from sms_gateway.contacts.models import Channel
from sms_gateway.escalations import service as escalations
from sms_gateway.messages import outbox
from sms_gateway.messages.models import Message, Thread
from sms_gateway.tickets import inquiries
from texts.normalise import normalise

from . import alarm, evaluating, pending, service
from .ownership import Owner
from .questions import Answer, Kind, means_danger
from .reading import Reading
from .steps import Step, Wish

REASON = "问现在安不安全，回答说有危险"


@dataclass(frozen=True)
class Act:
    """Everything an act may need."""

    session: AsyncSession
    message: Message
    thread: Thread
    reading: Reading

    @property
    def with_plea(self) -> bool:
        """退订 and a cry for help in one text: nothing goes back."""
        return self.reading.command is not None and self.reading.command.stop_with_plea

    @property
    def detail(self) -> dict[str, Any]:
        """What was kept with the question that stands."""
        return self.reading.question.detail if self.reading.question is not None else {}

    async def say(self, key: str, **detail: Any) -> None:
        """One fixed text goes back, and the question it ends in stands."""
        await outbox.queue_fixed(self.session, thread=self.thread, key=key, reply_to=self.message.id)
        await pending.ask_what_text_asks(self.session, contact_id=self.thread.contact_id, key=key, detail=detail)

    async def drop_question(self) -> None:
        """It is answered."""
        await pending.drop(self.session, self.thread.contact_id)


async def do(session: AsyncSession, step: Step, *, message: Message, thread: Thread, reading: Reading) -> None:
    """Do `step` for this text."""
    await _ACTS[step](Act(session, message, thread, reading))


async def _show_only(act: Act) -> None:
    """A human reads it. A wish to opt out is still met; a plea beside it is for the human's eyes."""
    if act.reading.situation.wish is Wish.OPT_OUT:
        await contacts.opt_out(act.session, act.thread.contact_id)


async def _hush(act: Act) -> None:
    await contacts.set_silent(act.session, act.thread.contact_id, silent=True)
    await outbox.cancel_automatic(act.session, act.thread.id)
    await _tell_operator(act, "silence_word")


async def _tell_operator(act: Act, cause: str) -> None:
    """The console shows it; the phone hears nothing of it."""
    escalation = await escalations.find_open(act.session, act.thread.id, for_update=True)
    if escalation is None:
        escalation, _news = await escalations.open_or_raise(
            act.session, message=act.message, cause=cause, lane=act.thread.lane
        )
    await escalations.note_silence(act.session, escalation, act.message.id)


async def _speak_again(act: Act) -> None:
    answer = act.reading.answer
    await act.drop_question()
    if answer is None or answer.answer is not Answer.YES:
        return  # not a good moment: the line stays silent
    await contacts.set_silent(act.session, act.thread.contact_id, silent=False)
    waiting = act.thread.owner == Owner.WAITING
    await act.say(act.detail.get("then") or ("human.still" if waiting else "ask.gentle"))


async def _ask_if_free_to_talk(act: Act) -> None:
    """What stood before is kept with the question: a red reply that must wait, a form that goes on after a yes."""
    question = act.reading.question
    if act.reading.situation.wish is Wish.OPT_OUT:  # met also now; that it was, the phone does not show
        await contacts.opt_out(act.session, act.thread.contact_id)
    kept = {name: act.detail[name] for name in ("then", "form") if name in act.detail}
    if question is not None and question.kind == Kind.ASSISTANT and question.detail.get("key"):
        kept["form"] = True
    await act.say("silent.back", **kept)


async def _opt_out(act: Act) -> None:
    await contacts.opt_out(act.session, act.thread.contact_id)
    if act.with_plea:
        await _tell_operator(act, "silence_word")
        return
    await act.say("optout")


async def _opt_out_quietly(act: Act) -> None:
    await contacts.opt_out(act.session, act.thread.contact_id)
    await _tell_operator(act, "silence_word")
    if not act.with_plea:
        await act.say("optout.red")


async def _opt_in(act: Act) -> None:
    await contacts.opt_in(act.session, act.thread.contact_id)
    await act.say("optin")


async def _call_person(act: Act) -> None:
    key = await service.hand_over(
        act.session, thread_id=act.thread.id, message_id=act.message.id, cause="asked_for_person"
    )
    await act.say(key)


async def _follow_up(act: Act) -> None:
    await alarm.follow_up(act.session, act.thread, act.message)


async def _read_safety(act: Act) -> None:
    answer, question = act.reading.answer, act.reading.question
    assert answer is not None
    assert question is not None
    await act.drop_question()
    escalation = await escalations.find_open(act.session, act.thread.id, for_update=True)
    in_red = escalation is not None and escalation.lane == "red"
    if question.kind == Kind.ASSISTANT:  # a form's own question: "1有"
        await service.hand_over(act.session, thread_id=act.thread.id, message_id=act.message.id, cause="danger")
    elif means_danger(question.detail.get("key", "ask.safe"), answer.answer) and not in_red:
        await alarm.on_unsafe_answer(act.session, act.thread, act.message, reason=REASON)
    elif in_red:
        await act.say("danger.noted")
    elif answer.answer is Answer.YES:
        await act.say("safe.yes")
    else:
        await service.call_quietly(act.session, thread=act.thread, message=act.message, cause="unsure")
        await act.say("safe.unsure")


async def _read_mark(act: Act) -> None:
    answer = act.reading.answer
    assert answer is not None
    await act.drop_question()
    key = await evaluating.take_mark(
        act.session, message=act.message, stars=answer.stars, unsolved=answer.answer is Answer.UNRESOLVED,
        ticket_id=act.detail.get("ticket"),
    )  # fmt: skip
    if act.message.lane == "orange":  # harm told beside the mark: the words for that, which ask whether they are safe
        key = alarm.words_for_orange(sexual=bool(act.message.sexual), writer=act.message.writer or "unknown")
    await act.say(key)


async def _read_feedback(act: Act) -> None:
    """Whether an answer helped. Thanks cost a text, so that they are said on the web only."""
    answer, question = act.reading.answer, act.reading.question
    if question is not None and question.kind == Kind.FEEDBACK:
        await act.drop_question()
    if answer is None or answer.answer is Answer.NO:
        await act.say("feedback.sorry")
    elif answer.answer is not Answer.YES:
        await act.say("digit.lost")
    elif act.thread.channel == Channel.WEB:
        await act.say("feedback.thanks")


async def _take_words(act: Act) -> None:
    """The matter goes on; where the words leave in doubt whether they are safe, that is what they are asked."""
    inquiry, now = act.reading.inquiry, act.reading.situation
    assert inquiry is not None
    first = await inquiries.take_answer(act.session, inquiry.id, message_id=act.message.id)
    if now.unsure and not now.asked_safety_lately:
        await service.call_quietly(act.session, thread=act.thread, message=act.message, cause="unsure")
        await act.say("ask.safe")
    else:
        await act.say("clarify.thanks" if first else "clarify.more")


async def _ask_again(act: Act) -> None:
    """The question is too old for a bare digit: it is asked again, never guessed."""
    asked = act.reading.question.kind if act.reading.question is not None else ""
    about = {"ticket": act.detail["ticket"]} if "ticket" in act.detail else {}
    await act.drop_question()
    await act.say(_ASK_AGAIN.get(asked, "digit.lost"), **about)


_ASK_AGAIN: dict[str, str] = {Kind.DANGER: "ask.safe", Kind.SURVEY: "eval.reask"}


async def _digit_without_question(act: Act) -> None:
    await act.say("digit.lost")


async def _ask_gently(act: Act) -> None:
    await act.say("text.empty" if not normalise(act.message.body) else "text.only_emoji")


async def _still_calling(act: Act) -> None:
    await act.say("human.still")


async def _say_once_more(act: Act) -> None:
    await act.say("same.again" if act.message.lane == "blue" else "orange.more")


async def _answer_outreach(act: Act) -> None:
    """Once for a broadcast; "收到" upon "收到" ends there. The console shows every one."""
    small, outreach = act.reading.small, act.reading.outreach
    assert small is not None
    assert outreach is not None
    if not await alarm.was_said_since(act.session, act.thread.id, small, outreach.reached.at):
        await act.say(small)


async def _keep_quiet(act: Act) -> None:
    """It was answered; the console shows it."""


_ACTS: dict[Step, Callable[[Act], Awaitable[None]]] = {
    Step.SHOW_ONLY: _show_only,
    Step.HUSH: _hush,
    Step.SPEAK_AGAIN: _speak_again,
    Step.ASK_IF_FREE_TO_TALK: _ask_if_free_to_talk,
    Step.OPT_OUT: _opt_out,
    Step.OPT_OUT_QUIETLY: _opt_out_quietly,
    Step.OPT_IN: _opt_in,
    Step.CALL_PERSON: _call_person,
    Step.FOLLOW_UP: _follow_up,
    Step.READ_SAFETY: _read_safety,
    Step.READ_MARK: _read_mark,
    Step.READ_FEEDBACK: _read_feedback,
    Step.TAKE_WORDS: _take_words,
    Step.ASK_AGAIN: _ask_again,
    Step.DIGIT_WITHOUT_QUESTION: _digit_without_question,
    Step.ASK_GENTLY: _ask_gently,
    Step.STILL_CALLING: _still_calling,
    Step.SAY_ONCE_MORE: _say_once_more,
    Step.KEEP_QUIET: _keep_quiet,
    Step.ANSWER_OUTREACH: _answer_outreach,
}
