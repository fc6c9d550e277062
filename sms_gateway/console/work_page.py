"""One ticket before a unit: the reworded copy, its own events, and the acts that are its own. Never the reporter, never the talk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData, UploadFile

from sms_gateway.database import transaction
from sms_gateway.departments.units import Unit
from sms_gateway.departments.visibility import Sight
from sms_gateway.errors import BadInput
from sms_gateway.tickets import attachments, deadlines, dispatching, extending, handling, service, told
from sms_gateway.tickets.attachments import Checked
from sms_gateway.tickets.file_types import MIME
from sms_gateway.tickets.lifecycle import Status
from sms_gateway.tickets.models import Attachment, Extension, Ticket
from sms_gateway.tickets.seen import Seen
from sms_gateway.tickets.told import Told

from . import pages, reasons, words
from .ids import Id
from .pages import unit_name
from .seat import Working
from .ticket_acts import said
from .ticket_room import Version, done
from .ticket_view import labelled, says, units_around
from .work_room import lock_work, note, read_work, unit_of, worker

router = APIRouter(prefix="/work/{ticket_id}")

PARTS = 20
"""A form with more is not ours; with more than five files it hears why it is refused."""


@dataclass(frozen=True)
class WorkView:
    """What the template asks."""

    seen: Seen
    unit: str
    told: Sequence[Told]
    files: Sequence[Attachment] = ()
    extension: Extension | None = None
    decided: Mapping[int, bool] = field(default_factory=dict)

    @property
    def ticket(self) -> Ticket:
        return self.seen.ticket

    def can(self, to: str) -> bool:
        return Status(to) in self.seen.may

    @property
    def in_hand(self) -> bool:
        return self.seen.sight is Sight.FULL

    @property
    def helps(self) -> bool:
        """It helps another unit: it reads, and does not move the matter."""
        return self.seen.dispatch is not None and self.seen.dispatch.role == "co"

    @property
    def lines(self) -> list[tuple[str, str]]:
        return labelled(self.seen.words)

    @cached_property
    def units(self) -> dict[str, list[Unit]]:
        """Whose duty it could be instead."""
        return units_around(self.ticket.place, but={self.unit})

    @property
    def may_extend(self) -> bool:
        ticket = self.ticket
        return (
            self.in_hand and not self.helps and self.extension is None and ticket.lane == "blue"
            and Status(ticket.status) in extending.EXTENDABLE
            and ticket.extensions < deadlines.time_limits().extensions_allowed
        )  # fmt: skip

    @property
    def latest(self) -> date:
        """The last day it may be extended to."""
        return deadlines.latest_extension(self.ticket.received_at).date()

    def who(self, line: Told) -> str:
        if line.own:
            return "本单位"
        if line.event.who.startswith("unit:"):
            return unit_name(told.unit_of(line.event.who))
        return "热线" if line.event.who.startswith("operator:") else words.WHO.get(line.event.who, "系统")

    def says(self, line: Told) -> str:
        return says(line.event)

    def files_of(self, line: Told) -> list[Attachment]:
        return [one for one in self.files if one.event_id == line.event.id]


@router.get("")
async def show_work(ticket_id: Id, seat: Working) -> Response:
    """One ticket; opening it is written into the audit."""
    unit = unit_of(seat)
    async with transaction() as session:
        found = await read_work(session, seat, ticket_id)
        events = told.told_to(unit, await service.list_events(session, ticket_id))
        files = await attachments.list_for(session, ticket_id, unit=unit)
        asked = await extending.find_request(session, ticket_id) if found.sight is Sight.FULL else None
        await note(
            session, seat, "open_work", f"ticket:{ticket_id}", reasons.THEIR_WORK if found.sight is Sight.FULL else None
        )
    view = WorkView(found, unit, events, files, asked)
    return pages.render("work_ticket.html", seat=seat, view=view, ticket=found.ticket, limits=attachments)


@router.post("/sign")
async def sign(request: Request, ticket_id: Id, seat: Working, version: Version) -> Response:
    async with transaction() as session:
        ticket = await lock_work(session, seat, ticket_id, version)
        await dispatching.sign(session, ticket, actor=worker(seat))
    return _back(request, ticket_id)


@router.post("/begin")
async def begin(request: Request, ticket_id: Id, seat: Working, version: Version) -> Response:
    async with transaction() as session:
        ticket = await lock_work(session, seat, ticket_id, version)
        await handling.begin(session, ticket, actor=worker(seat))
    return _back(request, ticket_id)


@router.post("/return")
async def give_back(request: Request, ticket_id: Id, seat: Working, version: Version) -> Response:
    """退单: the reason, and whose duty it is. After it the unit may not see it any more."""
    form = await request.form()
    async with transaction() as session:
        ticket = await lock_work(session, seat, ticket_id, version)
        duty = _text(form, "duty")
        if duty == unit_of(seat):
            raise BadInput("应归的单位不能是本单位，请另选一个。")
        if not duty:
            raise BadInput("还要选：应该归哪个单位。")
        await dispatching.give_back(session, ticket, actor=worker(seat), why=_text(form, "words"), duty=duty)
    return done(request, "/work")


@router.post("/ask")
async def ask(request: Request, ticket_id: Id, seat: Working, version: Version) -> Response:
    """补充: the desk reads the question before it goes out."""
    form = await request.form()
    async with transaction() as session:
        ticket = await lock_work(session, seat, ticket_id, version)
        await handling.ask(session, ticket, actor=worker(seat), question=_text(form, "words"))
    return _back(request, ticket_id)


@router.post("/extend")
async def extend(request: Request, ticket_id: Id, seat: Working, version: Version) -> Response:
    """申请延期; a shift lead decides."""
    form = await request.form()
    try:
        until = date.fromisoformat(_text(form, "until"))
    except ValueError:
        raise BadInput("请选延到哪一天。") from None
    async with transaction() as session:
        ticket = await lock_work(session, seat, ticket_id, version)
        await extending.ask(session, ticket, actor=worker(seat), reason=_text(form, "words"), until=until)
    return _back(request, ticket_id)


@router.post("/reply")
async def reply(request: Request, ticket_id: Id, seat: Working) -> Response:
    """答复, with files. The form is read here, after it is known who asks: strangers' uploads are never taken in."""
    async with request.form(max_files=PARTS, max_fields=PARTS) as form:
        files = await _files(form)
        version = _text(form, "version")
        if not version.isascii() or not version.isdigit() or len(version) > 18:
            raise BadInput
        async with transaction() as session:
            ticket = await lock_work(session, seat, ticket_id, int(version))
            actor = worker(seat)
            event = await handling.reply(session, ticket, actor=actor, words=_text(form, "words"))
            for one in files:
                await attachments.keep(session, ticket, one, who=str(actor), event=event)
    return _back(request, ticket_id)


