"""模板: texts with what the carriers say of them. A text is checked as the composer checks it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from sms_gateway import logs
from sms_gateway.broadcasts import composing, drafting, templates
from sms_gateway.broadcasts.templates import MOVES, Registration
from sms_gateway.database import transaction
from sms_gateway.errors import HotlineError

from . import pages
from .ids import Id
from .outreach_room import PAGE, done, name_people, note
from .seat import SeeingOutreach, WritingOutreach

log = logs.get("console")
router = APIRouter(prefix=f"{PAGE}/templates")
HERE = f"{PAGE}/templates"
Title = Annotated[str, Form(max_length=400)]
Body = Annotated[str, Form(max_length=4000)]
Version = Annotated[str, Form(max_length=40)]


@router.get("")
async def show_templates(seat: SeeingOutreach) -> Response:
    """All of them, and the form for a new one."""
    async with transaction() as session:
        rows = await templates.list_templates(session)
        people = await name_people(session, [row.changed_by for row in rows])
    facts = {row.id: _composed(row.body) for row in rows}
    moves = {row.id: [to for to in Registration if to in MOVES[Registration(row.state)]] for row in rows}
    return pages.render(
        "outreach_templates.html", seat=seat, rows=rows, people=people, facts=facts, moves=moves, version_of=templates.version_of,
        longest_title=drafting.LONGEST_TITLE, longest_body=drafting.LONGEST_BODY,
    )  # fmt: skip


def _composed(body: str) -> composing.Composed | None:
    """None for words that the rules refuse by now."""
    try:
        return drafting.composed_of(body)
    except HotlineError:
        return None


@router.post("")
async def create(request: Request, seat: WritingOutreach, title: Title = "", body: Body = "") -> Response:
    """A new one."""
    title, body = templates.checked(title, body)
    async with transaction() as session:
        made = await templates.create(session, title=title, body=body, operator_id=seat.operator.id)
        await note(session, seat, "write_template", f"template:{made.id}")
    log.info("template_made", template=made.id, operator=seat.operator.id)
    return done(request, HERE)


@router.post("/{template_id}")
async def change(
    request: Request,
    template_id: Id,
    seat: WritingOutreach,
    *,
    version: Version = "",
    title: Title = "",
    body: Body = "",
) -> Response:
    """Other words or another name."""
    async with transaction() as session:
        await templates.get(session, template_id)
        title, body = templates.checked(title, body)
        await templates.change(
            session, template_id=template_id, version=version, title=title, body=body, operator_id=seat.operator.id
        )
        await note(session, seat, "write_template", f"template:{template_id}")
    return done(request, HERE)


@router.post("/{template_id}/state")
async def set_state(
    request: Request,
    template_id: Id,
    seat: WritingOutreach,
    *,
    version: Version = "",
    to: Annotated[str, Form(max_length=12)] = "",
    number: Annotated[str, Form(max_length=80)] = "",
    words: Annotated[str, Form(max_length=400)] = "",
) -> Response:
    """What the carrier says of it."""
    async with transaction() as session:
        await templates.set_state(
            session, template_id=template_id, version=version, to=to, number=number, note=words, operator_id=seat.operator.id,
        )  # fmt: skip
        await note(session, seat, "move_template", f"template:{template_id}", to)
    log.info("template_moved", template=template_id, to=to, operator=seat.operator.id)
    return done(request, HERE)
