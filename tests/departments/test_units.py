"""Units are plain values: read from their code, named as people know them, with somebody above them."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_gateway import regions
from sms_gateway.departments.units import (
    Level,
    UnitCodeMalformed,
    UnitNotFound,
    at_level,
    directory,
    get_unit,
    lead_of,
    list_units,
    parse,
    superior,
    unit_at,
)


@pytest.mark.parametrize(
    ("code", "name", "short_name", "level"),
    [
        ("edu@530627", "镇雄县教育体育局", "镇雄教育体育局", "county"),
        ("edu@530600", "昭通市教育体育局", "昭通教育体育局", "prefecture"),
        ("edu@530000", "云南省教育厅", "云南省教育体育局", "province"),
        ("police@530627", "镇雄县公安局", "镇雄公安局", "county"),
        ("police@530102", "昆明市公安局五华分局", "五华公安局", "county"),
        ("court@530000", "云南省高级人民法院", "云南省法院", "province"),
        ("court@532900", "大理白族自治州中级人民法院", "大理法院", "prefecture"),
        ("court@530629", "威信县人民法院", "威信法院", "county"),
        ("fuer@530600", "昭通市人民政府妇女儿童工作委员会办公室", "昭通妇儿工委办", "prefecture"),
        ("fire@530627", "镇雄县消防救援大队", "镇雄消防救援", "county"),
        ("youth@530128", "共青团禄劝彝族苗族自治县委员会", "禄劝团委", "county"),
    ],
)
def test_a_unit_is_called_what_people_know_it_by(code: str, name: str, short_name: str, level: str) -> None:
    unit = get_unit(code)
    assert (unit.code, unit.name, unit.level) == (code, name, level)
    assert unit.short_name.startswith(short_name[:2])


@pytest.mark.parametrize("code", ["", "edu", "edu@", "@530627", "edu@53062", "EDU@530627", "edu@５３０６２７", "edu@530627 ", "edu@530627\n", "a@530627", "abcdefghijklm@530627", "edu@530627@1", "edu-530627"])  # fmt: skip
def test_a_code_of_another_form_is_refused(code: str) -> None:
    with pytest.raises(UnitCodeMalformed) as refused:
        get_unit(code)
    assert refused.value.status_code == 422


@pytest.mark.parametrize("code", ["nobody@530627", "edu@539999", "edu@110101", "telecom@530627", "sports@530600", "urban@530000"])  # fmt: skip
def test_a_unit_that_does_not_exist_is_not_found(code: str) -> None:
    with pytest.raises(UnitNotFound) as missing:
        get_unit(code)
    assert missing.value.status_code == 404
    assert missing.value.sentence


@given(st.text(max_size=30))
def test_no_code_does_worse_than_an_error_of_ours(code: str) -> None:
    with contextlib.suppress(UnitCodeMalformed, UnitNotFound):
        assert get_unit(code).code == code


def test_every_unit_of_the_province_comes_back_from_its_code() -> None:
    seen = 0
    for region in regions.list_regions():
        for unit in list_units(region.adcode):
            assert get_unit(unit.code) == unit
            assert parse(unit.code) == (unit.dept, unit.adcode)
            assert len(unit.code) <= 24
            assert "{" not in unit.name
            seen += 1
    assert seen > 146 * 30


def test_one_level_up_stands_the_same_department_until_the_province() -> None:
    county = get_unit("civil@530627")
    prefecture = superior(county)
    assert prefecture == get_unit("civil@530600")
    province = superior(prefecture)
    assert province == get_unit("civil@530000")
    assert superior(province) is None


def test_above_a_department_that_has_no_office_there_stands_who_does_its_work() -> None:
    assert superior(get_unit("urban@530600")) == get_unit("housing@530000")


@pytest.mark.parametrize(
    ("dept", "adcode", "code"),
    [
        ("edu", "530627", "edu@530627"),
        ("sports", "530627", "edu@530627"),
        ("sports", "530000", "sports@530000"),
        ("radiotv", "530600", "culture@530600"),
        ("telecom", "530627", "telecom@530000"),
        ("urban", "530000", "housing@530000"),
    ],
)
def test_work_is_done_where_there_is_somebody_for_it(dept: str, adcode: str, code: str) -> None:
    assert unit_at(dept, adcode).code == code


def test_every_department_can_be_found_from_every_place() -> None:
    for region in regions.list_regions():
        for dept in directory().departments:
            unit = unit_at(dept, region.adcode)
            assert at_level(region.adcode, unit.level) == unit.adcode


def test_a_department_or_place_that_does_not_exist_is_not_found() -> None:
    for dept, adcode in (("nobody", "530627"), ("edu", "539999"), ("edu", "")):
        with pytest.raises(UnitNotFound):
            unit_at(dept, adcode)


def test_the_lead_body_is_the_office_for_women_and_children_unless_a_place_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert lead_of("530627").code == "fuer@530627"
    leads = {"default": "fuer", "530627": "civil"}
    monkeypatch.setattr("sms_gateway.departments.units.directory", lambda: _with_leads(leads))
    assert lead_of("530627").code == "civil@530627"
    assert lead_of("530600").code == "fuer@530600"


def _with_leads(leads: dict[str, str]) -> object:
    from dataclasses import replace

    return replace(directory(), leads=leads)


def test_a_place_is_lifted_to_a_level_and_never_lowered() -> None:
    assert at_level("530627", "prefecture") == "530600"
    assert at_level("530627", Level.PROVINCE) == "530000"
    assert at_level("530627", "county") == "530627"
    assert at_level("530600", "county") == "530600"
    assert at_level("530000", "county") == "530000"


def test_37_departments_are_believed_to_lead_and_the_file_says_that_it_is_from_memory() -> None:
    departments = directory().departments.values()
    assert sum(department.leading for department in departments) == 37
    assert {department.mark for department in departments} == {"recalled"}
    assert all(len(d.code) <= 12 and d.code.isascii() and d.code.isalpha() and d.duty for d in departments)


def test_who_is_no_unit_has_a_department_to_go_through() -> None:
    for below in directory().below.values():
        assert below.through in directory().departments
