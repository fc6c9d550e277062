"""What really happened to each text the make-believe carrier took: in SQLite, in a file that outlives this process or in memory.

Written without waiting for the disk: it survives the end of this process by whatever signal, not that of the machine.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sms_gateway import clock

from .faults import Fate

UNDER_WAY, ARRIVED, BEING_TOLD, TOLD = range(4)
"""A text's phases; `ARRIVED` also when it ended otherwise: its receipts wait."""
KEPT_IN_MEMORY = 1_000_000
"""Texts a store without a file remembers."""
LARGEST_REFERENCE = 2**63 - 1
FIRST_OF_EVERYTHING = 0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS texts (
    sequence INTEGER PRIMARY KEY, reference INTEGER NOT NULL, number TEXT NOT NULL, end TEXT NOT NULL, error TEXT,
    phase INTEGER NOT NULL, due REAL NOT NULL, told_after REAL NOT NULL, doubled INTEGER NOT NULL, swapped INTEGER NOT NULL,
    note TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS by_reference ON texts (reference);
CREATE INDEX IF NOT EXISTS waiting ON texts (phase, due) WHERE phase < 2;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Due:
    """A text whose time has come: to arrive, or to be told of."""

    sequence: int
    reference: int
    number: str
    end: str
    error: str | None
    told_after: float
    doubled: bool
    out_of_order: bool
    note: str
    """What whoever took it needs to know again when it tells of it."""


_COLUMNS = "sequence, reference, number, end, error, told_after, doubled, swapped, note"


class Truth:
    """Every text that was taken, once a taking: the same text handed over twice has two rows, and arrives twice."""

    def __init__(self, file: Path | None = None) -> None:
        self._kept = None if file else KEPT_IN_MEMORY
        self._db = sqlite3.connect(file or ":memory:", isolation_level=None, check_same_thread=False)
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA cache_size=-32000;")
        self._db.executescript(_SCHEMA)
        if "note" not in {name for _, name, *_ in self._db.execute("PRAGMA table_info(texts)")}:
            self._db.execute(
                "ALTER TABLE texts ADD note TEXT NOT NULL DEFAULT ''"
            )  # a file from before there were notes
        self._remember_once("prefix", secrets.token_hex(4))
        self._remember_once("since", str(clock.now().timestamp()))
        facts = dict(self._db.execute("SELECT name, value FROM facts"))
        self._prefix = facts["prefix"]
        self.since = float(facts["since"])
        """Unix seconds: of what was handed over after this, it knows all."""
        self._next = int(self._one("SELECT coalesce(max(sequence), 0) + 1 FROM texts"))
        with self._at_once():  # receipts that were on their way when the process ended
            self._db.execute("UPDATE texts SET phase = ? WHERE phase = ?", (ARRIVED, BEING_TOLD))

    def id_of(self, sequence: int) -> str:
        """The carrier's id of a text; never given twice, also by another file."""
        return f"SIM{self._prefix}{sequence:010x}"

    def take(
        self, texts: Iterable[tuple[int, str, Fate]], *, now: float, notes: Sequence[str] | None = None
    ) -> list[int]:
        """Write down texts (reference, number, fate) that were taken, each with its note; their sequences."""
        rows, sequences = [], []
        for place, (reference, number, fate) in enumerate(texts):
            phase, due = (UNDER_WAY, now + fate.after) if fate.after > 0 else (ARRIVED, now + fate.told_after)
            rows.append((self._next, reference, number, fate.end, fate.error, phase, due, fate.told_after,
                         fate.doubled, fate.out_of_order, notes[place] if notes else ""))  # fmt: skip
            sequences.append(self._next)
            self._next += 1
        with self._at_once():
            self._db.executemany("INSERT INTO texts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
            if self._kept is not None and self._next > self._kept:
                self._db.execute("DELETE FROM texts WHERE sequence < ?", (self._next - self._kept,))
        return sequences

    def let_arrive(self, *, now: float, limit: int = 2000) -> list[Due]:
        """Texts whose time to arrive (or to be given up) has come; from now on they have."""
        found = self._due(UNDER_WAY, now, limit)
        with self._at_once():
            self._db.executemany(
                "UPDATE texts SET phase = ?, due = ? WHERE sequence = ?",
                [(ARRIVED, now + text.told_after, text.sequence) for text in found],
            )
        return found

    def take_to_tell(self, *, now: float, limit: int) -> list[Due]:
        """Texts whose receipts are due, given to one teller."""
        found = self._due(ARRIVED, now, limit)
        self._set(BEING_TOLD, found)
        return found

    def told(self, texts: Sequence[Due]) -> None:
        """Their receipts were taken, or will never be."""
        self._set(TOLD, texts)

    def tell_again(self, texts: Sequence[Due], *, at: float) -> None:
        """Nobody took their receipts: again at `at`."""
        rows = [(ARRIVED, at, text.sequence) for text in texts]
        with self._at_once():
            self._db.executemany("UPDATE texts SET phase = ?, due = ? WHERE sequence = ?", rows)

    def next_due(self) -> float | None:
        """When something is to happen next; None: nothing waits."""
        found = self._db.execute("SELECT min(due) FROM texts WHERE phase = 0 AND phase < 2 UNION ALL SELECT min(due) FROM texts WHERE phase = 1 AND phase < 2")  # fmt: skip
        return min((due for (due,) in found if due is not None), default=None)

    def is_under_way(self) -> bool:
        """Whether any text or receipt is not where it ends. Looks at every row: for tests."""
        return bool(self._one("SELECT EXISTS (SELECT 1 FROM texts WHERE phase < 3)"))

    def find(self, reference: int) -> str | None:
        """The id of the first text taken under that reference."""
        found = self._one("SELECT min(sequence) FROM texts WHERE reference = ?", reference)
        return None if found is None else self.id_of(found)

    def report(self, *, first: int = FIRST_OF_EVERYTHING, last: int = LARGEST_REFERENCE) -> dict[str, object]:
        """Totals over references from `first` to `last`; `twice`: numbers that got more than one text, up to 100 of them."""
        # Only words of ours are put together here; the values are bound.
        asked = (first, last)
        within = "FROM texts WHERE reference BETWEEN ? AND ?"
        arrived = f"{within} AND phase > 0 AND end = 'delivered'"
        twice = f"SELECT number {arrived} GROUP BY number HAVING count(*) > 1"
        again = f"SELECT 1 {within} GROUP BY reference HAVING count(*) > 1"
        return {
            "taken": self._one(f"SELECT count(*) {within}", *asked),
            "arrived": self._one(f"SELECT count(*) {arrived}", *asked),
            "numbers": self._one(f"SELECT count(DISTINCT number) {arrived}", *asked),
            "twice": [number for (number,) in self._db.execute(f"{twice} ORDER BY number LIMIT 100", asked)],
            "numbers_twice": self._one(f"SELECT count(*) FROM ({twice})", *asked),  # noqa: S608
            "references_twice": self._one(f"SELECT count(*) FROM ({again})", *asked),  # noqa: S608
            "ends": dict(self._db.execute(f"SELECT end, count(*) {within} AND phase > 0 GROUP BY end", asked)),
            "under_way": self._one(f"SELECT count(*) {within} AND phase = 0", *asked),
            "not_told": self._one(f"SELECT count(*) {within} AND phase BETWEEN 1 AND 2", *asked),
        }

    def by_reference(self, *, first: int, last: int) -> Iterator[tuple[int, int, int, str]]:
        """For each reference of the range: it, how often it was taken, how often it arrived, how it ended at last."""
        words = """SELECT reference, count(*), sum(phase > 0 AND end = 'delivered'), max(end) FROM texts
                   WHERE reference BETWEEN ? AND ? GROUP BY reference ORDER BY reference"""
        yield from self._db.execute(words, (first, last))

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _due(self, phase: int, now: float, limit: int) -> list[Due]:
        # The index's own words beside the phase: SQLite does not see that one follows from the other, and read every row.
        words = f"SELECT {_COLUMNS} FROM texts WHERE phase = {phase} AND phase < 2 AND due <= ? ORDER BY due LIMIT ?"  # noqa: S608
        return [Due(*row) for row in self._db.execute(words, (now, limit))]

    def _set(self, phase: int, texts: Sequence[Due]) -> None:
        with self._at_once():
            self._db.executemany(
                "UPDATE texts SET phase = ? WHERE sequence = ?", [(phase, text.sequence) for text in texts]
            )

    def _remember_once(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR IGNORE INTO facts VALUES (?, ?)", (name, value))

    def _one(self, words: str, *values: object) -> Any:
        return self._db.execute(words, values).fetchone()[0]

    @contextmanager
    def _at_once(self) -> Iterator[None]:
        self._db.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
