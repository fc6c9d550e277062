"""Who may be offered a talk, and whose pages ring. Pure.

Only a trained child-protection seat (未保专席) takes red and orange (PRACTICE section 8); nothing is offered to someone who is
away, on a break or full. Weights are an engineering default: red takes the whole attention, blue a sixth of a seat.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

WEIGHTS = {"red": 3, "orange": 2, "blue": 1}
DANGER = frozenset({"red", "orange"})


@dataclass(frozen=True)
class SeatFacts:
    """One operator or supervisor as they are right now. `region`: adcode they are kept to, None for the whole province."""

    operator_id: int
    region: str | None = None
    supervisor: bool = False
    trained: bool = True
    on_duty: bool = True
    there: bool = True
    """A console of theirs is open."""
    on_break: bool = False
    load: int = 0


def load_of(lanes: Iterable[str]) -> int:
    """What talks of these lanes weigh together."""
    return sum(WEIGHTS.get(lane, 1) for lane in lanes)


def may_take(seat: SeatFacts, lane: str) -> bool:
    """Whether they may take a talk of that lane by their own hand: however much they have, who is trained may help."""
    return seat.trained or lane not in DANGER


def may_be_offered(seat: SeatFacts, lane: str, *, capacity: int) -> bool:
    """Whether a talk of that lane may ring at their page first, or be passed on to them."""
    has_room = seat.load + WEIGHTS.get(lane, 1) <= capacity
    return seat.there and seat.on_duty and not seat.on_break and may_take(seat, lane) and has_room


def is_county(region: str | None) -> bool:
    """Whether that is a county's adcode (a prefecture's ends in 00)."""
    return region is not None and not region.endswith("00")


def crew_of_county(seats: Collection[SeatFacts], county: str | None, lane: str, *, capacity: int) -> set[int]:
    """Who of the county's own desk could take it now."""
    mine = (seat for seat in seats if is_county(county) and seat.region == county)
    return {seat.operator_id for seat in mine if may_be_offered(seat, lane, capacity=capacity)}


def ring_first(seats: Collection[SeatFacts], county: str | None, lane: str, *, capacity: int) -> set[int]:
    """Whose pages ring at the first steps: the county's desk; with nobody there its prefecture and the province at once.

    With none of those either, everybody on duty who is there; then every open page: a call is never rung at nobody while
    somebody could hear it. A place that is not known is everybody's.
    """
    own = crew_of_county(seats, county, lane, capacity=capacity)
    if own:
        return own
    free = [seat for seat in seats if may_be_offered(seat, lane, capacity=capacity)]
    above = {seat.operator_id for seat in free if county is None or _answers_for(seat.region, county)}
    on_duty = [seat for seat in seats if seat.there and seat.on_duty]
    trained = {seat.operator_id for seat in on_duty if may_take(seat, lane)}
    return above or {s.operator_id for s in free} or trained or {s.operator_id for s in on_duty} or everyone(seats)


def _answers_for(region: str | None, county: str) -> bool:
    return region is None or region.endswith("0000") or (region.endswith("00") and county.startswith(region[:4]))


def everyone(seats: Collection[SeatFacts]) -> set[int]:
    """Every open page of the desk."""
    return {seat.operator_id for seat in seats if seat.there}


def supervisors(seats: Collection[SeatFacts]) -> set[int]:
    """Supervisors whose console is open; where there is none, every open page."""
    return {seat.operator_id for seat in seats if seat.there and seat.supervisor} or everyone(seats)
