"""Rolls, groups and saved segments as the composer offers them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.broadcasts.roll_models import Roll, SavedSegment

MOST_GROUPS = 60


async def offers(session: AsyncSession) -> dict[str, Any]:
    """What the form lets one choose from."""
    rolls = list(await session.scalars(select(Roll).where(Roll.state == "ready").order_by(Roll.id.desc())))
    saved = list(await session.scalars(select(SavedSegment).order_by(SavedSegment.title)))
    return {"rolls": rolls, "saved": saved, "group_names": groups_of(rolls)}


def groups_of(rolls: Sequence[Roll]) -> list[tuple[str, int]]:
    """Groups by name with how many numbers they have, the largest first; none where no roll names any."""
    counted: Counter[str] = Counter()
    for roll in rolls:
        counted.update(roll.groups)
    return counted.most_common(MOST_GROUPS) if any(counted) else []
