"""A text as numbers for the classifier: its e5 vector, then what the lexicon found."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .judgement import Harm
from .lexicon import CONTEXTS, Finding, Hit, load_lexicon

Vector = NDArray[np.float32]
_CROSSED = ("now", "recent", "past", "over", "policy", "fiction", "news", "idiom", "negation", "hypothetical",
            "joke", "pet", "sport", "matter", "quoted")  # fmt: skip


def is_live(hit: Hit) -> bool:
    """True when nothing near the hit says that it is not real: no game, news, policy question or negation."""
    return not (hit.contexts & load_lexicon().strong)


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """Names of the lexicon features, in order; kept with the weights, so that a changed lexicon is noticed."""
    lexicon = load_lexicon()
    columns = [f"{kind}:{cue.name}" for cue in lexicon.cues for kind in ("live", "lowered")]
    columns += [f"context:{name}" for name in CONTEXTS]
    columns += [f"writer:{name}" for name in lexicon.writer_names]
    columns += [f"signal:{name}" for name in lexicon.signal_names]
    columns += ["weight:max", "weight:sum", "weight:lowered", "weight:types"]
    columns += [f"weight:{name}" for name in _CROSSED]
    columns += [f"sexual:{name}" for name in ("now", "recent", "past", "near")]
    return (*columns, "length", "question", "self", "other", "latin")


def lexical(finding: Finding) -> Vector:
    """The lexicon's features of one text, shape (len(names()),)."""
    lexicon = load_lexicon()
    live: dict[str, int] = {}
    lowered: dict[str, int] = {}
    for hit in finding.hits:
        side = live if is_live(hit) else lowered
        side[hit.cue.name] = side.get(hit.cue.name, 0) + 1
    row: list[float] = []
    for cue in lexicon.cues:
        row += [min(live.get(cue.name, 0), 3) / 2, float(cue.name in lowered)]
    row += [float(name in finding.contexts) for name in CONTEXTS]
    row += [float(name in finding.writers) for name in lexicon.writer_names]
    row += [float(name in finding.signals) for name in lexicon.signal_names]
    alive = [cue for cue in lexicon.cues if cue.name in live]
    heaviest = max((cue.weight for cue in alive), default=0)
    row += [
        heaviest / 3,
        min(sum(cue.weight for cue in alive), 9) / 3,
        max((cue.weight for cue in lexicon.cues if cue.name in lowered), default=0) / 3,
        len({cue.type for cue in alive}) / 2,
    ]
    row += [heaviest / 3 * (name in finding.contexts) for name in _CROSSED]
    sexual = any(cue.type is Harm.SEXUAL for cue in alive)
    row += [float(sexual and name in finding.contexts) for name in ("now", "recent", "past")]
    row.append(float(sexual and "near" in finding.signals))
    return np.asarray(row + _shape(finding.view), dtype=np.float32)


def _shape(view: str) -> list[float]:
    latin = sum(character.isascii() and character.isalpha() for character in view)
    return [
        math.log1p(len(view)) / 5,
        float("?" in view or "吗" in view or "呢" in view),
        float("我" in view),
        float("他" in view or "她" in view),
        latin / max(len(view), 1),
    ]
