"""敏感图片和文件: marked, asked for, allowed by another, and given once: a picture on a page of its own that holds nothing else and is kept
nowhere, any other file as a download.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.conversations import recusing
from sms_gateway.database import transaction
from sms_gateway.operators import roster
from sms_gateway.operators.reach import region_of
from sms_gateway.settings import get_settings
from sms_gateway.tickets import attachments, scope, sealed_images, sealed_rules
from sms_gateway.tickets.file_types import MIME
from sms_gateway.tickets.models import Attachment, Ticket

from . import audit_names, audit_view, pages
from .ids import Id
from .rules import Act
from .seat import ApprovingImages, AskingForImages, Seat
from .ticket_room import done, read_ticket

router = APIRouter()
APART = {
    "Content-Security-Policy": "default-src 'none'; img-src data:; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store, private",
    "Referrer-Policy": "no-referrer",
}
"""The picture's page: no script, no form, nothing from anywhere; the picture itself is in the page, so that it has no address."""


@dataclass(frozen=True)
class SealedPart:
    """What the ticket's page shows of it: files that are shut, and those that could be marked."""

    shut: Sequence[Attachment]
    open: Sequence[Attachment]


def part_of(files: Sequence[Attachment]) -> SealedPart:
    """`files` as `attachments.list_for` gave them."""
    return SealedPart([one for one in files if one.shut], [one for one in files if not one.shut])


@router.get("/sealed")
async def show_askings(seat: AskingForImages) -> Response:
    """One's own askings; for who may allow them, everybody's of the region."""
    async with transaction() as session:
        within = recusing.tickets_open_to(seat.operator.id) & scope.in_region(region_of(seat.operator.unit))
        own = None if seat.may(Act.APPROVE_IMAGE) else seat.operator.id
        rows = await sealed_images.list_openings(session, within=within, asked_by=own)
        people = {id_ for row, _image, _ticket in rows for id_ in (row.asked_by, row.decided_by) if id_}
        named = await roster.name_operators(session, people)
        names = await audit_names.known(session, {f"ticket:{ticket.id}" for _row, _image, ticket in rows})
    return pages.render(
        "sealed.html", seat=seat, rows=rows, named=named, may_decide=_asks(sealed_rules.may_decide, seat),
        may_open=_asks(sealed_rules.may_open, seat), minutes=get_settings().sealed_image_minutes,
        why=lambda row, ticket: audit_view.masked(row.reason, names.get(f"ticket:{ticket.id}", ())),
    )  # fmt: skip


def _asks(rule: Any, seat: Seat) -> Any:
    """The rule over one asking, for this seat and now."""
    return lambda row: rule(
        state=row.state, asked_by=row.asked_by, by=seat.operator.id, expires_at=row.expires_at, now=clock.now()
    )


@router.post("/tickets/{ticket_id}/files/{file_id}/seal")
async def mark(request: Request, ticket_id: Id, file_id: Id, seat: AskingForImages) -> Response:
    """标为敏感: from now on nobody has it, the desk neither."""
    async with transaction() as session:
        ticket = await read_ticket(session, seat, ticket_id)
        await sealed_images.mark(session, ticket, attachment_id=file_id, operator_id=seat.operator.id)
    return done(request, f"/tickets/{ticket_id}")


@router.post("/tickets/{ticket_id}/files/{file_id}/ask")
async def ask(
    request: Request, ticket_id: Id, file_id: Id, seat: AskingForImages, reason: Annotated[str, Form()] = ""
) -> Response:
    async with transaction() as session:
        ticket = await read_ticket(session, seat, ticket_id)
        await sealed_images.ask(session, ticket, attachment_id=file_id, operator_id=seat.operator.id, reason=reason)
    return done(request, "/sealed")


@router.post("/tickets/{ticket_id}/openings/{opening_id}/approve")
async def approve(request: Request, ticket_id: Id, opening_id: Id, seat: ApprovingImages) -> Response:
    return await _decide(request, seat, ticket_id, opening_id, allow=True)


@router.post("/tickets/{ticket_id}/openings/{opening_id}/refuse")
async def refuse(request: Request, ticket_id: Id, opening_id: Id, seat: ApprovingImages) -> Response:
    return await _decide(request, seat, ticket_id, opening_id, allow=False)


async def _decide(request: Request, seat: Seat, ticket_id: int, opening_id: int, *, allow: bool) -> Response:
    async with transaction() as session:
        await read_ticket(session, seat, ticket_id)
        by = seat.operator.id
        await sealed_images.decide(session, ticket_id=ticket_id, opening_id=opening_id, operator_id=by, allow=allow)
    return done(request, "/sealed")


@router.post("/tickets/{ticket_id}/openings/{opening_id}/open")
async def open_it(ticket_id: Id, opening_id: Id, seat: AskingForImages) -> Response:
    """The file, once. The act is committed before it leaves: a lost answer counts as seen."""
    async with transaction() as session:
        ticket: Ticket = await read_ticket(session, seat, ticket_id)
        number = ticket.number
        row, content = await _open(session, seat, ticket_id, opening_id)
    if row.kind not in sealed_rules.IMAGES:
        return Response(content, media_type=MIME[row.kind], headers=attachments.headers_for(row))
    address = f"data:{MIME[row.kind]};base64,{b64encode(content).decode()}"
    return pages.render("sealed_image.html", headers=APART, seat=seat, number=number, address=address)


async def _open(session: AsyncSession, seat: Seat, ticket_id: int, opening_id: int) -> tuple[Attachment, bytes]:
    return await sealed_images.open_once(
        session, ticket_id=ticket_id, opening_id=opening_id, operator_id=seat.operator.id
    )
