"""Service words: a whole text that is an order to the line, not something to talk about (PRACTICE section 5)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from texts.normalise import normalise

from .opting_out import speaks_of_opting_out, wants_no_more


class Kind(StrEnum):
    OPT_OUT = "opt_out"
    """No more outreach; help goes on."""
    OPT_IN = "opt_in"
    HUMAN = "human"
    SILENCE = "silence"
    """Somebody else may be reading: send nothing more, not even a confirmation."""
    DIGIT = "digit"
    """An answer to the last question, if there is one."""


@dataclass(frozen=True)
class Command:
    """`digit`: 1-9 for a DIGIT, else None. `stop_with_plea`: an opt-out joined with a plea for help; answer nothing, tell the operator."""

    kind: Kind
    digit: int | None = None
    stop_with_plea: bool = False


def _words(block: str) -> frozenset[str]:
    return frozenset(block.split())


_NOISE = re.compile(r"[\s\W_]+")
_TAIL = re.compile("(?:吧|啊|呀|呢|了|哦|嘛|哈|噢|谢谢|谢|好吗|行吗|一下|快点|快些|赶快|马上|快)+$")
_HEAD = re.compile("^(?:以后|今后|往后|请你们?|请您?|麻烦你?们?|拜托|求求你们?|你们?|都|给我)+")
_OPT_OUT = _words("""
    退订 td t 退 stop td12345 t12345 停发 退订短信 我要退订 要退订 请退订 退定 tuiding 取消订阅 unsubscribe
    stopall quit 退订回t 回t退订 退订宣传 退订宣传短信 退订通知 别再给我发宣传 不要再给我发宣传 别给我发宣传
    不要给我发宣传 别再发宣传 不要再发宣传 别发宣传 别发广告 不要发广告 别再发广告 别再给我发短信
    不要再给我发短信 别再发短信 不要再发短信 别给我发短信 不要给我发短信 别再给我发 不要再给我发 别给我发
    不要给我发 不想收 不想收短信 不想再收 不想再收到 不想收到短信 不要再发 停止发送 别再发 拒收
    别再给我发宣传短信 不要再给我发宣传短信
""")
_OPT_IN = _words("""
    订阅 恢复 恢复订阅 重新订阅 我要订阅 dy start subscribe unstop 恢复短信
""")
_HUMAN = _words("""
    0 00 转人工 人工 找真人 真人 人工服务 转人工服务 我要人工 要人工 我要真人 要真人 找人工 转真人 找值班员
    值班员 转值班员 我要找真人 我要转人工 请转人工 叫值班员 找个人 换人 换真人 我要找人工 我想找真人
    我想找人工 人工客服 客服 找客服 转接人工 human 接人工 我要和人说 我想和真人说 回0 按0 零
""")
_SILENCE_ALWAYS = frozenset({"88"})
_SILENCE_TALKING = _words("""
    别回 不要回 别发 不要发 莫回 莫发 别回我 别回复 不要回复 不要回我 别回信 别回信息 别回短信 别发信息
    别发消息 别发短信 先别回 先别发 先不要回 先不要发 现在别回 现在别发 别再回 别再发 别发过来 别再发信息
    不要发信息 不要发消息 不要发短信 千万别回 千万别发 别回消息 不要再回 不要再发 别给我发 不要给我发 别给我回
""")
_OUT_WHEN_QUIET = _words("""
    别发 不要发 莫发 别发信息 别发消息 别发短信 不要发信息 不要发消息 不要发短信
""")
_STOP_INSIDE = re.compile("退订|退定|(?<![a-z])(?:td|stop)(?![a-z])")
_PLEA = re.compile(
    "救|帮帮|帮我(?!退|取消|停)|求求|求你|打我|打人|被打|在打|要打|杀|死|害怕|怕|关起来|关着|锁|出不去|不敢|摸我|"
    "欺负|碰我|疼|刀|棍|斧|拿着|堵|砸|踢|踹|掐|门口|喝醉|流血|跑不掉|危险|报警|110|快来|来人|别告诉|他在|她在|他来|跟着我|逼我|威胁|没吃|"
    "一个人在家|不要我|骗"
)


def squeezed(text: str) -> str:
    """Normal form without blanks and punctuation: "Ｔ Ｄ。" is "td". A keycap emoji is its digit."""
    return _NOISE.sub("", normalise(text).replace("\u20e3", ""))


_ALL_WELL = re.compile(
    "(?:哈|嘿|呵|额|哦|啊|嗯|对不起|不好意思|打扰了?|谢谢(?:您|你们?)?|您好|你好|再见|我|们|现在|已经|都|是|其实|刚才|刚刚|真的|就|只|在|那|逗你们?|你们?|小孩子?|孩子|娃娃?)*"
    "(?:没事|好了|安全|没有事|没什么事?|没啥事?|算了|不用来|不用管|不用了|不说了|不需要(?:帮助|帮忙|了)?|不用帮忙?|没问题|开玩笑|"
    "(?:开个)?玩笑|[闹写发说打]着玩|骗你们?|骗人|逗你玩|试一试|试试|乱(?:发|按|点|写|玩手机)|按错|发错|误会(?:一场)?|测试|解决)"
    "(?:了|的|哈|啦|呢|吧|玩|而已|罢了|嘛|一下|你们?|谢谢(?:您|你们?|叔叔|阿姨|老师)?|打扰了?|再见)*"
)


def is_all_well(text: str) -> bool:
    """Whether the whole text only says that it is over or was a joke; in danger that closes nothing."""
    return re.fullmatch(f"(?:{_ALL_WELL.pattern})+", squeezed(text)) is not None


def read_command(text: str, *, talking: bool, answers_outreach: bool = False) -> Command | None:
    """The service word that the whole of `text` is, else None. `talking`: a matter is being talked about just now.

    别发 means "not now, somebody is near" in a talk and "no more outreach" outside of one; 88 silences always.
    `answers_outreach`: the last they got from us is outreach, so that free words ("烦死了别再发了") are about that.
    An opt-out word in one text with a plea gives an OPT_OUT with `stop_with_plea`.
    """
    words = squeezed(text)
    short = _TAIL.sub("", words) or words
    short = _HEAD.sub("", short) or short
    if words in _SILENCE_ALWAYS:
        return Command(Kind.SILENCE)
    if wants_no_more(words, answers_outreach=answers_outreach):
        return Command(Kind.OPT_OUT)
    if (talking or short not in _OPT_OUT | _OUT_WHEN_QUIET) and {words, short} & _SILENCE_TALKING:
        return Command(Kind.SILENCE)  # in doubt somebody is near
    for kind, known in ((Kind.HUMAN, _HUMAN), (Kind.OPT_OUT, _OPT_OUT | _OUT_WHEN_QUIET), (Kind.OPT_IN, _OPT_IN)):
        if words in known or short in known:
            return Command(kind)
    if re.fullmatch("[1-9]", words):
        return Command(Kind.DIGIT, int(words))
    joined = normalise(text)
    with_plea = _STOP_INSIDE.search(joined) and _PLEA.search(_STOP_INSIDE.sub(" ", joined))
    if with_plea and not speaks_of_opting_out(words):
        return Command(Kind.OPT_OUT, stop_with_plea=True)
    return None
