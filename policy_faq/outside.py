"""Texts the handbook has no answer to, written by hand: what a question must not look like to be answered."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

OUTSIDE = Path(__file__).parent / "outside.txt"


@lru_cache(maxsize=1)
def load_outside() -> tuple[str, ...]:
    """The texts of `outside.txt`, one a line; lines that start with # are headings."""
    lines = (line.strip() for line in OUTSIDE.read_text(encoding="utf-8").splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))
