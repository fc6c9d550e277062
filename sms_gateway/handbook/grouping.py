"""Questions that mean the same, put together. Pure arithmetic on arrays.

Average linkage: at first every question is a group of its own; again and again the two groups whose members are on
average nearest are joined, until no two are nearer than `TOGETHER`. Vectors are compared after the mean of the
handbook's wordings was taken away (`policy_faq.likeness.centred`), so that the scale hardly depends on the encoder.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from policy_faq.likeness import centred
from policy_faq.ranking import Vector

TOGETHER = 0.45
"""Average nearness from which two groups are one."""


def group(vectors: Vector, mean: Vector, *, together: float = TOGETHER) -> list[list[int]]:
    """Places of `vectors` (n, d) that belong together: largest group first, in each the most typical question first."""
    if not len(vectors):
        return []
    with np.errstate(all="ignore"):  # some BLAS kernels raise false alarms on good numbers
        rows = centred(vectors, mean)
        nearness = (rows @ rows.T).astype(np.float64)
    groups = _joined(nearness.copy(), together)
    return sorted((_typical_first(members, nearness) for members in groups), key=lambda each: (-len(each), min(each)))


def _joined(nearness: np.ndarray[tuple[int, ...], np.dtype[np.float64]], together: float) -> list[list[int]]:
    """Average linkage (Lance and Williams): `nearness` between groups is kept up to date as they are joined."""
    np.fill_diagonal(nearness, -np.inf)
    members: dict[int, list[int]] = {place: [place] for place in range(len(nearness))}
    while len(members) > 1:
        first, second = (int(place) for place in np.unravel_index(int(nearness.argmax()), nearness.shape))
        if nearness[first, second] < together:
            break
        share = len(members[first]) / (len(members[first]) + len(members[second]))
        joined = share * nearness[first] + (1 - share) * nearness[second]
        members[first] += members.pop(second)
        nearness[first], nearness[:, first] = joined, joined
        nearness[second], nearness[:, second] = -np.inf, -np.inf
        nearness[first, first] = -np.inf
    return list(members.values())


def _typical_first(members: Sequence[int], nearness: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> list[int]:
    order = sorted(members, key=lambda place: -float(nearness[place, members].sum()))
    return list(order)
