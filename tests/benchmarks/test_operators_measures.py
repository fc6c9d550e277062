"""What the operators' measures decide by themselves: order, growth, rows, and a report that needs nothing else."""

from __future__ import annotations

import pytest

from benchmarks import results
from benchmarks.operators_drill import Drilled
from benchmarks.operators_report import Plots, histogram_svg, lines_svg, write_report
from benchmarks.operators_soak import Soaked, judge_order, rows
from sms_gateway.conversations.drill_cases import Score


@pytest.mark.parametrize(
    ("sent", "found", "judged"),
    [
        ([1, 2, 3], [1, 2, 3], (0, 0, 0)),
        ([1, 2, 3], [1, 3], (1, 0, 0)),
        ([1, 2, 3], [2, 1, 3], (0, 1, 0)),
        ([1, 2, 3], [1, 2, 2, 3], (0, 0, 1)),
        ([], [], (0, 0, 0)),
    ],
)
def test_texts_that_are_lost_reordered_or_doubled_are_seen(
    sent: list[int], found: list[int], judged: tuple[int, int, int]
) -> None:
    assert judge_order(sent, found) == judged


def _soaked(per_minute: float) -> Soaked:
    made = Soaked(sent_in=8000, sent_out=4000, took=1200)
    made.memory["gateway"] = [(float(at), 160 + per_minute * at / 60) for at in range(0, 1200, 3)]
    return made


def test_a_process_that_grows_is_not_flat_and_a_steady_one_is() -> None:
    assert _soaked(0.0).holds
    assert not _soaked(2.0).holds
    grown = next(row for row in rows(_soaked(2.0)) if "growth" in row.name)
    assert grown.holds is False
    assert grown.value == pytest.approx(20, abs=1)


def test_a_run_that_lost_one_text_does_not_hold() -> None:
    made = _soaked(0.0)
    made.lost = 1
    assert not made.holds


def test_a_drill_says_how_many_were_reached_and_which_step_was_furthest_off() -> None:
    made = Drilled([Score("fire", 0.1, 2.0, 2.5, None, "human"), Score("fire", 0.1, None, None, None, "nobody")])
    made.deviations[1] = [0.2, -0.4]
    assert (made.reached, made.most_off) == (50.0, 0.4)


def test_the_report_stands_alone(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.charts.ROOT", tmp_path)
    plots = Plots([120.0, 180.0, 700.0], 500.0, {1: [0.1, 0.4], 4: [0.9]}, [(4.0, 90.0), (8.0, 400.0)])
    page = write_report(plots=plots, soaked=_soaked(0.0), rows=rows(_soaked(0.0))).read_text(encoding="utf-8")
    assert page.count("<svg") == 5
    assert "http" not in page.replace("http-equiv", "")
    assert "gateway" in page and "<script" not in page
    assert "&lt;b&gt;" in str(lines_svg({"<b>": [(0, 1), (1, 2)]}, "s", "MB"))
    assert "nan" not in str(histogram_svg([0.0], "s", mark=1.0))


def test_rows_of_a_long_run_stand_beside_those_of_the_area(tmp_path) -> None:
    place = tmp_path / "results.json"
    results.keep(
        [results.row("operators", "a", [1], "s"), results.row("operators", "b", [2], "s")], ["operators"], place
    )
    results.keep([results.row("turns", "t", [3], "ms")], ["turns"], place)
    results.add([results.row("operators", "b", [5], "s"), results.row("operators", "c", [6], "s")], place)
    assert {(one.name, one.value) for one in results.read(place)} == {("a", 1), ("b", 5), ("c", 6), ("t", 3)}
