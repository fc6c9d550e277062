"""The tokens of a text: of any text, quickly, and the same however it was typed."""

from __future__ import annotations

import random
import time

import pytest
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.tokenizer import ClauseTokenizer

tokenizer = ClauseTokenizer(ClauseTokenizer.get_default_config())


def tokens(text: str) -> list[str]:
    return [token.text for token in tokenizer.tokenize(Message({TEXT: text}), TEXT)]


def test_any_random_text_has_tokens() -> None:
    chance = random.Random(12345)
    for _ in range(2000):
        text = "".join(chr(chance.randrange(0x110000)) for _ in range(chance.randrange(60)))
        assert tokens(text)


@pytest.mark.parametrize("text", ["", " ", "\x00", "\ud800", "\u200b\u202e", "。。。", "😀😀", "\u0336" * 100])
def test_a_text_without_words_has_tokens_too(text: str) -> None:
    assert tokens(text)


@pytest.mark.parametrize(
    "typed",
    [
        "我\u200b要投\u202e诉学校",
        "我要投訴學校",
        "我 要 投 诉 学 校",
        "我-要-投-诉-学-校",
        "wo yao tou su xue xiao",
        "我̶要̶投̶诉̶学̶校̶",
    ],
)
def test_a_text_typed_with_tricks_has_the_tokens_of_the_plain_one(typed: str) -> None:
    assert tokens(typed) == tokens("我要投诉学校")


@pytest.mark.parametrize("piece", ["我要投诉，", "投", "a ", "（", "wo yao "])
def test_ten_thousand_characters_are_cut_quickly(piece: str) -> None:
    text = (piece * 10_000)[:10_000]
    started = time.process_time()
    tokens(text)
    assert time.process_time() - started < 0.15
