"""Supervisors' figures: rolled up without loss, equal to the lists behind them, counted once a minute by one process."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, true

from benchmarks.casework_data import fill
from sms_gateway import regions
from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from sms_gateway.tickets import dashboards, figures, filters, listing, scope
from sms_gateway.tickets.figures import Came, Counts, OpenCount, Took, UnitCount
from sms_gateway.tickets.filters import Filter
from sms_gateway.tickets.models import PROVINCE, Dashboard, Ticket

TODAY = date(2026, 11, 30)
PLACES = st.sampled_from(["530627", "530628", "530600", "530102", "530000"])


def _open(place: str, count: int, **other: object) -> OpenCount:
    plain = {"status": "handling", "lane": "blue", "age": "0-1", "late": False, "supervised": False, "returned": False}
    return OpenCount(place=place, count=count, **{**plain, **other})  # type: ignore[arg-type]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(PLACES, st.integers(1, 9), st.booleans()), max_size=20))
def test_what_is_below_adds_up_to_what_is_above(rows: list[tuple[str, int, bool]]) -> None:
    made = figures.make(Counts(TODAY, TODAY, open=[_open(place, count, late=late) for place, count, late in rows]))
    for region in made.values():
        if region["regions"]:
            for name in ("open", "late"):
                assert (
                    sum(row[name] for row in region["regions"]) == region["open"]["total" if name == "open" else name]
                )
    assert made[PROVINCE]["open"]["total"] == sum(count for _, count, _ in rows)


def test_weeks_begin_on_monday_and_take_in_today() -> None:
    starts = figures.week_starts(TODAY)
    assert len(starts) == figures.WEEKS_SHOWN and all(day.weekday() == 0 for day in starts)
    assert starts[-1] <= TODAY < starts[-1] + timedelta(days=7)


def test_a_sensitive_kind_is_one_number_among_others_in_a_county_and_named_above() -> None:
    came = [Came("530627", "D04", TODAY, 2), Came("530627", None, TODAY, 1)]
    made = figures.make(Counts(TODAY, TODAY, came=came))
    assert set(made["530627"]["weeks"]["categories"]) == {"sensitive", "none"}
    assert set(made["530600"]["weeks"]["categories"]) == {"D04", "none"}
    assert made[PROVINCE]["weeks"]["all"][-1] == 3


def test_a_surge_in_a_county_is_shown_there_and_above_but_not_beside_it() -> None:
    ordinary = next(code for code in sorted(figures.categories.ordinary_codes()))
    came = [Came("530627", ordinary, TODAY - timedelta(weeks=n), 1) for n in range(1, 9)]
    made = figures.make(Counts(TODAY, TODAY - timedelta(days=200), came=[*came, Came("530627", ordinary, TODAY, 15)]))
    for scope_ in ("530627", "530600", PROVINCE):  # said once, where it is: not again for all that lies around
        assert [(each["region"], each["category"]) for each in made[scope_]["surges"]] == [("530627", ordinary)]
    assert not made["530628"]["surges"] and not made["530100"]["surges"]
    unknown = figures.make(Counts(TODAY, TODAY - timedelta(days=3), came=[Came("530627", ordinary, TODAY, 15)]))
    assert not unknown[PROVINCE]["surges"]


def test_marks_and_units_are_put_together() -> None:
    units = [
        UnitCount("530627", "edu@530627", came=3, answered=3, unsolved=1, marks=(1, 0, 0, 0, 1)),
        UnitCount("530628", "edu@530600", open=2, late=1, came=1),
    ]
    made = figures.make(Counts(TODAY, TODAY, units=units, took=[Took("530600", "sign", 4, 2.25, 9.0)]))
    assert made["530600"]["window"] == {
        "came": 4,
        "returned": 0,
        "unsolved": 1,
        "answered": 3,
        "marks": [1, 0, 0, 0, 1],
    }
    assert [unit["unit"] for unit in made["530600"]["units"]] == ["edu@530600", "edu@530627"]
    assert made["530600"]["took"]["sign"] == {"n": 4, "median": 2.2, "p90": 9.0}


@pytest.fixture
async def full(database: str, clock: HeldClock) -> str:
    await fill(database, 400, open_share=0.5, now=clock.now())
    async with transaction() as session:
        for place, ticket in enumerate(await session.scalars(select(Ticket).order_by(Ticket.id).limit(60))):
            ticket.returns, ticket.supervised, ticket.evaluated = (
                place % 2,
                place % 3,
                ticket.evaluated or place % 6 or None,
            )
            if place % 4 == 0:
                ticket.place = "530600" if place % 8 else PROVINCE
        await dashboards.count_all(session)
    return database


async def test_every_number_is_the_length_of_the_list_behind_it(full: str) -> None:
    async with transaction() as session:
        for code in (PROVINCE, "530100", "530600", "530102"):
            row = await dashboards.load(session, code)
            assert row is not None
            seen, here = row.figures, Filter(region=code)

            async def listed(here: Filter = here, **more: object) -> int:
                wanted = Filter.from_query({**here.to_query(), **{key: str(value) for key, value in more.items()}})
                assert not wanted.unread
                return await listing.count(session, wanted, within=true())

            assert seen["open"]["total"] == await listed()
            assert seen["open"]["late"] == await listed(show="late")
            assert seen["open"]["returned"] == await listed(returned=1)
            assert seen["open"]["supervised"] == await listed(supervised=1)
            for status, stage in seen["open"]["stages"].items():
                assert stage["n"] == await listed(status=status, show="open")
                for age, many in stage["ages"].items():
                    assert many == await listed(status=status, show="open", age=age), (status, age)
            for lane, many in seen["open"]["lanes"].items():
                assert many == await listed(lane=lane)
            window = {"show": "all", "opened_from": seen["since"]}
            for place, many in enumerate(seen["window"]["marks"]):
                assert many == await listed(**window, marked=place + 1)
            assert seen["window"]["answered"] == await listed(**window, marked="any")
            assert seen["window"]["returned"] == await listed(**window, returned=1)
            starts = [*seen["weeks"]["starts"], "2100-01-01"]
            for category, weeks in seen["weeks"]["categories"].items():
                if category == "sensitive":
                    continue
                end = (date.fromisoformat(starts[-2]) + timedelta(days=6)).isoformat()
                assert weeks[-1] == await listed(show="all", category=category, opened_from=starts[-2], opened_to=end)
            for below in seen["regions"]:
                exact = {"exact": 1} if below["region"] == code else {}
                assert below["open"] == await listed(region=below["region"], **exact)


async def test_medians_are_exact_at_every_level(full: str) -> None:
    from statistics import median

    async with transaction() as session:
        row = await dashboards.load(session, "530100")
        assert row is not None
        done = await session.execute(
            select(Ticket.closed_at, Ticket.received_at).where(
                scope.in_region("530100"), Ticket.status.in_(dashboards.SETTLED),
                Ticket.received_at >= filters.start_of(date.fromisoformat(row.figures["since"])),
            )
        )  # fmt: skip
        hours = [(closed - received).total_seconds() / 3600 for closed, received in done]
    took = row.figures["took"].get("conclude", {"n": 0})
    assert took["n"] == len(hours)
    if hours:
        assert took["median"] == pytest.approx(median(hours), abs=0.06)


async def test_figures_are_counted_once_a_minute_whoever_sweeps(full: str, clock: HeldClock) -> None:
    assert not await dashboards.sweep()
    clock.advance(timedelta(seconds=61))
    assert sorted(await asyncio.gather(*(dashboards.sweep() for _ in range(4)))) == [False, False, False, True]
    async with transaction() as session:
        rows = (await session.scalars(select(Dashboard))).all()
    assert {row.scope for row in rows} == {region.adcode for region in regions.list_regions()}
    assert {row.at for row in rows} == {clock.now()}
