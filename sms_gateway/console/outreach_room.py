"""What the pages of outreach share: who did what, the places to choose from, where a broadcast's own page is."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, regions
from sms_gateway.broadcasts import overview
from sms_gateway.broadcasts.governing import TOO_LATE
from sms_gateway.broadcasts.lifecycle import ENDED, Status
from sms_gateway.broadcasts.models import Broadcast, BroadcastEvent
from sms_gateway.operators import presence, roster
from sms_gateway.operators.models import Operator
from sms_gateway.regions import Region

from . import outreach_words
from .ids import LARGEST
from .seat import Seat

PAGE = "/outreach"
EVENTS_SHOWN = 30
Version = Annotated[int, Form(ge=1, le=LARGEST)]


@dataclass(frozen=True)
class Happened:
    """An event as people read it."""

    what: str
    name: str
    at: datetime
    says: str
    detail: Mapping[str, Any]


def place_groups() -> list[tuple[Region, list[Region]]]:
    """Prefectures with their counties."""
    return [(place, regions.list_regions("county", place.adcode)) for place in regions.list_regions("prefecture")]


async def list_events(session: AsyncSession, broadcast_id: int) -> list[Happened]:
    """The newest acts on it first."""
    rows = await overview.list_events(session, broadcast_id, limit=EVENTS_SHOWN)
    people = await name_people(
        session, [int(number) for row in rows if (number := row.who.partition(":")[2]).isdigit()]
    )
    return [Happened(row.what, _name(row.who, people), row.at, _says(row), row.detail) for row in rows]


async def name_people(session: AsyncSession, ids: Collection[int | None]) -> dict[int, Operator]:
    """The accounts of those ids."""
    return await roster.name_operators(session, {one for one in ids if one is not None})


def _name(who: str, people: Mapping[int, Operator]) -> str:
    number = who.partition(":")[2]
    found = people.get(int(number)) if number.isdigit() else None
    return found.name if found else "系统"


def _says(row: BroadcastEvent) -> str:
    detail = row.detail or {}
    match row.what:
        case "edited":
            names = dict.fromkeys(outreach_words.FIELDS.get(name, name) for name in detail.get("fields", ()))
            return "、".join(names)
        case "approved":
            return f"{outreach_words.thousands(detail.get('recipients', 0))} 个号码"
        case "sent_back":
            return row.words or outreach_words.PAUSES.get(str(detail.get("reason")), "")
        case "paused":
            return outreach_words.PAUSES.get(str(detail.get("reason")), "")
        case "prepare_failed":
            return str(detail.get("why") or "")
        case "prepared":
            return f"{outreach_words.thousands(detail.get('total', 0))} 个号码"
        case "tested":
            return f"{len(detail.get('messages', ()))} 条"
    return ""


def way_to(one: Broadcast) -> str:
    """The page on which this one goes on."""
    if one.status == Status.DRAFT:
        return f"{PAGE}/{one.id}/write"
    if one.status == Status.APPROVED:
        return f"{PAGE}/{one.id}/release"
    never_ran = one.started_at is None
    return f"{PAGE}/{one.id}/report" if one.status in ENDED and not never_ran else f"{PAGE}/{one.id}/run"


def missed_its_time(one: Broadcast) -> bool:
    """Whether it was to begin by itself and will not any more (`governing.TOO_LATE`)."""
    late = one.scheduled_at is not None and one.scheduled_at < clock.now() - TOO_LATE
    return one.status == Status.APPROVED and late


def next_step(one: Broadcast) -> str:
    """A key of `outreach_words.NEXT`."""
    if one.status == Status.DRAFT:
        return {"ready": "approve", "preparing": "preparing", "failed": "prepare_again"}.get(one.prepared, "prepare")
    if one.status == Status.APPROVED:
        return "wait" if one.scheduled_at and not missed_its_time(one) else "start"
    if one.status == Status.PAUSED:
        return "wave" if one.pause_reason == "wave" else "look"
    return "watch" if one.status == Status.RUNNING else "report"


async def note(session: AsyncSession, seat: Seat, what: str, subject: str, detail: str | None = None) -> None:
    """An audit row."""
    await presence.note(session, operator_id=seat.operator.id, what=what, subject=subject, detail=detail)


def done(request: Request, path: str) -> Response:
    """After an act: that page, for a script or a plain form."""
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"HX-Redirect": path})
    return RedirectResponse(path, status_code=303)


def by_place(counts: Mapping[str, int]) -> Sequence[tuple[str, int]]:
    """Counts by region, the largest first; those of an unknown one last."""
    return sorted(counts.items(), key=lambda pair: (pair[0] == "", -pair[1], pair[0]))
