"""What carriers say became of texts of outreach, applied to the ledger many at a time.

Any order and any number of the same receipts end in the same ledger and the same counts. Rows are locked in the order of their
numbers, broadcasts in the order of their ids, as everywhere (`ledger`), so that nobody waits for nobody; what is to be looked up
(`unknowns`) is locked last and never waited for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.contacts import service as contacts

from . import addresses
from .models import BroadcastRecipient
from .recipients import RANK, State, after
from .references import is_outreach, row_of

MOST_AT_ONCE = 500
EARLY_KEPT = timedelta(days=3)
"""Carriers try a text for two days at most; what nobody has claimed by then is of no text of ours."""

MEANING: dict[str, State] = {
    "sent": State.SENT,
    "delivered": State.DELIVERED,
    "undelivered": State.FAILED,
    "blocked": State.FAILED,
    "failed": State.FAILED,
    "cancelled": State.FAILED,
}
"""A receipt's state (`carriers.incoming.ReceiptIn`) in those of a recipient."""


@dataclass(frozen=True)
class Told:
    """A receipt. `state`: a key of `MEANING`; `reference`: None where the carrier knows its own ids only."""

    carrier: str
    carrier_id: str
    state: str
    error: str | None = None
    reference: int | None = None
    person_refuses: bool = False
    """The carrier says that they want no texts: they have opted out, though not to us."""

    @property
    def becomes(self) -> State:
        return MEANING[self.state]


@dataclass(frozen=True)
class Applied:
    """Numbers that moved; that were known and did not (heard before, or left out); that no ledger has; receipts kept for later."""

    moved: int = 0
    unmoved: int = 0
    unknown: int = 0
    early: int = 0

    def __add__(self, other: Applied) -> Applied:
        return Applied(
            self.moved + other.moved,
            self.unmoved + other.unmoved,
            self.unknown + other.unknown,
            self.early + other.early,
        )


def rank_of(column: str) -> str:
    """SQL: the rank (`recipients.RANK`) of the state in `column`."""
    return f"(CASE {column} " + " ".join(f"WHEN '{state}' THEN {rank}" for state, rank in RANK.items()) + " END)"


APPLY = text(f"""
WITH told AS (
    SELECT * FROM unnest(
        CAST(:numbers AS int[]), CAST(:states AS text[]), CAST(:errors AS text[]), CAST(:carriers AS text[]), CAST(:ids AS text[])
    ) AS told (number, state, error, carrier, carrier_id)
), before AS MATERIALIZED (
    SELECT r.number, r.state FROM broadcast_recipients r
    WHERE r.broadcast_id = :broadcast AND r.number = ANY(CAST(:numbers AS int[])) ORDER BY r.number FOR NO KEY UPDATE
), moved AS (
    UPDATE broadcast_recipients r SET
        state = told.state, error = told.error,
        carrier = coalesce(r.carrier, told.carrier), carrier_id = coalesce(r.carrier_id, told.carrier_id),
        sent_at = coalesce(r.sent_at, CAST(:at AS timestamptz)),
        settled_at = CASE WHEN told.state = 'sent' THEN NULL ELSE CAST(:at AS timestamptz) END
    FROM told JOIN before USING (number)
    WHERE r.broadcast_id = :broadcast AND r.number = told.number
      AND before.state NOT IN ('suppressed', 'cancelled') AND {rank_of("told.state")} > {rank_of("before.state")}
    RETURNING r.number, r.region, before.state AS was, r.state AS becomes
), tallied AS (
    INSERT INTO broadcast_tallies (broadcast_id, region, state, change)
    SELECT :broadcast, region, state, sum(change) FROM (
        SELECT region, was AS state, -1 AS change FROM moved UNION ALL SELECT region, becomes, 1 FROM moved
    ) changes GROUP BY region, state, change
), settled AS (
    SELECT u.number FROM broadcast_unknowns u JOIN moved USING (number)
    WHERE u.broadcast_id = :broadcast AND moved.was = 'unknown' FOR UPDATE OF u SKIP LOCKED
), forgotten AS (
    DELETE FROM broadcast_unknowns u USING settled WHERE u.broadcast_id = :broadcast AND u.number = settled.number
)
SELECT (SELECT count(*) FROM before), (SELECT count(*) FROM moved)
""")  # noqa: S608 - only the names and ranks of our own states
"""One statement a broadcast: the ledger upwards only, its counts, and what need not be looked up any more.

`before` is read by its list of numbers, the update by the joined ones: measured on 20,000 and 200,000 rows, any other way makes
the planner compare all with all. The count of `before` runs the locks first and in order. A row of `unknowns` that somebody is
looking up just now is left to them: they find that it is settled.
"""


async def apply(session: AsyncSession, receipts: Sequence[Told]) -> Applied:
    """Apply receipts to the ledgers they speak of. Those without a reference of ours whose text is not noted yet are kept
    (`apply_early`); of numbers and broadcasts nobody knows only the number is told."""
    named, early = await _name(session, receipts)
    if early:
        await _keep(session, early)
    done = Applied(early=len(early))
    by_broadcast: dict[int, dict[int, Told]] = {}
    for reference, receipt in named:
        broadcast_id, number = row_of(reference)
        rows = by_broadcast.setdefault(broadcast_id, {})
        rows[number] = _last_word(rows.get(number), receipt)
    for broadcast_id in sorted(by_broadcast):
        done += await _apply_to_one(session, broadcast_id, by_broadcast[broadcast_id])
    return done


