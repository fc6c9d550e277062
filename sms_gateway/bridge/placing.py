"""Where it is, out of the person's own words, and how sure that is. Pure.

A county alone sends nobody to the right door: what counts as found below it is a village, street, school, block, bridge or
shop named in the same breath or later (DESIGN section 5: no automatic bridge without that).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sms_gateway import regions

READ = 20
"""How many of the newest texts are read."""
LONGEST = 80
_BELOW = re.compile(
    r"[一-鿿A-Za-z0-9]{1,12}(?:村|寨|组|街|路|巷|小区|花园|公寓|宿舍|学校|中学|小学|幼儿园|一中|二中|栋|单元|号楼|楼|桥|河|水库|渡口|"
    r"超市|小卖部|网吧|宾馆|酒店|旅馆|车站|客运站|医院|卫生院|派出所|市场|广场|工地|厂|加油站|收费站|服务区|隧道|高速|国道)"
    r"|(?:[A-Za-z]|[GSX])[0-9]{1,4}(?:高速|国道|省道|线)|[0-9一二三四五六七八九十]{1,4}(?:楼|栋|号|单元|室)",
    re.ASCII,
)
_TOWN = re.compile(r"[一-鿿]{1,8}(?:镇|乡|街道)")


@dataclass(frozen=True)
class Where:
    """`region`: adcode of the county, else of the prefecture, else None; `words`: as the person wrote it."""

    region: str | None
    words: str
    certainty: str
    below_county: bool


def find(texts: Sequence[str], *, noted: str | None, by_operator: bool = False) -> Where:
    """The place in `texts` (oldest first). `noted`: the adcode the talk already has; `by_operator`: a person wrote it down."""
    newest = list(texts)[-READ:]
    county, prefecture = None, None
    for text in reversed(newest):
        found = regions.recognise(text)
        county = county or (found.county.adcode if found.county else None)
        prefecture = prefecture or (found.prefecture.adcode if found.prefecture else None)
    region = (noted if by_operator else None) or county or noted or prefecture
    said = [text.strip() for text in newest if _names_a_place(text)]
    below = region is not None and not region.endswith("00") and any(_is_below(text, region) for text in said)
    if region is None:
        return Where(None, said[-1][:LONGEST] if said else "", "unknown", below_county=False)
    sure = "operator" if by_operator else "said" if county or prefecture else "guessed"
    if region.endswith("00"):
        sure = "guessed"
    return Where(region, (said[-1] if said else "")[:LONGEST], sure, below)


def _is_below(text: str, region: str) -> bool:
    """Whether `text` names something smaller; the county's own name (镇雄) is no 镇."""
    county = regions.get_region(region)
    for one in (county, regions.get_region(county.parent_adcode)):
        text = text.replace(one.name, "，").replace(one.name.rstrip("县市区州"), "，")
    return bool(_BELOW.search(text) or _TOWN.search(text))


def _names_a_place(text: str) -> bool:
    found = regions.recognise(text)
    return bool(found.county or found.prefecture or _BELOW.search(text) or _TOWN.search(text))
