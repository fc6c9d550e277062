"""The file and the table that `make bench` leaves behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import results, table
from benchmarks.results import LONG, Row, add, row


def test_a_row_is_the_median_of_its_rounds_and_says_whether_it_keeps_its_target() -> None:
    lower = row("webhooks", "p50", [3.0, 1.0, 1.5], "times", target=2)
    higher = row("understanding", "rate", [10.0, 40.0, 30.0], "1/s", target=31, better="higher")
    assert (lower.value, lower.holds, lower.samples) == (1.5, True, [3.0, 1.0, 1.5])
    assert (higher.value, higher.holds) == (30.0, False)
    assert row("turns", "without a target", [1.0], "ms").holds is None


def test_a_row_of_no_area_or_without_a_round_is_refused() -> None:
    with pytest.raises(ValueError):
        row("somewhere", "p50", [1.0], "ms")
    with pytest.raises(ValueError):
        row("turns", "p50", [], "ms")


def test_a_part_of_a_run_replaces_only_its_own_area(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    results.keep(
        [row("turns", "old turn", [1.0], "ms"), row("webhooks", "hook", [2.0], "ms")], ["turns", "webhooks"], path
    )
    results.keep(
        [row("turns", "new turn", [3.0], "ms"), row("webhooks", "not asked for", [9.0], "ms")], ["turns"], path
    )
    assert [(each.area, each.name) for each in results.read(path)] == [("turns", "new turn"), ("webhooks", "hook")]


def test_what_only_the_long_run_measures_stays_until_it_is_measured_again(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    results.keep([row("broadcasts", "short", [1.0], "s")], ["broadcasts"], file)
    add([row("broadcasts", f"{LONG}: import", [1.0], "s")], file)
    results.keep([row("broadcasts", "short", [2.0], "s")], ["broadcasts"], file)
    found = add([row("broadcasts", f"{LONG}: import", [3.0], "s")], file)
    assert {one.name: one.value for one in found} == {"short": 2.0, f"{LONG}: import": 3.0}
    assert len(found) == 2


def test_the_file_has_exactly_the_fields_of_the_contract(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    results.keep([row("turns", "a turn", [0.4, 0.5, 0.6], "times", target=0.5)], ["turns"], path)
    assert json.loads(path.read_text(encoding="utf-8")) == [
        {
            "area": "turns", "name": "a turn", "value": 0.5, "unit": "times", "target": 0.5, "better": "lower", "holds": True,
            "samples": [0.4, 0.5, 0.6],
        }
    ]  # fmt: skip


@pytest.mark.parametrize(("share", "wanted"), [(0.5, 5), (0.95, 10), (0.9, 9), (1.0, 10), (0.0, 1)])
def test_a_percentile_is_one_of_the_values(share: float, wanted: float) -> None:
    assert results.percentile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], share) == wanted


def test_the_table_takes_the_place_between_its_marks_and_nothing_else() -> None:
    text = "before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n"
    once = table.with_table(text, "new")
    assert once == "before\n<!-- bench -->\nnew\n<!-- /bench -->\nafter\n"
    assert table.with_table(once, "new") == once


@pytest.mark.parametrize(
    "text",
    [
        "no mark",
        "<!-- bench --> one",
        "<!-- /bench --> first <!-- bench -->",
        "<!-- bench --><!-- /bench --><!-- /bench -->",
    ],
)
def test_a_readme_without_a_place_for_the_table_is_left_alone(text: str) -> None:
    with pytest.raises(table.NoPlaceForTable):
        table.with_table(text, "new")


def test_the_table_says_plainly_what_falls_short() -> None:
    missed = Row("webhooks", "danger", 350.4, "ms", 300, "lower", False, [350.4])
    assert "| danger | 350 ms | ≤ 300 | **no** |" in table.as_markdown([missed])
