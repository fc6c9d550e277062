"""One normal form, one vector, whatever people type."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from texts.embedding import embed, pack, pack_base64, unpack, unpack_base64
from texts.normalise import ENCODER_LIMIT, clean, for_encoder, normalise


@given(st.text())
def test_normalising_never_fails_and_is_stable(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert "\x00" not in clean(text)


def test_tricks_of_typing_are_undone() -> None:
    assert normalise("我  不\u200b想 活-了") == "我不想活了"
    assert normalise("ＡＢＣ１２３") == "abc123"
    assert normalise("救命啊啊啊啊啊啊啊") == "救命啊啊啊"
    assert normalise("help me please") == "help me please"


@given(st.text())
def test_the_encoder_is_never_given_more_than_its_limit(text: str) -> None:
    assert len(for_encoder(text)) <= ENCODER_LIMIT


def test_head_and_tail_of_a_long_text_reach_the_encoder() -> None:
    short = for_encoder("头" + "中" * 1000 + "尾")
    assert short[0] == "头"
    assert short[-1] == "尾"


def test_a_vector_is_a_unit_and_survives_packing() -> None:
    vector = embed("有人在踹门")
    assert vector.shape == (384,)
    assert abs(float(np.linalg.norm(vector)) - 1) < 1e-3
    assert np.allclose(unpack(pack(vector)), vector, atol=1e-3)
    assert np.allclose(unpack_base64(pack_base64(vector)), vector, atol=1e-3)
    assert embed("").shape == (384,)


def test_a_broken_vector_is_refused() -> None:
    with pytest.raises(ValueError):
        unpack(b"12")
    with pytest.raises(ValueError):
        unpack_base64("@@@")


def test_near_meanings_are_nearer_than_far_ones() -> None:
    question, same, other = embed("孤儿一个月补助多少"), embed("没爹没妈的娃娃国家给多少钱"), embed("今天天气真好")
    assert question @ same > question @ other
