"""Files beside a reply: checked by content, sealed as a whole, handed out as downloads only."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from sms_gateway import clock
from sms_gateway.errors import BadInput, HotlineError, NotFound

from . import sealed_images
from .file_types import clean_name, kind_of
from .models import Attachment, Ticket, TicketEvent

MEGABYTE = 1024 * 1024
MAX_BYTES = 10 * MEGABYTE
"""Of one file."""
MAX_TOGETHER = 20 * MEGABYTE
"""Of all files of one request; the shield cuts off what is longer (`shield.MAX_UPLOAD`)."""
MAX_FILES = 5
"""Beside one reply."""
MAX_WAITING = 10
"""Uploaded by one hand for one ticket, and no reply has named them yet."""


class FileIsTooLarge(HotlineError):
    status_code = 413
    sentence = "文件太大：每个不超过 10 MB，一次一共不超过 20 MB。"


class TooManyFiles(BadInput):
    sentence = f"一次最多 {MAX_FILES} 个附件。"


class TooManyWaiting(BadInput):
    sentence = "先传的附件还没有用在答复里，请先答复。"


class AttachmentNotFound(NotFound):
    sentence = "没有这个附件。"


@dataclass(frozen=True)
class Checked:
    """A file that may be kept."""

    name: str
    kind: str
    content: bytes


def check(name: str, content: bytes) -> Checked:
    """Raises `FileIsTooLarge` (413) and what `file_types.kind_of` raises (422)."""
    if len(content) > MAX_BYTES:
        raise FileIsTooLarge
    kind = kind_of(name, content)
    return Checked(clean_name(name, kind), kind, content)


async def add(session: AsyncSession, ticket: Ticket, *, who: str, name: str, content: bytes) -> Attachment:
    """Check and keep one file, uploaded by `who` (an event's `who`); a reply names it afterwards (`belong_to`)."""
    checked = check(name, content)
    waiting = select(func.count()).where(
        Attachment.ticket_id == ticket.id, Attachment.who == who, Attachment.event_id.is_(None)
    )
    if (await session.scalar(waiting) or 0) >= MAX_WAITING:
        raise TooManyWaiting
    return await keep(session, ticket, checked, who=who)


async def keep(
    session: AsyncSession, ticket: Ticket, checked: Checked, *, who: str, event: TicketEvent | None = None
) -> Attachment:
    """Keep a checked file, beside `event` at once where there is one."""
    row = Attachment(
        ticket_id=ticket.id, event_id=event.id if event is not None else None, who=who, name=checked.name, kind=checked.kind,
        content=checked.content, size=len(checked.content), digest=hashlib.sha256(checked.content).hexdigest(), at=clock.now(),
    )  # fmt: skip
    session.add(row)
    await session.flush()
    if await sealed_images.is_sensitive(session, ticket):
        await sealed_images.seal(session, row, who="system", why="matter")
    return row


async def belong_to(
    session: AsyncSession, ticket: Ticket, event: TicketEvent, *, ids: Sequence[int], who: str
) -> list[Attachment]:
    """Put files that `who` uploaded for this ticket beside the reply `event`.

    Raises `TooManyFiles` (422), and `AttachmentNotFound` (404) for one that is another's or is used already.
    """
    if len(set(ids)) > MAX_FILES:
        raise TooManyFiles
    wanted = select(Attachment).where(
        Attachment.id.in_(ids), Attachment.ticket_id == ticket.id, Attachment.who == who, Attachment.event_id.is_(None)
    )
    found = list(await session.scalars(wanted.order_by(Attachment.id).with_for_update()))
    if len(found) != len(set(ids)):
        raise AttachmentNotFound
    for row in found:
        row.event_id = event.id
    await session.flush()
    return found


async def list_for(session: AsyncSession, ticket_id: int, *, unit: str | None = None) -> list[Attachment]:
    """The ticket's files without their content, oldest first; for a unit only its own. `shut` says which nobody may have."""
    wanted = select(Attachment).where(Attachment.ticket_id == ticket_id, _of(unit))
    found = list(await session.scalars(wanted.order_by(Attachment.id)))
    some_open = any(row.sealed_at is None for row in found)
    all_shut = some_open and await sealed_images.is_sensitive(session, await session.get_one(Ticket, ticket_id))
    for row in found:
        row.shut = row.sealed_at is not None or all_shut
    return found


async def get(session: AsyncSession, *, ticket_id: int, attachment_id: int, unit: str | None = None) -> Attachment:
    """One file with its content; for a unit only its own. Raises `AttachmentNotFound`, `FileIsSealed` (403)."""
    wanted = select(Attachment).where(Attachment.id == attachment_id, Attachment.ticket_id == ticket_id, _of(unit))
    found = await session.scalar(wanted.options(undefer(Attachment.content_sealed)))
    if found is None:
        raise AttachmentNotFound
    if await sealed_images.is_shut(session, found):
        raise sealed_images.FileIsSealed
    return found


def _of(unit: str | None) -> ColumnElement[bool]:
    """Written by any account or system of the unit: another unit's files are not its to read."""
    return true() if unit is None else func.split_part(Attachment.who, ":", 2) == unit


def headers_for(row: Attachment) -> dict[str, str]:
    """For a download: never shown inside a page, never guessed at, nothing in it may run."""
    return {
        "Content-Disposition": f"attachment; filename=\"file-{row.id}.{row.kind}\"; filename*=UTF-8''{quote(row.name)}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "no-store",
    }
