"""What a person says of a matter that was concluded, in words: a mark, or that it is not solved. Pure.

`没解决` comes with typos (没解诀), in dialect (没得人管, 莫解决, 冇解决), in pinyin, and as what it means (还是那样, 没用).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from texts.normalise import normalise

_NOT = "(?:没有|没得|木有|没|未|不|莫|冇|mei|mou)"
_SOLVE = "[解结姐届借][决绝诀觉抉缺掘]|解结|处理|办好|办成|办妥|弄好|弄成|搞定|搞好|整好|落实|jie ?jue"
_STARTS = re.compile(
    f"(?:还|都|根本|一直|事情|问题|就是|完全|也|并|仍然?)*{_NOT}(?:给我们?|得到|得|见|看到)?(?:{_SOLVE})"
)
"""At the beginning of a text: what follows explains it."""
_LEAD = "(?:我们?|我家|这|那|这个|那个|个|件|事情?|问题|你们|他们|现在|还|都|也|根本|完全|一点|简直|就|是|到现在)*"
_TAIL = "(?:了|的|啊|呀|呢|嘛|吗|吧|哦|噢|喽|啦|哇|嗯|嘞|咯|呗)*"
_WHOLE = re.compile(
    _LEAD
    + "(?:"
    + "|".join((
        "(?:还是|依然|依旧|照样|仍旧|仍然|照旧)(?:那样|那个样|那个样子|这样|这个样|老样子|原样|一样|没变|照样|如此|乱收|存在)?",
        "老样子|没(?:啥|什么|得|有)?(?:用|卵用|区别|变|两样)|不(?:管|顶|起)(?:用|作用)",
        "(?:没|没有|没得|冇)(?:一个)?(?:人|哪个)(?:来)?(?:管|理|睬|来|问|处理|联系)(?:我们?|这事)?(?:过)?",
        "白(?:搞|说|投诉|反映|打|忙|问)(?:一场|一趟|了)?|(?:问题|事情?)?还在|假的|骗人|敷衍|应付",
        f"{_NOT}(?:给我们?|得到|得|见|看到)?(?:{_SOLVE}|改|动静|下文|效果|变化|好转|结果)",
    ))
    + ")"
    + _TAIL
)  # fmt: skip
"""The whole text, or what stands before its first comma."""
_BEGINS = re.compile(
    _LEAD
    + "(?:(?:还是|依然|照样|仍然|仍旧)(?:那样|那个样|老样子|原样|没)|(?:没|没有|没得)(?:人|哪个)(?:管|理|来)|白(?:投诉|反映|说)|没得?(?:啥|什么)?用|"
    "用都?没得?有?)"
)
"""The same with an explanation after it and no comma between."""
SHORT = 24
"""Characters of an answer that begins so; a longer text has something else to tell."""
READ = 60
"""Characters that are looked at: an answer to a survey says so at once."""
_EDGES = " ,，。.!！?？~、…;；"
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
_ANYWHERE = re.compile(
    r"(没|未|不|莫)(有)?(解决|处理|办好|办成|弄好|搞定|管|人管)|还是(老样子|那样|一样|没)|白(搞|说|投诉)"
)


@dataclass(frozen=True)
class Mark:
    """`stars` from 5 (best) to 1, None when the words give none; `unsolved`: the matter is not settled."""

    stars: int | None
    unsolved: bool


def is_unsolved(text: str) -> bool:
    """Whether the text, as the answer to a survey, says that the matter is not solved."""
    words = normalise(text[: READ * 2]).strip(_EDGES)[:READ]
    first = re.split(r"[,，。.!！?？;；\s]", words, maxsplit=1)[0][:SHORT]
    if _STARTS.match(words) or _WHOLE.fullmatch(first):
        return True
    return len(words) <= SHORT and bool(_WHOLE.fullmatch(words) or _BEGINS.match(words))


def read_mark(text: str) -> Mark:
    """The mark in a text that is one (the assistant took it for that); a lone digit from 1 to 5 is one too."""
    plain = normalise(text)
    if plain.isdigit():
        return Mark(int(plain) if plain in {"1", "2", "3", "4", "5"} else None, unsolved=False)
    if is_unsolved(plain) or _ANYWHERE.search(plain):
        return Mark(None, unsolved=True)
    return Mark(next((stars for stars, words in _MARKS if re.search(words, plain)), None), unsolved=False)
