"""Finds an audit row that was changed, taken away, moved or put in behind the system's back: every chain, end and anchor anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sealing import SealBroken
from sms_gateway.clock import shanghai

from . import audit, audit_anchors
from . import audit_chain as chain
from .models import AuditAnchor, AuditRow, AuditStream

Anchored = Mapping[int, tuple[str, bytes]]
"""Of one chain: the day and the chain hash an anchor names, by the row's place."""
Base = tuple[int, bytes]
"""The place and the chain hash of the last row that is not there any more."""


@dataclass(frozen=True)
class Finding:
    """Something that is not as we wrote it: a ticket's number or a chain of the audit and the place in it, or an anchor's day."""

    where: str
    what: str
    seq: int | None = None

    def __str__(self) -> str:
        return f"{self.where}{f' 第 {self.seq} 条' if self.seq is not None else ''}：{self.what}"


@dataclass
class Report:
    """`last`: the newest anchor's day and root in hex, to hold against a copy kept elsewhere; `blanked`: the last day without reasons."""

    rows: int = 0
    anchors: int = 0
    last: tuple[str, str] | None = None
    blanked: str = ""
    findings: list[Finding] = field(default_factory=list)


async def verify(session: AsyncSession) -> Report:
    """Check everything. Run it in one REPEATABLE READ transaction, so that what is written meanwhile is no finding."""
    report = Report()
    dropped = await dropped_through(session)
    report.blanked = await dropped_through(session, audit_anchors.BLANKED)
    base, anchored = await _check_anchors(session, report, dropped)
    ends = {row.stream: row for row in await session.scalars(select(AuditStream))}
    written = set(await session.scalars(select(AuditRow.stream).distinct()))
    named = set(await session.scalars(select(AuditRow.subject).where(AuditRow.what == audit.NEW_STREAM)))
    for stream in sorted(written | set(ends) | set(base) | set(anchored) | named):
        known = anchored.get(stream, {})
        place, head = await _check_rows(session, report, stream, base.get(stream), known)
        report.findings += _check_end(stream, ends.get(stream), place, head)
        missed = [day for seq, (day, _head) in known.items() if seq > place]
        if missed:
            report.findings.append(Finding(_name(stream), f"{min(missed)} 的存证里有的，现在没有了"))
    return report


def _name(stream: str) -> str:
    return f"审计 {stream}"


async def dropped_through(session: AsyncSession, what: str = audit_anchors.DROPPED) -> str:
    """The last day that was dropped (or blanked) by ourselves; "" for none. Its row stands in the system's chain, which is checked too."""
    wanted = select(AuditRow.subject).where(AuditRow.what == what, AuditRow.stream == chain.SYSTEM)
    return max((subject.partition(":")[2] for subject in await session.scalars(wanted)), default="")


async def _check_anchors(
    session: AsyncSession, report: Report, dropped: str
) -> tuple[dict[str, Base], dict[str, dict[int, tuple[str, bytes]]]]:
    """Where each chain begins behind what was dropped, and what the later anchors say of it."""
    rows = (await session.scalars(select(AuditAnchor).order_by(AuditAnchor.day))).all()
    base: dict[str, Base] = {}
    anchored: dict[str, dict[int, tuple[str, bytes]]] = {}
    before = audit_anchors.NO_ROOT
    for anchor in rows:
        heads = audit_anchors.read_heads(anchor)
        if audit_anchors.root_of(before, anchor.day, anchor.rows, heads) != anchor.root:
            report.findings.append(Finding(f"{anchor.day} 的审计存证", "改过，或前一天的存证换过"))
        before = anchor.root
        for stream, (seq, head) in heads.items():
            if anchor.day <= dropped:
                base[stream] = (seq, head)
            else:
                anchored.setdefault(stream, {})[seq] = (anchor.day, head)
    for one, next_one in pairwise(rows):
        if date.fromisoformat(next_one.day) - date.fromisoformat(one.day) != timedelta(days=1):
            report.findings.append(Finding(f"{one.day} 之后的审计存证", "少了"))
    report.anchors = len(rows)
    report.last = (rows[-1].day, rows[-1].root.hex()) if rows else None
    return base, anchored


async def _check_rows(
    session: AsyncSession, report: Report, stream: str, base: Base | None, anchored: Anchored
) -> Base:
    """Read one chain; the place and the chain hash it ends with."""
    where, (place, head) = _name(stream), base or (0, chain.start(stream))
    rows = select(AuditRow).where(AuditRow.stream == stream).order_by(AuditRow.seq)
    async for row in await session.stream_scalars(rows.execution_options(yield_per=2_000)):
        report.rows += 1
        place += 1
        if row.seq < place:
            report.findings.append(Finding(where, "该清掉的还在，或是后来塞进去的", row.seq))
            place -= 1
            continue
        if row.seq > place:
            report.findings.append(Finding(where, f"前面少了 {row.seq - place} 条", row.seq))
            place = row.seq  # what follows is judged by itself, so that one gap is one finding
        elif chain.link(head, row.content_hash) != row.chain_hash:
            report.findings.append(Finding(where, "和前一条接不上", row.seq))
        head = row.chain_hash
        report.findings += [Finding(where, wrong, row.seq) for wrong in _check_row(row, anchored, report.blanked)]
        session.expunge(row)
    return place, head


def _day_of(row: AuditRow) -> str:
    return shanghai(row.at).date().isoformat()


def _check_row(row: AuditRow, anchored: Anchored, blanked: str) -> list[str]:
    hashed = chain.content_hash(
        uid=row.uid, stream=row.stream, seq=row.seq, at=row.at, operator_id=row.operator_id, what=row.what, subject=row.subject,
        has_detail=row.has_detail,
    )  # fmt: skip
    wrong = [] if hashed == row.content_hash else ["内容被改过"]
    if row.has_detail != (row.detail_sealed is not None) and not (row.has_detail and _day_of(row) <= blanked):
        wrong.append("理由没有了，或是后来添上的")
    day, head = anchored.get(row.seq, ("", row.chain_hash))
    if head != row.chain_hash:
        wrong.append(f"和 {day} 的存证对不上")
    try:
        _ = row.detail
    except SealBroken:
        wrong.append("理由打不开（被换过，或密钥不对）")
    return wrong


def _check_end(stream: str, end: AuditStream | None, place: int, head: bytes) -> list[Finding]:
    where = _name(stream)
    if end is None:
        return [Finding(where, "整条链的末尾没有了")]
    if (end.length, end.head) != (place, head):
        return [Finding(where, f"记着 {end.length} 条，实有 {place} 条，或末尾对不上", place)]
    if end.seal != audit.end_seal(stream, end.length, end.head):
        return [Finding(where, f"末尾的封印不对：第 {place} 条之后的记录可能被删过", place)]
    return []
