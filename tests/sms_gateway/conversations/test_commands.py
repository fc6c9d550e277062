"""Service words: only the whole text is an order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_gateway.conversations.commands import Kind, read_command


def kind(text: str, *, talking: bool = True) -> Kind | None:
    command = read_command(text, talking=talking)
    return command.kind if command else None


@pytest.mark.parametrize("talking", [True, False])
@pytest.mark.parametrize(
    "text",
    [
        "退订",
        "TD",
        "t d",
        "ＴＤ",
        "T",
        "退",
        "STOP",
        "stop.",
        "TD12345",
        "停发",
        "别再给我发宣传",
        "退 订！",
        "退订吧",
        "我要退订，谢谢",
    ],
)
def test_outreach_is_stopped_in_many_spellings(text: str, talking: bool) -> None:
    command = read_command(text, talking=talking)
    assert command is not None and command.kind is Kind.OPT_OUT and not command.stop_with_plea


@pytest.mark.parametrize("text", ["订阅", "恢复", "恢复订阅。", "我要订阅"])
def test_outreach_is_taken_up_again(text: str) -> None:
    assert kind(text) is Kind.OPT_IN


@pytest.mark.parametrize(
    "text", ["0", "０", "0。", " 0 ", "转人工", "人工", "找真人", "我要人工", "转人工 快点", "人工服务"]
)
def test_zero_and_its_words_bring_a_person(text: str) -> None:
    assert kind(text) is Kind.HUMAN


@pytest.mark.parametrize("talking", [True, False])
def test_88_alone_silences_always(talking: bool) -> None:
    assert kind("88", talking=talking) is Kind.SILENCE


@pytest.mark.parametrize("text", ["888", "88块", "收了88", "886"])
def test_88_inside_something_else_does_not(text: str) -> None:
    assert kind(text) is not Kind.SILENCE


@pytest.mark.parametrize("text", ["别回", "别发", "不要回", "别回了", "莫回", "先别发", "别发短信"])
def test_in_a_talk_do_not_answer_means_silence(text: str) -> None:
    assert kind(text, talking=True) is Kind.SILENCE


def test_outside_a_talk_do_not_send_means_no_more_outreach() -> None:
    assert kind("别发", talking=False) is Kind.OPT_OUT
    assert kind("别给我发短信", talking=False) is Kind.OPT_OUT


def test_do_not_answer_silences_also_outside_a_talk() -> None:
    assert kind("别回", talking=False) is Kind.SILENCE


@pytest.mark.parametrize(("text", "digit"), [("1", 1), ("２", 2), ("③", 3), ("4.", 4), ("5️⃣", 5), (" 9 ", 9)])
def test_a_single_digit_is_an_answer(text: str, digit: int) -> None:
    command = read_command(text, talking=True)
    assert command is not None and (command.kind, command.digit) == (Kind.DIGIT, digit)


@pytest.mark.parametrize("text", ["退订 他在打我", "救救我退订", "TD 救命", "stop 我害怕"])
def test_an_opt_out_joined_with_a_plea_is_told_apart(text: str) -> None:
    command = read_command(text, talking=False)
    assert command is not None and command.kind is Kind.OPT_OUT and command.stop_with_plea


@pytest.mark.parametrize(
    "text",
    [
        "我想退学",
        "退款怎么办",
        "学校人工湖边",
        "我爸让我别回家",
        "12",
        "他说退订就能领钱",
        "真人秀",
        "不要回学校",
        "",
        "   ",
        "😭",
        "恢复上课没有",
        "别发我照片给别人",
    ],
)
def test_a_text_that_only_holds_such_a_word_is_a_text(text: str) -> None:
    assert read_command(text, talking=True) is None


@given(st.text(max_size=100), st.booleans())
def test_no_text_makes_it_fail(text: str, talking: bool) -> None:
    read_command(text, talking=talking)
