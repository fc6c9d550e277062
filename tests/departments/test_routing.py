"""Where a matter goes, and never to whom it is about."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_gateway.departments.categories import CategoryNotFound, load
from sms_gateway.departments.routing import Body, LevelUnknown, NobodyLeft, Route, route
from sms_gateway.departments.units import UnitNotFound, at_level, directory, get_unit, level_of
from sms_gateway.regions import RegionNotFound, list_regions

ZHENXIONG, ZHAOTONG, YUNNAN = "530627", "530600", "530000"


def codes(found: Route) -> tuple[str, list[str]]:
    return found.main.code, [unit.code for unit in found.co]


@pytest.mark.parametrize("category", sorted(load().categories))
def test_every_category_has_somebody_at_every_level(category: str) -> None:
    for place in (ZHENXIONG, ZHAOTONG, YUNNAN):
        found = route(category, place)
        assert found.main not in found.co
        assert found.reasons
        assert all(at_level(place, unit.level) == unit.adcode for unit in (found.main, *found.co))


@pytest.mark.parametrize(
    ("category", "main"),
    [("D01", "civil"), ("D06", "police"), ("D07", "court"), ("D11", "edu"), ("D16", "medicare"), ("D18", "disabled"),
     ("D26", "hrss"), ("D27", "culture"), ("D30", "tobacco"), ("D35", "cyber"), ("D36", "press"), ("D43", "justice"),
     ("D46", "procur"), ("D54", "youth")],
)  # fmt: skip
def test_a_plain_matter_goes_to_the_department_whose_duty_it_is_in_the_county(category: str, main: str) -> None:
    assert route(category, ZHENXIONG).main.code == f"{main}@{ZHENXIONG}"


def test_without_a_county_the_level_that_is_known_takes_it_and_the_operator_is_told_to_ask() -> None:
    found = route("D11", ZHAOTONG)
    assert found.main.code == "edu@530600"
    assert any("补问在哪个县" in reason for reason in found.reasons)
    assert route("D11", YUNNAN).main.code == "edu@530000"


def test_a_higher_level_can_be_asked_for_and_a_lower_than_known_cannot() -> None:
    assert route("D11", ZHENXIONG, level="prefecture").main.code == "edu@530600"
    assert route("D11", ZHAOTONG, level="county").main.code == "edu@530600"


@pytest.mark.parametrize("category", sorted(load().categories))
@pytest.mark.parametrize("lane", ["blue", "orange", "red"])
def test_the_unit_complained_of_and_its_colleagues_never_get_it(category: str, lane: str) -> None:
    for dept in directory().departments:
        for place, above in ((ZHENXIONG, "prefecture"), (ZHAOTONG, "province")):
            try:
                accused = get_unit(f"{dept}@{place}")
            except UnitNotFound:
                continue
            found = route(category, ZHENXIONG, lane=lane, complained_of=[accused.code])
            everybody = (found.main, *found.co, *found.choices, *found.optional)
            assert found.level == above
            assert accused not in everybody
            assert all(level_of(unit.adcode) in (above, "province") for unit in everybody)
            assert any(accused.name in reason for reason in found.reasons)


def test_a_body_of_the_province_is_left_out_and_its_subordinates_too() -> None:
    found = route("D30", ZHENXIONG, complained_of=["tobacco@530000"])
    assert found.main.code == "fuer@530000"
    assert all(unit.adcode == YUNNAN for unit in (found.main, *found.co))
    assert route("D30", YUNNAN, complained_of=["tobacco@530000", "fuer@530000"]).main.code == "discipline@530000"
    with pytest.raises(NobodyLeft) as left:
        route("D30", YUNNAN, complained_of=["tobacco@530000", "fuer@530000", "discipline@530000"])
    assert left.value.status_code == 409


def test_a_unit_of_another_place_lifts_nothing() -> None:
    assert route("D11", ZHENXIONG, complained_of=["edu@530102"]).main.code == "edu@530627"


def test_two_bodies_one_above_the_other_lift_it_above_both() -> None:
    assert route("D11", ZHENXIONG, complained_of=["edu@530627", "edu@530600"]).main.code == "edu@530000"
    assert route("D11", ZHENXIONG, complained_of=["edu@530600", "edu@530627"]).main.code == "edu@530000"


def test_a_school_complained_of_means_the_education_bureau_and_not_the_school() -> None:
    found = route("D14", ZHENXIONG, bodies=[Body.SCHOOL])
    assert found.main.code == "edu@530627"
    assert any("不派学校" in reason for reason in found.reasons)
    assert not any("当地先找" in reason for reason in found.reasons)
    assert any("当地先找学校" in reason for reason in route("D14", ZHENXIONG).reasons)


@pytest.mark.parametrize("category", ["D06", "D11", "D55"])
def test_police_complained_of_means_their_superior_and_12389(category: str) -> None:
    for found in (
        route(category, ZHENXIONG, bodies=[Body.POLICE]),
        route(category, ZHENXIONG, complained_of=["police@530627"]),
    ):
        assert found.level == "prefecture"
        assert "police@530627" not in [found.main.code, *(unit.code for unit in found.co)]
        assert any("12389" in reason for reason in found.reasons)
    assert route("D55", ZHENXIONG, bodies=[Body.POLICE]).main.code == "police@530600"


def test_neglect_of_duty_goes_to_who_stands_above_the_body() -> None:
    assert route("D55", ZHENXIONG, complained_of=["civil@530627"]).main.code == "civil@530600"
    assert route("D10", ZHENXIONG, bodies=[Body.SCHOOL]).main.code == "edu@530627"
    unknown = route("D55", ZHENXIONG)
    assert unknown.main.code == "fuer@530627"
    assert any("还不知道是哪个单位" in reason for reason in unknown.reasons)


def test_an_unclear_duty_goes_to_the_lead_body_with_civil_affairs() -> None:
    assert codes(route(None, ZHENXIONG)) == ("fuer@530627", ["civil@530627"])


@pytest.mark.parametrize("lane", ["red", "orange"])
@pytest.mark.parametrize("category", [None, *sorted(load().categories)])
def test_where_a_child_may_be_hurt_police_and_civil_affairs_are_told(category: str | None, lane: str) -> None:
    found = route(category, ZHENXIONG, lane=lane)
    everybody = {unit.code for unit in (found.main, *found.co)}
    assert {"police@530627", "civil@530627"} <= everybody
    assert not any("当地先找" in reason for reason in found.reasons)
    if lane == "red":
        assert found.main.code == "police@530627"


@pytest.mark.parametrize("category", [c.code for c in load().categories.values() if c.sensitivity])
def test_a_sensitive_matter_goes_to_its_handler_and_the_police_the_rest_only_when_added(category: str) -> None:
    found = route(category, ZHENXIONG)
    assert {unit.dept for unit in found.co} <= {"police"}
    assert "police" in {found.main.dept, *(unit.dept for unit in found.co)}
    assert any("敏感事项" in reason for reason in found.reasons)
    assert not any("当地先找" in reason for reason in found.reasons)


def test_a_person_may_say_that_a_matter_is_sensitive_or_is_not() -> None:
    assert codes(route("D12", ZHENXIONG, sensitivity="hiv")) == ("edu@530627", ["police@530627"])
    assert "women@530627" in codes(route("D06", ZHENXIONG, sensitivity="none"))[1]


@pytest.mark.parametrize(
    ("category", "words", "main"),
    [("D32", "福彩店卖刮刮乐给小孩", "civil@530627"), ("D32", "体彩店卖给学生", "edu@530627"),
     ("D34", "理发店给娃纹身", "market@530627"), ("D34", "美容医院给他纹的", "health@530627"),
     ("D38", "小学门口卖黄色漫画书", "press@530627"), ("D38", "电视节目太血腥", "culture@530627"),
     ("D40", "校车没有牌照", "edu@530627"), ("D40", "校车司机酒驾", "police@530627")],
)  # fmt: skip
def test_where_a_category_has_several_departments_the_words_choose(category: str, words: str, main: str) -> None:
    found = route(category, ZHENXIONG, words=words)
    assert found.main.code == main
    assert found.choices


def test_where_the_county_has_no_office_the_next_level_gets_it() -> None:
    assert "telecom@530000" in codes(route("D35", ZHENXIONG))[1]


def test_bad_input_gets_a_sentence() -> None:
    for error, asked in (
        (CategoryNotFound, lambda: route("D99", ZHENXIONG)),
        (RegionNotFound, lambda: route("D11", "539999")),
        (LevelUnknown, lambda: route("D11", ZHENXIONG, level="village")),
        (UnitNotFound, lambda: route("D11", ZHENXIONG, complained_of=["nobody@530627"])),
    ):
        with pytest.raises(error) as refused:
            asked()
        assert refused.value.sentence


units = st.builds(lambda dept, adcode: f"{dept}@{adcode}", st.sampled_from(["edu", "police", "civil", "fuer", "court", "tobacco"]), st.sampled_from([ZHENXIONG, ZHAOTONG, YUNNAN, "530102"]))  # fmt: skip


@given(
    category=st.sampled_from([None, *load().categories]),
    place=st.sampled_from([region.adcode for region in list_regions()]),
    lane=st.sampled_from(["red", "orange", "blue"]),
    accused=st.lists(units, max_size=4),
    bodies=st.lists(st.sampled_from(Body), max_size=3),
    level=st.sampled_from([None, "county", "prefecture", "province"]),
)
def test_whatever_is_asked_nobody_complained_of_is_in_the_route(
    category: str | None, place: str, lane: str, accused: list[str], bodies: list[Body], level: str | None
) -> None:
    try:
        found = route(category, place, lane=lane, complained_of=accused, bodies=bodies, level=level)
    except NobodyLeft:
        return
    everybody = [unit.code for unit in (found.main, *found.co, *found.choices, *found.optional)]
    assert not set(everybody) & set(accused)
    sent = [found.main, *found.co, *found.optional]
    assert len(sent) == len(set(sent))
    for code in accused:
        body = get_unit(code)
        if at_level(place, body.level) == body.adcode and body.adcode != YUNNAN:
            assert all(get_unit(other).level != body.level for other in everybody)
