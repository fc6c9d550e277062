"""Finds a change behind the system's back: every event, chain, chain's end and daily anchor is worked out anew.

What each catches: a changed column its content hash; a removed, added or moved event the chain; a tail cut off with the
ticket's row mended the keyed seal of the chain's end, and the anchors; a row put back from an old copy the anchors; words
erased by hand the missing `erased` event; words exchanged the keyed digest.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sealing import SealBroken
from sms_gateway.clock import shanghai
from sms_gateway.operators.audit_verify import Finding, dropped_through
from sms_gateway.operators.models import AuditRow

from . import anchors, chain
from .models import Ticket, TicketAnchor, TicketEvent
from .record import head_seal, why_digest

BATCH = 1_000
"""Tickets read at a time."""


@dataclass
class Report:
    tickets: int = 0
    events: int = 0
    anchors: int = 0
    findings: list[Finding] = field(default_factory=list)


async def verify(session: AsyncSession, *, tell: Callable[[Report], None] = lambda _: None) -> Report:
    """Check everything, in batches; `tell` hears of each. Run it in one REPEATABLE READ transaction, so that what is
    written meanwhile is no finding.
    """
    report = Report()
    async for tickets, events in _batches(session):
        for ticket in tickets:
            report.findings += check_ticket(ticket, events.get(ticket.id, []))
        report.tickets += len(tickets)
        report.events += sum(map(len, events.values()))
        session.expunge_all()
        tell(report)
    await _check_anchors(session, report)
    return report


async def _batches(session: AsyncSession) -> AsyncIterator[tuple[Sequence[Any], dict[int, list[TicketEvent]]]]:
    after = 0
    columns = select(Ticket.id, Ticket.uid, Ticket.number, Ticket.events, Ticket.head, Ticket.head_seal)
    while True:
        wanted = columns.where(Ticket.id > after).order_by(Ticket.id).limit(BATCH)
        tickets = (await session.execute(wanted)).all()
        if not tickets:
            return
        first, after = tickets[0].id, tickets[-1].id
        of_these = select(TicketEvent).where(TicketEvent.ticket_id >= first, TicketEvent.ticket_id <= after)
        events: dict[int, list[TicketEvent]] = {}
        for event in await session.scalars(of_these.order_by(TicketEvent.ticket_id, TicketEvent.seq)):
            events.setdefault(event.ticket_id, []).append(event)
        yield tickets, events


def check_ticket(ticket: Any, events: Sequence[TicketEvent]) -> list[Finding]:
    """What is wrong with one ticket's chain. `ticket`: a row with `number`, `uid`, `events`, `head`, `head_seal`."""
    found: list[Finding] = []
    erased = _named_as_erased(events)
    head, place = chain.start(ticket.uid), 0
    for event in events:
        place += 1
        if event.seq != place:
            missing = "、".join(map(str, range(place, event.seq)))
            found.append(Finding(ticket.number, f"少了第 {missing} 条记录", event.seq))
            place = event.seq
            head = event.chain_hash  # what follows is judged by itself, so that one gap is one finding
        else:
            head = chain.link(head, event.content_hash)
        if event.chain_hash != head:
            found.append(Finding(ticket.number, "和前一条接不上（换了次序，或前面改过）", event.seq))
            head = event.chain_hash
        found += [Finding(ticket.number, what, event.seq) for what in _check_event(event, erased)]
    if ticket.events != place or (place and ticket.head != head):
        found.append(Finding(ticket.number, f"工单上记着 {ticket.events} 条，实有 {place} 条，或末尾对不上", place))
    elif place and ticket.head_seal != head_seal(ticket.uid, place, head):
        found.append(Finding(ticket.number, f"末尾的封印不对：第 {place} 条之后的记录可能被删过", place))
    if not place:
        found.append(Finding(ticket.number, "一条记录也没有"))
    return found


def _named_as_erased(events: Iterable[TicketEvent]) -> dict[int, int]:
    """By seq, the seq of the `erased` event that names it."""
    return {int(seq): event.seq for event in events if event.what == "erased" for seq in event.detail.get("seqs", ())}


def _check_event(event: TicketEvent, erased: dict[int, int]) -> list[str]:
    hashed = chain.content_hash(
        uid=event.uid, seq=event.seq, what=event.what, who=event.who, at=event.at, from_status=event.from_status,
        to_status=event.to_status, why_digest=event.why_digest, detail=event.detail,
    )  # fmt: skip
    wrong = [] if hashed == event.content_hash else ["内容被改过"]
    if event.why_sealed is None:
        if event.why_digest is not None and erased.get(event.seq, 0) <= event.seq:
            wrong.append("话没有了，却没有抹去的记录")
        return wrong
    try:
        if why_digest(event.why) != event.why_digest:
            wrong.append("话被换过")
    except SealBroken:
        wrong.append("话打不开（被换过，或密钥不对）")
    return wrong


async def _check_anchors(session: AsyncSession, report: Report) -> None:
    rows = (await session.scalars(select(TicketAnchor).order_by(TicketAnchor.day))).all()
    audited = set(await session.scalars(select(AuditRow.subject).where(AuditRow.what == anchors.AUDITED_AS)))
    dropped = await dropped_through(session)
    before, after = anchors.NO_ROOT, 0
    for anchor in rows:
        events, root = await anchors.root_of(session, before, after, anchor.last_event_id)
        if (events, root) != (anchor.events, anchor.root):
            said = f"存证记着 {anchor.events} 条，实有 {events} 条"
            what = said if events != anchor.events else "记录改过"
            report.findings.append(Finding(f"{anchor.day} 的存证", f"对不上：{what}"))
        kept = shanghai(anchor.at).date().isoformat() > dropped  # its audit row has not gone with an old day
        if kept and anchors.audit_subject(anchor.day, anchor.root) not in audited:
            report.findings.append(Finding(f"{anchor.day} 的存证", "审计里没有这一条，或不一样"))
        before, after = anchor.root, anchor.last_event_id
        report.anchors += 1
    for one, next_one in pairwise(rows):
        if date.fromisoformat(next_one.day) - date.fromisoformat(one.day) != timedelta(days=1):
            report.findings.append(Finding(f"{one.day} 之后的存证", "少了"))
