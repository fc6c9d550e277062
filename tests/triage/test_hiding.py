"""Danger words stay danger words however they are typed, and chance neighbours do not become danger words."""

from __future__ import annotations

import statistics
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sms_gateway import triage
from sms_gateway.triage import Lane
from sms_gateway.triage.lexicon import load_lexicon

judge = triage.load().judge
find = load_lexicon().find
NOTHING = np.zeros(384, dtype=np.float32)

SAYINGS = {
    "我想自杀": "自杀", "我不想活了": "不想活", "我要跳楼": "跳楼", "我想割腕": "割腕", "他拿刀要砍我妈": "砍", "救命啊他要打死我": "救命",
    "爸爸拿刀要杀我": "拿刀", "我家着火了好多烟": "着火", "弟弟掉水里了没上来": "掉水", "我被锁在屋里出不去": "锁在", "有人强奸我": "强奸",
    "妹妹喝了农药叫不醒": "农药", "他们正在打我": "打我", "快救我他追来了": "救我",
}  # fmt: skip
"""Said plainly, and the word in it that is taken apart."""


def _between(sign: str, word: str) -> str:
    return sign.join(word)


TRICKS = {
    "zero width": lambda word: _between("\u200b", word),
    "word joiner": lambda word: _between("\u2060", word),
    "soft hyphen": lambda word: _between("\u00ad", word),
    "right to left mark": lambda word: _between("\u200f", word),
    "right to left override": lambda word: f"\u202e{word}\u202c",
    "blank": lambda word: _between(" ", word),
    "blank, dot, blank": lambda word: _between(" . ", word),
    "dash": lambda word: _between("-", word),
    "long dash": lambda word: _between("——", word),
    "star": lambda word: _between("*", word),
    "slash": lambda word: _between("/", word),
    "heart": lambda word: _between("♥", word),
    "black square": lambda word: _between("■", word),
    "line end": lambda word: _between("\n", word),
    "ideographic blank": lambda word: _between("\u3000", word),
    "braille blank": lambda word: _between("\u2800", word),
    "lone surrogate": lambda word: _between("\ud800", word),
    "private use": lambda word: _between("\ue000", word),
    "control": lambda word: _between("\x07", word),
    "struck through": lambda word: "".join(character + "\u0336" for character in word),
    "circled": lambda word: "".join(character + "\u20dd" for character in word),
    "variation selectors": lambda word: "".join(character + "\ufe0f" for character in word),
    "underlined": lambda word: _between("_", word),
    "ellipsis": lambda word: _between("…", word),
}


@pytest.mark.parametrize("trick", TRICKS, ids=str)
@pytest.mark.parametrize("said", SAYINGS, ids=str)
def test_a_danger_word_taken_apart_is_as_red_as_the_plain_one(said: str, trick: str) -> None:
    word = SAYINGS[said]
    assert judge(said).lane is Lane.RED, "the plain text must be red before a trick can hide it"
    assert judge(said.replace(word, TRICKS[trick](word))).lane is Lane.RED


@pytest.mark.parametrize("sign", ["，", "。", "！", "?", "、", "…", "~", "（", "“", "〇", " , "])
@pytest.mark.parametrize(
    ("said", "word"), [("我想自杀", "自杀"), ("我不想活了", "不想活"), ("我要跳楼", "跳楼"), ("我想割腕", "割腕")]
)
def test_even_marks_that_end_clauses_hide_no_word_of_self_harm(said: str, word: str, sign: str) -> None:
    assert judge(said.replace(word, sign.join(word))).lane is Lane.RED


@pytest.mark.parametrize("trick", TRICKS, ids=str)
def test_a_whole_text_taken_apart_is_red(trick: str) -> None:
    assert judge(TRICKS[trick]("我不想活了")).lane is Lane.RED


