"""One normal form, one vector, whatever people type."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from texts.embedding import embed, pack, pack_base64, unpack, unpack_base64
from texts.normalise import ENCODER_LIMIT, clean, for_encoder, normalise, reading
from texts.pinyin import in_han
from texts.spellings import _TABLE, _spellings

GROWTH = 18
"""One character of NFKC's longest compatibility form (U+FDFA) stands for 18; emoji and initials for fewer."""

ANYTHING = st.text(alphabet=st.characters(codec=None), max_size=80)
PIECES = [row[0] for row in _spellings()[0]] + [row[2] for row in _spellings()[0]]
LIKE_THE_TABLE = st.lists(
    st.one_of(
        st.sampled_from(PIECES),
        st.sampled_from(list(" .,，。、-_*·—!?~/\u200b\u0336\u0301\u20e3我想不活死了要被打著麼乾殺ＡｚsSⓩ🆂🇸ѕοjiuming")),
        st.characters(codec=None),
    ),
    max_size=12,
).map("".join)


@settings(max_examples=1500, deadline=None, derandomize=True)
@given(st.one_of(ANYTHING, LIKE_THE_TABLE))
def test_normalising_never_fails_and_its_result_is_its_own_normal_form(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert "\x00" not in clean(text)


@settings(max_examples=1000, deadline=None, derandomize=True)
@given(st.one_of(ANYTHING, LIKE_THE_TABLE))
def test_a_normal_form_is_never_much_longer_than_the_text(text: str) -> None:
    assert len(normalise(text)) <= GROWTH * len(text)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.text(alphabet="我你他她的了是在有去来说爸妈吃学家好们天", max_size=30))
def test_plainly_written_text_is_left_as_it_is(text: str) -> None:
    seldom = normalise(text)
    assert all(character in text for character in seldom)
    assert len(text) - len(seldom) == 0 or any(character * 4 in text for character in text)


def test_no_spelling_stands_twice_or_grows_for_ever() -> None:
    lines = [
        line.split("\t")[0] for line in _TABLE.read_text(encoding="utf-8").splitlines() if line[:1] not in ("#", "")
    ]
    assert len(lines) == len(set(lines))
    for typed, pattern, meant in _spellings()[0]:
        assert not pattern.search(meant), typed


def test_tricks_of_typing_are_undone() -> None:
    assert normalise("我  不\u200b想 活-了") == "我不想活了"
    assert normalise("ＡＢＣ１２３") == "abc123"
    assert normalise("救命啊啊啊啊啊啊啊") == "救命啊啊啊"
    assert normalise("help me please") == "help me please"


HIDDEN = [
    ("救 . 命", "救命"), ("自-杀", "自杀"), ("我、不、想、活", "我不想活"), ("我。不。想。活", "我不想活"), ("自■杀", "自杀"),
    ("自\u0336杀\u0336", "自杀"), ("自\u200d杀", "自杀"), ("自\u2800杀", "自杀"), ("我\n不\n想\n活", "我不想活"), ("自\ud800杀", "自杀"),
    ("自殺", "自杀"), ("救我救我", "救我救我"), ("ⓩⓢ", "自杀"), ("𝐳𝐬", "自杀"), ("🆉🆂", "自杀"), ("ＺＳ", "自杀"),
    ("z s", "自杀"), ("z.s", "自杀"), ("zѕ", "自杀"), ("ѕоѕ", "sos"), ("s o s", "sos"), ("🇸🇴🇸", "sos"), ("🆘", "救命"), ("hеlр me", "help me"),
    ("SOS", "sos"), ("👊🏿", "打"),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "meant"), HIDDEN)
def test_words_pulled_apart_or_in_strange_letters_are_put_together(typed: str, meant: str) -> None:
    assert normalise(typed) == meant


MEANT = [
    ("zs", "自杀"), ("我想zs", "我想自杀"), ("他说要zs了", "他说要自杀了"), ("自s", "自杀"), ("自鲨", "自杀"), ("想紫砂", "想自杀"),
    ("紫砂了", "自杀了"), ("bxh了", "不想活了"), ("不想火了", "不想活了"), ("想4了", "想死了"), ("想si", "想死"), ("好想亖", "好想死"), ("想屎了", "想死了"),
    ("九命啊", "救命啊"), ("就命", "救命"), ("旧命", "救命"), ("jm", "救命"), ("JM啊", "救命啊"), ("就就我", "救救我"), ("被qj了", "被强奸了"), ("他qj我", "他强奸我"),
    ("爸爸da我", "爸爸打我"), ("又da我妈", "又打我妈"), ("拿dao砍wo", "拿刀砍我"), ("家bao", "家暴"), ("被xq了", "被性侵了"), ("想tl", "想跳楼"),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "meant"), MEANT)
def test_initials_and_homophones_say_what_they_mean(typed: str, meant: str) -> None:
    assert normalise(typed) == meant


@pytest.mark.parametrize(
    "text",
    [
        "我家沙发坏了", "我们去吃火锅", "不想火锅", "我就明白了", "爷爷的紫砂壶摔了", "我想要一个紫砂杯", "他就命令我站着", "我想4点去接孩子", "我想似乎该问问", "好想似曾相识",
        "我qj一天可以吗", "我要qj半天", "云a·zs123", "zs老师说的", "www.zs.cn", "user_zs@163.com", "zszs88", "size", "xiaomi手机", "wx号多少", "加我wx",
        "猫有九命", "九命猫", "哥哥大我三岁", "他爸爸大我妈妈三岁", "到达我家", "流雪花", "鲨鱼", "好想鼠标坏了", "留血型资料", "我家抱了只猫", "我巴巴地等着",
        "就就我一个人在家", "水果照片", "结果照旧", "打屎壳郎", "tl是什么意思", "打着didi去", "就命运共同体", "help me", "my dad hit me", "can you help",
        "he hate me", "i want to die", "game over man", "помогите мне",
    ],
)  # fmt: skip
def test_words_that_only_look_like_tricks_are_left_alone(text: str) -> None:
    assert normalise(text) == text


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("wo ba ba zai da wo", "我爸爸在打我"),
        ("wobazaidawoma", "我爸在打我妈"),
        ("Wǒ bù xiǎng huó le", "我不想活了"),
        ("you ren yao sha wo", "有人要杀我"),
        ("妹妹 bu jian le", "妹妹不见了"),
        ("jia li zhao huo le", "家里着火了"),
        ("wo zs le bie guan wo", "我自杀了别管我"),
        ("jiuming", "救命"),
        ("zì shā", "自杀"),
        ("gu er mei ge yue ling duo shao qian", "孤儿每个月领多少钱"),
        ("zi sha hu duo shao qian", "紫砂壶多少钱"),
    ],
)
def test_phrases_in_pinyin_are_read(typed: str, meant: str) -> None:
    assert normalise(typed) == meant


def test_a_run_of_letters_that_is_no_pinyin_or_too_long_is_left_alone() -> None:
    for run in ("qwertyuiop", "xian", "ni" * 600, "sms code http"):
        assert in_han(run) == run


def test_a_blank_between_phrases_is_read_as_a_comma() -> None:
    assert reading("著火了 好多煙") == "着火了,好多烟"


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.one_of(ANYTHING, st.text(min_size=100)))
def test_the_encoder_is_never_given_more_than_its_limit(text: str) -> None:
    assert len(for_encoder(text)) <= ENCODER_LIMIT


def test_head_and_tail_of_a_long_text_reach_the_encoder() -> None:
    short = for_encoder("头" + "中" * 1000 + "花好月圆" * 200 + "尾")
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
