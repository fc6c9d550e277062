"""Sensitive pictures and files (裸露、伤情, reports that hold them): no preview, no download, no way out but the police's.

Their bytes lie in a table of their own, so that whatever hands out attachments has none to give. Two people open one: who asks says
why, another with the right to it allows it, and then it is shown once, to who asked, within minutes. Both acts are audited.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from sms_gateway import clock
from sms_gateway.errors import BadInput, Conflict, HotlineError, NotFound
from sms_gateway.operators.presence import note as audit
from sms_gateway.settings import get_settings

from . import sealed_rules, visible
from .models import Attachment, Ticket
from .sealed_models import ImageOpening, Opening, SealedImage

FEWEST_REASON, LONGEST_REASON = 5, 300


class FileIsSealed(HotlineError):
    status_code = 403
    sentence = "这是敏感图片或文件，已经封存，不能预览和下载；只有两个人一起才能打开，只交给公安。"


class ReasonIsMissing(BadInput):
    sentence = f"请写明为什么要打开（{FEWEST_REASON} 到 {LONGEST_REASON} 个字），会记入留痕。"


class ImageNotFound(NotFound):
    sentence = "没有这个封存的文件。"


class CannotDecide(Conflict):
    sentence = "这次申请不能批了：过了时间、已经定过，或者是你自己申请的，要另一个人批。"


class CannotOpen(Conflict):
    sentence = "打不开：没有批、过了时间，或者已经打开过一次。要再看，请重新申请。"


class ImageIsBroken(HotlineError):
    status_code = 500
    sentence = "文件和封存时的指纹对不上，没有打开。请马上报个人信息保护负责人。"


async def is_sensitive(session: AsyncSession, ticket: Ticket) -> bool:
    """Whether every file of this matter is sealed, as it stands now."""
    return sealed_rules.is_sensitive_matter(await visible.facts_of(session, ticket), ticket.kind)


async def is_shut(session: AsyncSession, row: Attachment) -> bool:
    """Whether this file is shut: sealed already, or in a matter that has become one of harm."""
    if row.sealed_at is not None:
        return True
    return await is_sensitive(session, await session.get_one(Ticket, row.ticket_id))


async def seal(session: AsyncSession, row: Attachment, *, who: str, why: str) -> SealedImage:
    """Move the bytes of a file (read with its content) into the sealed store. Sealed already: that one, as it is."""
    found = await session.scalar(select(SealedImage).where(SealedImage.attachment_id == row.id))
    if found is not None:
        return found
    content = row.content
    made = SealedImage(
        attachment_id=row.id, ticket_id=row.ticket_id, content=content, digest=hashlib.sha256(content).hexdigest(), why=why, who=who,
        at=clock.now(),
    )  # fmt: skip
    row.content_sealed, row.sealed_at = None, made.at
    session.add(made)
    await session.flush()
    return made


async def mark(session: AsyncSession, ticket: Ticket, *, attachment_id: int, operator_id: int) -> SealedImage:
    """Somebody at the desk says it is sensitive, whatever the matter. Not to be taken back. Raises `ImageNotFound`."""
    row = await _file(session, ticket, attachment_id)
    made = await seal(session, row, who=f"operator:{operator_id}", why="marked")
    await audit(
        session, operator_id=operator_id, what="seal_image", subject=f"ticket:{ticket.id}", detail=f"文件 {row.id}"
    )
    return made


async def ask(
    session: AsyncSession, ticket: Ticket, *, attachment_id: int, operator_id: int, reason: str
) -> ImageOpening:
    """Ask to see it once. Raises `ReasonIsMissing` (422), `ImageNotFound` (404)."""
    why = " ".join(reason.split())
    if not FEWEST_REASON <= len(why) <= LONGEST_REASON:
        raise ReasonIsMissing
    row = await _file(session, ticket, attachment_id)
    if not await is_shut(session, row):
        raise ImageNotFound
    image = await seal(session, row, who="system", why="matter")
    now = clock.now()
    made = ImageOpening(
        image_id=image.id,
        ticket_id=ticket.id,
        asked_by=operator_id,
        asked_at=now,
        reason=why,
        expires_at=now + _time_to_act(),
    )
    session.add(made)
    await session.flush()
    await audit(
        session,
        operator_id=operator_id,
        what="ask_image",
        subject=f"ticket:{ticket.id}",
        detail=f"文件 {row.id}，{why}",
    )
    return made


async def decide(
    session: AsyncSession, *, ticket_id: int, opening_id: int, operator_id: int, allow: bool
) -> ImageOpening:
    """Another person allows or refuses it. Raises `CannotDecide` (409), `ImageNotFound` (404)."""
    row = await _opening(session, ticket_id, opening_id)
    now = clock.now()
    if not sealed_rules.may_decide(
        state=row.state, asked_by=row.asked_by, by=operator_id, expires_at=row.expires_at, now=now
    ):
        raise CannotDecide
    row.state = Opening.APPROVED if allow else Opening.REFUSED
    row.decided_by, row.decided_at, row.expires_at = operator_id, now, now + _time_to_act()
    what = "approve_image" if allow else "refuse_image"
    await audit(session, operator_id=operator_id, what=what, subject=f"ticket:{ticket_id}", detail=f"申请 {row.id}")
    return row


async def open_once(
    session: AsyncSession, *, ticket_id: int, opening_id: int, operator_id: int
) -> tuple[Attachment, bytes]:
    """The file, for who asked, this one time. Raises `CannotOpen` (409), `ImageIsBroken` (500), `ImageNotFound` (404)."""
    row = await _opening(session, ticket_id, opening_id)
    now = clock.now()
    if not sealed_rules.may_open(
        state=row.state, asked_by=row.asked_by, by=operator_id, expires_at=row.expires_at, now=now
    ):
        raise CannotOpen
    row.state, row.opened_at = Opening.OPENED, now
    image, content = await read(session, row.image_id)
    await audit(
        session, operator_id=operator_id, what="open_image", subject=f"ticket:{ticket_id}", detail=f"申请 {row.id}"
    )
    return await session.get_one(Attachment, image.attachment_id), content


async def read(session: AsyncSession, image_id: int) -> tuple[SealedImage, bytes]:
    """A sealed picture with its content, held against its hash: for `open_once`, and for the police's file. Raises `ImageIsBroken`."""
    wanted = select(SealedImage).where(SealedImage.id == image_id).options(undefer(SealedImage.content_sealed))
    image = (await session.scalars(wanted)).one()
    content = image.content
    if hashlib.sha256(content).hexdigest() != image.digest:
        raise ImageIsBroken
    return image, content


