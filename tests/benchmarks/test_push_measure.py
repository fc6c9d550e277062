"""The push measure once with next to no events: that it runs, delivers everything, and gives its rows."""

from __future__ import annotations

import pytest
from rich.console import Console

from benchmarks import casework_push


async def test_pushing_is_measured_against_a_plain_loop() -> None:
    rows = await casework_push.measure(Console(quiet=True), rounds=1, events=40)
    ratio, ours, plain = (row.value for row in rows)
    assert ratio == pytest.approx(ours / plain, rel=0.01)
    assert {row.area for row in rows} == {"casework"}
