"""公安调取: the letter, the second signature, the file made once, its passphrase shown once; and what was handed over so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, logs
from sms_gateway.conversations import recusing, talk
from sms_gateway.database import transaction
from sms_gateway.errors import BadInput, NotFound
from sms_gateway.operators import roster
from sms_gateway.operators.reach import region_of
from sms_gateway.settings import get_settings
from sms_gateway.tickets import locked_file, police, police_rules, scope
from sms_gateway.tickets.models import Ticket
from sms_gateway.tickets.police_models import PoliceRequest
from sms_gateway.tickets.police_rules import Letter

from . import pages
from .ids import Id, is_id
from .seat import HandingToPolice, Seat
from .ticket_room import done

log = logs.get("console")
router = APIRouter(prefix="/police")


class NothingToHandOver(NotFound):
    sentence = "没有这个单号的工单，或没有这个编号的会话。"


class ScopeNeedsProvince(BadInput):
    sentence = "只管一个地区的值班长，只能调本地区的工单；会话请管全省的值班长调。"


class LetterForm(BaseModel):
    """The letter as it is typed in. `scope`: `ticket` (with an 8-digit number) or `talk` (with its id)."""

    letter: str = ""
    unit: str = ""
    officers: str = ""
    scope: str = "ticket"
    number: str = ""
    since: str = ""
    until: str = ""


@dataclass(frozen=True)
class Line:
    """One request in the list, with what may be done by this seat."""

    row: PoliceRequest
    about: str
    link: str
    may_decide: bool
    may_make: bool
    may_fetch: bool


@router.get("")
async def show_requests(seat: HandingToPolice) -> Response:
    """What was asked for and handed over, and the form."""
    async with transaction() as session:
        rows = await police.list_requests(session, within=recusing.police_open_to(seat.operator.id))
        numbers = await _numbers(
            session, [row.ref for row in rows if row.scope == "ticket"], region_of(seat.operator.unit)
        )
        people = {id_ for row in rows for id_ in (row.asked_by, row.decided_by) if id_}
        named = await roster.name_operators(session, people)
    region = region_of(seat.operator.unit)
    lines = [
        _line(row, seat, numbers) for row in rows if region is None or (row.ref in numbers and row.scope == "ticket")
    ]
    today = clock.shanghai(clock.now()).date()
    return pages.render(
        "police.html", seat=seat, lines=lines, named=named, hours=get_settings().police_file_hours, longest=police_rules.LONGEST,
        first=today - timedelta(days=30), today=today, province=region is None,
    )  # fmt: skip


def _line(row: PoliceRequest, seat: Seat, numbers: Mapping[int, str]) -> Line:
    by, ticket = seat.operator.id, row.scope == "ticket"
    fetchable = row.asked_by == by and row.file_until is not None and row.file_until > clock.now()
    return Line(
        row, f"工单 {numbers.get(row.ref, row.ref)}" if ticket else f"会话 {row.ref}", f"/tickets/{row.ref}" if ticket else f"/talks/{row.ref}",
        police_rules.may_decide(state=row.state, asked_by=row.asked_by, by=by),
        police_rules.may_make(state=row.state, asked_by=row.asked_by, by=by), fetchable,
    )  # fmt: skip


@router.post("")
async def enter(request: Request, seat: HandingToPolice, sent: Annotated[LetterForm, Form()]) -> Response:
    """登记一份调取证据通知书."""
    try:
        since, until = date.fromisoformat(sent.since), date.fromisoformat(sent.until)
    except ValueError:
        raise police_rules.PeriodIsWrong from None
    letter = Letter(sent.letter, sent.unit, sent.officers, since, until)
    async with transaction() as session:
        ref = await _find(session, seat, sent)
        await recusing.check(session, seat.operator.id, sent.scope, ref)
        row = await police.ask(session, letter=letter, scope=sent.scope, ref=ref, operator_id=seat.operator.id)
    log.info("police_request_entered", request=row.id, operator=seat.operator.id)
    return done(request, "/police")


@router.post("/{request_id}/approve")
async def approve(request: Request, request_id: Id, seat: HandingToPolice) -> Response:
    return await _decide(request, seat, request_id, allow=True)


@router.post("/{request_id}/refuse")
async def refuse(request: Request, request_id: Id, seat: HandingToPolice) -> Response:
    return await _decide(request, seat, request_id, allow=False)


async def _decide(request: Request, seat: Seat, request_id: int, *, allow: bool) -> Response:
    async with transaction() as session:
        await _check_region(session, seat, await police.get(session, request_id))
        await police.decide(session, request_id, operator_id=seat.operator.id, allow=allow)
    return done(request, "/police")


@router.post("/{request_id}/make")
async def make(request_id: Id, seat: HandingToPolice) -> Response:
    """The file, once; the answer is the only place its passphrase ever stands."""
    async with transaction() as session:
        row = await police.get(session, request_id)
        await _check_region(session, seat, row)
        people = await roster.name_operators(session, {id_ for id_ in (row.asked_by, row.decided_by) if id_})
        badges = {id_: one.badge for id_, one in people.items()}
        made = await police.make(session, request_id, operator_id=seat.operator.id, badges=badges)
    log.info("police_file_made", request=request_id, operator=seat.operator.id, size=made.request.size)
    name = file_name(made.request)
    command = locked_file.COMMAND.format(name=name.removesuffix(".enc"))
    return pages.render(
        "police_made.html", seat=seat, made=made, name=name, command=command, hours=get_settings().police_file_hours
    )


@router.get("/files/{request_id}")
async def fetch(request_id: Id, seat: HandingToPolice) -> Response:
    """The locked file, for who entered the letter."""
    async with transaction() as session:
        await _check_region(session, seat, await police.get(session, request_id))
        row, content = await police.fetch(session, request_id, operator_id=seat.operator.id)
    headers = {"Content-Disposition": f'attachment; filename="{file_name(row)}"', "X-SHA256": row.digest or ""}
    return Response(content, media_type="application/octet-stream", headers=headers)


def file_name(row: PoliceRequest) -> str:
    """Says nothing of the letter or of anybody."""
    return f"evidence-{row.id}.zip.enc"


async def _find(session: AsyncSession, seat: Seat, sent: LetterForm) -> int:
    """The id of what the letter asks for. Raises `NothingToHandOver`, `ScopeNeedsProvince`."""
    region, number = region_of(seat.operator.unit), sent.number.strip()
    if sent.scope == "talk" and is_id(number):
        if region is not None:
            raise ScopeNeedsProvince
        return (await talk.get_talk(session, int(number))).id
    if sent.scope == "ticket":
        found = await session.scalar(select(Ticket).where(Ticket.number == number))
        if found is not None and scope.lies_in(found.place, region):
            return found.id
    raise NothingToHandOver


async def _check_region(session: AsyncSession, seat: Seat, row: PoliceRequest) -> None:
    region = region_of(seat.operator.unit)
    if region is None:
        return
    place = await session.scalar(select(Ticket.place).where(Ticket.id == row.ref)) if row.scope == "ticket" else None
    if place is None or not scope.lies_in(place, region):
        raise police.RequestNotFound


async def _numbers(session: AsyncSession, ids: list[int], region: str | None) -> dict[int, str]:
    found = await session.execute(select(Ticket.id, Ticket.number).where(Ticket.id.in_(ids), scope.in_region(region)))
    return {row.id: row.number for row in found}
