"""Choices of people kept under a name, from the composer's own form."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from sms_gateway.broadcasts import segments
from sms_gateway.broadcasts.segments import Segment
from sms_gateway.database import transaction

from .ids import Id
from .outreach_form import audience_of, typed
from .outreach_room import PAGE, done
from .seat import WritingOutreach

router = APIRouter(prefix=f"{PAGE}/segments")


@router.post("")
async def save(
    request: Request, seat: WritingOutreach, segment_title: Annotated[str, Form(max_length=400)] = ""
) -> Response:
    """Keep what is chosen on the page. Nothing of the page is read again: what is typed there stays."""
    chosen = Segment.from_data(audience_of(typed(await request.form())))
    async with transaction() as session:
        await segments.save(session, title=segment_title, segment=chosen, created_by=seat.operator.id)
    return Response(status_code=204)


@router.post("/{segment_id}/remove")
async def remove(request: Request, segment_id: Id, seat: WritingOutreach) -> Response:  # noqa: ARG001 - the permission
    """Forget the name; broadcasts keep what they chose."""
    async with transaction() as session:
        await segments.delete_saved(session, segment_id=segment_id)
    return done(request, f"{PAGE}/rolls")
