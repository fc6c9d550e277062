"""Which place a text speaks of, and what only looks like a place."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_gateway import towns
from sms_gateway.regions import NOWHERE, RegionNotFound, full_name, get_region, list_regions, recognise, short_name

COUNTIES = list_regions("county")


def county(text: str) -> str | None:
    found = recognise(text).county
    return found.name if found else None


PHRASES = [
    line.split("\t") for line in Path(__file__).with_name("place-phrases.tsv").read_text(encoding="utf-8").splitlines()
]
"""What people write, and the county's code, "?" where it is asked back, "-" for a prefecture alone, "elsewhere", "none"."""


@pytest.mark.parametrize(("text", "meant"), PHRASES)
def test_towns_dialect_and_misspellings_lead_to_the_county_and_the_rest_is_asked_back(text: str, meant: str) -> None:
    place = recognise(text)
    if meant == "?":
        assert place.county is None and place.candidates
    elif meant == "-":
        assert place.county is None and place.prefecture and place.elsewhere is None
    elif meant == "elsewhere":
        assert place.elsewhere and place.county is None
    elif meant == "none":
        assert place == NOWHERE
    else:
        assert place.county == get_region(meant)


def test_every_town_leads_to_its_county_when_the_prefecture_is_named() -> None:
    for name, town in towns.names().items():
        if town.short:
            continue
        for county_code in town.counties:
            region = get_region(county_code)
            place = recognise(f"我在{get_region(region.parent_adcode).name}{name}")
            assert place.county == region or region in place.candidates, name


def test_a_code_that_does_not_exist_is_refused_with_a_sentence() -> None:
    for adcode in ("539999", "530628x", "", "110101", "５３０６２７"):
        with pytest.raises(RegionNotFound) as refused:
            get_region(adcode)
        assert (refused.value.status_code, refused.value.sentence) == (404, "没有这个行政区划代码。")


def test_the_list_is_whole() -> None:
    assert len(list_regions("prefecture")) == 16
    assert len(COUNTIES) == 129


@pytest.mark.parametrize("region", COUNTIES, ids=lambda region: region.adcode)
def test_every_county_is_known_by_its_full_name_alone_and_behind_its_prefecture(region) -> None:
    assert recognise(region.name).county == region
    assert recognise(full_name(region.adcode)).county == region
    assert recognise(f"我家在{full_name(region.adcode)}").county == region


@pytest.mark.parametrize("region", COUNTIES, ids=lambda region: region.adcode)
def test_every_county_is_known_by_its_short_name_unless_a_prefecture_has_it_too(region) -> None:
    found = recognise(short_name(region.adcode) + "的")
    if short_name(region.adcode) in {"大理", "楚雄", "文山", "红河"}:
        assert found.county is None
        assert found.candidates == (region,)
        assert found.prefecture is not None and found.prefecture.adcode == region.parent_adcode
    else:
        assert found.county == region


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("镇雄的", "镇雄县"),
        ("昭通市镇雄县", "镇雄县"),
        ("我家在昭通镇雄", "镇雄县"),
        ("就在镇 雄", "镇雄县"),
        ("镇熊", "镇雄县"),
        ("云南省昭通市镇雄县乌峰街道", "镇雄县"),
        ("禄劝", "禄劝彝族苗族自治县"),
        ("宁蒗那边的", "宁蒗彝族自治县"),
        ("中甸", "香格里拉市"),
        ("潞西", "芒市"),
        ("芒市", "芒市"),
        ("蒙自县草坝镇", "蒙自市"),
        ("在云县", "云县"),
        ("临沧云县", "云县"),
        ("大理市下关", "大理市"),
        ("红河县", "红河县"),
        ("红河州建水", "建水县"),
        ("楚雄市里", "楚雄市"),
        ("文山砚山", "砚山县"),
        ("云南昌宁", "昌宁县"),
        ("云南通海", "通海县"),
        ("云南南华", "南华县"),
        ("昆明安宁", "安宁市"),
        ("安宁的", "安宁市"),
        ("个旧", "个旧市"),
        ("我是个旧的", "个旧市"),
        ("红河河口", "河口瑶族自治县"),
        ("威信", "威信县"),
        ("威信的", "威信县"),
        ("不对 是威信", "威信县"),
        ("不是镇雄，是威信", "威信县"),
        ("微信县", "威信县"),
        ("娃娃是镇雄的 现在在威信", "威信县"),
        ("富源县的王富源", "富源县"),
        ("曲靖富源", "富源县"),
        ("学校在永善县溪洛渡镇", "永善县"),
        ("爸爸在广东打工 我在镇雄", "镇雄县"),
        ("那个四川人在镇雄", "镇雄县"),
        ("丽江古城区", "古城区"),
        ("丽江华坪", "华坪县"),
        ("五华区", "五华区"),
        ("西山区前卫街道", "西山区"),
        ("昆明官渡", "官渡区"),
        ("鎮雄縣", "镇雄县"),
        ("勐腊", "勐腊县"),
    ],
)
def test_people_write_their_county_in_many_ways(text: str, name: str) -> None:
    assert county(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "他加我威信",
        "老师把我照片发威信群",
        "没有威信",
        "我用威信号联系他",
        "我想提个建议",
        "我只想有一个旧手机",
        "那个旧书包是我的",
        "家里不得安宁",
        "我只想安安宁宁",
        "离开远一点",
        "这件事不大关心",
        "我叫富源",
        "我同学王永善打我",
        "陈建水老师",
        "学校修建水池",
        "我的理想是远大理想",
        "家里是大理石地板",
        "黄金平台骗钱",
        "新平板电脑",
        "喝普洱茶",
        "澜沧江边",
        "广西凌云县是哪里".replace("广西", ""),
        "他一点处理由都不给",
        "弥勒佛",
        "",
        "   ",
        "我不想活了",
        "12345",
        "👶🏻",
        "在河口玩水",
        "没有富民政策吗",
    ],
)
def test_words_that_only_look_like_a_county_are_none(text: str) -> None:
    found = recognise(text)
    assert found.county is None
    assert found.candidates == ()


