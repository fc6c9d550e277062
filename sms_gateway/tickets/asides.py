"""What a text says beside its main point: a place, a wish, an age, to be left alone. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from sms_gateway import regions
from sms_gateway.placenames import NAMED_PLACE
from texts.normalise import clean, reading

from .draft import BESIDE, ORDER, Draft, Kind

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
_SECRET = re.compile(
    "(?:不要|别|不能|莫)(?:说|讲|提|透露|告诉.{0,4}|暴露|写)(?:是)?(?:我|出我|我们?的?(?:名字|姓名|身份))|保密|匿名|不留名|"
    "(?:不要|别|莫)(?:透露|暴露|留名|署名)|(?:别|不要|莫)让.{1,8}知道"
)
_OPEN_NAME = re.compile("(?:不用|不需要|不必)保密|可以(?:说|写)(?:是)?我(?:的名字|说的)?|实名")
_NO_CALL = re.compile(
    "(?:别|不要|莫|不能|不方便)(?:给我)?(?:打|接)(?:我)?电话|只能发?短信|发短信就(?:行|好|可以)|短信联系"
)
_CALL_ME = re.compile("(?:可以|请|麻烦)?(?:给我)?(?:打|回)(?:我)?(?:的)?电话(?:给我|联系|就行|吧|都行)|电话联系")
_LEAVE_ME = re.compile("(?:先|再)?(?:别|不要|莫)(?:再)?(?:来)?(?:找我|联系我|问我)")
_ASK_ME = re.compile("(?:可以|能|随时|欢迎)(?:再|来|随时)?(?:问我|找我|联系我)")
_WISH = re.compile(r"(?:希望|要求|请求|强烈要求|我想让|想请)([^。!！?？]{3,60})")
_AGE = re.compile(
    r"(?:\d{1,2}|[一二两三四五六七八九十]{1,3})\s*(?:周?岁|个月大)|[一二三四五六七八九初高]年级|初[一二三]|高[一二三]"
)
_WHOSE = re.compile(
    "我(?:今年|是|自己|才|也)?\\s*(?:\\d|[一二三四五六七八九十])|我(?:家)?(?:的)?(?:娃|儿|女|姑娘|"
    "孙|弟|妹|孩子|侄|外甥|同学|学生|邻居|朋友)|邻居|学生|孤儿"
)
_UNIT = re.compile(
    r"我(?:们)?(?:是|在)([^,，。!！\s]{0,24}?(?:老师|班主任|校长|医生|护士|大夫|村干部|支书|村主任|儿童主任|"
    r"前台|经理|社工|村医|保育员|园长|民警|辅警|网格员))"
)
_WHEN = re.compile(
    "大?前天|昨(?:天|晚|日)(?:早上|中午|下午|晚上)?|今(?:天|早|晚)(?:早上|中午|下午|晚上)?|刚才|刚刚|前几天|这几天|最近|"
    "(?:上个?|这个?|前个?)(?:星期|礼拜|周|月|学期)[一二三四五六日天]?|(?:去|前|今)年(?:\\d{1,2}月)?|"
    "(?:\\d{1,2}|[一二两三四五六七八九十几半]{1,3})(?:个?(?:星期|礼拜|月|学期|小时)|天|周|年)(?:前|以前|之前|了)|"
    "\\d{1,2}月(?:\\d{1,2}[日号]?|份|初|底)?|\\d{1,2}[日号](?![楼栋院])|(?:周|星期|礼拜)[一二三四五六日天]|"
    "开学(?:那天|时候?|以来|后)?|(?:国庆|寒假|暑假|五一|春节|过年)(?:期间|时候?|以后)?"
)
_WHO = re.compile(
    "(?<!我是)(?<!我们是)(?<!我)(?:班主任|副?校长|(?:[语数英体政史地生物化音美]|语文|数学|英语|体育|物理|化学|生物|政治|历史|地理|音乐|"
    "美术)?[\u4e00-\u9fff]?老师|教官|教练|宿管|保安|园长|老板|房东|同学|室友|继父|继母|后爸|后妈|他爸|他妈|她爸|她妈|爷爷|"
    "奶奶|我爸|我妈|邻居)(?=们?(?:也|又|总|老|还|就|都|天天|每天|一直|经常|昨天|昨晚|今天)*"
    "(?:打|骂|罚|收|占|扇|踢|揪|掐|逼|不让|不给|让(?!我)|叫(?!我)|欺|抢|推|拿|体罚|没收|要求|说))"
)
_STILL = re.compile(
    "(?:现在|到现在|至今|目前)(?:都|也)?还(?:在|是|没|有|这样)|还是(?:这样|老样子)|(?:还在|一直在)(?:收|打|骂|占|补课|罚|卖)"
)
_OVER = re.compile("(?:现在|后来|已经)(?:都|也)?(?:没有了|没了|停了|不[\u4e00-\u9fff]{1,4}了|好了)")
_CALLED = re.compile(
    "(?:已经|已|刚|都)(?:打|拨)(?:过|了)?110|110(?:已经)?(?:打|报)(?:过|了)|报(?:了|过)警|(?:已经|已)报警|警察(?:已经)?来(?:过|了)"
)
_NOT_CALLED = re.compile("(?:还没|没有|没|不敢|未)(?:有)?(?:打|拨)?(?:过)?(?:110|报警)")
_REFERENCE = re.compile(r"(?:警情|受案|接警|报警|编号|回执)[^\d]{0,8}(\d{4,20})")
_WITH = re.compile(
    "(?:现在|还|就|正|一直|暂时)?(?:和|跟|同|由|在)(?:他|她|孩子)?(?:的)?(?:爸|妈|父|母|奶奶|爷爷|外婆|外公|老师|班主任|姑|姨|叔|伯|舅|"
    "哥|姐|我|同学|邻居|亲戚|医生|护士|办公室|医务室|保健室|教室|宿舍|医院|学校)[^,，。!！?？]{0,10}?(?:在一起|一起|身边|旁边|这里|家里?|带着|看着|陪着?|里)"
)
_JUNK = re.compile(
    "^(?:(?:就是|是|在|的|有个|一个|那个|这个|我们家?|我家|我|你们|他们|附近|旁边|隔壁|去|到|住|来自|某|个)+)"
)

Finder = Callable[[str], str | None]
"""Reads one answer out of normalised words; None when they do not give it."""


def _gives(pattern: re.Pattern[str], answer: str) -> Finder:
    return lambda words: answer if pattern.search(words) else None


def _quotes(pattern: re.Pattern[str], group: int = 0) -> Finder:
    def find(words: str) -> str | None:
        match = pattern.search(words)
        return match.group(group) if match else None

    return find


def _times(words: str) -> str | None:
    return "、".join(dict.fromkeys(match.group() for match in _WHEN.finditer(words)))[:40] or None


def _named_place(words: str) -> str | None:
    match = NAMED_PLACE.search(words)
    name = _JUNK.sub("", match.group()) if match else ""
    return name if len(name) >= MINIMUM_NAME else None


MINIMUM_NAME = 3
_FINDERS: tuple[tuple[str, Finder], ...] = (
    ("secret", _gives(_OPEN_NAME, "不用")), ("secret", _gives(_SECRET, "要")),
    ("contact", _gives(_LEAVE_ME, "先别找我")), ("contact", _gives(_NO_CALL, "短信")), ("contact", _gives(_CALL_ME, "打电话")),
    ("again", _gives(_LEAVE_ME, "不能")), ("again", _gives(_ASK_ME, "能")),
    ("still", _gives(_STILL, "还在")), ("still", _gives(_OVER, "没有了")),
    ("police", _gives(_NOT_CALLED, "没有")), ("police", _gives(_CALLED, "打了")), ("reference", _quotes(_REFERENCE, 1)),
    ("with", _quotes(_WITH)), ("unit", _quotes(_UNIT, 1)), ("wish", _quotes(_WISH)), ("place", _named_place),
    ("when", _times), ("who", _quotes(_WHO)),
)  # fmt: skip
"""In this order: the first that finds an answer to a question wins."""


def without_opener(text: str) -> str:
    """`text` without its greeting and "我要投诉": what the person has to tell."""
    return _OPENER.sub("", clean(text), count=1).strip()


_TILL = re.compile("(?:他|她|奶奶|爷爷|爸爸|妈妈)?(?:要)?(?:来)?接(?:走|他|她)?|放学|[上下]午|中午|晚上")
_ANNOUNCES = re.compile(
    "(?:要|想|来|需要)(?:向你们)?(?:匿名|实名)?(?:求助|投诉|举报|报告|反映|反应|检举|登记|帮助|帮忙|帮帮)|帮帮我|^(?:求助|投诉|举报|报告)"
)
_PARTICULARS = re.compile(
    "(?:\\d+|[一二两三四五六七八九十几半]+)(?:周?岁|个月大?|年级|个|点半?|号|栋|楼|班)?|年级|初中|高中|左右|大概|差不多|男孩?|女孩?|自己(?![一在个])|本人|"
    "孩子|娃娃?|小孩|儿子|女儿|姑娘|孙子|孙女|侄[子女儿]|外甥女?|弟弟|妹妹|哥哥|姐姐|邻居|同学|旁边|附近|对面|门口|里面|后面|前面|"
    "[我们你在是的这那里边住家县市州镇乡村第有和，,。.!！、\\s]"
)


def announces(text: str) -> bool:
    """Whether the writer says that they want to report, complain or ask for help: they expect to be asked."""
    return _ANNOUNCES.search(reading(text)) is not None


def tells_only_particulars(text: str) -> bool:
    """Whether the whole text is a place, an age, whose child, when: it says nothing about what happened."""
    return bool(reading(text)) and not _PARTICULARS.sub("", remainder(text))


def tells_with_whom(text: str) -> bool:
    """Whether the whole text says with whom a child is, and till when."""
    words = reading(text)
    rest = _PARTICULARS.sub("", remainder(_TILL.sub("", _WITH.sub("", words))))
    return _WITH.search(words) is not None and not rest


def says_something(text: str) -> bool:
    """Whether there is a matter in it beside greetings, wishes to complain and a place."""
    return len(_HOLLOW.sub("", regions.without_places(text))) >= 3


def names_duty(text: str) -> bool:
    """Whether the writer says that they are a teacher, doctor, village cadre … who must report."""
    return _UNIT.search(reading(text)) is not None


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


def take_aside(draft: Draft, said: str, *, asked: str | None = None, anew: bool = False) -> Draft:
    """What a text says beside its main point, put under questions that are still open; the text itself is kept elsewhere.

    `asked`: the question the text answers as a whole. `anew`: a correction, so what was known is replaced.
    """
    words = reading(said)  # blanks between phrases stay visible
    kept = {**draft.answers}
    for name, answer in _asides(draft, said, words):
        wanted = name in ORDER[draft.kind] or name in BESIDE
        if wanted and name != asked and (name not in kept or (anew and kept[name] == draft.answers.get(name))):
            kept[name] = answer
    return replace(draft, answers=kept, skipped=draft.skipped - (kept.keys() - draft.answers.keys()))


def _asides(draft: Draft, said: str, words: str) -> Iterator[tuple[str, str]]:
    """(question, answer) for each aside in a text; the first of a question counts."""
    seen: set[str] = set()
    if _AGE.search(words) and (draft.kind is Kind.REPORT or _WHOSE.search(words) or draft.knows("child")):
        yield "child", said
    for name, find in _FINDERS:
        answer = None if name in seen else find(words)
        if answer is not None:
            seen.add(name)
            yield name, answer


_OF_A_CHILD = re.compile(
    r"\d|[一二两三四五六七八九十几]|岁|年级|娃|孩|儿|女|男|孙|弟|妹|哥|姐|自己|我|本人|小学|初中|高中|幼|婴|同学|学生|朋友|邻居|侄|甥|左右"
)
_ASIDES = (_SECRET, _OPEN_NAME, _NO_CALL, _CALL_ME, _LEAVE_ME, _ASK_ME, _STILL, _OVER, _NOT_CALLED, _CALLED, _WHEN)


def remainder(said: str) -> str:
    """What is left of a text once places, times and wishes about secrecy or contact are taken off."""
    words = reading(said)
    for pattern in _ASIDES:
        words = pattern.sub("", words)
    return regions.without_places(NAMED_PLACE.sub("", words))


def only_asides(said: str, asked: str) -> bool:
    """Whether a text answers other questions than `asked`: nothing is left of it, or nothing that tells of a child."""
    if asked in ("place", "with"):  # a place is where, a time is until when
        return False
    rest = remainder(said)
    return not _HOLLOW.sub("", rest) or (asked == "child" and not _OF_A_CHILD.search(rest))
