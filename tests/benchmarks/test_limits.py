"""The speed limits: that each is measured, and held against its own target."""

from __future__ import annotations

import os
from pathlib import Path

from rich.console import Console

from benchmarks import limits


async def test_every_limit_of_the_issue_is_measured_against_its_target() -> None:
    rows = await limits.measure(Console(quiet=True), rounds=1, texts=6)
    assert [each.target for each in rows] == [3, 5, 1.3, 300, 3]
    assert all(each.value > 0 and each.area == "understanding" for each in rows)
    assert rows[2].value > 1  # all in all takes longer than the embedding that it begins with


def test_the_long_text_has_exactly_the_length_asked_for() -> None:
    assert len(limits.of_length(["有人打我", "你好"], 10_000)) == 10_000
    assert limits.of_length(["甲", "乙"], 5) == "甲。乙。甲"


def test_the_busy_process_ends_with_the_measure() -> None:
    before = _children()
    with limits.busy_process():
        assert len(_children() - before) == 1
    assert _children() == before


def _children() -> set[str]:
    return set(Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text(encoding="ascii").split())
