"""Who gets it, as the composer offers and counts it, and as the release sheet says it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.broadcasts import rolls, segments
from sms_gateway.broadcasts.addresses import group_key
from sms_gateway.broadcasts.roll_models import Roll
from sms_gateway.broadcasts.rolls import RollState
from sms_gateway.broadcasts.segments import Count, Segment
from sms_gateway.errors import HotlineError

from .pages import place_name

MOST_GROUPS = 60
PLACES_SAID = 8


async def offers(session: AsyncSession) -> dict[str, Any]:
    """What the form lets one choose from."""
    ready = [roll for roll in await rolls.list_rolls(session) if roll.state == RollState.READY]
    return {"rolls": ready, "saved": await segments.list_saved(session), "groups_offered": groups_of(ready)}


def groups_of(ready: Sequence[Roll]) -> list[tuple[str, str, int]]:
    """Groups by key and name with how many numbers they have, the largest first; none where no roll names any. Pure."""
    counted: Counter[str] = Counter()
    for roll in ready:
        counted.update(roll.groups or {})
    return [(group_key(name), name, size) for name, size in counted.most_common(MOST_GROUPS)] if any(counted) else []


def group_names(known: Sequence[Roll]) -> dict[str, str]:
    """What the keys of their groups stand for."""
    return {group_key(name): name or "没写组" for roll in known for name in (roll.groups or {})}


async def count(session: AsyncSession, audience: Mapping[str, Any]) -> Count | None:
    """How many they are; None where none is chosen or a roll is gone."""
    try:
        segment = Segment.from_data(audience)
        return await segments.count(session, segment) if segment.rolls else None
    except HotlineError:
        return None


async def described(session: AsyncSession, audience: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The choice in words: (what, which)."""
    segment = Segment.from_data(audience)
    known = await rolls.list_rolls(session)
    titles = {roll.id: roll.title for roll in known}

    def names(ids: Sequence[int]) -> str:
        return "、".join(titles.get(number, "（已删掉的名册）") for number in ids)

    said = [("名册", names(segment.rolls) or "没有选")]
    places = [place_name(code) or "不知道哪个县的" for code in segment.regions]
    more = f" 等 {len(places)} 处" if len(places) > PLACES_SAID else ""
    said.append(("地方", ("、".join(places[:PLACES_SAID]) + more) if places else "名册里的所有地方"))
    if segment.groups:
        called = group_names(known)
        said.append(("组", "、".join(called.get(group, "（已删掉的组）") for group in segment.groups)))
    if segment.only_consented:
        said.append(("同意", "只发给同意收的人"))
    if segment.without:
        said.append(("不发", f"{names(segment.without)}里的人"))
    return said
