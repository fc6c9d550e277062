"""Whether a text is a person in need rather than a question: those are for triage and people, never for a handbook.

Triage sees every text before the handbook does; this is the second lock on the same door.
"""

from __future__ import annotations

import re

from texts.normalise import normalise

_CRY = re.compile(
    r"救命|救救|救我|快来人|快点来|帮帮我|打死我|打死我|杀了我|要杀我|杀我妈|拿刀|持刀|"
    r"(正在|在|又|还在|天天|一直|老是|经常|总是)[^,。?吗]{0,4}(打|踢|踹|骂|掐)(我|弟|妹|他|她|娃|孩子|小孩)|"
    r"(打|踢|踹|掐|摸|亲|脱|强奸|欺负|欺凌|威胁|勒索|跟踪|绑)(了)?我(了|们|妈|弟|妹|的|$)|摸我|亲我|脱我|"
    r"不想活|活不下去|想死|去死|不在了就好|要跳楼|想跳楼|想自杀|要自杀|我自杀|割腕|割手|(吃|喝)了.{0,5}(药|农药)|"
    r"流了好多血|叫不醒|没呼吸|喘不上气|着火了|起火了|掉(河|水|井)里|落水了|撞人了|"
    r"(把我|我被)[^,。?]{0,6}(关|锁|绑|拐|骗|堵|抓|拍)|踹我?家?门|砸门|跟着我|"
    r"(孩子|娃|弟弟|妹妹|孙子|孙女|儿子|女儿|女)[^,。?]{0,3}(不见了|走丢了|丢了|失踪了)"
)
_QUESTION = re.compile(
    r"吗|么$|多少|好多|几多|几岁|多大|多久|几天|哪条|哪个部门|哪里申请|违法|犯法|犯罪|判几年|判多久|坐牢|规定|政策|法律|电话|热线|标准|申请|"
    r"认定|算不算|什么是|是什么|要不要|要等|能不能|可不可以|怎么告|怎么报|怎么举报|怎么处罚|怎么罚|责任|保护令|告诫书|法律援助|义务|有没有权"
)


def is_plea(text: str) -> bool:
    """True for a cry or a tale of danger that asks nothing a handbook could answer."""
    plain = normalise(text)
    return bool(_CRY.search(plain)) and not _QUESTION.search(plain)
