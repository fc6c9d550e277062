"""`python -m sms_gateway.triage.evaluate [file.jsonl] [--errors]`: how well triage judges.

Without a file: five folds of the training examples. With one: the committed weights on that file, through
`Triage.judge` with the `earlier` of each line; `make eval` says more about the development sets.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .decision import THRESHOLDS, Thresholds, decide
from .examples_file import Example, read
from .lexicon import load_lexicon
from .measures import Pair, judged, measure
from .service import load
from .train import CACHE, fit, joined, read_all, rows, vectors


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
    examples = read(path)
    return judged(load(), examples, vectors([example.text for example in examples], CACHE))


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
