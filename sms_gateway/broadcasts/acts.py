"""What people do with a broadcast: write it, release it, start, stop and end it. Each act is one row's change and one event."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, time
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.database import notify
from sms_gateway.errors import BadInput, Conflict, NotFound

from . import lifecycle
from .drafting import NotBeforeIsPast, check
from .lifecycle import Status
from .models import Broadcast, BroadcastEvent

MACHINE = "machine"
"""Who did it where no account did: the governor, or somebody at the server's command line."""

RESTORED = "restored"
"""Why one stands still that ran, or was approved, in a backup: it may have gone further since."""


class BroadcastNotFound(NotFound):
    sentence = "没有这条群发。"


class SomebodyWasQuicker(Conflict):
    sentence = "别人刚改过这条群发。您写的还在，请刷新看过再存。"


class AudienceIsNotReady(Conflict):
    sentence = "名单还没有准备好，先点“准备名单”。"


class NumberOfRecipientsIsAnother(BadInput):
    sentence = "填的人数和名单的人数不一样。请看清楚要发给多少人，再填一次。"


@dataclass(frozen=True)
class Draft:
    """All an editor may set. `audience`: `segments.Segment` as data. Times of day are Asia/Shanghai."""

    title: str
    body: str
    audience: dict[str, Any]
    template_id: int | None = None
    scheduled_at: datetime | None = None
    hours_start: time = time(9)
    hours_end: time = time(20)
    region_hours: dict[str, list[str]] | None = None
    pilot: int = 1000
    first_county: str | None = None
    carrier_segments: float = 10.0
    reply_share: float = 0.001
    quiet_days: float = 7.0
    waiting_seconds: float = 120.0
    danger_replies: int = 3
    error_share: float = 0.1


OF_THE_LEDGER = ("audience", "pilot", "first_county")
"""A change of these makes the prepared ledger another's."""


async def get(
    session: AsyncSession, broadcast_id: int, *, version: int | None = None, for_update: bool = False
) -> Broadcast:
    """The broadcast; with `version` only if nobody changed it since. Raises `BroadcastNotFound`, `SomebodyWasQuicker`."""
    wanted = select(Broadcast).where(Broadcast.id == broadcast_id)
    if for_update:
        wanted = wanted.with_for_update()
    found = await session.scalar(wanted.execution_options(populate_existing=for_update))
    if found is None:
        raise BroadcastNotFound
    if version is not None and found.version != version:
        raise SomebodyWasQuicker
    return found


async def create(session: AsyncSession, *, operator_id: int, draft: Draft) -> Broadcast:
    """A new draft. Raises what `drafting.check` raises."""
    check(draft, now=clock.now())
    values = {**asdict(draft), "region_hours": draft.region_hours or {}}
    made = Broadcast(
        **values, status=Status.DRAFT, created_by=operator_id, created_at=clock.now(), authors=[operator_id], waves=[]
    )
    session.add(made)
    await session.flush()
    await note(session, made, "created", who=_person(operator_id))
    return made


async def edit(session: AsyncSession, broadcast_id: int, *, version: int, operator_id: int, draft: Draft) -> Broadcast:
    """Change a draft; whoever changes it is one of its authors. Raises also `lifecycle.BroadcastCannotMove` where it is none."""
    one = await get(session, broadcast_id, version=version, for_update=True)
    if one.status != Status.DRAFT:
        raise lifecycle.BroadcastCannotMove
    check(draft, now=clock.now())
    values = {**asdict(draft), "region_hours": draft.region_hours or {}}
    changed = [name for name, value in values.items() if getattr(one, name) != value]
    if not changed:
        return one
    for name in changed:
        setattr(one, name, values[name])
    if any(name in OF_THE_LEDGER for name in changed):
        one.prepared, one.total, one.duplicates, one.waves = "none", 0, 0, []
    if operator_id not in one.authors:
        one.authors = [*one.authors, operator_id]
    await _changed(session, one, "edited", operator_id, fields=changed)
    return one


async def approve(
    session: AsyncSession, broadcast_id: int, *, version: int, operator_id: int, recipients: int
) -> Broadcast:
    """The second person lets it go: not one who wrote any of it, and with the number of recipients read and typed."""
    one = await get(session, broadcast_id, version=version, for_update=True)
    lifecycle.move(one.status, Status.APPROVED)
    lifecycle.check_approval(approver=operator_id, authors=frozenset(one.authors))
    if one.prepared != "ready" or one.total < 1:
        raise AudienceIsNotReady
    if recipients != one.total:
        raise NumberOfRecipientsIsAnother
    if one.scheduled_at is not None and one.scheduled_at < clock.now():
        raise NotBeforeIsPast
    one.status, one.approved_by, one.approved_at = Status.APPROVED, operator_id, clock.now()
    await _changed(session, one, "approved", operator_id, recipients=recipients)
    return one


