"""Long texts go out in parts, each with a report of its own: what the reports of all parts say of the text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock

from .models import CarrierPart

WORST = ("blocked", "failed", "undelivered")
"""What one part says of the text, before all others say that they arrived: a text without a part of it did not arrive."""


@dataclass(frozen=True)
class PartOut:
    """A part that the carrier took. `carrier_id`: that of the text; `reference`: ours."""

    part_id: str
    carrier_id: str
    reference: int
    total: int


@dataclass(frozen=True)
class PartTold:
    """What a report says of a part, in our states."""

    part_id: str
    state: str
    error: str | None


@dataclass(frozen=True)
class Verdict:
    """What is known of a text by its parts. `state`: None while nothing final is."""

    carrier_id: str
    reference: int
    state: str | None
    error: str | None


NOTE = text("""
INSERT INTO carrier_parts (carrier, part_id, carrier_id, reference, total, at)
SELECT :carrier, part_id, carrier_id, reference, total, :at
FROM unnest(CAST(:parts AS text[]), CAST(:texts AS text[]), CAST(:references AS bigint[]), CAST(:totals AS int[]))
  AS taken (part_id, carrier_id, reference, total)
ORDER BY carrier_id, part_id ON CONFLICT DO NOTHING
""")
LOCK = text("""
SELECT part_id, carrier_id FROM carrier_parts WHERE carrier = :carrier AND carrier_id IN (
    SELECT carrier_id FROM carrier_parts WHERE carrier = :carrier AND part_id = ANY(CAST(:parts AS text[])))
ORDER BY carrier_id, part_id FOR UPDATE
""")
APPLY = text("""
UPDATE carrier_parts p SET state = told.state, error = told.error
FROM unnest(CAST(:parts AS text[]), CAST(:states AS text[]), CAST(:errors AS text[])) AS told (part_id, state, error)
WHERE p.carrier = :carrier AND p.part_id = told.part_id AND (p.state IS NULL OR p.state = 'sent')
""")
"""The first final word of a part stays."""
READ = text("""
SELECT carrier_id, reference, total, state, error FROM carrier_parts
WHERE carrier = :carrier AND carrier_id = ANY(CAST(:texts AS text[])) ORDER BY carrier_id, part_id
""")


async def note(session: AsyncSession, carrier: str, parts: Sequence[PartOut]) -> None:
    """These parts were taken, under these ids."""
    binds = {
        "carrier": carrier, "at": clock.now(), "parts": [one.part_id for one in parts], "texts": [one.carrier_id for one in parts],
        "references": [one.reference for one in parts], "totals": [one.total for one in parts],
    }  # fmt: skip
    await session.execute(NOTE, binds)


async def apply(session: AsyncSession, carrier: str, told: Sequence[PartTold]) -> tuple[set[str], list[Verdict]]:
    """Note what the parts among `told` say: their ids, and a verdict for each text they are of.

    All parts of a text are locked, so that of two processes with one part each the second sees both.
    """
    ids = [one.part_id for one in told]
    found = (await session.execute(LOCK, {"carrier": carrier, "parts": ids})).all()
    if not found:
        return set(), []
    known = {part_id for part_id, _text in found}
    first = {one.part_id: one for one in reversed(told) if one.part_id in known}
    binds = {
        "carrier": carrier, "parts": [*first], "states": [one.state for one in first.values()],
        "errors": [one.error for one in first.values()],
    }  # fmt: skip
    await session.execute(APPLY, binds)
    texts = sorted({carrier_id for part_id, carrier_id in found})
    rows = await session.execute(READ, {"carrier": carrier, "texts": texts})
    by_text: dict[str, list[CarrierPart]] = {}
    for carrier_id, reference, total, state, error in rows:
        part = CarrierPart(reference=reference, total=total, state=state, error=error)
        by_text.setdefault(carrier_id, []).append(part)
    return known & set(ids), [_verdict(carrier_id, parts) for carrier_id, parts in by_text.items()]


def _verdict(carrier_id: str, parts: Sequence[CarrierPart]) -> Verdict:
    for state in WORST:
        lost = [part for part in parts if part.state == state]
        if lost:
            return Verdict(carrier_id, lost[0].reference, state, lost[0].error)
    whole = sum(part.state == "delivered" for part in parts) >= parts[0].total
    return Verdict(carrier_id, parts[0].reference, "delivered" if whole else None, None)
