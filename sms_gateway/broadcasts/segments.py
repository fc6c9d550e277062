"""Who a broadcast goes to: numbers of some rolls, by region, group and consent, without those of other rolls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, exists, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from sms_gateway import clock, regions
from sms_gateway.crypto import blind_index
from sms_gateway.errors import BadInput, Conflict, NotFound
from texts.normalise import clean

from .roll_models import Roll, RollNumber, SavedSegment
from .rolls import RollNotFound, RollState

MOST_ROLLS = 50
MOST_CHOSEN = 200
LONGEST_GROUP = 40
LONGEST_TITLE = 80
TITLE_PURPOSE = "outreach_segments.title"
COUNTED_AT_ONCE = 2_000_000
"""Numbers that are counted one by one while somebody waits: a second or so."""


class SegmentIsWrong(BadInput):
    sentence = "选的人群不对，请重新选一次。"


class RollIsNotReady(Conflict):
    sentence = "选的名册还没有导入好。"


class SegmentNotFound(NotFound):
    sentence = "没有这个保存的人群。"


class SegmentHasNoTitle(BadInput):
    sentence = "请给人群起个名字，最多 80 个字。"


class TitleIsTaken(Conflict):
    sentence = "已经有叫这个名字的人群，请换一个名字。"


@dataclass(frozen=True)
class Segment:
    """`regions`: counties, prefectures (with all their counties) and "" for unknown; none chosen is all. So with `groups`,
    which are `addresses.group_key`s.
    """

    rolls: tuple[int, ...] = ()
    regions: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    only_consented: bool = False
    without: tuple[int, ...] = ()
    """Rolls whose numbers are left out, whatever else holds."""

    @classmethod
    def from_data(cls, data: object) -> Segment:
        """The segment of JSON from a form or a row. Raises `SegmentIsWrong` for anything else."""
        if not isinstance(data, Mapping) or not set(data) <= _KEYS:
            raise SegmentIsWrong
        consented = data.get("only_consented", False)
        if not isinstance(consented, bool):
            raise SegmentIsWrong
        chosen = _list(data.get("regions", []), str, MOST_CHOSEN)
        groups = _list(data.get("groups", []), str, MOST_CHOSEN)
        if not all(map(_is_region, chosen)) or any(
            len(group) > LONGEST_GROUP or clean(group) != group for group in groups
        ):
            raise SegmentIsWrong
        named = _list(data.get("rolls", []), int, MOST_ROLLS), _list(data.get("without", []), int, MOST_ROLLS)
        if any(not 0 < roll < 2**53 for each in named for roll in each):
            raise SegmentIsWrong
        return cls(named[0], chosen, groups, consented, named[1])

    def to_data(self) -> dict[str, Any]:
        """As JSON; `from_data` gives it back."""
        return {
            "rolls": list(self.rolls), "regions": list(self.regions), "groups": list(self.groups),
            "only_consented": self.only_consented, "without": list(self.without),
        }  # fmt: skip


_KEYS = frozenset(Segment().to_data())


def _list(data: object, kind: type, most: int) -> tuple[Any, ...]:
    """A list of that kind without repetitions, in order."""
    if not isinstance(data, list | tuple) or len(data) > most or any(type(each) is not kind for each in data):
        raise SegmentIsWrong
    return tuple(sorted(set(data)))


def _is_region(code: str) -> bool:
    if code == "":
        return True
    try:
        return regions.get_region(code).level != "province"
    except regions.RegionNotFound:
        return False


@dataclass(frozen=True)
class Count:
    """Numbers by county ("" where unknown). Not `exact`: at most so many, since numbers on several rolls are not yet told apart."""

    total: int
    regions: dict[str, int]
    exact: bool


def conditions(segment: Segment) -> list[ColumnElement[bool]]:
    """What a `RollNumber` of the segment fulfils."""
    found: list[ColumnElement[bool]] = [RollNumber.roll_id.in_(segment.rolls)]
    if segment.regions:
        prefectures = [code[:4] for code in segment.regions if code.endswith("00")]
        counties = [code for code in segment.regions if not code.endswith("00")]
        found.append(or_(RollNumber.region.in_(counties), func.left(RollNumber.region, 4).in_(prefectures)))
    if segment.groups:
        found.append(RollNumber.group.in_(segment.groups))
    if segment.only_consented:
        found.append(RollNumber.consented.is_(True))
    if segment.without:
        other = aliased(RollNumber)
        of_it = other.roll_id.in_(segment.without), other.address_index == RollNumber.address_index
        found.append(~exists().where(*of_it))
    return found


def people(segment: Segment) -> Select[bytes, bytes, str]:
    """`address_index`, `address_sealed`, `region`, each number once: where two rolls differ, a known region wins, then the older roll."""
    chosen = select(RollNumber.address_index, RollNumber.address_sealed, RollNumber.region).where(*conditions(segment))
    if len(segment.rolls) < 2:
        return chosen
    once = chosen.ext(distinct_on(RollNumber.address_index))
    return once.order_by(RollNumber.address_index, RollNumber.region == "", RollNumber.roll_id)


async def check(session: AsyncSession, segment: Segment) -> list[Roll]:
    """Its rolls, excluded ones left out. Raises `RollNotFound`, `RollIsNotReady`, also for an excluded roll."""
    wanted = set(segment.rolls) | set(segment.without)
    rolls = list(await session.scalars(select(Roll).where(Roll.id.in_(wanted))))
    if len(rolls) != len(wanted) or any(roll.state == RollState.REMOVED for roll in rolls):
        raise RollNotFound
    if any(roll.state != RollState.READY for roll in rolls):
        raise RollIsNotReady
    return [roll for roll in rolls if roll.id in segment.rolls]


async def count(session: AsyncSession, segment: Segment) -> Count:
    """How many it is, for the page: from what the rolls know where that is enough or counting would take long.

    Raises `RollNotFound`, `RollIsNotReady`.
    """
    rolls = await check(session, segment)
    unfiltered = not (segment.groups or segment.only_consented or segment.without)
    if unfiltered and len(rolls) < 2:
        return _stored(rolls, segment, exact=True)
    if sum(roll.taken for roll in rolls) > COUNTED_AT_ONCE:
        return _stored(rolls, segment, exact=False)
    counted = await count_exactly(session, segment)
    return Count(sum(counted.values()), counted, exact=True)


async def count_exactly(session: AsyncSession, segment: Segment) -> dict[str, int]:
    """Numbers by county, each once; takes as long as it takes."""
    if not segment.rolls:
        return {}
    chosen = people(segment).subquery()
    found = await session.execute(select(chosen.c.region, func.count()).group_by(chosen.c.region))
    return dict(found.all())


def _stored(rolls: list[Roll], segment: Segment, *, exact: bool) -> Count:
    """From the rolls' own counts: at most so many, where groups or consent or exclusions leave more out."""
    counted: dict[str, int] = {}
    for roll in rolls:
        for region, times in roll.regions.items():
            if not segment.regions or _matches(region, segment.regions):
                counted[region] = counted.get(region, 0) + times
    return Count(sum(counted.values()), counted, exact=exact)


