"""Whether a desk may be called although nobody has answered. Pure; the rule of DESIGN section 5 and PRACTICE section 7.

Only fire, drowning, traffic, unconsciousness, a weapon or a beating under way, an attempt under way; and only with a place
below the county. Never sexual abuse, confinement, abduction or family violence with an unclear place: a knock at the wrong
door hurts the child.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from sms_gateway.triage.judgement import Harm
from texts.normalise import normalise

ALWAYS = frozenset({Harm.FIRE, Harm.DROWNING, Harm.TRAFFIC})
NEVER = frozenset({Harm.SEXUAL, Harm.CONFINED, Harm.MISSING, Harm.ALONE, Harm.OTHER, Harm.NONE})
_UNCONSCIOUS = re.compile(
    r"叫不醒|喊不醒|没反应|没有反应|昏迷|昏过去|昏倒|晕过去|没有?呼吸|没气了?|不省人事|翻白眼|抽搐"
)
_ATTEMPT = re.compile(
    r"(?:已经|刚刚?|我|他|她|都)(?:把)?.{0,6}(?:吃了|喝了|吞了|割了|割开|开了煤气|烧了炭|跳了)|(?:吃|吞|喝)(?:了|下).{0,8}(?:药|片|瓶|农药|百草枯)|"
    r"割(?:了|腕).{0,6}|站在.{0,4}(?:楼顶|桥上|窗台|天台)|流了?(?:好多|很多)?血"
)
_UNDER_WAY = re.compile(r"(?:正在|在|一直|还在|又在|拿着?).{0,6}(?:打|砍|捅|追|掐|踢|踹|砸|刀|棍|斧)|刀|斧头|砍刀|菜刀")


def may_call(harm: str | None, texts: Iterable[str], *, now: bool, below_county: bool, sexual: bool = False) -> bool:
    """Whether the ladder may call the desk by itself.

    `now`: it is going on or about to; `sexual`: anything in the talk speaks of sexual harm. Family violence with an unclear
    place fails by `below_county`, as everything else does.
    """
    if not (now and below_county) or sexual or harm is None or harm in NEVER:
        return False
    plain = [normalise(text) for text in texts]
    if harm in ALWAYS:
        return True
    if harm == Harm.MEDICAL:
        return any(_UNCONSCIOUS.search(text) for text in plain)
    if harm == Harm.SELF_HARM:
        return any(_ATTEMPT.search(text) for text in plain)
    return harm == Harm.VIOLENCE and any(_UNDER_WAY.search(text) for text in plain)
