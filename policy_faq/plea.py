"""Whether a text is a person in need rather than a question: those are for triage and people, never for a handbook.

Triage sees every text before the handbook does; this is the second lock on the same door.
"""

from __future__ import annotations

import re

from texts.normalise import normalise

_CRY = re.compile(
    r"救命|救救|救我|快来人|快点来|帮帮我|打死我|杀了我|要杀我|杀我妈|想自杀|活着没意思|拿刀|持刀|"
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


_ADVICE = re.compile(
    r"(孩子|娃|学生|儿子|女儿|同学|朋友|别人|有人).{0,16}(想死|自杀|不想活|轻生|跳楼|割腕|割手).{0,16}(怎么|如何|该做|做什么|打什么)"
)
"""An adult who asks how to stand by a child: the handbook's own words are of use while a person is being called."""

_STATEMENT = re.compile(r"(我们?)?(要|想|来|需要)?(实名|匿名)?(举报|投诉|反映|控告|建议|希望)")
_ASKS = re.compile(
    r"吗|怎么|怎样|如何|哪|多少|几|谁|什么|啥|咋|能不能|可不可以|可以|是不是|会不会|有没有|要不要|算不算|不\??$|么$|没$|电话|号码|多久|保密|匿名"
)


def is_statement(text: str) -> bool:
    """True for a complaint, report or suggestion that asks nothing: it is to be taken down, not answered."""
    plain = normalise(text)
    return bool(_STATEMENT.match(plain)) and not _ASKS.search(plain)


def is_plea(text: str) -> bool:
    """True for a cry or a tale of danger that asks nothing a handbook could answer."""
    plain = normalise(text)
    return bool(_CRY.search(plain)) and not _QUESTION.search(plain) and not _ADVICE.search(plain)
