"""Who may see a matter: the whole table, cell by cell, written here a second time by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_gateway.departments.categories import load
from sms_gateway.departments.visibility import (
    TABLE,
    Facts,
    Reach,
    Secrecy,
    Sight,
    Standing,
    is_sensitive,
    sight_of,
    view_of,
)

BLUE = Facts(
    category="D11", place="530627", level="county", lane="blue", sensitivity=None, units=frozenset(),
    complained_of=frozenset(),
)  # fmt: skip
SENSITIVE_KINDS = ["sexual", "domestic_violence", "self_harm", "hiv", "adoption", "sealed_record"]

# standing: (category not of its duty or of its duty, unit of a department, how it stands to the matter)
DEPARTMENT = {
    "handling": "tobacco", "copied": "tobacco", "lead": "fuer", "police": "police", "duty": "edu", "other": "tobacco",
}  # fmt: skip
CATEGORY = {"police": "D30"}  # no duty of the police: only what they are by name counts
EXPECTED = """
            same               above              below              neighbour          far
handling    full/full          full/full          full/full          full/full          full/full
copied      without/counts     without/counts     without/counts     without/counts     without/counts
lead        without/counts     counts/counts      none/none          none/none          none/none
police      counts/without     none/counts        none/none          none/none          none/none
duty        without/none       counts/none        none/none          none/none          none/none
other       counts/none        none/none          none/none          none/none          none/none
"""
"""Ordinary / sensitive. Every unit of the same level and place sees at least counts of what is ordinary."""

PLACED = {  # reach: (adcode of the unit, place of the matter, level of the matter)
    "same": [("530627", "530627", "county"), ("530600", "530627", "prefecture"), ("530600", "530600", "prefecture"),
             ("530000", "530627", "province"), ("530000", "530000", "province")],
    "above": [("530600", "530627", "county"), ("530000", "530627", "county"), ("530000", "530600", "prefecture")],
    "below": [("530627", "530627", "prefecture"), ("530627", "530627", "province"), ("530600", "530627", "province"),
              ("530627", "530600", "prefecture"), ("530627", "530000", "province")],
    "neighbour": [("530621", "530627", "county"), ("530500", "530600", "prefecture"), ("530627", "530600", "county")],
    "far": [("530102", "530627", "county"), ("530100", "530627", "county"), ("530500", "530627", "prefecture")],
}  # fmt: skip
SIGHTS = {"full": Sight.FULL, "without": Sight.WITHOUT_REPORTER, "counts": Sight.COUNTS, "none": Sight.NONE}


def _cells() -> list[tuple[str, str, str, str]]:
    header, *rows = EXPECTED.strip("\n").splitlines()
    reaches = header.split()
    return [
        (standing, reach, *cell.split("/"))
        for standing, *cells in (row.split() for row in rows)
        for reach, cell in zip(reaches, cells, strict=True)
    ]


def _facts(standing: str, unit: str, place: str, level: str) -> Facts:
    facts = replace(BLUE, place=place, level=level, category=CATEGORY.get(standing, "D11"))
    if standing == "handling":
        return replace(facts, units=frozenset({unit}))
    return replace(facts, copied=frozenset({unit})) if standing == "copied" else facts


@pytest.mark.parametrize(("standing", "reach", "ordinary", "sensitive"), _cells())
def test_each_cell_of_the_table(standing: str, reach: str, ordinary: str, sensitive: str) -> None:
    for adcode, place, level in PLACED[reach]:
        unit = f"{DEPARTMENT[standing]}@{adcode}"
        facts = _facts(standing, unit, place, level)
        assert sight_of(unit, facts) is SIGHTS[ordinary], (unit, facts)
        for kind in SENSITIVE_KINDS:
            assert sight_of(unit, replace(facts, sensitivity=kind)) is SIGHTS[sensitive], (unit, kind)
        assert sight_of(unit, replace(facts, sealed=True)) is SIGHTS[sensitive]
        assert sight_of(unit, replace(facts, sensitivity="a kind nobody knows")) is SIGHTS[sensitive]
        assert sight_of(unit, replace(facts, sensitivity="none")) is SIGHTS[ordinary]


@pytest.mark.parametrize(("standing", "reach", "ordinary", "sensitive"), _cells())
def test_a_unit_complained_of_sees_nothing_in_any_cell(
    standing: str, reach: str, ordinary: str, sensitive: str
) -> None:
    for adcode, place, level in PLACED[reach]:
        unit = f"{DEPARTMENT[standing]}@{adcode}"
        facts = replace(_facts(standing, unit, place, level), complained_of=frozenset({unit}))
        assert sight_of(unit, facts) is Sight.NONE
        assert sight_of(unit, replace(facts, sensitivity="sexual")) is Sight.NONE


def test_the_table_has_every_cell_once() -> None:
    assert set(TABLE) == set(product(Standing, Reach, Secrecy))


@pytest.mark.parametrize("unit", ["", "edu", "edu@999999", "nobody@530627", "EDU@530627", "sports@530627", "edu@530627 "])  # fmt: skip
def test_who_is_no_unit_sees_nothing_even_when_written_on_the_ticket(unit: str) -> None:
    facts = replace(BLUE, units=frozenset({unit}), copied=frozenset({unit}))
    assert view_of(unit) is None
    assert sight_of(unit, facts) is Sight.NONE


@pytest.mark.parametrize("lane", ["red", "orange"])
def test_harm_that_nobody_has_sorted_yet_counts_as_sensitive(lane: str) -> None:
    unsorted = replace(BLUE, category=None, lane=lane)
    assert is_sensitive(unsorted)
    assert sight_of("fuer@530627", unsorted) is Sight.COUNTS
    assert sight_of("police@530627", unsorted) is Sight.WITHOUT_REPORTER
    assert sight_of("civil@530627", unsorted) is Sight.NONE
    assert not is_sensitive(replace(unsorted, lane="blue"))


def test_a_category_says_by_itself_that_it_is_sensitive_until_a_person_says_otherwise() -> None:
    for category in load().categories.values():
        facts = replace(BLUE, category=category.code)
        assert is_sensitive(facts) is (category.sensitivity is not None), category.name
        assert not is_sensitive(replace(facts, sensitivity="none"))
    assert is_sensitive(replace(BLUE, category="D99"))


def test_a_department_sees_what_it_does_for_one_that_has_no_office_there() -> None:
    lottery = replace(BLUE, category="D32")
    assert sight_of("edu@530627", lottery) is Sight.WITHOUT_REPORTER
    assert sight_of("tobacco@530627", lottery) is Sight.COUNTS


units = st.sampled_from([f"{dept}@{adcode}" for dept in ("edu", "police", "fuer", "civil", "tobacco") for adcode in ("530627", "530600", "530000", "530621")])  # fmt: skip
facts = st.builds(
    Facts,
    category=st.sampled_from([None, "D11", "D09", "D30", "D99"]),
    place=st.sampled_from(["530627", "530600", "530000", "530621", "999999", ""]),
    level=st.sampled_from(["county", "prefecture", "province", "village", ""]),
    lane=st.sampled_from(["red", "orange", "blue", "?"]),
    sensitivity=st.sampled_from([None, "none", "sexual", "?"]),
    units=st.frozensets(units, max_size=2),
    complained_of=st.frozensets(units, max_size=2),
    sealed=st.booleans(),
    copied=st.frozensets(units, max_size=2),
)


@given(unit=units, known=facts)
def test_the_reporter_is_for_handlers_only_and_whoever_is_complained_of_sees_nothing(unit: str, known: Facts) -> None:
    sight = sight_of(unit, known)
    if unit in known.complained_of:
        assert sight is Sight.NONE
    elif unit in known.units:
        assert sight is Sight.FULL
    else:
        assert sight is not Sight.FULL


@given(unit=units, known=facts)
def test_making_a_matter_secret_never_shows_more_of_it_but_to_the_police(unit: str, known: Facts) -> None:
    open_sight = sight_of(unit, replace(known, sensitivity="none", sealed=False))
    closed_sight = sight_of(unit, replace(known, sealed=True))
    assert closed_sight.rank <= open_sight.rank or unit.startswith("police@")


@given(unit=units, known=facts)
def test_the_declarative_form_says_the_same_as_the_single_read(unit: str, known: Facts) -> None:
    from sms_gateway.departments import visibility

    view = view_of(unit)
    assert view is not None
    held = visibility._standings(view, known)
    reach, secrecy = visibility._reach(view, known), Secrecy(is_sensitive(known))
    for least in (Sight.COUNTS, Sight.WITHOUT_REPORTER, Sight.FULL):
        fits = any(
            term.standing in held and reach in term.reaches and term.secrecy in (None, secrecy)
            for term in view.terms(least)
        )
        assert (fits and unit not in known.complained_of) is sight_of(unit, known).reaches(least)
