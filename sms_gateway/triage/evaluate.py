"""`python -m sms_gateway.triage.evaluate [file.jsonl] [--errors]`: how well triage judges.

Without a file: five folds of the training examples. With one: the committed weights on that file, through
`Triage.judge` with the `earlier` of each line.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from .decision import THRESHOLDS, Thresholds, decide
from .examples_file import Example, read
from .judgement import Judgement, Lane, Writer
from .lexicon import load_lexicon
from .service import load
from .train import CACHE, fit, joined, read_all, rows, vectors

Pair = tuple[Example, Judgement]


def cross_validate(examples: Sequence[Example], thresholds: Thresholds = THRESHOLDS, folds: int = 5) -> list[Pair]:
    """Each example judged by heads that were fitted on the other folds."""
    from sklearn.model_selection import StratifiedKFold

    table = rows(examples)
    strata = [f"{example.lane}{example.type}" for example in examples]
    rare = {name for name, count in Counter(strata).items() if count < folds}
    strata = [name if name not in rare else "rare" for name in strata]
    lexicon, pairs = load_lexicon(), []
    for learn, test in StratifiedKFold(folds, shuffle=True, random_state=7).split(table, strata):
        classifier = fit([examples[i] for i in learn], table[learn])
        for i in test:
            finding = lexicon.find(joined(examples[i]))
            pairs.append((examples[i], decide(finding, classifier.answer(table[i], finding.view), thresholds)))
    return pairs


def judge_file(path: Path) -> list[Pair]:
    """Each line of `path` judged by the committed weights."""
    triage, examples = load(), read(path)
    known = vectors([example.text for example in examples], CACHE)
    return [
        (example, triage.judge(example.text, earlier=example.earlier, vector=vector))
        for example, vector in zip(examples, known, strict=True)
    ]


def measure(pairs: Sequence[Pair]) -> dict[str, float]:
    """Recall and precision of red, lane, service, type, immediacy, writer: shares, 0-1."""
    red = [pair for pair in pairs if pair[0].lane is Lane.RED]
    called = [pair for pair in pairs if pair[1].lane is Lane.RED]
    both = [pair for pair in red if pair[1].lane is Lane.RED]
    harm = [pair for pair in pairs if pair[0].lane is not Lane.BLUE]
    plain = [pair for pair in pairs if pair[0].lane is Lane.BLUE]
    signed = [pair for pair in pairs if pair[0].writer is not Writer.UNKNOWN]
    return {
        "red recall": _share(judged.lane is Lane.RED for _, judged in red),
        "red precision": _share(example.lane is Lane.RED for example, _ in called),
        "red average precision": _average_precision(pairs),
        "blue called red": _share(judged.lane is Lane.RED for _, judged in plain),
        "lane": _share(example.lane is judged.lane for example, judged in pairs),
        "harm seen": _share(judged.lane is not Lane.BLUE for _, judged in harm),
        "blue kept blue": _share(judged.lane is Lane.BLUE for _, judged in plain),
        "first service (of red called red)": _share(e.services[:1] == j.services[:1] for e, j in both),
        "all services (of red called red)": _share(set(e.services) == set(j.services) for e, j in both),
        "type (of red called red)": _share(example.type is judged.type for example, judged in both),
        "immediacy (of red called red)": _share(e.immediacy is j.immediacy for e, j in both),
        "sexual": _share(example.sexual == judged.sexual for example, judged in pairs),
        "writer (where known)": _share(example.writer is judged.writer for example, judged in signed),
    }


def _share(holds: Iterable[bool]) -> float:
    found = list(holds)
    return sum(found) / len(found) if found else float("nan")


def _average_precision(pairs: Sequence[Pair]) -> float:
    order = sorted(pairs, key=lambda pair: -pair[1].score)
    truth = np.array([pair[0].lane is Lane.RED for pair in order])
    if not truth.any():
        return float("nan")
    precision = truth.cumsum() / np.arange(1, len(truth) + 1)
    return float(precision[truth].mean())


def report(pairs: Sequence[Pair], *, errors: bool) -> str:
    """The measures as text; with `errors` also the wrongly judged lines (for the examples of this repository only)."""
    lines = [f"{len(pairs)} texts"] + [f"{name:36s} {value:.3f}" for name, value in measure(pairs).items()]
    confusion = Counter((example.lane.value, judgement.lane.value) for example, judgement in pairs)
    lines += [f"  {true:6s} -> {said:6s} {count}" for (true, said), count in sorted(confusion.items())]
    by_difficulty: dict[str, list[bool]] = defaultdict(list)
    for example, judgement in pairs:
        by_difficulty[example.difficulty].append(example.lane is judgement.lane)
    if len(by_difficulty) <= 12:
        lines += [
            f"  {name or '-':20s} lane {np.mean(right):.3f} of {len(right)}" for name, right in by_difficulty.items()
        ]
    if errors:
        lines += [
            f"{example.lane.value:6s} -> {judgement.lane.value:6s} {judgement.score:.2f} {joined(example)}"
            for example, judgement in sorted(pairs, key=lambda pair: pair[1].score)
            if example.lane is not judgement.lane
        ]
    return "\n".join(lines)


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--errors", action="store_true")
    given = parser.parse_args()
    pairs = judge_file(given.file) if given.file else cross_validate(read_all())
    sys.stdout.write(report(pairs, errors=given.errors) + "\n")


if __name__ == "__main__":
    main()
