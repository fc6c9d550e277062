"""Measures of labels and probabilities. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
Labels = Sequence[tuple[str, str]]
"""What each text is, and what was said of it."""


@dataclass(frozen=True)
class ClassScore:
    """How one class fared. `count`: texts that are of it. Shares are 0-1, 0 where there is nothing to divide."""

    label: str
    count: int
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def by_class(labels: Labels) -> list[ClassScore]:
    """A score for each class that is there or was said, in order of name."""
    true, said = Counter(truth for truth, _ in labels), Counter(answer for _, answer in labels)
    right = Counter(truth for truth, answer in labels if truth == answer)
    return [
        ClassScore(name, true[name], right[name] / (said[name] or 1), right[name] / (true[name] or 1))
        for name in sorted(true | said)
    ]


def macro_f1(labels: Labels) -> float:
    """The mean F1 of the classes that are there, each counting the same; NaN of no text."""
    found = [score.f1 for score in by_class(labels) if score.count]
    return sum(found) / len(found) if found else float("nan")


def worst_confusions(labels: Labels, count: int = 12) -> list[tuple[str, str, int]]:
    """The commonest mistakes: what it is, what was said, how often."""
    wrong = Counter((truth, said) for truth, said in labels if truth != said)
    return [(truth, said, times) for (truth, said), times in wrong.most_common(count)]


def confusion(labels: Labels, names: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    """A row for what it is, a column for what was said, both in the order of `names`."""
    found = Counter(labels)
    return tuple(tuple(found[truth, said] for said in names) for truth in names)


def grouped(items: Iterable[T], key: Callable[[T], str]) -> dict[str, list[T]]:
    """The items by key, the largest group first."""
    groups: dict[str, list[T]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return dict(sorted(groups.items(), key=lambda group: (-len(group[1]), group[0])))


@dataclass(frozen=True)
class Bin:
    """Texts of about one probability: how many, the mean probability said, the share that came true."""

    count: int
    said: float
    true: float


def reliability(said: Sequence[float], true: Sequence[bool], bins: int = 10) -> list[Bin]:
    """Bins of equal width over 0-1, empty ones left out."""
    held: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for chance, happened in zip(said, true, strict=True):
        held[min(int(chance * bins), bins - 1)].append((chance, happened))
    return [
        Bin(len(pairs), sum(chance for chance, _ in pairs) / len(pairs), sum(true for _, true in pairs) / len(pairs))
        for _, pairs in sorted(held.items())
    ]


def calibration_error(bins: Sequence[Bin]) -> float:
    """Expected calibration error: the mean gap between said and true, bins weighted by their texts. NaN of none."""
    whole = sum(each.count for each in bins)
    return sum(each.count * abs(each.said - each.true) for each in bins) / whole if whole else float("nan")


def precision_over_recall(said: Sequence[float], true: Sequence[bool]) -> list[tuple[float, float]]:
    """(recall, precision) at each threshold, the highest first; texts of one score come together."""
    whole, points, right = sum(true), [], 0
    order = sorted(zip(said, true, strict=True), key=lambda pair: -pair[0])
    for place, (chance, happened) in enumerate(order, 1):
        right += happened
        if whole and (place == len(order) or order[place][0] != chance):
            points.append((right / whole, right / place))
    return points


def under(measured: Mapping[str, float], floors: Mapping[str, float], lower_is_better: Iterable[str]) -> list[str]:
    """Names of the measures that are worse than their floor; those not measured in this run are passed over."""
    lower = set(lower_is_better)
    return [
        name
        for name, floor in floors.items()
        if name in measured and not (measured[name] <= floor if name in lower else measured[name] >= floor)
    ]
