"""What a text says beside its main point: a place, a wish, an age, to be left alone. Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from sms_gateway import regions
from texts.normalise import clean, normalise

from .draft import ORDER, Draft, Kind

_OPENER = re.compile(
    r"^(?:(?:你们?好|您好|喂|在吗|老师好?|阿姨|叔叔|12345|请问)[\s,，。.!！~]*)*"
    r"(?:我们?)?(?:要|想要|想|来|需要|是来|今天)?\s*(?:向你们)?(?:匿名|实名)?(?:求助|投诉|举报|报告|"
    r"反映|反应|告发|检举|帮助|帮忙|控告|告状)"
    r"(?:一下|下|一个|一件|个|件|点)?(?:情况|问题|事情|事儿?)?[\s:：,，。.!！~]*"
)
_HOLLOW = re.compile(
    r"我们?|你们?|要|想|求求?|帮帮?|的|了|吗|呢|啊|吧|好|您|一下|事情?|个|件|有|点|说|讲|在|是|情况|"
    r"问题|投诉|举报|求助|反映|家|那边|这边|就|里|娃|孩子|[^\u4e00-\u9fffa-z0-9]"
)
_NAMED_PLACE = re.compile(
    r"[\u4e00-\u9fff]{2,10}?(?:中学|小学|幼儿园|[一二三四五六七八九十]中|[一二三四五六七八九]小|网吧|"
    r"酒吧|ktv|小区|村委会|[^农]村|镇上?|乡|街道|宾馆|酒店|超市)"
)
_SECRET = re.compile(
    "(?:不要|别|不能|莫)(?:说|讲|提|透露|告诉.{0,4}|暴露)(?:是)?(?:我|出我|我的?名字)|保密|匿名|不留名|(?:不要|别)(?:透露|暴露)"
)
_NO_CALL = re.compile("(?:别|不要|莫|不能|不方便)(?:给我)?(?:打|接)(?:我)?电话|只能发?短信|发短信就行")
_LEAVE_ME = re.compile("(?:先)?(?:别|不要)(?:来)?(?:找我|联系我)")
_WISH = re.compile(r"(?:希望|要求|请求|强烈要求|我想让|想请)([^。!！?？]{3,60})")
_AGE = re.compile(
    r"(?:\d{1,2}|[一二两三四五六七八九十]{1,3})\s*(?:周?岁|个月大)|[一二三四五六七八九初高]年级|初[一二三]|高[一二三]"
)
_WHOSE = re.compile(
    "我(?:今年|是|自己|才|也)?\\s*(?:\\d|[一二三四五六七八九十])|我(?:家)?(?:的)?(?:娃|儿|女|姑娘|"
    "孙|弟|妹|孩子|侄|外甥|同学|学生|邻居|朋友)|邻居|学生|孤儿"
)
_UNIT = re.compile(
    r"我(?:们)?(?:是|在)([^,，。!！\s]{2,24}?(?:老师|班主任|校长|医生|护士|大夫|村干部|支书|村主任|儿童主任|"
    r"前台|经理|社工|村医|保育员|园长|民警|辅警|网格员))"
)


def without_opener(text: str) -> str:
    """`text` without its greeting and "我要投诉": what the person has to tell."""
    return _OPENER.sub("", clean(text), count=1).strip()


def says_something(text: str) -> bool:
    """Whether there is a matter in it beside greetings, wishes to complain and a place."""
    return len(_HOLLOW.sub("", regions.without_places(text))) >= 3


def take_place(draft: Draft, said: str, *, anew: bool = False) -> Draft:
    """`draft` with the place `said` speaks of, when it is new to it (or `anew`: in place of the old one)."""
    if draft.county is not None and not anew:
        return draft
    place = regions.recognise(said)
    if place.county is not None:
        found = replace(
            draft, county=place.county.adcode, prefecture=place.county.parent_adcode, candidates=(), elsewhere=None
        )
        return replace(found, skipped=found.skipped - {"county"})
    if anew and draft.county is not None:
        return draft
    if place.prefecture is not None or place.candidates:
        prefecture = place.prefecture.adcode if place.prefecture else draft.prefecture
        return replace(draft, prefecture=prefecture, candidates=tuple(region.adcode for region in place.candidates))
    if place.elsewhere and draft.prefecture is None:
        return replace(draft, elsewhere=place.elsewhere)
    return draft


def take_aside(draft: Draft, said: str, *, opening: bool = False) -> Draft:
    """What a text says beside its main point, put under questions that are still open; the text itself is kept elsewhere."""
    words = normalise(said)
    found: list[tuple[str, str]] = []
    if _SECRET.search(words):
        found.append(("secret", "要"))
    if _LEAVE_ME.search(words):
        found.append(("contact", "先别找我"))
    elif _NO_CALL.search(words):
        found.append(("contact", "短信"))
    if opening:
        age, wish, place, unit = (
            _AGE.search(words),
            _WISH.search(words),
            _NAMED_PLACE.search(words),
            _UNIT.search(words),
        )
        if age and (draft.kind is Kind.REPORT or _WHOSE.search(words)):
            found.append(("child", said))
        if wish:
            found.append(("wish", wish.group(0)))
        if place and draft.county is not None:
            found.append(("place", place.group(0)))
        if unit:
            found.append(("unit", unit.group(1)))
    for name, answer in found:
        if name in ORDER[draft.kind] and not draft.knows(name):
            draft = replace(draft, answers={**draft.answers, name: answer})
    return draft
