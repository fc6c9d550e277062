"""How well triage judged labelled texts: pure functions over pairs of label and judgement.

Used by `sms_gateway.triage.evaluate` (folds of the examples) and by `make eval` (the development sets).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from .examples_file import Example
from .judgement import Immediacy, Judgement, Lane, Writer
from .service import Triage

Pair = tuple[Example, Judgement]
FALSE_ALARMS = "false alarms on plain texts"


def judged(triage: Triage, examples: Sequence[Example], vectors: NDArray[np.float32]) -> list[Pair]:
    """Each example judged with its `earlier`; `vectors`: `embed` of each text, shape (n, 384)."""
    return [
        (example, triage.judge(example.text, earlier=example.earlier, vector=vector))
        for example, vector in zip(examples, vectors, strict=True)
    ]


def measure(pairs: Sequence[Pair]) -> dict[str, float]:
    """Shares, 0-1 (NaN of nothing): issue 3's measures of triage first, what else is of use after them.

    Services, type and immediacy are compared where a red text was called red. The blind set is half hard traps, so
    precision is also given with trap texts weighted to half of all.
    """
    red = [pair for pair in pairs if pair[0].lane is Lane.RED]
    both = [pair for pair in red if pair[1].lane is Lane.RED]
    harm = [pair for pair in pairs if pair[0].lane is not Lane.BLUE]
    plain = [pair for pair in pairs if pair[0].lane is Lane.BLUE]
    plain_now = [e_j for e_j in red if e_j[0].difficulty == "plain" and e_j[0].immediacy is Immediacy.NOW]
    signed = [pair for pair in pairs if pair[0].writer is not Writer.UNKNOWN]
    return {
        "emergency recall": share(said.lane is Lane.RED for _, said in red),
        "plain danger now seen": share(said.lane is Lane.RED for _, said in plain_now),
        "emergency precision, half traps": precision_among_traps(pairs),
        FALSE_ALARMS: share(s.lane is Lane.RED for e, s in plain if e.difficulty == "plain"),
        "right service": share(example.services[:1] == said.services[:1] for example, said in both),
        "lane": share(example.lane is said.lane for example, said in pairs),
        "harm seen": share(said.lane is not Lane.BLUE for _, said in harm),
        "emergency precision, as written": precision(pairs),
        "emergency average precision": average_precision(
            [said.score for _, said in pairs], [example.lane is Lane.RED for example, _ in pairs]
        ),
        "harmless called red": share(said.lane is Lane.RED for _, said in plain),
        "harmless kept blue": share(said.lane is Lane.BLUE for _, said in plain),
        "all services": share(set(example.services) == set(said.services) for example, said in both),
        "type": share(example.type is said.type for example, said in both),
        "immediacy": share(example.immediacy is said.immediacy for example, said in both),
        "sexual": share(example.sexual == said.sexual for example, said in pairs),
        "writer, where known": share(example.writer is said.writer for example, said in signed),
    }


def precision(pairs: Sequence[Pair]) -> float:
    """Of what was called red, the share that is."""
    return share(example.lane is Lane.RED for example, said in pairs if said.lane is Lane.RED)


def precision_among_traps(pairs: Sequence[Pair]) -> float:
    """Precision as if half of all texts were traps: each trap text counts as (others / traps) texts."""
    traps = sum(example.difficulty == "trap" for example, _ in pairs)
    if traps in (0, len(pairs)):
        return precision(pairs)
    weight = (len(pairs) - traps) / traps
    called = [(e.lane is Lane.RED, weight if e.difficulty == "trap" else 1.0) for e, s in pairs if s.lane is Lane.RED]
    whole = sum(counts for _, counts in called)
    return sum(counts for right, counts in called if right) / whole if whole else float("nan")


def average_precision(scores: Sequence[float], truth: Sequence[bool]) -> float:
    """The area under precision over recall, texts taken by falling score; NaN when nothing is true."""
    order = np.argsort(-np.asarray(scores), kind="stable")
    right = np.asarray(truth, dtype=bool)[order]
    if not right.any():
        return float("nan")
    return float((right.cumsum() / np.arange(1, len(right) + 1))[right].mean())


def share(holds: Iterable[bool]) -> float:
    """How many of these hold, 0-1; NaN of none."""
    found = list(holds)
    return sum(found) / len(found) if found else float("nan")