def _matches(region: str, chosen: tuple[str, ...]) -> bool:
    return region in chosen or (region != "" and region[:4] + "00" in chosen)


async def save(session: AsyncSession, *, title: str, segment: Segment, created_by: int) -> SavedSegment:
    """Keep it under a name. Raises `SegmentHasNoTitle`, `TitleIsTaken`."""
    title = clean(title)
    if not 0 < len(title) <= LONGEST_TITLE:
        raise SegmentHasNoTitle
    kept = SavedSegment(
        title=title, title_index=blind_index(title, TITLE_PURPOSE), chosen=segment.to_data(), created_by=created_by,
        created_at=clock.now(),
    )  # fmt: skip
    try:
        async with session.begin_nested():
            session.add(kept)
    except IntegrityError:
        raise TitleIsTaken from None
    return kept


async def list_saved(session: AsyncSession) -> list[SavedSegment]:
    """By name."""
    return sorted(await session.scalars(select(SavedSegment)), key=lambda kept: kept.title)


async def get_saved(session: AsyncSession, segment_id: int) -> SavedSegment:
    """Raises `SegmentNotFound`."""
    kept = await session.get(SavedSegment, segment_id)
    if kept is None:
        raise SegmentNotFound
    return kept


async def delete_saved(session: AsyncSession, *, segment_id: int) -> None:
    """Forget the name; broadcasts keep what they chose. Raises `SegmentNotFound`."""
    await get_saved(session, segment_id)
    await session.execute(delete(SavedSegment).where(SavedSegment.id == segment_id))
