"""Small answers to outreach: thanks, "谁啊", "发错了". A whole text that says nothing else, and what goes back for it. Pure.

A digit is none of these: without a question that stands it is not guessed (PRACTICE section 5).
"""

from __future__ import annotations

import re
from enum import StrEnum

from .commands import squeezed

LONGEST = 24


class Small(StrEnum):
    """The value is the key of the fixed text, said once for a broadcast; then nothing goes back."""

    THANKS = "outreach.thanks"
    DOUBT = "outreach.doubt"
    NOT_MINE = "outreach.not_mine"
    OTHER_PHONE = "outreach.other_phone"


KEYS = frozenset({*(str(small) for small in Small), "optout", "optin", "digit.lost", "same.again"})
"""Fixed texts that begin no talk: whoever got nothing else since then still answers outreach."""

_END = "(?:了|啦|的|滴|嘞|哈|啊|呀|哦|噢|呢|吧|嘛|噶|嘎|吗|么|您|你们?|各位|大家|政府|国家|党|领导|老师|同志|提醒|关心|通知|告知|辛苦)*"
_THANKS = re.compile(
    f"(?:(?:嗯|哦|噢|喔|哈|好|收到|收悉|已收|已阅|已读|阅|知道|晓得|明白|懂|了解|清楚|谢|感谢|多谢|谢过|感恩|辛苦|ok|okay|行|要得|没问题|看到|记住|记下|保存|"
    f"我?会的|会转告|转告|支持|点赞|赞|真好|很好|太好|不客气|再见|拜拜|祝(?:您|你们?)?(?:工作)?(?:顺利|愉快|安好)|thanks?(?:you)?){_END})+"
)
_WHO = "(?:谁|哪个|哪位|什么人|哪里|哪儿|哪家|哪个单位|什么单位|哪个部门|干什么|干嘛|干啥|搞什么|做什么|何人)"
_FALSE = "(?:骗子|诈骗短信|诈骗|骗人|骗局|假|真|官方|正规|政府|机器人?发)"
_DOUBT = re.compile(
    f"(?:你们?|您|请问|请|这|这个|这边|这条|那边|短信|号码?|到底|喂|你好|您好|不会)*(?:是|不是|是不是|给是|不会是|该不会是|又是)?(?:{_WHO}|{_FALSE})(?:发)?(?:短信)?{_END}"
    f"(?:{_FALSE}{_END})?|"
    f"(?:你们?|请问)*(?:怎么|咋个?|为什么|为啥|从哪|哪里|在哪)(?:会|能|来)?(?:有|知道|晓得|得到|弄到|搞到|拿到|来)(?:我|我们)?(?:的)?(?:手机号码?|手机|号码?|电话号码?|电话){_END}|"
    f"(?:什么|啥|哪样)(?:意思|短信|东西|情况|玩意){_END}|who(?:areyou|isthis)?|"
    f"(?:怎么|如何|咋个?)(?:证明|相信|确定|知道)(?:你们?)?(?:是)?(?:{_FALSE}|12345)?{_END}|(?:凭什么|我凭什么)(?:相?信)(?:你们?){_END}"
)
_CHILD = "(?:小孩子?|孩子|娃儿?|娃娃|小朋友|儿女|子女)"
_NOT_MINE = re.compile(
    f"(?:你们?|您|不好意思|对不起|抱歉|请问|是不是|应该|可能)*(?:发|打|搞|弄|找)错(?:人|号码?|地方|对象)*{_END}|"
    f"(?:你们?发错人?了?)?(?:我|我家|家里|家|我们|都|还|也|根本|现在)*(?:没有?|没得|莫得){_CHILD}{_END}|(?:我)?(?:还)?没(?:有)?结婚{_END}|"
    f"(?:我|这)?(?:不是|并不是)(?:家长|机主|本人|孩子家长|学生家长|云南的?人?|你们?要找的人?|你们?找的人?){_END}"
)
_OTHER = "(?:爸爸?|妈妈?|爹|娘|奶奶|爷爷|外公|外婆|老公|老婆|丈夫|媳妇|儿子|女儿|孩子|娃儿?|弟弟?|妹妹?|哥哥?|姐姐?|家里|家里人|家人|父母|老人|老师|朋友)"
_OTHER_PHONE = re.compile(
    f"(?:请|麻烦|拜托|以后|求求你们?|你们)*(?:别|不要|莫|不用|不准|请勿)(?:再)?(?:给|跟|向|往)(?:我|我们|他们?|她)?的?{_OTHER}(?:的)?(?:手机|电话|号码?)?(?:上)?(?:发|发短信|发信息|发消息|发这种短信|发这个){_END}|"
    f"(?:请|麻烦|拜托|求求你们?|你们|千万)*(?:别|不要|莫|不准)(?:再)?(?:把短信|短信)?发(?:短信)?(?:给|到)(?:我|我们)?的?{_OTHER}(?:的)?(?:手机|电话|号码?|那里|那)?(?:上)?{_END}"
)


def read(text: str) -> Small | None:
    """Which of these the whole of `text` is; None when it says more, or something else. Never raises."""
    words = squeezed(text)
    if not words or len(words) > LONGEST:
        return None
    for small, pattern in (
        (Small.THANKS, _THANKS), (Small.DOUBT, _DOUBT), (Small.NOT_MINE, _NOT_MINE), (Small.OTHER_PHONE, _OTHER_PHONE),
    ):  # fmt: skip
        if pattern.fullmatch(words):
            return small
    return None
