"""What is handed to the police: the original words, the record with its hashes, all files with their SHA-256, in one ZIP.

Nothing is reworded or left out of the scope (see `police_rules`); nothing outside the scope and the letter's days is put in, whatever
the scope: what a ticket says now may have been told on another day, so then only the events of the letter's days go.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload, undefer

from sms_gateway import clock
from sms_gateway.messages.models import Direction, Message, Thread

from . import chain, sealed_images
from .models import Attachment, Ticket, TicketEvent
from .police_models import PoliceRequest

AUTHORS = {"person": "来信人", "assistant": "小助手", "system": "系统", "operator": "值班员"}
NOTE = """调取证据材料

文书号：{letter}
办案单位：{unit}
办案人员：{officers}
范围：{scope}，{since} 至 {until}（北京时间）
生成：{at}（北京时间）；经办工号 {asked_by}，批准工号 {decided_by}

内容都是原话、原件，没有删改。时间是北京时间，.json 里另有带时区的时间。
只有起止日期之内的：之外的话、经过、文件都不在里面；工单有之外的内容时，complete 是 false。
对话/    来往短信、网页对话，逐条有 SHA-256
工单/    登记的内容；“经过”里每条有内容哈希和链哈希，从 chain_before 接起，改一条就接不上
附件/    承办单位交来的文件；封存文件/ 是封存的图片、文件原件，请只由办案人员打开
SHA256SUMS.txt    每个文件的 SHA-256，用 sha256sum -c SHA256SUMS.txt 核对

来信人、孩子的身份和内容依法保密（未成年人保护法第四条、第一百零三条），请只用于本案。
"""


@dataclass
class Folder:
    """Files by their path in the ZIP."""

    files: dict[str, bytes] = field(default_factory=dict)

    def put(self, path: str, content: str | bytes) -> None:
        self.files[path] = content.encode() if isinstance(content, str) else content

    def put_json(self, path: str, content: Any) -> None:
        self.put(path, json.dumps(content, ensure_ascii=False, indent=1))


async def collect(session: AsyncSession, request: PoliceRequest, *, badges: Mapping[int, str]) -> Folder:
    """Everything within the request. `badges`: of the two who asked and allowed, by id. Raises `ImageIsBroken`."""
    folder = Folder()
    tickets = await _tickets(session, request)
    for thread_id in sorted({ticket.thread_id for ticket in tickets} if request.scope == "ticket" else {request.ref}):
        await _put_talk(session, folder, request, thread_id)
    for ticket in tickets:
        await _put_ticket(session, folder, request, ticket)
        await _put_files(session, folder, request, ticket)
    names = "、".join(ticket.number for ticket in tickets)
    scope = (
        f"工单 {names}" if request.scope == "ticket" else f"会话 {request.ref}" + (f"，工单 {names}" if names else "")
    )
    folder.put("说明.txt", NOTE.format(
        letter=request.letter, unit=request.unit, officers=request.officers, scope=scope, since=_local(request.since),
        until=_local(request.until), at=_local(clock.now()), asked_by=badges.get(request.asked_by, ""),
        decided_by=badges.get(request.decided_by or 0, ""),
    ))  # fmt: skip
    return folder


def pack(folder: Folder) -> bytes:
    """The ZIP, with the SHA-256 of each file in it."""
    held = io.BytesIO()
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {path}\n" for path, content in sorted(folder.files.items()))
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as packed:
        for path, content in sorted(folder.files.items()):
            packed.writestr(path, content)
        packed.writestr("SHA256SUMS.txt", sums)
    return held.getvalue()


async def _tickets(session: AsyncSession, request: PoliceRequest) -> Sequence[Ticket]:
    wanted = select(Ticket).options(joinedload(Ticket.contact))
    if request.scope == "ticket":
        wanted = wanted.where(Ticket.id == request.ref)
    else:
        wanted = wanted.where(Ticket.thread_id == request.ref, Ticket.received_at.between(request.since, request.until))
    return (await session.scalars(wanted.order_by(Ticket.id))).all()


async def _put_talk(session: AsyncSession, folder: Folder, request: PoliceRequest, thread_id: int) -> None:
    thread = (
        await session.scalars(select(Thread).where(Thread.id == thread_id).options(joinedload(Thread.contact)))
    ).one()
    within = select(Message).where(Message.thread_id == thread_id, Message.at.between(request.since, request.until))
    messages = (await session.scalars(within.order_by(Message.id))).all()
    lines = [f"会话 {thread_id}　渠道 {thread.channel}　来信地址 {thread.contact.address}", ""]
    for one in messages:
        arrow = "来" if one.direction == Direction.IN else f"去（{one.state or ''}）"
        lines.append(f"{_local(one.at)}　{AUTHORS.get(one.author, one.author)}　{arrow}\n{one.body}\n")
    folder.put(f"对话/会话-{thread_id}.txt", "\n".join(lines))
    folder.put_json(f"对话/会话-{thread_id}.json", {
        "talk": thread_id, "channel": thread.channel, "address": thread.contact.address, "messages": [_message(one) for one in messages],
    })  # fmt: skip


def _message(one: Message) -> dict[str, Any]:
    return {
        "id": one.id, "at": _iso(one.at), "direction": one.direction, "author": one.author, "operator": one.operator_id, "body": one.body,
        "sha256": hashlib.sha256(one.body.encode()).hexdigest(), "carrier": one.carrier, "carrier_id": one.carrier_id,
        "state": one.state, "sent_at": _iso(one.sent_at), "delivered_at": _iso(one.delivered_at), "lane": one.lane, "harm": one.harm,
    }  # fmt: skip


def _is_within(request: PoliceRequest, at: datetime) -> bool:
    return request.since <= at <= request.until


async def _put_ticket(session: AsyncSession, folder: Folder, request: PoliceRequest, ticket: Ticket) -> None:
    events = list(
        await session.scalars(select(TicketEvent).where(TicketEvent.ticket_id == ticket.id).order_by(TicketEvent.seq))
    )
    inside = [one for one in events if _is_within(request, one.at)]
    before = next((one.chain_hash for one in reversed(events) if inside and one.seq < inside[0].seq), None)
    folder.put_json(f"工单/{ticket.number}.json", _ticket(request, ticket, events))
    folder.put_json(f"工单/{ticket.number}-经过.json", {
        "uid": ticket.uid.hex, "chain_before": (before or chain.start(ticket.uid)).hex(), "events": [_event(one) for one in inside],
    })  # fmt: skip


def _ticket(request: PoliceRequest, ticket: Ticket, events: Sequence[TicketEvent]) -> dict[str, Any]:
    """What was told, if all of it was told within the letter's days; how it stands now, if nothing happened after them."""
    told = [ticket.received_at, *(one.at for one in events if one.what == "details")]
    made: dict[str, Any] = {"number": ticket.number, "address": ticket.contact.address}
    if all(_is_within(request, at) for at in told):
        made |= {"kind": ticket.kind, "received_at": _iso(ticket.received_at), "answers": ticket.answers}
    complete = all(_is_within(request, at) for at in (*told, *(one.at for one in events)))
    if complete:
        made |= {
            "lane": ticket.lane, "status": ticket.status, "place": ticket.place, "category": ticket.category, "unit": ticket.unit,
            "closed_at": _iso(ticket.closed_at), "head": ticket.head.hex() if ticket.head else None,
        }  # fmt: skip
    return {**made, "complete": complete}


