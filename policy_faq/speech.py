"""A text as the word index reads it: dialect, old script and politeness levelled, so that only the matter counts."""

from __future__ import annotations

import re

from texts.normalise import for_encoder, normalise

# Yunnan speech and common misspellings -> the words the handbook uses; the longest that fits is taken.
_LEVELLED = (
    ("咋个整", "怎么办"), ("咋个办", "怎么办"), ("咋整", "怎么办"), ("咋办", "怎么办"), ("咋个", "怎么"), ("咋", "怎么"), ("怎样", "怎么"),
    ("好多钱", "多少钱"), ("几多钱", "多少钱"), ("几多", "多少"), ("多少块", "多少钱"), ("几块钱", "多少钱"), ("给好多", "给多少"),
    ("哪样", "什么"), ("哪门", "什么"), ("那样子", "那样"), ("啥子", "什么"), ("啥", "什么"), ("么子", "什么"),
    ("哪点", "哪里"), ("哪儿", "哪里"), ("哪塔", "哪里"), ("哪个部门", "什么部门"),
    ("小娃娃", "孩子"), ("小娃儿", "孩子"), ("小娃", "孩子"), ("娃娃", "孩子"), ("娃儿", "孩子"), ("娃子", "孩子"), ("小孩子", "孩子"),
    ("小孩", "孩子"), ("小朋友", "孩子"), ("儿童", "孩子"), ("未成年人", "孩子"), ("未成年", "孩子"), ("小人儿", "孩子"), ("娃", "孩子"),
    ("爸妈", "父母"), ("爹妈", "父母"), ("爹娘", "父母"), ("父亲", "爸爸"), ("母亲", "妈妈"), ("老爹", "爸爸"), ("阿爸", "爸爸"), ("阿妈", "妈妈"),
    ("老师儿", "老师"), ("学堂", "学校"), ("书读", "上学"), ("读书", "上学"), ("念书", "上学"),
    ("坐牢", "服刑"), ("蹲监狱", "服刑"), ("蹲大牢", "服刑"), ("劳改", "服刑"), ("判刑", "服刑"),
    ("补助", "补贴"), ("补帖", "补贴"), ("补贴费", "补贴"), ("津贴", "补贴"), ("低保户", "低保"), ("抵保", "低保"), ("底保", "低保"),
    ("事实孤儿", "事实无人抚养"), ("事实无人抚养孩子", "事实无人抚养"), ("事实无人抚养儿童", "事实无人抚养"), ("事实无人抚养小孩", "事实无人抚养"),
    ("孤ér", "孤儿"), ("孤而", "孤儿"), ("扶养费", "抚养费"), ("抚养废", "抚养费"), ("收仰", "收养"), ("领养", "收养"), ("抱养", "收养"),
    ("霸凌", "欺凌"), ("欺负", "欺凌"), ("戶", "户"), ("上户", "落户"),
    ("申领", "申请"), ("去申", "去申请"), ("办理", "办"), ("怎么弄", "怎么办"), ("如何", "怎么"),
)  # fmt: skip
_WRITTEN = dict(_LEVELLED)
_SPOKEN = re.compile("|".join(sorted(map(re.escape, _WRITTEN), key=len, reverse=True)))
_POLITE = re.compile(
    r"(您好|你好|请问一下|请问|问一下|问下|想问|我想知道|我想了解|想了解|咨询一下|咨询|麻烦|谢谢|老师好|同志|在吗|在不在|哈喽|"
    r"帮我看看|帮忙|那个|一下下|一下|[,。!?、;:~…\"'“”‘’()《》\s])"
)


_AGE = re.compile(
    r"(不满|未满|没满|不到|不足)?([0-9]{1,2}|十[一二三四五六七八]?|[一二三四五六七八九])(周?岁)(半|以下)?"
)
_HAN_DIGITS = "零一二三四五六七八九"
_BANDS = ((8, "①"), (12, "②"), (14, "③"), (16, "④"), (18, "⑤"))
"""The ages at which the law changes: below 8, 12, 14, 16, 18. A sign for the band is put behind the text, so that
"六岁" meets "不满8岁"."""


def levelled(text: str) -> str:
    """The text in plain handbook words, with a sign for the band of each child's age in it."""
    plain = normalise(text)
    plain = _SPOKEN.sub(lambda found: _WRITTEN[found[0]], plain)
    plain = _POLITE.sub("", plain)
    return plain + "".join(sorted({_band(found) for found in _AGE.finditer(plain)}))


def _band(found: re.Match[str]) -> str:
    below, number, _, after = found.groups()
    age = int(number) if number.isdigit() else _han(number)
    if below or after == "以下":
        age -= 1
    return next((sign for limit, sign in _BANDS if age < limit), "")


def _han(number: str) -> int:
    if number.startswith("十"):
        return 10 + (_HAN_DIGITS.index(number[1]) if len(number) > 1 else 0)
    return _HAN_DIGITS.index(number)


def levelled_question(text: str) -> str:
    """A question in plain handbook words, at most 160 characters of it (head and tail)."""
    return levelled(for_encoder(text))
