"""What the pages say, decided without a database: marks, cautions, the next question, the words for every state."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from sms_gateway.broadcasts import (
    composing,
    governing,
    lifecycle,
    numbers,
    pacing,
    recipients,
    replies,
    rolls,
    templates,
)
from sms_gateway.console import canned, outreach_words, words
from sms_gateway.console.pages import environment, marked
from sms_gateway.conversations import caution
from sms_gateway.conversations.ownership import Owner
from sms_gateway.escalations.ladder import LADDER, State
from sms_gateway.handbook.lifecycle import State as DraftState
from sms_gateway.messages.delivery import ALARMING
from sms_gateway.messages.delivery import State as Delivery
from sms_gateway.messages.segments import segments
from sms_gateway.operators.models import Role
from sms_gateway.tickets.lifecycle import Status
from sms_gateway.triage.judgement import Harm, Immediacy, Lane, Writer
from sms_gateway.wording import SIGNATURE, say


def test_every_state_has_a_chinese_word() -> None:
    for table, states in (
        (words.LANES, Lane), (words.CALL_STATES, State), (words.DELIVERY, Delivery), (words.STATUSES, Status),
        (words.OWNERS, Owner), (words.WRITERS, Writer), (words.ROLES, Role), (words.DRAFT_STATES, DraftState),
    ):  # fmt: skip
        assert set(table) == {str(state) for state in states}
    assert set(words.HARMS) == {str(harm) for harm in Harm if harm is not Harm.NONE}
    assert set(words.IMMEDIACIES) == {str(how) for how in Immediacy if how is not Immediacy.NONE}
    assert set(words.STEPS) == {-1, *(rung.number for rung in LADDER)}
    assert {str(state) for state in ALARMING} == words.NOT_ARRIVED
    assert {key for keys in words.OUTCOMES_BY_LANE.values() for key in keys} == set(words.OUTCOMES)


def test_every_state_of_outreach_has_a_chinese_word() -> None:
    o = outreach_words
    for table, states in (
        (o.STATUSES, lifecycle.Status), (o.STATES, recipients.State), (o.WHY, recipients.Why), (o.HELD, governing.Held), (o.REFUSED, numbers.Refused),
        (o.WARNINGS, composing.Warning), (o.REGISTRATIONS, templates.Registration), (o.ROLL_STATES, rolls.RollState), (o.REPLY_KINDS, replies.Kind),
    ):  # fmt: skip
        assert set(table) == {str(state) for state in states}
    assert {str(why) for why in pacing.Pause} == o.ALARMING_PAUSES
    assert set(o.PAUSES) == set(o.PAUSE_ADVICE) == {*o.ALARMING_PAUSES, "person", "line", "wave", "restored"}


def test_the_words_that_raised_the_alarm_are_marked_and_the_rest_is_escaped() -> None:
    reasons = ["正在被打（现在）：“躲在里屋,不敢出声”", "有凶器：“有刀”"]
    assert marked("他手里 有 刀 <b>", reasons) == Markup("他手里 <mark>有 刀</mark> &lt;b&gt;")
    assert marked("<script>有刀</script>", reasons) == "&lt;script&gt;<mark>有刀</mark>&lt;/script&gt;"
    assert marked("a.b*c", ["x：“.*”"]) == "a.b*c"
    assert marked("没有", None) == "没有" and marked("没有", ["整句读起来像危险"]) == "没有"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("他就在门外", "身边有人"), ("我用奶奶手机发的", "手机不是自己的"), ("我躲着不敢出声", "不能出声"), ("千万别打电话过来", "请勿来电"),
        ("我妹妹听不见", "听不见"),
    ],
)  # fmt: skip
def test_reasons_not_to_call_are_read_from_the_childs_words(text: str, says: str) -> None:
    assert says in caution.before_calling([text])


def test_an_ordinary_question_gives_no_reason_not_to_call() -> None:
    assert caution.before_calling(["孤儿每个月能领多少钱", "我要投诉 学校天天占体育课"]) == []
    assert caution.for_police(["孤儿每个月能领多少钱"]) == []


def test_police_are_told_of_blades_drink_and_other_children() -> None:
    told = caution.for_police(["他喝醉了 手里有刀", "我和弟弟躲在床底"])
    assert told == ["对方有刀、棍或别的凶器", "对方喝了酒", "孩子躲着", "还有别的孩子"]


def test_the_place_is_asked_first_and_nothing_is_asked_twice() -> None:
    place = say("ask.place")
    first = canned.next_question("violence_in_progress", place_known=False, said=[])
    assert first is not None and first.text == place
    asked: list[str] = [place]
    while (question := canned.next_question("violence_in_progress", place_known=False, said=asked)) is not None:
        assert question.text not in asked
        asked.append(question.text)
    assert len(asked) == 5


@pytest.mark.parametrize("harm", ["sexual_abuse", "self_harm"])
def test_with_abuse_and_self_harm_the_person_comes_before_the_place(harm: str) -> None:
    question = canned.next_question(harm, place_known=False, said=[])
    assert question is not None and question.text != say("ask.place")


def test_every_harm_has_a_next_question_and_each_saying_fits_one_text() -> None:
    sayings = canned.load()
    assert set(sayings.next_by_harm) == {str(harm) for harm in Harm}
    for saying in (*sayings.always, *(one for group in sayings.next_by_harm.values() for one in group)):
        assert segments(SIGNATURE + saying.text) == 1, saying.text


def test_every_template_can_be_read() -> None:
    names = environment().list_templates()
    assert len(names) >= 12
    for name in names:
        environment().get_template(name)
