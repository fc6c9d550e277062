"""Whether a text might be about harm: broad on purpose, for texts that are only sent where it surely is not. Pure."""

from __future__ import annotations

import re

from texts.normalise import normalise

_HARM = re.compile(
    "打|骂|伤|血|疼|痛|欺|摸|碰|脱|饿|锁|关|逃|怕|哭|虐|逼|威胁|勒索|抢|死|病|没人管|不管|没饭|没吃|流浪|离家|走丢|失踪|工地|童工|"
    "嫁|订婚|酒|赌|毒|刀"
)


def speaks_of_harm(text: str) -> bool:
    """Whether any word of it might be about harm."""
    return _HARM.search(normalise(text)) is not None
