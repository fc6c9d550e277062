"""The last few texts of a talk read together: pieces add up, taking back lowers nothing, and each plain text stands for itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sms_gateway import triage
from sms_gateway.triage import Harm, Immediacy, Judgement, Lane, Triage, Writer, service
from sms_gateway.triage.classifier import WeightsAreStale, load_classifier
from sms_gateway.triage.lexicon import load_lexicon

judge = triage.load().judge
NOTHING = np.zeros(384, dtype=np.float32)
REPORT = "我是班主任 班上一个孩子身上经常有淤青 问他说是爸爸打的"


@pytest.mark.parametrize(
    "texts",
    [
        ["在吗", "救", "我", "他又来了"],
        ["在吗", "救", "命"],
        ["你好", "我爸", "拿刀", "要砍我妈"],
        ["妹妹", "掉水里", "没上来"],
        ["我", "不想", "活了"],
        ["有人吗", "我被锁在", "屋里", "出不去"],
        ["喂", "着", "火", "了"],
        ["我", "想", "自", "杀"],
    ],
)
def test_pieces_of_danger_end_red(texts: list[str]) -> None:
    lanes = [judge(text, earlier=texts[:i]).lane for i, text in enumerate(texts)]
    assert Lane.RED in lanes


@pytest.mark.parametrize("text", ["在吗", "你好", "喂", "有人吗"])
def test_a_first_word_by_itself_is_no_danger(text: str) -> None:
    assert judge(text).lane is Lane.BLUE


def test_the_last_piece_says_that_it_was_read_with_the_others() -> None:
    judged = judge("他又来了", earlier=["在吗", "救", "我"])
    assert judged.lane is Lane.RED
    assert judged.reply_key is not None
    assert judged.services[0] == "110"


@pytest.mark.parametrize("last", ["好的", "谢谢", "三年级", "嗯嗯", "明天呢", "昭通的", "那要带什么"])
def test_a_harmless_piece_after_harmless_texts_stays_blue(last: str) -> None:
    assert judge(last, earlier=["你好", "孤儿每个月能领多少钱", "怎么申请"]).lane is Lane.BLUE


@pytest.mark.parametrize("last", ["孤儿每个月能领多少钱", "你们几点上班 节假日休息吗", "转学要带哪些材料 去哪里办"])
@pytest.mark.parametrize("danger", ["我爸拿刀要砍我妈", REPORT])
def test_a_plain_question_after_danger_is_judged_for_itself(last: str, danger: str) -> None:
    assert judge(last, earlier=[danger]).lane is Lane.BLUE


@pytest.mark.parametrize(
    "last", ["现在在学校，下午五点接", "好的", "谢谢", "三年级", "镇雄一中", "不要说我名字", "我是她班主任"]
)
def test_an_answer_to_a_form_after_an_orange_report_is_not_red_by_being_joined(last: str) -> None:
    assert judge(REPORT).lane is Lane.ORANGE
    assert judge(last, earlier=[REPORT]).lane is not Lane.RED


@pytest.mark.parametrize("last", ["他爸拿刀冲进学校了", "他现在不动了 叫不醒", "他说他不想活了"])
def test_a_turn_for_the_worse_after_an_orange_report_is_red(last: str) -> None:
    assert judge(last, earlier=[REPORT]).lane is Lane.RED


TAKEN_BACK = ["没事了", "闹着玩的", "骗你的", "逗你玩", "没什么 不用管了", "测试一下", "他走了", "当我没说"]


@pytest.mark.parametrize("last", TAKEN_BACK)
def test_taking_danger_back_lowers_nothing(last: str) -> None:
    for danger in ("我爸拿刀要砍我妈", "我不想活了"):
        judged = judge(last, earlier=[danger])
        assert judged.lane is Lane.RED
        assert judge(last).lane is Lane.RED or any("不算数" in reason for reason in judged.reasons)
    assert judge(last, earlier=[REPORT]).lane is not Lane.BLUE


@pytest.mark.parametrize("last", ["没事了", "闹着玩的", "不用了"])
def test_taking_harmless_words_back_is_harmless(last: str) -> None:
    assert judge(last, earlier=["孤儿每个月能领多少钱"]).lane is Lane.BLUE


def test_a_long_text_that_mentions_a_try_takes_nothing_back() -> None:
    asked = "请问助学金可以先在网上试一下申请吗 需要准备户口本和收入证明还是学校统一办理"
    assert judge(asked, earlier=[REPORT]).lane is Lane.BLUE


@pytest.mark.parametrize("silence", ["", "   ", "\u200b", "…", "😶"])
def test_silence_after_danger_is_no_danger_of_its_own_and_never_raises_an_error(silence: str) -> None:
    judged = judge(silence, earlier=["我是班主任", REPORT])
    assert 0 <= judged.score <= 1
    assert judge("他又来了", earlier=["在吗", silence, "救", silence, "我"]).lane is Lane.RED


def _said(lane: Lane, score: float) -> Judgement:
    return Judgement(lane, Harm.OTHER, (), Immediacy.NOW, score, (), Writer.UNKNOWN, None, sexual=False, unsure=False)


def test_a_piece_must_add_to_what_a_single_text_said_before() -> None:
    red, orange, blue = _said(Lane.RED, 0.5), _said(Lane.ORANGE, 0.2), _said(Lane.BLUE, 0.05)
    assert service._adds(red, blue)
    assert service._adds(orange, blue)
    assert not service._adds(orange, orange)
    assert service._adds(red, orange)
    assert not service._adds(replace(red, score=0.35), orange)
    assert service._adds(red, replace(red, score=0.9))


def test_stale_or_broken_weights_leave_a_judge_that_goes_by_words(monkeypatch: pytest.MonkeyPatch) -> None:
    for broken in (WeightsAreStale("other features"), OSError("no file"), ValueError("not an archive")):

        def refuse(broken: Exception = broken) -> None:
            raise broken

        monkeypatch.setattr(service, "load_classifier", refuse)
        judged_by = service.load.__wrapped__()
        assert judged_by.by_words_alone
        assert judged_by.judge("我爸拿刀要砍我妈").lane is Lane.RED
        assert judged_by.judge("我不想活了").services == ("110",)
        assert judged_by.judge("孤儿每个月能领多少钱").lane is Lane.BLUE
        assert judged_by.judge("没事了", earlier=["我不想活了"]).lane is Lane.RED


def test_with_weights_the_judge_does_not_go_by_words_alone() -> None:
    assert not Triage(load_lexicon(), load_classifier()).by_words_alone
