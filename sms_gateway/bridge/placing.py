"""Where it is, out of the person's own words, and how sure that is. Pure.

A county alone sends nobody to the right door: what counts as found below it is a town, or a village, school, street, bridge
or shop with a name of its own (DESIGN section 5: no automatic bridge without that). "我在学校", "二楼" is none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sms_gateway import regions
from sms_gateway.placenames import NAME_SIGN, NAMED_PLACE
from texts.normalise import normalise

READ = 20
"""How many of the newest texts are read."""
LONGEST = 80
_NAMED_SPOT = re.compile(
    f"{NAME_SIGN}{{2,8}}?"
    "(?:路(?!上|过)|大道|巷|桥|河|水库|渡口|寨|小组|医院|卫生院|派出所|车站|客运站|收费站|加油站|服务区|市场|广场|隧道|小卖部|工地)"
)
_ROAD = re.compile(r"[gsx][0-9]{1,4}|[0-9]{3} ?国道", re.ASCII)
"""G85, S301, 320国道: with the county it leads those who drive there."""


@dataclass(frozen=True)
class Where:
    """`region`: adcode of the county, else of the prefecture, else None; `words`: as the person wrote it."""

    region: str | None
    words: str
    certainty: str
    below_county: bool


def find(texts: Sequence[str], *, noted: str | None, by_operator: bool = False) -> Where:
    """The place in `texts` (oldest first). `noted`: the adcode the talk already has; `by_operator`: a person wrote it down."""
    county, prefecture, words, spot = None, None, "", ""
    for text in reversed(list(texts)[-READ:]):
        found = regions.recognise(text)
        county = county or (found.county.adcode if found.county else None)
        prefecture = prefecture or (found.prefecture.adcode if found.prefecture else None)
        if not spot and names_spot(text):
            spot = text.strip()[:LONGEST]
        if not words and (found.county or found.prefecture):
            words = text.strip()[:LONGEST]
    words = spot or words  # "镇雄县的警察来了吗" says less than the street told before
    region = (noted if by_operator else None) or county or noted or prefecture
    if region is None:
        return Where(None, words, "unknown", below_county=False)
    if region.endswith("00"):
        return Where(region, words, "guessed", below_county=False)
    certainty = "operator" if by_operator else "said" if county else "guessed"
    return Where(region, words, certainty, below_county=bool(spot))


def names_spot(text: str) -> bool:
    """Whether `text` names something that can be driven to inside a county."""
    view = normalise(text)
    return bool(NAMED_PLACE.search(view) or _NAMED_SPOT.search(view) or _ROAD.search(view)) or regions.names_town(text)