@pytest.mark.parametrize(
    ("text", "prefecture"),
    [
        ("昭通", "昭通市"),
        ("我在昆明", "昆明市"),
        ("版纳", "西双版纳傣族自治州"),
        ("大理州", "大理白族自治州"),
        ("德宏那边", "德宏傣族景颇族自治州"),
    ],
)
def test_a_prefecture_alone_leaves_the_county_open(text: str, prefecture: str) -> None:
    found = recognise(text)
    assert found.county is None and found.candidates == ()
    assert found.prefecture is not None and found.prefecture.name == prefecture


def test_two_counties_are_asked_about() -> None:
    found = recognise("镇雄和威信交界")
    assert found.county is None
    assert [region.name for region in found.candidates] == ["镇雄县", "威信县"]
    assert found.prefecture is not None and found.prefecture.name == "昭通市"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("我在广东东莞", "广东"),
        ("贵州毕节的", "贵州"),
        ("四川攀枝花", "四川"),
        ("人在深圳", "广东"),
        ("我在缅甸", "abroad"),
        ("被骗到缅北了", "abroad"),
        ("在老挝磨丁", "abroad"),
        ("我们在国外", "abroad"),
        ("我是镇雄的，现在在广东东莞厂里", "广东"),
        ("从瑞丽过来 现在人在缅甸", "abroad"),
        ("孩子被带到湖南了", "湖南"),
        ("老家昭通 现在在浙江义乌上学", "浙江"),
        ("海南", "海南"),
        ("我在曼谷", "abroad"),
        ("江西南昌", "江西"),
        ("北京", "北京"),
        ("新疆喀什", "新疆"),
        ("香港", "香港"),
        ("台湾", "台湾"),
        ("内蒙古包头", "内蒙古"),
        ("广西南宁", "广西"),
    ],
)
def test_places_outside_yunnan_are_told_apart(text: str, where: str) -> None:
    found = recognise(text)
    assert found.elsewhere == where
    assert found.county is None


@pytest.mark.parametrize(
    "text",
    [
        "爸爸在广东打工 没人管我",
        "妈妈去了国外",
        "我妈是缅甸人",
        "昆明北京路",
        "他看国外网站",
        "爸妈都在浙江",
        "云南南宁愿",
        "吃重庆火锅",
        "不在四川",
    ],
)
def test_a_parent_far_away_or_a_street_name_does_not_send_the_child_elsewhere(text: str) -> None:
    assert recognise(text).elsewhere is None


@given(st.text(max_size=200))
def test_no_text_makes_it_fail(text: str) -> None:
    recognise(text)


@given(st.sampled_from(COUNTIES), st.text(alphabet="啊嗯，。 12", max_size=10))
def test_a_full_name_is_found_in_any_small_talk(region, around: str) -> None:
    assert recognise(around + region.name + around).county == region


def test_a_long_text_takes_linear_time() -> None:
    recognise("热身")
    start = time.perf_counter()
    recognise("大理昭通镇雄爸爸在大关安宁个旧广东" * 600)
    assert time.perf_counter() - start < 2.0


@pytest.mark.parametrize(
    "text",
    [
        "家里叫我去广东打工",
        "我户口在贵州",
        "我想去北京看看",
        "听说浙江有补贴",
        "他不会理我",
        "作业完成都没人看",
        "雾大 连着撞了七辆",
    ],
)
def test_a_place_that_is_planned_registered_or_only_sounds_like_one_is_not_where_it_happens(text: str) -> None:
    assert recognise(text).elsewhere is None


def test_who_was_taken_to_a_place_is_there() -> None:
    assert recognise("我妹妹被人骗去缅甸").elsewhere == "abroad"
    assert recognise("他说带我去玩 把我卖到河南了").elsewhere == "河南"


def test_where_one_lives_counts_more_than_where_one_is_registered() -> None:
    found = recognise("户口在镇雄 现在跟着我在昆明住")
    assert found.county is None
    assert found.prefecture is not None and found.prefecture.name == "昆明市"
    assert county("户口在镇雄") == "镇雄县"


def test_the_river_is_not_the_prefecture() -> None:
    assert recognise("怒江边有个学生漂下来").prefecture is None


def test_an_unknown_code_raises() -> None:
    with pytest.raises(RegionNotFound):
        get_region("000000")
    assert get_region("530627").name == "镇雄县"
