"""How far a desk says it is: late and repeated words take nothing back, lost contact stands until something further is said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sms_gateway.bridge.models import BridgeEvent
from sms_gateway.bridge.said import last_said

BEGAN = datetime(2026, 11, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("heard", "stands"),
    [
        ("", None), ("requested no_answer", None), ("requested accepted", "accepted"), ("accepted dispatched", "dispatched"),
        ("accepted arrived dispatched", "arrived"), ("accepted dispatched dispatched", "dispatched"),
        ("accepted dispatched lost_contact", "lost_contact"), ("accepted arrived lost_contact dispatched", "lost_contact"),
        ("accepted dispatched lost_contact dispatched", "dispatched"), ("accepted lost_contact child_seen", "child_seen"),
        ("accepted concluded arrived", "concluded"), ("accepted receipt late", "accepted"),
    ],
)  # fmt: skip
def test_what_stands_of_what_a_desk_said(heard: str, stands: str | None) -> None:
    events = [
        BridgeEvent(call_id=1, what=what, who="desk", at=BEGAN + timedelta(minutes=number))
        for number, what in enumerate(heard.split())
    ]
    said = last_said(events)
    assert (said.what if said is not None else None) == stands


def test_the_time_is_when_it_was_said_first() -> None:
    events = [
        BridgeEvent(call_id=1, what="dispatched", who="desk", at=BEGAN + timedelta(minutes=number)) for number in (1, 5)
    ]
    said = last_said(events)
    assert said is not None and said.at == BEGAN + timedelta(minutes=1)
