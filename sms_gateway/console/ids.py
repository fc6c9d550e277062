"""Ids in addresses: what cannot be an id names nothing."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query

LARGEST = 2**63 - 1
"""PostgreSQL's bigint."""

Id = Annotated[int, Path(ge=1, le=LARGEST)]
TalkInQuery = Annotated[int | None, Query(ge=1, le=LARGEST)]


def is_id(written: str) -> bool:
    """Whether that part of an address can be an id (`Id` refuses the rest later)."""
    return written.isascii() and written.isdigit() and 0 < int(written[:20]) <= LARGEST
