"""What kind of matter a story is, in words that give nothing away on a screen somebody else may read."""

from __future__ import annotations

import re

from texts.normalise import normalise

_MATTERS = (
    ("上学的事", "入学|上学|读书|辍学|退学|转学|学籍|报名|招生|休学|失学|不让读|没书读|开除"),
    (
        "学校的事",
        (
            "学校|老师|班主任|校长|同学|教室|上课|体育课|补课|作业|宿舍|食堂|"
            "幼儿园|中学(?!生)|小学(?!生)|校服|校园|"
            "校车|班上|一中|二中|三中|一小|二小"
        ),
    ),
    ("看病的事", "医院|看病|生病|医保|药|残疾|康复|疫苗|打针|住院|手术"),
    ("户口的事", "户口|身份证|出生证|上户|落户|收养|领养"),
    ("补助的事", "补助|补贴|低保|救助金|生活费|孤儿|助学|津贴|特困|困难|没钱|穷"),
    ("网上的事", "网上|网络|游戏|抖音|快手|微信|qq|群里|充值|打赏|直播|视频|照片|手机|网友"),
    ("做工的事", "打工|上班|工厂|厂里|童工|工地|干活|工资|老板|进厂"),
    (
        "店家的事",
        "网吧|酒吧|ktv|酒店|宾馆|旅馆|卖烟|买烟|电子烟|香烟|卖酒|买酒|彩票|小卖部|商店|超市|店|文身|纹身|玩具",
    ),
    ("家里的事", "爸|妈|父|母|爷爷|奶奶|外婆|外公|家里|家长|后爹|继父|继母|后妈|亲戚|叔|舅|伯|姑|姨|监护|抚养|离婚|婚"),
    ("吃住的事", "吃饭|没吃的|没地方|住处|流浪|乞讨|照顾|照看|没人管|留守"),
)
_TABLE = tuple((matter, re.compile(words)) for matter, words in _MATTERS)
OTHER = "孩子的事"


def matter_of(story: str) -> str:
    """One of a dozen neutral kinds: the one most of whose words the story holds; "孩子的事" when none fits."""
    story = normalise(story)
    counts = [(len(pattern.findall(story)), matter) for matter, pattern in _TABLE]
    best = max(count for count, _ in counts)
    return next(matter for count, matter in counts if count == best) if best else OTHER
