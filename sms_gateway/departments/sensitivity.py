"""Whether a matter is one of those that only the handling unit and the police may read, by what was said. Pure."""

from __future__ import annotations

import re

from texts.normalise import normalise

from .categories import Sensitivity, get_category

LONGEST_READ = 20_000
_PARENT = "(?:我|他|她|娃|孩子|小孩)?(?:的)?(?:爸爸?|妈妈?|父亲|母亲|爹|娘|继父|继母|后爸|后妈|后爹|爷爷|奶奶|外公|外婆|老公|前夫|丈夫|监护人)"

_SIGNS: tuple[tuple[Sensitivity, re.Pattern[str]], ...] = (
    (Sensitivity.SEXUAL, re.compile(
        "性侵|猥亵|强奸|强暴|奸污|糟蹋|轮奸|性骚扰|裸照|裸聊|隐私部位|私处|下身|下体|发生关系|陪睡|卖淫|嫖|"
        "脱(?:了|光|掉|我|她|他|孩子|女儿|学生){0,3}(?:的)?(?:衣服?|裤子?|内裤)|摸(?:了|我|她|他|孩子|女儿|姑娘|学生|娃|小姑娘|女生|小女孩|的|过){0,3}(?:下面|胸|身体|身子|屁股|大腿|那里|私处)|"
        "动手动脚|开房|(?:未成年|[0-9一二三四五六七八九十]{1,3}岁|女儿|姑娘|学生|女孩|我).{0,6}怀孕|偷拍.{0,6}(?:洗澡|厕所|换衣)|和?(?:他|她|我)?睡(?:了|过)?一?觉.{0,4}(?:给钱|不给说)"
    )),
    (Sensitivity.HIV, re.compile("艾滋|爱滋|hiv|梅毒|性病|(?:感染者|抗体).{0,4}阳性", re.IGNORECASE)),
    (Sensitivity.SELF_HARM, re.compile(
        "自杀|自残|自伤|轻生|割(?:手|腕|脉)|划(?:手|胳膊)|不想活|活着没意思|不如死|想死|去死|跳楼|跳河|喝(?:了)?农药|吃(?:了)?(?:老鼠药|安眠药)|上吊|遗书"
    )),
    (Sensitivity.DOMESTIC_VIOLENCE, re.compile(
        f"家暴|家庭暴力|告诫书|保护令|{_PARENT}[^。!！?？说]{{0,12}}(?<![拨敲玩])(?:打|揍|抽|踢|掐|烫|绑|锁|吊|骂|扇)(?!电话|工|游戏|麻将|牌|针|扫|车|球|电脑)|(?:被|着|挨){_PARENT}.{{0,6}}(?:打|揍|骂)"
    )),
    (Sensitivity.ADOPTION, re.compile("收养|领养|抱养|送养|弃婴|过继|捡(?:到|来|的).{0,6}(?:孩子|婴|娃)")),
    (Sensitivity.SEALED_RECORD, re.compile("案底|前科|犯罪记录|缓刑|少年犯|社区矫正|矫正对象|专门学校|工读学校|取保候审|未管所|少管所|刑满|劳教")),
)  # fmt: skip
"""In the order of how much harm it does when it is known."""


def sensitivity_of(words: str, category: str | None = None) -> Sensitivity | None:
    """The kind `words` speak of, else the category's default, else None. Raises `CategoryNotFound`.

    A proposal: a person may write another one, or "none", on the ticket.
    """
    text = normalise(words)[:LONGEST_READ]
    said = next((kind for kind, sign in _SIGNS if sign.search(text)), None)
    if said is not None or category is None:
        return said
    return get_category(category).sensitivity