@pytest.mark.parametrize(
    "text",
    [
        "我想zs", "想自s", "我想z s", "我想ⓩⓢ", "𝐬𝐨𝐬 我爸要杀我", "wo bu xiang huo le", "wo xiang zi sha", "wo ba na dao yao kan wo ma", "jiuming you ren yao sha wo", "Wǒ xiǎng zìshā",
        "我想自殺", "我想自鲨", "我不想火了", "我想紫砂 不想活了", "bxh了 想跳lou", "我爸又da我 拿dao了", "有人qj我", "妹妹 bei suo zai jia li chu bu lai le",
    ],
)  # fmt: skip
def test_initials_homophones_and_pinyin_of_danger_are_red(text: str) -> None:
    assert judge(text).lane is Lane.RED


@pytest.mark.parametrize(
    "text", ["我家沙发坏了能报修吗", "周末和妈妈去吃火锅", "紫砂壶多少钱一个", "老师一讲我就明白了", "我想4点去接孩子 可以吗", "云A·ZS123这个车停在校门口怎么投诉", "网站www.zs.cn打不开"]
)  # fmt: skip
def test_words_that_only_look_like_danger_stay_blue(text: str) -> None:
    assert judge(text).lane is Lane.BLUE


@pytest.mark.parametrize(
    "text",
    [
        "玩得很愉快，来这里真好",
        "太不方便，来一趟要两小时",
        "我们一起，火车站见",
        "他来不及等，着急走了",
        "说得好，救了人",
    ],
)
def test_chance_neighbours_over_a_comma_are_not_put_together(text: str) -> None:
    assert not find(text).mended


def test_a_word_that_was_put_together_is_read_like_the_plain_one() -> None:
    torn, plain = find("我想自，杀"), find("我想自杀")
    assert torn.mended
    assert (torn.view, torn.hits, torn.contexts) == (plain.view, plain.hits, plain.contexts)


def test_a_thousand_copies_of_one_text_are_judged_like_one() -> None:
    copies = "我爸在打我 快来人 "
    assert judge(copies * 1000).lane is judge(copies).lane is Lane.RED
    assert judge("孤儿每个月能领多少钱 " * 1000).lane is not Lane.RED


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.text(alphabet=st.characters(codec=None), max_size=60))
def test_any_unicode_gets_a_judgement_with_its_own_vector(text: str) -> None:
    assert 0.0 <= judge(text).score <= 1.0


@pytest.mark.parametrize(
    "text",
    [
        "😀" * 500,
        "\u200f" * 300,
        "\u202e\u202e",
        "\ud83d" * 50,
        "\u0336" * 400,
        "ﷺ" * 200,
        "🏳️‍🌈" * 100,
        "\ufffd" * 90,
        "⠀" * 40,
    ],
)
def test_signs_and_rubbish_without_words_raise_no_alarm(text: str) -> None:
    assert judge(text).lane is not Lane.RED


def test_any_random_text_takes_about_as_long_as_the_next_one() -> None:
    """p99 within five times p50 for texts of one length, measured in CPU time; the best of several tries counts."""
    chance = np.random.default_rng(12345)
    scripts = (
        range(0x4E00, 0x9FA5),
        range(0x20, 0x7F),
        range(0x400, 0x460),
        range(0x1F300, 0x1F650),
        range(0x200B, 0x2010),
        range(0xFF01, 0xFF5F),
    )
    texts = [
        "".join(chr(scripts[chance.integers(len(scripts))][int(chance.integers(5))]) for _ in range(60))
        for _ in range(150)
    ]
    texts += ["".join(chr(chance.choice(list(scripts[i % 6]))) for _ in range(60)) for i in range(150)]
    ratios = []
    for _ in range(4):
        spent = sorted(_least(text) for text in texts)
        ratios.append(spent[int(len(spent) * 0.99)] / statistics.median(spent))
    assert min(ratios) < 5


def _least(text: str) -> float:
    tries = []
    for _ in range(3):
        started = time.process_time()
        judge(text, vector=NOTHING)
        tries.append(time.process_time() - started)
    return min(tries)