async def _files(form: FormData) -> list[Checked]:
    """Every file that was chosen, checked before anything is written."""
    sent = [one for one in form.getlist("files") if isinstance(one, UploadFile) and one.filename]
    if len(sent) > attachments.MAX_FILES:
        raise attachments.TooManyFiles
    if any((one.size or 0) > attachments.MAX_BYTES for one in sent):
        raise attachments.FileIsTooLarge
    return [attachments.check(one.filename or "", await one.read(attachments.MAX_BYTES + 1)) for one in sent]


@router.get("/files/{file_id}")
async def download(ticket_id: Id, file_id: Id, seat: Working) -> Response:
    """One of the unit's own files, as a download."""
    async with transaction() as session:
        await read_work(session, seat, ticket_id)
        kept = await attachments.get(session, ticket_id=ticket_id, attachment_id=file_id, unit=unit_of(seat))
        await note(session, seat, "open_file", f"ticket:{ticket_id}")
    return Response(kept.content, media_type=MIME[kept.kind], headers=attachments.headers_for(kept))


def _text(form: FormData, name: str) -> str:
    """What somebody wrote there."""
    value = form.get(name)
    return said(value) if isinstance(value, str) else ""


def _back(request: Request, ticket_id: int) -> Response:
    return done(request, f"/work/{ticket_id}")
