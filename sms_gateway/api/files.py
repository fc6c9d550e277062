"""Files beside a reply: uploaded first, named by their ids in the reply."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, Path, Response, UploadFile

from sms_gateway.database import transaction
from sms_gateway.tickets import attachments, seen

from .keys import Called, note
from .schemas import AttachmentOut
from .tickets import Number

router = APIRouter(prefix="/tickets", tags=["attachments"])


@router.post("/{number}/attachments", summary="上传一个附件：PDF、JPG、PNG、DOCX、XLSX，10 MB 以内", status_code=201)
async def upload(number: Number, caller: Called, file: Annotated[UploadFile, File()]) -> AttachmentOut:
    content = await file.read(attachments.MAX_BYTES + 1)
    async with transaction() as session:
        found = await seen.get_seen(session, caller.unit.code, number=number)
        kept = await attachments.add(
            session, found.ticket, who=str(caller.actor), name=file.filename or "", content=content
        )
        await note(session, caller, "api_upload_file", f"ticket:{found.ticket.id}")
        return AttachmentOut(id=kept.id, name=kept.name, kind=kept.kind, size=kept.size, sha256=kept.digest, at=kept.at)


@router.get(
    "/{number}/attachments/{attachment_id}", summary="取一个附件", response_class=Response,
    responses={200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}},
)  # fmt: skip
async def download(number: Number, attachment_id: Annotated[int, Path(ge=1, le=2**53)], caller: Called) -> Response:
    async with transaction() as session:
        found = await seen.get_seen(session, caller.unit.code, number=number)
        kept = await attachments.get(
            session, ticket_id=found.ticket.id, attachment_id=attachment_id, unit=caller.unit.code
        )
        await note(session, caller, "api_open_file", f"ticket:{found.ticket.id}")
        return Response(kept.content, media_type="application/octet-stream", headers=attachments.headers_for(kept))
