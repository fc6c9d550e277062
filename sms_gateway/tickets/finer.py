"""Which of two places says more. Pure."""

from __future__ import annotations

from .models import PROVINCE


def is_finer(known: str, told: str) -> bool:
    """Whether the adcode `told` says more of the same place: anything of the province as a whole, a county of its prefecture."""
    if told == known:
        return False
    return known == PROVINCE or (known.endswith("00") and told[:4] == known[:4])
