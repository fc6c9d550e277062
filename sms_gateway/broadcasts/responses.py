"""What came back to a broadcast, in figures, without a link anybody could follow: kinds, lanes, regions, hours, delays.

Read for the report page, never while sending. Shares are of what the caller's tallies say was sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.messages.models import Author, Direction, Message, ThreadEvent

from .models import Broadcast, BroadcastRecipient, BroadcastReply
from .replies import LANES, Kind

SHARES = (0.5, 0.9, 0.99)
"""Which percentiles of the delay are told."""


@dataclass(frozen=True)
class Responses:
    """`texted`: numbers whose text may have left. Counts are of texts, but for `people`: the numbers that wrote back.

    `by_hour`: the Shanghai hour of the day (0-23). `delays`: percentile (0.5 …) to the time from sending to the first text of
    a number; empty where nobody answered. `reached_person`: talks of repliers in which an operator wrote or took over.
    """

    texted: int
    replies: int = 0
    people: int = 0
    by_kind: Mapping[str, int] = field(default_factory=dict)
    by_lane: Mapping[str, int] = field(default_factory=dict)
    by_region: Mapping[str, int] = field(default_factory=dict)
    """People who wrote back, by the region of their row."""
    by_hour: Mapping[int, int] = field(default_factory=dict)
    delays: Mapping[float, timedelta] = field(default_factory=dict)
    opted_out: int = 0
    """Numbers that want no more."""
    reached_person: int = 0

    @property
    def danger(self) -> int:
        """Texts in red or orange."""
        return sum(self.by_lane.get(lane, 0) for lane in LANES)

    @property
    def reply_share(self) -> float:
        """Of those texted, how many wrote back (0-1)."""
        return share(self.people, self.texted)


def share(part: int, whole: int) -> float:
    """`part` of `whole`, 0 of nothing. Pure."""
    return part / whole if whole > 0 else 0.0


async def measure(session: AsyncSession, broadcast_id: int, *, texted: int) -> Responses:
    """All figures of one broadcast, or those kept when its ledger was dropped. `texted`: see `tallies.left`."""
    kept = await session.scalar(select(Broadcast.figures_kept).where(Broadcast.id == broadcast_id))
    if kept is not None:
        return _from_kept(kept["responses"], texted)
    row = BroadcastReply
    ours = row.broadcast_id == broadcast_id
    hour = func.extract("hour", func.timezone("Asia/Shanghai", row.at))
    numbers = func.count(row.number.distinct())
    totals = select(func.count(), numbers, numbers.filter(row.kind == Kind.OPT_OUT)).where(ours)
    replies, people, opted_out = (await session.execute(totals)).one()
    if replies == 0:
        return Responses(texted)
    delays = (await session.execute(_delays(broadcast_id))).one()
    return Responses(
        texted=texted,
        replies=replies,
        people=people,
        by_kind=await _counts(session, select(row.kind, func.count()).where(ours).group_by(row.kind)),
        by_lane=await _counts(session, select(row.lane, func.count()).where(ours).group_by(row.lane)),
        by_region=await _counts(session, _by_region(broadcast_id)),
        by_hour={int(at): many for at, many in await session.execute(select(hour, func.count()).where(ours).group_by(hour))},
        delays={part: timedelta(seconds=float(found)) for part, found in zip(SHARES, delays, strict=True) if found is not None},
        opted_out=opted_out,
        reached_person=await session.scalar(_met_by_person(broadcast_id)) or 0,
    )  # fmt: skip


def to_keep(one: Responses) -> dict[str, Any]:
    """The figures as JSON, for `measure` to read again."""
    delays = {str(part): delay.total_seconds() for part, delay in one.delays.items()}
    return {**asdict(one), "delays": delays}


def _from_kept(kept: Mapping[str, Any], texted: int) -> Responses:
    delays = {float(part): timedelta(seconds=seconds) for part, seconds in kept["delays"].items()}
    by_hour = {int(hour): many for hour, many in kept["by_hour"].items()}
    return Responses(**{**kept, "texted": texted, "delays": delays, "by_hour": by_hour})


async def _counts(session: AsyncSession, wanted: Select[str, int]) -> dict[str, int]:
    return {name: many for name, many in await session.execute(wanted)}  # noqa: C416 - rows


def _first_replies(broadcast_id: int) -> Select[int, datetime]:
    row = BroadcastReply
    firsts = select(row.number, func.min(row.at).label("at")).where(row.broadcast_id == broadcast_id)
    return firsts.group_by(row.number)


def _by_region(broadcast_id: int) -> Select[str, int]:
    firsts, row = _first_replies(broadcast_id).subquery(), BroadcastRecipient
    joined = select(row.region, func.count()).join(firsts, firsts.c.number == row.number)
    return joined.where(row.broadcast_id == broadcast_id).group_by(row.region)


def _delays(broadcast_id: int) -> Select[Any]:
    """Seconds, one column a percentile."""
    firsts, row = _first_replies(broadcast_id).subquery(), BroadcastRecipient
    since = func.extract("epoch", firsts.c.at - func.coalesce(row.sent_at, row.claimed_at))
    seconds = case((since < 0, 0), else_=since)  # a text that came while the carrier's answer was on its way
    columns = [func.percentile_cont(part).within_group(seconds) for part in SHARES]
    joined = select(*columns).join(firsts, firsts.c.number == row.number)
    return joined.where(row.broadcast_id == broadcast_id)


def _met_by_person(broadcast_id: int) -> Select[int]:
    """Talks that an operator took, or wrote in, after the first text that answered this broadcast."""
    row = BroadcastReply
    firsts = select(row.thread_id, func.min(row.at).label("at")).where(row.broadcast_id == broadcast_id)
    firsts_of = firsts.group_by(row.thread_id).subquery()
    wrote = select(Message.id).where(
        Message.thread_id == firsts_of.c.thread_id, Message.direction == Direction.OUT,
        Message.author == Author.OPERATOR, Message.at >= firsts_of.c.at,
    )  # fmt: skip
    took = select(ThreadEvent.id).where(
        ThreadEvent.thread_id == firsts_of.c.thread_id, ThreadEvent.what == "owner_operator",
        ThreadEvent.at >= firsts_of.c.at,
    )  # fmt: skip
    return select(func.count()).select_from(firsts_of).where(wrote.exists() | took.exists())
