"""回看: children who were seen, to be looked at again by the follower of their county; never through the child's phone."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from sms_gateway import clock, regions
from sms_gateway.bridge import duty_book
from sms_gateway.conversations import looking_back, recusing
from sms_gateway.database import transaction
from sms_gateway.escalations import look_backs
from sms_gateway.escalations.look_backs import Look
from sms_gateway.escalations.models import Escalation
from sms_gateway.operators import presence, roster
from sms_gateway.operators.models import Role
from sms_gateway.operators.reach import region_of

from . import pages
from .ids import Id
from .seat import Following, Seat
from .ticket_room import done

router = APIRouter()
PAGE = "/follow"
SOON = timedelta(hours=24)
LOOK_RESULTS = {"safe": "安全", "not_reached": "没见到", "unsafe": "不安全", "moved": "并到新的呼叫"}
SEEN = "已见到孩子"
"""How `records.note_child_seen` begins its line."""
Words = Annotated[str, Form(max_length=4000)]
Result = Annotated[str, Form(max_length=16)]


def mark_name(mark: str) -> str:
    """What a look is called: 24 小时, 7 天, 再找第 2 次."""
    known = {"24h": "24 小时", "72h": "72 小时", "7d": "7 天", "30d": "30 天"}
    return known.get(mark) or f"再找第 {mark[1:]} 次"


def scope_of(seat: Seat) -> str | None:
    """Where this seat looks: a follower's county; a supervisor's whole province."""
    return region_of(seat.operator.unit) if seat.operator.role == Role.FOLLOWER else None


@router.get(PAGE)
async def show_looks(seat: Following) -> Response:
    """Overdue first, then what comes; below, what was written last."""
    region, shut = scope_of(seat), recusing.shut_to(seat.operator.id)
    async with transaction() as session:
        waiting = await look_backs.list_open(session, region=region, without=shut)
        written = await look_backs.list_done(session, region=region, without=shut)
        late = await look_backs.overdue_count(session, region=region, without=shut)
        by_place = await look_backs.overdue_by_region(session, without=shut) if region is None else {}
        named = await roster.name_operators(session, {one.row.done_by for one in written if one.row.done_by})
    soon = clock.now() + SOON
    return pages.render(
        "follow.html", seat=seat, region=region, late=late, named=named, written=written, results=LOOK_RESULTS, mark_name=mark_name,
        overdue=[one for one in waiting if one.overdue],
        coming=[one for one in waiting if not one.overdue],
        soon=sum(not one.overdue and one.row.due_at <= soon for one in waiting),
        by_place=sorted(by_place.items(), key=lambda item: (-item[1], item[0] or "")),
    )  # fmt: skip


@router.get(PAGE + "/{look_back_id}")
async def show_look(look_back_id: Id, seat: Following) -> Response:
    """One look: where the child was seen and with whom, whom to call there. Opening it is written into the audit."""
    async with transaction() as session:
        look = await look_backs.get_look(session, look_back_id, region=scope_of(seat))
        rows = await look_backs.list_of_case(session, look.row.escalation_id)
        posts = await duty_book.on_hand(session, look.region)
        named = await roster.name_operators(session, {one.done_by for one in rows if one.done_by})
        await presence.note(
            session, operator_id=seat.operator.id, what="open_look_back", subject=f"look_back:{look_back_id}"
        )
    return pages.render(
        "follow_case.html", seat=seat, look=look, rows=rows, posts=posts, named=named, kinds=duty_book.KINDS, mark_name=mark_name,
        results=LOOK_RESULTS, seen=seen_lines(look.escalation), place=_place(look),
    )  # fmt: skip


def seen_lines(case: Escalation) -> list[str]:
    """What the record says of the child being seen; the whole of it where no line does. The talk itself stays shut here."""
    lines = [line for line in (case.note or "").splitlines() if line.strip()]
    return [line for line in lines if SEEN in line] or lines


def _place(look: Look) -> str:
    return regions.full_name(look.region) if look.region else ""


@router.post(PAGE + "/{look_back_id}/write")
async def write(request: Request, look_back_id: Id, seat: Following, result: Result = "", words: Words = "") -> Response:  # fmt: skip
    """Write what came of it: safe, not reached (tomorrow again), or not safe (danger again, at once)."""
    async with transaction() as session:
        await looking_back.write(
            session, look_back_id, region=scope_of(seat), operator_id=seat.operator.id, result=result, words=words
        )
    return done(request, PAGE)
