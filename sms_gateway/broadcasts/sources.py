"""Where an audience file lies: on this machine's disk, or in sealed pieces in the database. Opened by the process that reads it."""

from __future__ import annotations

import io
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO, Protocol, cast

import psycopg

from sms_gateway.crypto import keyring
from sms_gateway.database import database_url

PART_BYTES = 4 << 20
OVERHEAD = 30
"""Bytes that a seal adds: key version 2, nonce 12, tag 16."""


class Source(Protocol):
    def open(self) -> BinaryIO:
        """The file, for reading, seekable; the caller closes it."""
        ...


@dataclass(frozen=True)
class OnDisk:
    path: str

    def open(self) -> BinaryIO:
        return Path(self.path).open("rb")


@dataclass(frozen=True)
class InParts:
    """The pieces of an uploaded file (`roll_models.RollPart`)."""

    roll_id: int

    def open(self) -> BinaryIO:
        return cast("BinaryIO", io.BufferedReader(_PartsFile(self.roll_id), 1 << 18))


def place_of_part(roll_id: int, part: int) -> bytes:
    """What a piece is sealed for: it opens as this piece of this file only."""
    return f"outreach_roll_parts.sealed:{roll_id}:{part}".encode()


class _PartsFile(io.RawIOBase):
    """One piece at a time is fetched and held."""

    def __init__(self, roll_id: int) -> None:
        self._roll_id = roll_id
        self._connection = psycopg.connect(database_url(), autocommit=True)
        sizes = self._connection.execute(
            "SELECT octet_length(sealed) FROM outreach_roll_parts WHERE roll_id = %s ORDER BY part", (roll_id,)
        ).fetchall()
        self._starts = [0, *accumulate(size - OVERHEAD for (size,) in sizes)]
        self._at = 0
        self._held: tuple[int, bytes] | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._starts[-1]}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]  # a writable buffer has no type of its own yet
        if self._at >= self._starts[-1]:
            return 0
        part = bisect_right(self._starts, self._at) - 1
        start = self._at - self._starts[part]
        piece = self._part(part)[start : start + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def _part(self, part: int) -> bytes:
        if self._held is None or self._held[0] != part:
            row = self._connection.execute(
                "SELECT sealed FROM outreach_roll_parts WHERE roll_id = %s AND part = %s", (self._roll_id, part)
            ).fetchone()
            if row is None:
                raise OSError("a piece of the file is gone")
            self._held = (part, keyring().open(row[0], place_of_part(self._roll_id, part)))
        return self._held[1]

    def close(self) -> None:
        if not self.closed:
            self._connection.close()
        super().close()
