"""A cell that says where somebody lives, as a county or a prefecture of Yunnan. Pure."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from sms_gateway import regions

LONGEST = 60
_CODE = re.compile(r"(53\d{4})(?:\d{3}|\d{6})?(?:\.0)?", re.ASCII)
"""Six digits; nine and twelve are a town's and a village's code, whose first six are the county."""


@cache
def _codes() -> frozenset[str]:
    return frozenset(each.adcode for each in regions.list_regions() if each.level != "province")


@cache
def _names() -> dict[str, str]:
    """Official and short names; a short name of two places is left to `regions.recognise`."""
    names: dict[str, str] = {}
    twice: set[str] = set()
    for each in regions.list_regions():
        if each.level == "province":
            continue
        for name in {each.name, regions.full_name(each.adcode), "云南省" + regions.full_name(each.adcode)}:
            if names.setdefault(name, each.adcode) != each.adcode:
                twice.add(name)
    return {name: adcode for name, adcode in names.items() if name not in twice}


@lru_cache(maxsize=8192)
def region_of(cell: str) -> str:
    """The six digits of the county, or of the prefecture where no more is said; "" for what is unknown or elsewhere."""
    words = cell[:LONGEST].strip().strip("'\"")
    if not words:
        return ""
    if (code := _CODE.fullmatch(words)) is not None:
        return code.group(1) if code.group(1) in _codes() else ""
    if (adcode := _names().get(words)) is not None:
        return adcode
    place = regions.recognise(words)
    if place.county is not None:
        return place.county.adcode
    if place.prefecture is not None:
        return place.prefecture.adcode
    return place.candidates[0].adcode if len(place.candidates) == 1 else ""
