"""No text, however strange or long, may stop triage."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sms_gateway import triage
from sms_gateway.triage import Lane
from sms_gateway.triage.classifier import data_hash, load_classifier, stored_hash

judge = triage.load().judge
NOTHING = np.zeros(384, dtype=np.float32)


@settings(max_examples=5000, deadline=None, derandomize=True)
@given(st.text(alphabet=st.characters(codec=None), max_size=120))
def test_any_unicode_gets_a_judgement(text: str) -> None:
    judged = judge(text, vector=NOTHING)
    assert 0.0 <= judged.score <= 1.0
    assert (judged.lane is Lane.RED) == bool(judged.services)
    assert (judged.lane is Lane.RED) == (judged.reply_key is not None)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.binary(max_size=200))
def test_garbage_bytes_get_a_judgement(raw: bytes) -> None:
    judge(raw.decode("utf-8", "surrogateescape"), vector=NOTHING)


def test_danger_in_the_middle_of_a_very_long_text_is_found() -> None:
    talk = "今天天气很好，我们去公园玩了。" * 30
    assert judge(talk + "我不想活了，我站在楼顶。" + talk).lane is Lane.RED


@pytest.mark.parametrize("text", ["", " ", "\x00\x00", "😀😀😀", "\ud800", "。。。", "\u200b" * 50])
def test_texts_with_no_words_are_blue(text: str) -> None:
    assert judge(text).lane is Lane.BLUE


@pytest.mark.parametrize("piece", ["我爸在家打我弟弟，", "锁", "他他他", "a ", "没没有", "（（（", "救命我要自杀"])
def test_ten_thousand_characters_take_no_longer_than_the_limit(piece: str) -> None:
    text = (piece * 10_000)[:10_000]
    spent = []
    for _ in range(3):
        started = time.process_time()
        judge(text, vector=NOTHING)
        spent.append(time.process_time() - started)
    assert min(spent) < 0.15  # the embedding of its 160 characters takes the other half of the 300 ms


def test_lexicon_and_classifier_take_under_three_milliseconds() -> None:
    text = "有个叔叔一直在踹我家门 就我和弟弟在"
    spent = []
    for _ in range(50):
        started = time.process_time()
        judge(text, vector=NOTHING)
        spent.append(time.process_time() - started)
    assert sorted(spent)[5] < 0.003  # the quickest tenth: what it costs when nobody else wants the core


def test_danger_at_the_end_of_a_very_long_text_is_found() -> None:
    assert judge("今天天气很好，我们去公园玩了。" * 600 + "我不想活了，我站在楼顶").lane is Lane.RED


def test_the_lexicon_alone_still_calls_for_help(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(text: str) -> None:
        raise RuntimeError("engine")

    monkeypatch.setattr("sms_gateway.triage.service.embed", broken)
    assert judge("我爸拿刀要砍我妈").lane is Lane.RED
    assert judge("孤儿每个月能领多少钱").lane is Lane.BLUE


def test_the_weights_were_made_from_the_examples_that_are_here() -> None:
    assert stored_hash() == data_hash(), "run python -m sms_gateway.triage.train"
    assert load_classifier().heads["lane"].labels == ("blue", "orange", "red")
