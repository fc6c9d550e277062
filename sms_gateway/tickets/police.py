"""公安调取: a supervisor enters the letter, another allows it, the file is made once and locked; every step is audited.

The passphrase is shown once and kept nowhere: who loses it has the letter allowed again. The locked file stays for hours, its hash for good.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from sms_gateway import clock
from sms_gateway.clock import SHANGHAI
from sms_gateway.database import transaction
from sms_gateway.errors import Conflict, NotFound
from sms_gateway.operators.presence import note as audit
from sms_gateway.settings import get_settings

from . import locked_file, police_file, police_rules
from .police_models import PoliceRequest, Stage
from .police_rules import Letter


class RequestNotFound(NotFound):
    sentence = "没有这次调取。"


class CannotDecideRequest(Conflict):
    sentence = "这次调取不能批了：已经定过，或者是你自己登记的，要另一位值班长批。"


class CannotMakeFile(Conflict):
    sentence = "不能生成：还没有批、已经生成过，或者不是你登记的。口令丢了，请重新登记，再批一次。"


class FileIsGone(NotFound):
    sentence = "文件已经不在了：还没有生成，或者过了取件时间。要再取，请重新登记，再批一次。"


@dataclass(frozen=True)
class Made:
    """The finished file. `passphrase`: to be shown this once."""

    request: PoliceRequest
    passphrase: str = field(repr=False)


async def ask(session: AsyncSession, *, letter: Letter, scope: str, ref: int, operator_id: int) -> PoliceRequest:
    """Enter a letter. The caller has checked that the ticket or talk is theirs to see. Raises what `police_rules.checked` raises."""
    said = police_rules.checked(letter)
    row = PoliceRequest(
        letter=said.number, unit=said.unit, officers=said.officers, scope=scope, ref=ref,
        since=datetime.combine(said.since, time(), SHANGHAI), until=datetime.combine(said.until, time.max, SHANGHAI),
        asked_by=operator_id, asked_at=clock.now(),
    )  # fmt: skip
    session.add(row)
    await session.flush()
    await _note(session, row, "ask_police_file", operator_id, f"文书号 {said.number}，{said.unit}")
    return row


async def decide(session: AsyncSession, request_id: int, *, operator_id: int, allow: bool) -> PoliceRequest:
    """Another supervisor allows or refuses it. Raises `CannotDecideRequest` (409)."""
    row = await get(session, request_id, for_update=True)
    if not police_rules.may_decide(state=row.state, asked_by=row.asked_by, by=operator_id):
        raise CannotDecideRequest
    row.state, row.decided_by, row.decided_at = Stage.APPROVED if allow else Stage.REFUSED, operator_id, clock.now()
    await _note(
        session, row, "approve_police_file" if allow else "refuse_police_file", operator_id, f"文书号 {row.letter}"
    )
    return row


async def make(session: AsyncSession, request_id: int, *, operator_id: int, badges: Mapping[int, str]) -> Made:
    """Collect, pack and lock the file. Raises `CannotMakeFile` (409), `ImageIsBroken` (500; then nothing is made)."""
    row = await get(session, request_id, for_update=True)
    if not police_rules.may_make(state=row.state, asked_by=row.asked_by, by=operator_id):
        raise CannotMakeFile
    folder = await police_file.collect(session, row, badges=badges)
    passphrase = locked_file.new_passphrase()
    packed = await asyncio.to_thread(police_file.pack, folder)
    locked = await asyncio.to_thread(locked_file.lock, packed, passphrase)
    row.state, row.made_at, row.size, row.file = Stage.MADE, clock.now(), len(locked), locked
    row.digest, row.inner_digest = hashlib.sha256(locked).hexdigest(), hashlib.sha256(packed).hexdigest()
    row.file_until = row.made_at + timedelta(hours=get_settings().police_file_hours)
    await _note(
        session,
        row,
        "make_police_file",
        operator_id,
        f"文书号 {row.letter}，{len(folder.files)} 个文件，SHA-256 {row.digest}",
    )
    return Made(row, passphrase)


async def fetch(session: AsyncSession, request_id: int, *, operator_id: int) -> tuple[PoliceRequest, bytes]:
    """The locked file, for who entered the letter, while it is there. Raises `FileIsGone` (404)."""
    wanted = select(PoliceRequest).where(PoliceRequest.id == request_id).options(undefer(PoliceRequest.file))
    row = await session.scalar(wanted)
    now = clock.now()
    if row is None or row.file is None or row.file_until is None or row.file_until < now or row.asked_by != operator_id:
        raise FileIsGone
    row.fetched_at = now
    await _note(session, row, "fetch_police_file", operator_id, f"SHA-256 {row.digest}")
    return row, row.file


async def forget_files() -> int:
    """Take away files whose time is over; returns how many. Any number of processes may."""
    async with transaction() as session:
        over = update(PoliceRequest).where(PoliceRequest.file.is_not(None), PoliceRequest.file_until < clock.now())
        return len((await session.execute(over.values(file=None).returning(PoliceRequest.id))).all())


async def get(session: AsyncSession, request_id: int, *, for_update: bool = False) -> PoliceRequest:
    """One request without its file. Raises `RequestNotFound`."""
    wanted = select(PoliceRequest).where(PoliceRequest.id == request_id)
    row = await session.scalar(wanted.with_for_update() if for_update else wanted)
    if row is None:
        raise RequestNotFound
    return row


async def list_requests(
    session: AsyncSession, *, within: ColumnElement[bool], limit: int = 100
) -> Sequence[PoliceRequest]:
    """The newest first; `within`: which of them the reader may see."""
    rows = select(PoliceRequest).where(within).order_by(PoliceRequest.id.desc()).limit(limit)
    return (await session.scalars(rows)).all()


async def _note(session: AsyncSession, row: PoliceRequest, what: str, operator_id: int, detail: str) -> None:
    """About the matter itself, so that who is shut out from it sees nothing of this in the audit either."""
    subject = f"{'ticket' if row.scope == 'ticket' else 'thread'}:{row.ref}"
    await audit(session, operator_id=operator_id, what=what, subject=subject, detail=f"调取 {row.id}，{detail}")