def _event(one: TicketEvent) -> dict[str, Any]:
    return {
        "seq": one.seq, "uid": one.uid.hex, "what": one.what, "who": one.who, "at": _iso(one.at), "from": one.from_status,
        "to": one.to_status, "why": one.why, "why_digest": one.why_digest.hex() if one.why_digest else None, "detail": one.detail,
        "content_hash": one.content_hash.hex(), "chain_hash": one.chain_hash.hex(),
    }  # fmt: skip


async def _put_files(session: AsyncSession, folder: Folder, request: PoliceRequest, ticket: Ticket) -> None:
    wanted = select(Attachment).where(
        Attachment.ticket_id == ticket.id, Attachment.erased_at.is_(None), Attachment.at.between(request.since, request.until)
    )  # fmt: skip
    found = await session.scalars(wanted.options(undefer(Attachment.content_sealed)).order_by(Attachment.id))
    files = {row.id: row for row in found}
    for row in files.values():
        if row.sealed_at is None:
            folder.put(f"附件/{ticket.number}-{row.id}-{row.name}", row.content)
    for image in await sealed_images.list_of(session, ticket.id):
        if (inside := files.get(image.attachment_id)) is not None:
            _image, content = await sealed_images.read(session, image.id)
            folder.put(f"封存文件/{ticket.number}-{inside.id}-{inside.name}", content)


def _local(at: datetime) -> str:
    return f"{clock.shanghai(at):%Y-%m-%d %H:%M:%S}"


def _iso(at: datetime | None) -> str | None:
    return clock.shanghai(at).isoformat() if at is not None else None
