"""Sayings that are answered in their own words while a person is waited for, and the ways to say that all is well."""

from __future__ import annotations

import pytest

from sms_gateway.conversations import beside
from sms_gateway.conversations.commands import is_all_well


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("别告诉我妈", "keep.secret"), ("你会告诉我妈妈吗", "keep.secret"), ("我不想让别人知道", "keep.secret"),
        ("那我说的谁能看到", "keep.secret"), ("警察会把我爸抓走吗", "will.arrest"), ("你是真人吗", "machine"), ("我可以说一个秘密吗", "ask.gentle"),
        ("他不让我告诉别人", None), ("我爸在打我", None), ("", None), ("\u200b🙏", None),
    ],
)  # fmt: skip
def test_a_saying_beside_the_matter_has_its_own_words(text: str, key: str | None) -> None:
    assert beside.wording_for(text) == key


def test_a_saying_with_a_disclosure_is_no_saying_alone() -> None:
    assert beside.is_only_beside("别告诉我妈")
    assert not beside.is_only_beside("别告诉我妈，我爸昨天晚上又打我了，我身上都是青的")


@pytest.mark.parametrize(
    "text",
    [
        "没事了",
        "算了没事了",
        "不用了谢谢",
        "发错了",
        "误会一场",
        "您好，刚才是小孩乱按的，不需要帮助，谢谢您",
        "哈哈骗你的闹着玩的",
    ],
)
def test_many_ways_to_say_that_all_is_well(text: str) -> None:
    assert is_all_well(text)


@pytest.mark.parametrize("text", ["我不在了就没事了", "不用管我", "他没事了", "没事的，我已经吃完药了", "谢谢", ""])
def test_what_only_sounds_like_it_is_not_taken_for_it(text: str) -> None:
    assert not is_all_well(text)
