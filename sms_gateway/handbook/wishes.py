"""What a short text says about an answer, and whether a text asks something at all. Pure."""

from __future__ import annotations

import re

from texts.normalise import normalise

_NOISE = re.compile(r"[\s\W_]+")
_NOT_THIS = re.compile(
    "(?:我|哎|唉|呃|不是|不|你们?|这个?)?(?:"
    "不是(?:问)?(?:这个|这条|这样|这些|那个|这件事|我要的|我想问的|我问的)|(?:我)?(?:想)?问的不是(?:这个|这些|这)?|不是问(?:你)?这个|"
    "答非所问|答错了?|回答错了?|没有?(?:答|回答|讲|说)(?:到|对|清楚|我的问题|我问的)|没回答我|牛头不对马嘴|驴唇不对马嘴|你没(?:听|看)懂|"
    "(?:没得|没有?|莫得)(?:什么|啥|哪样)?(?:用|帮助|帮上忙)|都?不对"
    ")(?:的|了|啊|呀|吧|嘛|噶|嘎|呢|哦)*"
)
_ASKS = re.compile(
    "[?？]|吗|么|呢|怎么|怎样|咋|多少|好多|几|哪|什么|啥|为何|为什么|能不能|可不可以|可以不|行不行|是不是|给是|克不克|有没有|要不要|会不会|谁|如何|"
    "怎办|规定|政策|标准|条件|流程|手续"
)


def is_rejection(text: str) -> bool:
    """Whether the whole of a short text says that the answer was not the one ("不是这个", "答非所问", "没用")."""
    words = _NOISE.sub("", normalise(text))
    return len(words) <= 16 and _NOT_THIS.fullmatch(words) is not None


def is_question(text: str) -> bool:
    """Whether a text that nobody understood looks like a question the handbook might have answered."""
    return len(text.strip()) >= 4 and _ASKS.search(normalise(text)) is not None


BLOTTED = "＊＊＊"
_NUMBERS = re.compile(r"\d[\d \-]{5,}[\dXx]")


def without_numbers(text: str) -> str:
    """`text` as an editor sees it: runs of seven digits and more (phones, identity cards) are blotted out."""
    return _NUMBERS.sub(BLOTTED, text)
