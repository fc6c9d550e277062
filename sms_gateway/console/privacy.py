"""查阅和删除: somebody asks for their own data, or that it be erased. Supervisors of the whole province only."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from pydantic import BaseModel, ConfigDict

from sms_gateway import clock, logs
from sms_gateway.database import transaction
from sms_gateway.errors import HotlineError
from sms_gateway.operators import presence, roster
from sms_gateway.operators.reach import region_of
from sms_gateway.retention import holds, own_file, request_rules, requests
from sms_gateway.retention.request_rules import Asker, Checked, Wants
from sms_gateway.tickets import export

from . import pages
from .ids import Id
from .seat import AnsweringSubjects, Seat
from .ticket_room import done

log = logs.get("console")
router = APIRouter()
PAGE = "/privacy"
Name = Annotated[str, Form()]
"""Of who asks, by their document: compared, never kept."""


class ProvinceOnly(HotlineError):
    status_code = 403
    sentence = "查阅和删除由管全省的值班长办，请转给他们。"


@router.get(PAGE)
async def show_requests(seat: AnsweringSubjects) -> Response:
    """The form, the words to say, and the newest requests without any number."""
    _check(seat)
    async with transaction() as session:
        listed = await requests.list_newest(session, by=seat.operator.id)
        people = {by for one in listed for by in (one.recorded_by, one.done_by) if by is not None}
        named = await roster.name_operators(session, people)
        await presence.note(
            session, operator_id=seat.operator.id, what="see_requests", subject=f"requests:{len(listed)}"
        )
    return pages.render(
        "privacy.html",
        seat=seat,
        requests=listed,
        named=named,
        said=request_rules.SAID,
        fewest=holds.FEWEST,
        longest=holds.LONGEST,
    )


class Asked(BaseModel):
    """The form: nothing of it but `words` is kept."""

    model_config = ConfigDict(hide_input_in_errors=True)

    wants: Wants
    asker: Asker
    checked: Checked
    number: str = ""
    name: str = ""
    words: str = ""


@router.post(PAGE)
async def record(request: Request, seat: AnsweringSubjects, asked: Annotated[Asked, Form()]) -> Response:
    """Look it up and decide. Raises `NotAPhoneNumber`, `NameIsMissing`, `HoldNeedsReason` (422)."""
    _check(seat)
    async with transaction() as session:
        one = await requests.record(
            session, number=asked.number, wants=asked.wants, asker=asked.asker, checked=asked.checked,
            asker_name=asked.name, words=asked.words, by=seat.operator.id,
        )  # fmt: skip
    return done(request, f"{PAGE}/{one.id}")


@router.get(PAGE + "/{privacy_id}")
async def show_request(privacy_id: Id, seat: AnsweringSubjects) -> Response:
    """What to say, and what may be done. Raises `RequestNotFound`."""
    _check(seat)
    async with transaction() as session:
        one = await requests.get(session, privacy_id)
        named = await roster.name_operators(session, {by for by in (one.recorded_by, one.done_by) if by is not None})
        waits = one.outcome == request_rules.Outcome.GRANTED and one.done_at is None
        two = waits and await requests.wants_another(session, one)
        await presence.note(session, operator_id=seat.operator.id, what="see_request", subject=f"request:{one.id}")
    return pages.render(
        "privacy_request.html",
        seat=seat,
        one=one,
        named=named,
        waits=waits,
        two=two,
        said=request_rules.SAID,
        why=request_rules.WHY[request_rules.Outcome(one.outcome)],
    )


@router.post(PAGE + "/{privacy_id}/file")
async def hand_out(privacy_id: Id, seat: AnsweringSubjects, name: Name = "") -> Response:
    """The person's own file, once. Raises what `requests.hand_out` raises."""
    _check(seat)
    made = b""
    async with transaction() as session:
        contact = await requests.hand_out(session, privacy_id, asker_name=name, by=seat.operator.id)
        async for batch in own_file.rows(session, contact.id):
            made += export.csv_lines(batch, first=not made)
    log.info("own_file_handed_out", request=privacy_id, operator=seat.operator.id)
    file_name = f"own-{privacy_id}-{clock.shanghai(clock.now()):%Y%m%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{file_name}"', "Cache-Control": "no-store"}
    return Response(made, media_type="text/csv; charset=utf-8", headers=headers)


@router.post(PAGE + "/{privacy_id}/erase")
async def erase(request: Request, privacy_id: Id, seat: AnsweringSubjects, name: Name = "") -> Response:
    """Everything of theirs goes, by another than who recorded it. Raises what `requests.erase` raises."""
    _check(seat)
    async with transaction() as session:
        await requests.erase(session, privacy_id, asker_name=name, by=seat.operator.id)
    log.info("erased_on_request", request=privacy_id, operator=seat.operator.id)
    return done(request, f"{PAGE}/{privacy_id}")


def _check(seat: Seat) -> None:
    if region_of(seat.operator.unit) is not None:
        raise ProvinceOnly
