"""How triage's judgements are counted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sms_gateway.triage import Harm, Immediacy, Judgement, Lane, Writer
from sms_gateway.triage.examples_file import Example
from sms_gateway.triage.measures import Pair, average_precision, measure, precision_among_traps

EXAMPLE = Example("", Lane.BLUE, Harm.NONE, (), Immediacy.NONE, Writer.CHILD, False, (), "plain")
JUDGEMENT = Judgement(Lane.BLUE, Harm.NONE, (), Immediacy.NONE, 0.1, (), Writer.CHILD, None, False, False)


def pair(lane: Lane, said: Lane, difficulty: str = "plain", services: tuple[str, str] = ("110", "110")) -> Pair:
    red, called = lane is Lane.RED, said is Lane.RED
    return (
        replace(
            EXAMPLE, lane=lane, difficulty=difficulty, services=(services[0],) if red else (),
            immediacy=Immediacy.NOW if red else Immediacy.NONE,
        ),
        replace(JUDGEMENT, lane=said, services=(services[1],) if called else (), score=0.9 if called else 0.1),
    )  # fmt: skip


def test_recall_harm_seen_and_lanes_are_counted_over_what_they_are_about() -> None:
    found = measure([
        pair(Lane.RED, Lane.RED), pair(Lane.RED, Lane.ORANGE), pair(Lane.ORANGE, Lane.BLUE), pair(Lane.BLUE, Lane.BLUE),
    ])  # fmt: skip
    assert found["emergency recall"] == found["plain danger now seen"] == 0.5
    assert found["harm seen"] == pytest.approx(2 / 3)
    assert found["lane"] == 0.5


def test_the_right_service_is_asked_only_of_red_texts_that_were_called_red() -> None:
    pairs = [
        pair(Lane.RED, Lane.RED, services=("119", "119")),
        pair(Lane.RED, Lane.RED, services=("120", "110")),
        pair(Lane.RED, Lane.BLUE, services=("122", "122")),
    ]
    assert measure(pairs)["right service"] == 0.5


def test_only_plain_texts_count_as_false_alarms_on_plain_texts() -> None:
    pairs = [pair(Lane.BLUE, Lane.RED, "trap"), pair(Lane.BLUE, Lane.RED), *[pair(Lane.BLUE, Lane.BLUE)] * 3]
    found = measure(pairs)
    assert found["false alarms on plain texts"] == 0.25
    assert found["harmless called red"] == 0.4


def test_traps_weigh_as_if_they_were_half_of_the_set() -> None:
    # three others to one trap: the trap called red counts three times against three rightly called
    pairs = [*[pair(Lane.RED, Lane.RED)] * 3, pair(Lane.BLUE, Lane.RED, "trap")]
    assert precision_among_traps(pairs) == 0.5
    assert measure(pairs)["emergency precision, as written"] == 0.75
    assert precision_among_traps(pairs[:3]) == 1.0


def test_average_precision_falls_with_each_harmless_text_above_a_red_one() -> None:
    assert average_precision([0.9, 0.8, 0.1], [True, True, False]) == 1.0
    assert average_precision([0.9, 0.8, 0.1], [True, False, True]) == pytest.approx((1 + 2 / 3) / 2)