async def take_back(
    session: AsyncSession, broadcast_id: int, *, version: int | None, operator_id: int | None, reason: str
) -> Broadcast:
    """From approved to draft, or a draft sent back to who wrote it, with the reason. `version` None: whatever it is by now."""
    one = await get(session, broadcast_id, version=version, for_update=True)
    if one.status != Status.DRAFT:
        one.status = lifecycle.move(one.status, Status.DRAFT)
        one.approved_by = one.approved_at = None
    if operator_id is None:
        await _changed(session, one, "sent_back", None, reason=reason)
    else:
        await _changed(session, one, "sent_back", operator_id, words=reason.strip()[:200])
    return one


async def start(session: AsyncSession, broadcast_id: int, *, version: int, operator_id: int | None) -> Broadcast:
    """Let an approved one run now; `operator_id` None: its time has come."""
    one = await get(session, broadcast_id, version=version, for_update=True)
    if one.status != Status.APPROVED:  # going on after a pause is `resume`: a person has looked
        raise lifecycle.BroadcastCannotMove
    one.status = lifecycle.move(one.status, Status.RUNNING)
    one.started_at = one.resumed_at = clock.now()
    await _changed(session, one, "started", operator_id)
    return one


async def pause(
    session: AsyncSession, broadcast_id: int, *, operator_id: int | None, reason: str = "person"
) -> Broadcast:
    """Stop it within two seconds. No version is asked for: whoever wants it to stop is right."""
    one = await get(session, broadcast_id, for_update=True)
    if one.status == Status.PAUSED:
        return one
    one.status = lifecycle.move(one.status, Status.PAUSED)
    one.paused_at, one.pause_reason = clock.now(), reason
    await _changed(session, one, "paused", operator_id, reason=reason)
    return one


async def pause_all(session: AsyncSession, *, operator_id: int | None) -> list[int]:
    """Stop whatever runs, as `pause` does; their ids."""
    running = list(await session.scalars(select(Broadcast.id).where(Broadcast.status == Status.RUNNING)))
    for broadcast_id in running:
        await pause(session, broadcast_id, operator_id=operator_id)
    return running


async def resume(
    session: AsyncSession, broadcast_id: int, *, version: int, operator_id: int, danger_seen: int
) -> Broadcast:
    """Let it go on. `danger_seen`: red and orange replies the page showed; only further ones stop it again."""
    one = await get(session, broadcast_id, version=version, for_update=True)
    if one.pause_reason == "wave":
        raise lifecycle.BroadcastCannotMove
    one.status = lifecycle.move(one.status, Status.RUNNING)
    one.paused_at = one.pause_reason = None
    one.resumed_at, one.danger_seen = clock.now(), max(one.danger_seen, danger_seen)
    await _changed(session, one, "resumed", operator_id)
    return one


async def next_wave(
    session: AsyncSession, broadcast_id: int, *, version: int, operator_id: int, danger_seen: int
) -> Broadcast:
    """The wave is through and a person has seen what came back: the next begins."""
    one = await get(session, broadcast_id, version=version, for_update=True)
    if one.pause_reason != "wave" or one.wave + 1 >= len(one.waves):
        raise lifecycle.BroadcastCannotMove
    one.status = lifecycle.move(one.status, Status.RUNNING)
    one.paused_at = one.pause_reason = None
    one.wave += 1
    one.resumed_at, one.danger_seen = clock.now(), max(one.danger_seen, danger_seen)
    await _changed(session, one, "next_wave", operator_id, wave=one.wave)
    return one


async def cancel(session: AsyncSession, broadcast_id: int, *, operator_id: int | None) -> Broadcast:
    """End it for good; whoever was not texted yet is not. No version, as of `pause`; `operator_id` None: at the command line."""
    one = await get(session, broadcast_id, for_update=True)
    one.status = lifecycle.move(one.status, Status.CANCELLED)
    one.ended_at = clock.now()
    await _changed(session, one, "cancelled", operator_id)
    return one


def _person(operator_id: int | None) -> str:
    return MACHINE if operator_id is None else f"operator:{operator_id}"


async def _changed(
    session: AsyncSession,
    one: Broadcast,
    what: str,
    operator_id: int | None,
    *,
    words: str | None = None,
    **detail: Any,
) -> None:
    one.version += 1
    await note(session, one, what, who=_person(operator_id), words=words, **detail)


async def note(
    session: AsyncSession, one: Broadcast, what: str, *, who: str, words: str | None = None, **detail: Any
) -> None:
    """Write the event, and tell open pages. `words`: what a colleague wrote, kept sealed; nothing of it in `detail`."""
    session.add(BroadcastEvent(broadcast_id=one.id, what=what, who=who, at=clock.now(), detail=detail, words=words))
    await session.flush()
    await notify(session, "hotline_broadcast", str(one.id))