async def list_of(session: AsyncSession, ticket_id: int) -> Sequence[SealedImage]:
    """A ticket's sealed files without their content, oldest first."""
    return (
        await session.scalars(select(SealedImage).where(SealedImage.ticket_id == ticket_id).order_by(SealedImage.id))
    ).all()


async def list_openings(
    session: AsyncSession, *, within: ColumnElement[bool], asked_by: int | None = None, limit: int = 100
) -> Sequence[tuple[ImageOpening, SealedImage, Ticket]]:
    """The newest askings, each with its picture and ticket; `within`: condition over `Ticket`. `asked_by`: one person's own."""
    wanted = select(ImageOpening, SealedImage, Ticket).join(SealedImage, SealedImage.id == ImageOpening.image_id)
    wanted = wanted.join(Ticket, Ticket.id == ImageOpening.ticket_id).where(within)
    if asked_by is not None:
        wanted = wanted.where(ImageOpening.asked_by == asked_by)
    rows = await session.execute(wanted.order_by(ImageOpening.id.desc()).limit(limit))
    return [(opening, image, ticket) for opening, image, ticket in rows]


async def _file(session: AsyncSession, ticket: Ticket, attachment_id: int) -> Attachment:
    wanted = select(Attachment).where(Attachment.id == attachment_id, Attachment.ticket_id == ticket.id)
    found = await session.scalar(wanted.options(undefer(Attachment.content_sealed)).with_for_update())
    if found is None:
        raise ImageNotFound
    return found


async def _opening(session: AsyncSession, ticket_id: int, opening_id: int) -> ImageOpening:
    wanted = select(ImageOpening).where(ImageOpening.id == opening_id, ImageOpening.ticket_id == ticket_id)
    found = await session.scalar(wanted.with_for_update())
    if found is None:
        raise ImageNotFound
    return found


def _time_to_act() -> timedelta:
    return timedelta(minutes=get_settings().sealed_image_minutes)
