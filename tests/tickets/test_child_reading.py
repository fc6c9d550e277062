"""What the words say of children, of who does it, of when it happened."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_gateway.tickets.accused_reading import read_accused
from sms_gateway.tickets.child_reading import KINDS, MOST_CHILDREN, ChildSaid, read_children
from sms_gateway.tickets.duty_rules import evidence_until, occurred_at


def read(words: str, *, question: str = "child", today: date | None = None) -> list[ChildSaid]:
    return read_children({question: words}, kind="report", today=today)


def shape(words: str, *, question: str = "child") -> list[tuple[int | None, str | None]]:
    return [(child.age, child.sex) for child in read(words, question=question)]


@pytest.mark.parametrize(
    ("words", "children"),
    [
        ("女儿8岁", [(8, "f")]), ("12，我自己", [(12, None)]), ("我家姑娘今年七八岁", [(7, "f")]), ("八岁，女", [(8, "f")]),
        ("两个，5岁和8岁", [(5, None), (8, None)]), ("儿子10岁，女儿6岁", [(10, "m"), (6, "f")]), ("初二的学生", [(13, None)]),
        ("幺儿 3岁", [(3, None)]), ("男孩，12岁，初一", [(12, "m")]), ("大概十二三岁，是邻居家的娃", [(12, None)]),
        ("三个娃，大的10岁", [(10, None), (None, None), (None, None)]), ("双胞胎，五岁", [(5, None), (5, None)]),
        ("我孙女上二年级", [(7, "f")]), ("9个月大的婴儿", [(0, None)]), ("是我侄女，13", [(13, "f")]), ("2个", [(None, None), (None, None)]),
        ("一个8岁一个5岁", [(8, None), (5, None)]), ("娃娃6岁，家里还有个弟弟", [(6, None)]), ("7-8岁 男", [(7, "m")]),
        ("老大10岁 老二8岁", [(10, None), (8, None)]), ("虚岁10岁", [(9, None)]), ("姐弟俩 姐姐9岁 弟弟6岁", [(9, "f"), (6, "m")]),
        ("小娃大班", [(5, None)]), ("我今年15了", [(15, None)]), ("我家幺妹9岁", [(9, "f")]), ("高一，男生", [(15, "m")]),
        ("不知道", []), ("1", []), ("", []), ("他爸40岁", []),
    ],
)  # fmt: skip
def test_ages_and_sexes_are_read_as_people_write_them(
    words: str, children: list[tuple[int | None, str | None]]
) -> None:
    assert shape(words) == children


@pytest.mark.parametrize(
    ("story", "children"),
    [
        ("隔壁男的天天打他家娃，娃娃才8岁，哭得好惨", [(8, None)]), ("我爸打我，我12岁", [(12, None)]),
        ("被一个17岁的男生欺负，我女儿11岁", [(11, "f")]), ("从5岁起就挨打，现在9岁了", [(9, None)]), ("我妈打我弟弟", [(None, "m")]),
        ("一年级的时候被打过，现在四年级", [(9, None)]), ("老师说她儿子8岁", [(8, "m")]), ("同学打我", []), ("班上男生打我", []),
        ("三个月没发补助了", []), ("学校天天占体育课", []), ("上学期校长摸过我", []),
    ],
)  # fmt: skip
def test_a_story_names_the_child_and_not_who_does_it(story: str, children: list[tuple[int | None, str | None]]) -> None:
    assert shape(story, question="what") == children


def test_school_place_and_company_are_taken_as_they_stand() -> None:
    [child] = read("孩子名叫王小明，小学二年级，在乌峰镇旧府小学读书，现在在外婆家，奶奶盘着", question="what")
    assert child.about() == {
        "name": "王小明", "age_said": "二年级", "school": "乌峰镇旧府小学", "where_now": "外婆家", "with_whom": "奶奶",
    }  # fmt: skip
    [other] = read_children({"with": "和保健老师在一起，四点他爸来接", "what": "手上有烟头烫的伤"}, kind="mandated")
    assert other.with_whom == "和保健老师在一起，四点他爸来接"
    assert read("2018年5月生的", today=date(2026, 11, 30))[0].ages == (7, 8)
    assert read("娃6岁，还有个妹妹也在家")[0].siblings == "还有个妹妹也在家"


def test_matters_about_no_particular_child_have_none() -> None:
    assert read_children({"what": "建议给8岁以下儿童免费打疫苗"}, kind="suggestion") == []


@given(
    st.dictionaries(st.sampled_from(["child", "what", "more", "with", "place"]), st.text(max_size=300)),
    st.sampled_from(sorted(KINDS)),
)
def test_any_text_gives_children_that_can_be(answers: dict[str, str], kind: str) -> None:
    found = read_children(answers, kind=kind, today=date(2026, 11, 30))
    assert len(found) <= MOST_CHILDREN
    for child in found:
        assert child.age is None or 0 <= child.age < 18
        assert child.ages is None or child.ages[0] <= child.ages[1]
        assert child.sex in (None, "m", "f") and all(value and len(value) <= 300 for value in child.about().values())


_WORDS = st.lists(
    st.sampled_from(["我", "爸", "女儿", "儿子", "八岁", "12岁", "初二", "和", "，", "打", "被", "两个", "娃", "用", "拿着", "老师", "在", "旧府小学", "的"]),
    max_size=300,
).map("".join)  # fmt: skip


@given(_WORDS)
def test_long_heaps_of_telling_words_are_read_quickly(words: str) -> None:
    assert len(read(words)) <= MOST_CHILDREN and len(read_accused({"what": words})) <= 4


@pytest.mark.parametrize(
    ("story", "relations"),
    [
        ("爸爸喝醉了天天打我", ["guardian"]), ("他后爸摸她", ["guardian"]), ("被班主任扇耳光", ["teacher"]), ("我怕爸爸打我", ["guardian"]),
        ("上学期校长摸过我", ["teacher"]), ("同学打我", ["student"]), ("我妈不让我玩手机", []), ("不要告诉我妈", []), ("我和我爸打牌", []),
        ("网友逼我拍照片", ["stranger"]), ("孩子被他爸妈打，身上都是伤", ["guardian"]), ("邻居说她妈不给孩子饭吃", ["guardian"]),
        ("我爸和班主任都打我", ["guardian", "teacher"]), ("姑妈打我", ["relative"]), ("我爸在外面打工", []),
    ],
)  # fmt: skip
def test_who_does_it_is_read_only_together_with_harm(story: str, relations: list[str]) -> None:
    assert [one.relation for one in read_accused({"what": story})] == relations


TOLD = datetime(2026, 11, 30, 2, 0, tzinfo=UTC)  # ten in the morning in Yunnan


@pytest.mark.parametrize(
    ("words", "hours_ago"),
    [("昨晚那个人碰了我", 16), ("今天早上", 4), ("刚才", 1), ("两小时前", 2.5), ("昨天", 34), ("前天下午在学校", 46), ("半个小时前", 0.5)],
)  # fmt: skip
def test_the_72_hours_count_from_the_earliest_moment_the_words_allow(words: str, hours_ago: float) -> None:
    assert occurred_at(words, TOLD) == TOLD - timedelta(hours=hours_ago)
    assert evidence_until(words, TOLD) == (TOLD + timedelta(hours=72 - hours_ago), "told")


@pytest.mark.parametrize("words", ["上学期校长摸过我", "今年", "", "他碰了我"])
def test_where_nobody_says_when_they_count_from_the_text(words: str) -> None:
    assert evidence_until(words, TOLD) == (TOLD + timedelta(hours=72), "received")


@given(st.text(max_size=300))
def test_nothing_happened_after_it_was_told(words: str) -> None:
    happened = occurred_at(words, TOLD)
    assert happened is None or happened <= TOLD
