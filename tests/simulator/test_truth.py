"""The make-believe carrier stays quick with a million texts: what is due is found by the index, not by reading them all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sms_gateway.simulator.faults import Fate
from sms_gateway.simulator.truth import Truth


@pytest.fixture
def truth() -> Iterator[Truth]:
    made = Truth()
    fate = Fate("delivered", None, 0.0, 0.0, doubled=False, out_of_order=False)
    made.take([(number, f"+86138{number:08d}", fate) for number in range(1, 200)], now=0.0)
    yield made
    made.close()


def test_what_is_due_is_found_by_the_index(truth: Truth) -> None:
    asked: list[str] = []
    truth._db.set_trace_callback(asked.append)
    truth.let_arrive(now=1.0)
    truth.take_to_tell(now=1.0, limit=500)
    assert truth.next_due() is None
    truth._db.set_trace_callback(None)
    selects = [words for words in asked if words.startswith("SELECT")]
    assert len(selects) == 3
    for words in selects:
        plan = " ".join(row[3] for row in truth._db.execute(f"EXPLAIN QUERY PLAN {words}"))
        assert "SCAN texts" not in plan and "waiting" in plan, plan
