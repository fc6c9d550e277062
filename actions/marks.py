"""What mark a person gives in words: 很满意 is 5, 很不满意 is 1. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from texts.normalise import normalise

_UNSOLVED = re.compile(
    r"(没|未|不|莫)(有)?(解决|处理|办好|办成|弄好|搞定|管|人管)|还是(老样子|那样|一样|没)|白(搞|说|投诉)"
)
_MARKS = (
    (
        1,
        "(很|非常|十分|太|极其?|相当|特别|一点都|一点也|完全)不(满意|行|好|高兴)|太差|差评|极差|垃圾|失望|1(分|星)|一(分|星)",
    ),
    (
        5,
        "(很|非常|十分|特别|太|相当|超级?|挺|蛮|狠)(满意|好|感谢|棒|快|赞|负责)|满意得很|好得很|五星|5(分|星)|好评|点赞|完美|没得说",
    ),
    (2, "不(太|怎么|是很|大|咋)?(满意|行|好)|差劲|2(分|星)|两(分|星)|二星"),
    (3, "一般|还行|还可以|马马虎虎|凑合|将就|过得去|中等|3(分|星)|三(分|星)"),
    (4, "满意|可以|不错|好了|解决了|4(分|星)|四(分|星)|好"),
)
"""Tried in this order: 不满意 holds 满意, 很不满意 holds 不满意."""


@dataclass(frozen=True)
class Mark:
    """`stars` from 5 (best) to 1, None when the words give none; `unsolved`: the matter is not settled."""

    stars: int | None
    unsolved: bool


def read_mark(text: str) -> Mark:
    """The mark in a text; a lone digit from 1 to 5 is one too."""
    plain = normalise(text)
    if plain.isdigit():
        return Mark(int(plain) if plain in {"1", "2", "3", "4", "5"} else None, unsolved=False)
    if _UNSOLVED.search(plain):
        return Mark(None, unsolved=True)
    return Mark(next((stars for stars, words in _MARKS if re.search(words, plain)), None), unsolved=False)
