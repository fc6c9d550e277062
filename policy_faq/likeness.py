"""Entries that say the same in other words, found by meaning. Pure arithmetic on arrays.

Vectors are compared after the mean of the whole book has been taken away: what all questions to this line have in
common says nothing, and the scale then hardly depends on the encoder (0 is unrelated, 1 is the same).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .entry import Entry
from .ranking import Vector

SAME_ENTRY = 0.93
"""Nearness of the middles of two entries' wordings from which they are one entry written twice. The nearest different
ones in the repo have 0.90 (how long an order holds, how long until it comes)."""
SAME_WORDING = 0.955
"""Nearness of two wordings in different entries from which no search can tell them apart; the nearest in the repo have
0.94 ("云南孤儿总数", "云南事实孤儿总数")."""


@dataclass(frozen=True)
class Likeness:
    """Two entries too near each other; `wordings`: the two that are, empty when it is the entries as a whole."""

    first: Entry
    second: Entry
    nearness: float
    wordings: tuple[str, str] | None = None


def centred(vectors: Vector, mean: Vector) -> Vector:
    """Unit rows of `vectors` with `mean` taken away, shapes (n, d) and (d,)."""
    rows = vectors - mean
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-9), dtype=np.float32)


def likenesses(entries: Sequence[Entry], wordings: Vector) -> list[Likeness]:
    """Entries that double each other; `wordings`: a row for every wording, entry by entry."""
    if len(entries) < 2:
        return []
    owner = np.repeat(np.arange(len(entries)), [len(entry.wordings) for entry in entries])
    texts = [text for entry in entries for text in entry.wordings]
    rows = centred(wordings, wordings.mean(axis=0))
    starts = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
    middles = centred(np.add.reduceat(rows, starts, axis=0), np.zeros(rows.shape[1], np.float32))
    found = [
        Likeness(entries[first], entries[second], nearness)
        for first, second, nearness in _near(middles, np.arange(len(entries)), SAME_ENTRY)
    ]
    told = {(each.first.id, each.second.id) for each in found}
    for first, second, nearness in _near(rows, owner, SAME_WORDING):
        pair = entries[owner[first]], entries[owner[second]]
        if (pair[0].id, pair[1].id) not in told:
            told.add((pair[0].id, pair[1].id))
            found.append(Likeness(*pair, nearness, (texts[first], texts[second])))
    return found


def _near(rows: Vector, owner: NDArray[np.intp], least: float) -> list[tuple[int, int, float]]:
    """(place, earlier place, nearness) of rows with different owners that are at least that near, nearest first."""
    with np.errstate(all="ignore"):  # some BLAS kernels raise false alarms on good numbers
        nearness = np.tril(rows @ rows.T, -1)
    nearness[owner[:, None] == owner[None, :]] = 0
    places = np.argwhere(nearness >= least)
    found = [(int(later), int(earlier), float(nearness[later, earlier])) for later, earlier in places]
    return sorted(found, key=lambda each: -each[2])
