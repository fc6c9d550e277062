"""What the desk may ask a person by text, and which of their texts is the answer. Pure."""

from __future__ import annotations

import re

from sms_gateway.errors import BadInput
from sms_gateway.wording import FORBIDDEN
from texts.normalise import normalise

from . import asides, phrases

LONGEST = 120
"""Characters of a question: with what stands before it, it stays within three segments."""
_LINK = re.compile(r"https?:|www\.|\.(?:com|cn|net)\b|微信号|加我|转账|验证码", re.IGNORECASE)
_NO_ANSWER = re.compile(
    "(?:(?:你|您|大家)好[呀啊哦]?|嗨|哈喽|hello|hi|谢谢?(?:你们?|您|了)?|多谢|感谢|辛苦了|好的?|收到|嗯+|哦+|知道了|晓得了|再见|拜拜|"
    "(?:早上|上午|中午|下午|晚上)好)+"
)
_ASKS_HOW_FAR = re.compile(
    "进度|进展|查单|查询|(?:办|处理|弄|搞)(?:得|的)?(?:怎么样|咋样|如何|咋个样|怎样|到哪|好了?(?:没|吗))|(?:有)?结果(?:了|出来)?(?:没|吗|没有)"
)
_WHAT_IS_MEANT = re.compile(
    "什么意思|啥意思|问(?:的)?(?:是)?(?:什么|啥|哪)|哪(?:件|个)(?:事|单)|你(?:是|们是)?(?:谁|哪个|哪里)|是不是骗"
)


class QuestionCannotBeSent(BadInput):
    sentence = "要问的话不能发，请改一改。"


def read_question(words: str) -> str:
    """The question as it may go out. Raises `QuestionCannotBeSent` with what is wrong."""
    words = " ".join(words.split())
    if not words:
        raise QuestionCannotBeSent("请写要问的话，一句就行。")
    if len(words) > LONGEST:
        raise QuestionCannotBeSent(f"一次最多写 {LONGEST} 字，只问一件事。")
    if any(word in words for word in FORBIDDEN):
        raise QuestionCannotBeSent(f"有的词运营商会拦，也不能露在锁屏上，请换个说法（{'、'.join(FORBIDDEN)}）。")
    if _LINK.search(words):
        raise QuestionCannotBeSent("不发链接，不要验证码，不加好友。")
    return words


def may_answer(text: str) -> bool:
    """Whether a text that nothing else is waiting for is the answer: no greeting, no question of their own, no new matter."""
    plain = normalise(text).strip(" ,，。.!！~、…")
    if not plain or _NO_ANSWER.fullmatch(plain) or _ASKS_HOW_FAR.search(plain) or _WHAT_IS_MEANT.search(plain):
        return False
    return not (phrases.calls_out(text) or phrases.is_cancel(text) or phrases.looks_like_question(text) or asides.announces(text))  # fmt: skip