def _last_word(before: Told | None, receipt: Told) -> Told:
    """Of two receipts for one number the one that counts."""
    if before is None or after(before.becomes, receipt.becomes) != before.becomes:
        return receipt
    return before


async def _apply_to_one(session: AsyncSession, broadcast_id: int, rows: dict[int, Told]) -> Applied:
    numbers = sorted(rows)
    told = [rows[number] for number in numbers]
    binds = {
        "broadcast": broadcast_id, "numbers": numbers, "states": [str(one.becomes) for one in told],
        "errors": [_error_of(one) for one in told], "carriers": [one.carrier for one in told],
        "ids": [one.carrier_id for one in told], "at": clock.now(),
    }  # fmt: skip
    known, moved = (await session.execute(APPLY, binds)).one()
    await _opt_out(session, broadcast_id, [number for number in numbers if rows[number].person_refuses])
    return Applied(moved=moved, unmoved=known - moved, unknown=len(numbers) - known)


async def _opt_out(session: AsyncSession, broadcast_id: int, numbers: Sequence[int]) -> None:
    """Who told the carrier is left out from now on, as if they had told us."""
    if not numbers:
        return
    row = BroadcastRecipient
    wanted = select(row.address_sealed, row.address_index).where(
        row.broadcast_id == broadcast_id, row.number.in_(numbers)
    )
    for sealed, index in (await session.execute(wanted.order_by(row.address_index))).all():
        await contacts.opt_out_number(session, addresses.open_sealed(sealed, index))


def _error_of(receipt: Told) -> str | None:
    """Why it did not arrive: the carrier's code, or at least its word."""
    return (receipt.error or receipt.state)[:40] if receipt.becomes is State.FAILED else None


FIND = text("""
SELECT carrier, carrier_id, reference FROM outreach_carrier_references
WHERE (carrier, carrier_id) IN (SELECT * FROM unnest(CAST(:carriers AS text[]), CAST(:ids AS text[])))
""")


async def _name(session: AsyncSession, receipts: Iterable[Told]) -> tuple[list[tuple[int, Told]], list[Told]]:
    """Each receipt with its reference; and those whose reference is not noted yet."""
    named: list[tuple[int, Told]] = []
    nameless: list[Told] = []
    for receipt in receipts:
        if receipt.reference is not None and is_outreach(receipt.reference):
            named.append((receipt.reference, receipt))
        else:
            nameless.append(receipt)
    if not nameless:
        return named, []
    binds = {"carriers": [one.carrier for one in nameless], "ids": [one.carrier_id for one in nameless]}
    noted = {(carrier, own_id): reference for carrier, own_id, reference in await session.execute(FIND, binds)}
    early = []
    for receipt in nameless:
        reference = noted.get((receipt.carrier, receipt.carrier_id))
        if reference is None:
            early.append(receipt)
        else:
            named.append((reference, receipt))
    return named, early


KEEP = text("""
INSERT INTO outreach_early_receipts (carrier, carrier_id, state, error, person_refuses, at)
SELECT carrier, carrier_id, state, error, person_refuses, clock_timestamp()
FROM unnest(CAST(:carriers AS text[]), CAST(:ids AS text[]), CAST(:states AS text[]), CAST(:errors AS text[]), CAST(:refuse AS bool[]))
  AS early (carrier, carrier_id, state, error, person_refuses)
ORDER BY carrier, carrier_id, state ON CONFLICT DO NOTHING
""")


async def find_references(session: AsyncSession, carrier: str, ids: Sequence[str]) -> dict[str, int]:
    """The references noted for a carrier's ids."""
    binds = {"carriers": [carrier] * len(ids), "ids": list(ids)}
    return {own_id: reference for _carrier, own_id, reference in await session.execute(FIND, binds)}


async def _keep(session: AsyncSession, early: Sequence[Told]) -> None:
    once = {(one.carrier, one.carrier_id, one.state): one for one in early}.values()
    binds = {
        "carriers": [one.carrier for one in once], "ids": [one.carrier_id for one in once],
        "states": [one.state for one in once], "errors": [one.error for one in once],
        "refuse": [one.person_refuses for one in once],
    }  # fmt: skip
    await session.execute(KEEP, binds)


TAKE_EARLY = text("""
SELECT early.carrier, early.carrier_id, early.state, early.error, noted.reference, early.person_refuses
FROM outreach_early_receipts early JOIN outreach_carrier_references noted USING (carrier, carrier_id)
LIMIT :most FOR UPDATE OF early SKIP LOCKED
""")
DROP_EARLY = text("""
DELETE FROM outreach_early_receipts WHERE (carrier, carrier_id, state) IN (
    SELECT * FROM unnest(CAST(:carriers AS text[]), CAST(:ids AS text[]), CAST(:states AS text[])))
""")
FORGET_EARLY = text("DELETE FROM outreach_early_receipts WHERE at < clock_timestamp() - CAST(:kept AS interval)")


async def apply_early(session: AsyncSession) -> Applied:
    """Apply receipts that were here before the note of their text, up to 500; forget those nobody claims in `EARLY_KEPT`.

    The note and the receipt are written by two transactions that may not see each other, so it is asked for again each second.
    """
    found = [Told(*row) for row in await session.execute(TAKE_EARLY, {"most": MOST_AT_ONCE})]
    if not found:
        await session.execute(FORGET_EARLY, {"kept": EARLY_KEPT})
        return Applied()
    done = await apply(session, found)
    binds = {
        "carriers": [one.carrier for one in found], "ids": [one.carrier_id for one in found],
        "states": [one.state for one in found],
    }  # fmt: skip
    await session.execute(DROP_EARLY, binds)
    return done
