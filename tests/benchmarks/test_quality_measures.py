"""The arithmetic of `make eval`, on numbers small enough to count by hand."""

from __future__ import annotations

import math

import pytest

from benchmarks.quality import measures
from benchmarks.quality.measures import Bin

LABELS = [("a", "a"), ("a", "a"), ("a", "b"), ("b", "b"), ("c", "a")]


def test_precision_and_recall_of_each_class_are_counted_apart() -> None:
    a, b, c = measures.by_class(LABELS)
    assert (a.label, a.count, a.precision, a.recall) == ("a", 3, 2 / 3, 2 / 3)
    assert (b.count, b.precision, b.recall) == (1, 0.5, 1.0)
    assert (c.count, c.precision, c.recall, c.f1) == (1, 0.0, 0.0, 0.0)


def test_macro_f1_counts_each_class_that_is_there_the_same() -> None:
    assert measures.macro_f1(LABELS) == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)
    assert measures.macro_f1([("a", "a"), ("a", "z")]) == pytest.approx(2 / 3)  # z is nobody's class
    assert math.isnan(measures.macro_f1([]))


def test_confusions_are_counted_by_truth_and_answer() -> None:
    assert measures.confusion(LABELS, ["a", "b", "c"]) == ((2, 1, 0), (0, 1, 0), (1, 0, 0))
    assert measures.worst_confusions([*LABELS, ("a", "b")], 1) == [("a", "b", 2)]


def test_groups_come_with_the_largest_first() -> None:
    assert measures.grouped(["x1", "y1", "y2"], lambda text: text[0]) == {"y": ["y1", "y2"], "x": ["x1"]}


def test_probabilities_that_come_true_as_often_as_said_have_no_calibration_error() -> None:
    bins = measures.reliability([0.55, 0.55, 0.95, 1.0], [True, False, True, True], bins=10)
    assert bins == [Bin(2, 0.55, 0.5), Bin(2, 0.975, 1.0)]
    assert measures.calibration_error(bins) == pytest.approx((2 * 0.05 + 2 * 0.025) / 4)
    assert measures.calibration_error([Bin(3, 0.5, 0.5)]) == 0
    assert math.isnan(measures.calibration_error([]))


def test_precision_over_recall_takes_texts_of_one_score_together() -> None:
    points = measures.precision_over_recall([0.9, 0.5, 0.5, 0.1], [True, True, False, True])
    assert points == [(1 / 3, 1.0), (2 / 3, 2 / 3), (1.0, 0.75)]
    assert measures.precision_over_recall([0.9], [False]) == []


def test_a_measure_is_under_its_floor_in_its_own_direction() -> None:
    measured = {"recall": 0.9, "false alarms": 0.02, "exact": 0.5, "nothing": float("nan")}
    floors = {"recall": 0.91, "false alarms": 0.01, "exact": 0.5, "nothing": 0.1, "not run": 1.0}
    assert measures.under(measured, floors, ["false alarms"]) == ["recall", "false alarms", "nothing"]
