"""Writing the audit: rows are noted during a transaction and put at the end of their writer's chain when it commits.

At the commit and not before: the chain's end is then locked for as long as a commit takes, whatever the transaction did
until then, and it is always the last lock taken, so that two who write can wait for each other but never in a circle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import bindparam, event, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from sms_gateway import clock, logs
from sms_gateway.crypto import blind_index, sealed_for

from . import audit_chain as chain
from .models import AuditRow, AuditStream

log = logs.get("audit")
NEW_STREAM = "audit_stream"
"""Written by the system once for each writer: a whole chain that is taken away is missed."""
END_PURPOSE = "audit.end"
_NOTED = "audit_noted"
_ENDS = AuditStream.__table__
_END = select(_ENDS.c.length, _ENDS.c.head, _ENDS.c.seal).where(_ENDS.c.stream == bindparam("of")).with_for_update()


@dataclass(frozen=True)
class Noted:
    """One row to be."""

    stream: str
    operator_id: int | None
    what: str
    subject: str
    detail: str | None = field(default=None, repr=False)
    at: datetime = field(default_factory=clock.now)
    uid: UUID = field(default_factory=uuid4)


def write(
    session: AsyncSession, *, operator_id: int | None, what: str, subject: str, detail: str | None = None, stream: str | None = None
) -> None:  # fmt: skip
    """Note a row; it stands in the table once this transaction commits, and not before.

    `stream`: who writes, where that is no operator (`key:3`, `terminal`); by default `operator:<id>`, else `system`.
    """
    by = stream or (f"operator:{operator_id}" if operator_id is not None else chain.SYSTEM)
    session.info.setdefault(_NOTED, []).append(Noted(by, operator_id, what, subject, detail))


def end_seal(stream: str, length: int, head: bytes) -> bytes:
    """The keyed digest of where a chain ends."""
    return blind_index(chain.end_text(stream, length, head), END_PURPOSE)


@event.listens_for(Session, "before_commit")
def _chain_what_was_noted(session: Session) -> None:
    if _NOTED not in session.info or session.in_nested_transaction():
        return
    noted: list[Noted] = session.info.pop(_NOTED)
    streams: dict[str, list[Noted]] = {}
    for one in noted:
        streams.setdefault(one.stream, []).append(one)
    ours = streams.pop(chain.SYSTEM, [])
    for stream in sorted(streams):  # everybody locks in this order
        if _append(session, stream, streams[stream]):
            ours.append(Noted(chain.SYSTEM, None, NEW_STREAM, stream))
    if ours:
        _append(session, chain.SYSTEM, ours)


def _append(session: Session, stream: str, noted: Sequence[Noted]) -> bool:
    """Put rows at the end of a chain; whether the chain is new.

    An end whose seal is wrong was changed behind our back. The row is written all the same, for nobody's help may wait for
    that, but the end is not sealed anew: `hotline audit verify` goes on finding it.
    """
    found = session.execute(_END, {"of": stream}).one_or_none()
    is_new = found is None
    if found is None:
        first = chain.start(stream)
        begun = upsert(AuditStream).values(stream=stream, length=0, head=first, seal=end_seal(stream, 0, first))
        session.execute(begun.on_conflict_do_nothing())  # somebody may have been quicker
        found = session.execute(_END, {"of": stream}).one()
    length, head, seal = found
    whole = seal == end_seal(stream, length, head)
    if not whole:
        log.error("audit_chain_broken", stream=stream)
    rows = []
    for one in noted:
        row, head = _row(one, length + 1, head)
        rows.append(row)
        length += 1
    session.execute(insert(AuditRow), rows)
    sealed = end_seal(stream, length, head) if whole else seal
    moved = update(AuditStream).where(AuditStream.stream == stream).values(length=length, head=head, seal=sealed)
    session.execute(moved.execution_options(synchronize_session=False))
    return is_new


def _row(one: Noted, seq: int, before: bytes) -> tuple[dict[str, Any], bytes]:
    """A row as the table holds it, and the chain hash it ends with."""
    content = chain.content_hash(
        uid=one.uid, stream=one.stream, seq=seq, at=one.at, operator_id=one.operator_id, what=one.what, subject=one.subject,
        has_detail=one.detail is not None,
    )  # fmt: skip
    head = chain.link(before, content)
    sealed = (
        sealed_for(AuditRow.__tablename__, "detail_sealed", one.uid, one.detail) if one.detail is not None else None
    )
    row = {
        "uid": one.uid, "at": one.at, "operator_id": one.operator_id, "what": one.what, "subject": one.subject, "detail_sealed": sealed,
        "has_detail": sealed is not None,
        "stream": one.stream, "seq": seq, "content_hash": content, "chain_hash": head,
    }  # fmt: skip
    return row, head
