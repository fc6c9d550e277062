"""A recipient's reference for a carrier: one number that says which broadcast and which row, and is no message's id. Pure."""

from __future__ import annotations

from typing import Final

FIRST: Final = 10**17
"""Message ids stay far below; carriers take 18 digits back (`carriers.incoming.read_reference`)."""
_ROWS: Final = 10**9


def reference_of(broadcast_id: int, number: int) -> int:
    """The reference of that row. Raises `ValueError` for what does not fit: 10**8 broadcasts of 10**9 rows do."""
    if not (0 < broadcast_id < 10**8 and 0 < number < _ROWS):
        raise ValueError("no such row of a broadcast")
    return FIRST + broadcast_id * _ROWS + number


def is_outreach(reference: int | None) -> bool:
    """Whether a carrier's receipt speaks of a broadcast rather than of a talk."""
    return reference is not None and FIRST <= reference < 10**18


def row_of(reference: int) -> tuple[int, int]:
    """`(broadcast id, number)` of a reference. Raises `ValueError` when it is none of outreach."""
    if not is_outreach(reference):
        raise ValueError("not a reference of outreach")
    return divmod(reference - FIRST, _ROWS)
