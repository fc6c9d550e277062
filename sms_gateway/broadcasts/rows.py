"""Lines of an audience file as rows for COPY: checked, indexed, sealed, in PostgreSQL's binary form. No I/O.

Source of the form: PostgreSQL's documentation, COPY, "Binary Format": a signature, then for each row the number of its fields
and each field with its length, integers big endian; -1 ends it.
"""

from __future__ import annotations

import struct
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache

from texts.normalise import clean

from . import addresses
from .numbers import Refused, read
from .places import region_of
from .reading import Batch

COLUMNS = ("roll_id", "line", "address_index", "address_sealed", "region", "group", "consented")
HEAD = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
END = struct.pack(">h", -1)
LONGEST_GROUP = 40
_YES = frozenset({"是", "同意", "已同意", "有", "√", "y", "yes", "true", "1", "1.0", "t"})


@dataclass
class Counts:
    """What became of some lines. `refusals`: line and reason, in the order of the file."""

    lines: int = 0
    taken: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    regions: Counter[str] = field(default_factory=Counter)
    groups: Counter[str] = field(default_factory=Counter)
    consented: int = 0
    refusals: list[tuple[int, str]] = field(default_factory=list)

    def add(self, more: Counts, *, most_refusals: int) -> None:
        """Take `more` in; of the refused lines at most so many are kept one by one."""
        self.lines += more.lines
        self.taken += more.taken
        self.refused.update(more.refused)
        self.regions.update(more.regions)
        self.groups.update(more.groups)
        self.consented += more.consented
        self.refusals += more.refusals[: max(0, most_refusals - len(self.refusals))]


@lru_cache(maxsize=8192)
def group_of(cell: str) -> str:
    """A group's name as it is kept."""
    return clean(cell[:200])[:LONGEST_GROUP].strip()


def says_yes(cell: str) -> bool:
    """Whether a consent cell says so; anything else, also nothing, does not."""
    return cell.strip().lower() in _YES


@lru_cache(maxsize=65536)
def _tail(region: str, group: str, consented: bool) -> bytes:
    encoded = [region.encode(), addresses.group_key(group).encode()]
    words = b"".join(struct.pack(">i", len(each)) + each for each in encoded)
    return words + struct.pack(">i?", 1, consented)


def pack(roll_id: int, batch: Batch) -> tuple[bytes, Counts]:
    """The rows of a batch without head and end, and its counts."""
    size = len(batch.lines)
    regions = list(map(region_of, batch.regions)) if batch.regions is not None else [""] * size
    groups = list(map(group_of, batch.groups)) if batch.groups is not None else [""] * size
    consents = list(map(says_yes, batch.consents)) if batch.consents is not None else [False] * size
    counts = Counts(lines=size)
    numbers: list[str] = []
    lines: list[int] = []
    people: list[tuple[str, str, bool]] = []
    for line, cell, person in zip(batch.lines, batch.cells, zip(regions, groups, consents, strict=True), strict=True):
        number, why = read(cell) if cell is not None else (None, Refused.UNREADABLE)
        if number is None:
            counts.refusals.append((line, str(why)))
        else:
            numbers.append(number)
            lines.append(line)
            people.append(person)
    _count(counts, people)
    before = struct.pack(">hiqi", len(COLUMNS), 8, roll_id, 4)
    rows = [
        b"%b%b\0\0\0\x20%b%b%b%b"
        % (before, line.to_bytes(4, "big"), index, len(sealed).to_bytes(4, "big"), sealed, _tail(*person))
        for line, index, sealed, person in zip(lines, *addresses.seal_all(numbers), people, strict=True)
    ]
    return b"".join(rows), counts


def _count(counts: Counts, people: list[tuple[str, str, bool]]) -> None:
    counts.taken = len(people)
    counts.refused = Counter(why for _, why in counts.refusals)
    for (region, group, consented), times in Counter(people).items():
        counts.regions[region] += times
        counts.groups[group] += times
        counts.consented += times * consented
