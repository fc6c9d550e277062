"""What a person's own words say about how to reach them, and what police should know before they knock. Pure.

A missed word costs more than a word too many: the operator reads the text beside it (PRACTICE sections 2 and 7).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from texts.normalise import normalise

_BEFORE_CALLING = (
    (
        "身边有人",
        (
            "(?:他|她|人|那个人|我爸|我妈|爸爸|妈妈|叔|老师).{0,3}(?:就)?在(?:我)?(?:旁边|边上|门口|门外|屋里|客厅|隔壁|家)|"
            "旁边有人|有人在|被(?:他|她|人)?(?:看|听)(?:见|到)|偷偷(?:发|写|用)"
        ),
    ),
    (
        "手机不是自己的",
        (
            "(?:用|借|拿|偷)(?:的是|的|了)?.{0,4}(?:妈|爸|奶|爷|外婆|外公|姐|哥|同学|老师|邻居|别人|店里).{0,3}(?:的)?(?:手机|电话)|"
            "(?:手机|电话)(?:是|不是)(?:我妈|我爸|我奶|我爷|奶奶|爷爷|妈妈|爸爸|同学|别人|我)的"
        ),
    ),
    ("不能出声", "不(?:敢|能|方便|要)(?:说话|出声|大声|打电话|接电话)|小声|捂|别出声|不敢喊"),
    ("请勿来电", "(?:别|不要|莫|不准)(?:给我)?(?:打|回|来)(?:我)?(?:的)?电话|(?:别|不要)(?:打|回)过来"),
    ("听不见", "听不(?:见|到|清)|耳聋|聋哑|聋人|助听器"),
)
_FOR_POLICE = (
    ("对方有刀、棍或别的凶器", "刀|斧|棍|棒|锤|砖|枪|凶器|汽油"),
    ("对方喝了酒", "喝(?:醉|酒|多|麻)|酒疯|醉|发酒"),
    ("孩子躲着", "躲(?:在|到|进)|藏(?:在|到)|锁(?:了|着|在|好)|反锁|床底|柜子"),
    ("家里有狗", "有狗|养(?:了)?狗|狗(?:很)?凶"),
    ("有人受伤", "流血|出血|受伤|骨折|昏|晕|打伤|砍|割"),
    ("还有别的孩子", "弟弟|妹妹|两个娃|几个娃|我弟|我妹"),
)

_CANNOT_SPEAK = frozenset({"不能出声", "听不见"})
_CALLING = tuple((says, re.compile(words)) for says, words in _BEFORE_CALLING)
_POLICE = tuple((says, re.compile(words)) for says, words in _FOR_POLICE)


def before_calling(texts: Iterable[str]) -> list[str]:
    """Reasons in the person's words not to call this number, each once."""
    return _found(_CALLING, texts)


def can_speak(texts: Iterable[str]) -> bool:
    """Whether nothing in the person's words says that they cannot speak or hear: they could answer a call."""
    return not _CANNOT_SPEAK & set(before_calling(texts))


def for_police(texts: Iterable[str]) -> list[str]:
    """What the person's words tell those who will come to the door, each once."""
    return _found(_POLICE, texts)


def _found(table: tuple[tuple[str, re.Pattern[str]], ...], texts: Iterable[str]) -> list[str]:
    plain = [normalise(text) for text in texts]
    return [says for says, words in table if any(words.search(text) for text in plain)]
