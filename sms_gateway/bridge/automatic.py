"""Whether a desk may be called although nobody has answered. Pure; the rule of DESIGN section 5 and PRACTICE section 7.

Only fire, drowning, traffic, unconsciousness, a weapon or a beating under way, an attempt under way; and only with a place
below the county. Never sexual abuse, confinement, abduction or family violence with an unclear place: a knock at the wrong
door hurts the child. What is under way is told by triage: its reviewed words, and 120 among its services, which it adds
when somebody is hurt, swallowed something or does not wake.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from sms_gateway.triage.features import is_live
from sms_gateway.triage.judgement import Harm
from sms_gateway.triage.lexicon import load_lexicon
from texts.normalise import normalise

ALWAYS = frozenset({Harm.FIRE, Harm.DROWNING, Harm.TRAFFIC})
NEVER = frozenset({Harm.SEXUAL, Harm.CONFINED, Harm.MISSING, Harm.ALONE, Harm.OTHER, Harm.NONE})
BEATING = frozenset({"violence.weapon", "violence.now"})
"""Triage's words for a weapon and for a beating; a door that is kicked is neither."""
_UNCONSCIOUS = re.compile(
    r"(?:叫|喊|摇)(?:都|也)?不(?:醒|应)|没有?反应|昏(?:迷|倒|过去)|晕(?:倒|过去)|没有?呼吸|没气|不省人事|抽搐"
)


def may_call(
    harm: str | None,
    texts: Iterable[str],
    *,
    services: Collection[str],
    now: bool,
    below_county: bool,
    sexual: bool = False,
) -> bool:
    """Whether the ladder may call the desk by itself.

    `services`: what triage says is needed; `now`: it is going on or about to; `sexual`: anything in the talk speaks of sexual
    harm. Family violence with an unclear place fails by `below_county`, as everything else does.
    """
    if not (now and below_county) or sexual or harm is None or harm in NEVER:
        return False
    if harm in ALWAYS:
        return True
    if harm == Harm.MEDICAL:
        return any(_UNCONSCIOUS.search(normalise(text)) for text in texts)
    return "120" in services or (harm == Harm.VIOLENCE and any(_is_beating(text) for text in texts))


def _is_beating(text: str) -> bool:
    return any(hit.cue.name in BEATING and is_live(hit) for hit in load_lexicon().find(text).hits)
