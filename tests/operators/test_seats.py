"""Who is offered a talk, and at whose page it rings."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_gateway.operators.seats import (
    DANGER,
    SeatFacts,
    everyone,
    load_of,
    may_be_offered,
    may_take,
    ring_first,
    supervisors,
)

REGIONS = [None, "530600", "530627", "530628", "530100"]
SEATS = st.lists(
    st.builds(
        SeatFacts, operator_id=st.integers(1, 40), region=st.sampled_from(REGIONS), supervisor=st.booleans(), trained=st.booleans(),
        on_duty=st.booleans(), there=st.booleans(), on_break=st.booleans(), load=st.integers(0, 9),
    ), max_size=8, unique_by=lambda seat: seat.operator_id,
)  # fmt: skip


@pytest.mark.parametrize(
    "change", [{"there": False}, {"on_duty": False}, {"on_break": True}, {"trained": False}, {"load": 4}]
)
def test_red_is_offered_to_none_who_is_away_on_a_break_untrained_or_full(change: dict[str, object]) -> None:
    assert may_be_offered(SeatFacts(1), "red", capacity=6)
    assert not may_be_offered(replace(SeatFacts(1), **change), "red", capacity=6)  # type: ignore[arg-type]


def test_only_trained_seats_take_danger_and_who_is_full_may_still_help() -> None:
    assert not any(may_take(SeatFacts(1, trained=False), lane) for lane in DANGER)
    assert may_take(SeatFacts(1, trained=False), "blue")
    assert may_take(SeatFacts(1, load=99), "red")


def test_a_red_talk_weighs_as_much_as_three_plain_ones() -> None:
    assert load_of(["red"]) == load_of(["blue"] * 3) == load_of(["orange", "blue"])


def test_the_county_rings_first_with_nobody_there_prefecture_and_province_at_once() -> None:
    county, prefecture, province = SeatFacts(1, region="530627"), SeatFacts(2, region="530600"), SeatFacts(3)
    elsewhere = SeatFacts(4, region="530100")
    seats = [county, prefecture, province, elsewhere]
    assert ring_first(seats, "530627", "red", capacity=6) == {1}
    gone = [replace(county, there=False), prefecture, province, elsewhere]
    assert ring_first(gone, "530627", "red", capacity=6) == {2, 3}
    assert ring_first([elsewhere], "530627", "red", capacity=6) == {4}, "better another prefecture than nobody"


@given(
    seats=SEATS,
    county=st.sampled_from(["530627", "530628", "530602", None]),
    lane=st.sampled_from(["red", "orange", "blue"]),
)
def test_nobody_rings_whose_page_is_shut_and_somebody_does_if_any_is_open(
    seats: list[SeatFacts], county: str | None, lane: str
) -> None:
    rung = ring_first(seats, county, lane, capacity=6)
    assert rung <= everyone(seats)
    assert bool(rung) == bool(everyone(seats))
    able = {seat.operator_id for seat in seats if may_be_offered(seat, lane, capacity=6)}
    assert not able or rung <= able
    assert bool(supervisors(seats)) == bool(everyone(seats))
