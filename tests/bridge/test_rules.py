"""Which desk, by which way, and when the ladder may call it by itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_gateway.bridge import automatic, placing
from sms_gateway.bridge.choosing import PROVINCE, Ways, choose, desks_for
from sms_gateway.triage.judgement import Harm

KNIFE = "他拿着刀在砍门 我们在里屋"


def test_the_desk_is_the_childs_prefectures_and_the_provinces_after_it() -> None:
    assert desks_for("110", "530627") == ("110@530600", "110@530000")
    assert desks_for("120", None) == ("120@530000",)
    assert desks_for("119", PROVINCE) == ("119@530000",)


def test_linkage_goes_before_a_call_and_the_province_before_nothing() -> None:
    both = {"110@530600": Ways(phone=True), "110@530000": Ways(linkage=True)}
    live = {"live": True, "production": True, "voice": True}
    assert choose("110", "530627", both, **live).driver == "linkage"
    assert choose("110", "530627", {"110@530600": Ways(phone=True)}, **live).desk == "110@530600"
    assert choose("110", "530627", {}, **live).driver == "hand"
    assert choose("110", "530627", {}, **live, text=True, can_speak=False).driver == "text12110"


@given(
    service=st.sampled_from(["110", "119", "120", "122"]), region=st.sampled_from([None, "530627", "530100", "530000"]),
    production=st.booleans(), voice=st.booleans(), drill=st.booleans(), live=st.booleans(), text=st.booleans(), speak=st.booleans(),
)  # fmt: skip
def test_nothing_real_is_reached_outside_live_mode_or_in_a_drill(
    service: str, region: str | None, production: bool, voice: bool, drill: bool, live: bool, text: bool, speak: bool
) -> None:
    ways = {f"{service}@530600": Ways(True, True), f"{service}@530000": Ways(True, True)}
    route = choose(
        service, region, ways, live=live, production=production, voice=voice, drill=drill, text=text, can_speak=speak
    )
    if drill or not live:
        assert route.driver == ("hand" if production else "simulator")
    else:
        assert route.driver != "simulator"


@pytest.mark.parametrize(
    ("harm", "said", "services", "may"),
    [
        (Harm.FIRE, "着火了", ["119"], True), (Harm.DROWNING, "掉河里了", ["119", "120"], True), (Harm.TRAFFIC, "车翻了", ["122"], True),
        (Harm.VIOLENCE, KNIFE, ["110"], True), (Harm.VIOLENCE, "他在打我 一直在打", ["110"], True), (Harm.VIOLENCE, "他骂我", ["110"], False),
        (Harm.VIOLENCE, "我爸拿刀的视频火了", ["110"], False), (Harm.VIOLENCE, "他追上来了", ["110", "120"], True),
        (Harm.MEDICAL, "弟弟叫不醒了", ["120"], True), (Harm.MEDICAL, "他发烧了", ["120"], False),
        (Harm.SELF_HARM, "我已经吃了一瓶药", ["110", "120"], True), (Harm.SELF_HARM, "不想活了 想割腕", ["110"], False),
        (Harm.SEXUAL, "他在摸我", ["110"], False), (Harm.CONFINED, "我被锁在屋里 他拿刀守着", ["110"], False),
        (Harm.MISSING, "我被带上车了", ["110"], False), (Harm.ALONE, "就我一个人", ["110"], False),
    ],
)  # fmt: skip
def test_the_ladder_calls_a_desk_only_for_what_cannot_wait(
    harm: Harm, said: str, services: list[str], may: bool
) -> None:
    assert automatic.may_call(harm, [said], services=services, now=True, below_county=True) is may


@given(
    harm=st.sampled_from(list(Harm)),
    said=st.text(max_size=30) | st.just(KNIFE),
    now=st.booleans(),
    below=st.booleans(),
    sexual=st.booleans(),
)
def test_never_without_a_place_below_the_county_nor_for_what_is_over_nor_for_sexual_harm(
    harm: Harm, said: str, now: bool, below: bool, sexual: bool
) -> None:
    if automatic.may_call(harm, [said], services=["110", "120"], now=now, below_county=below, sexual=sexual):
        assert now
        assert below
        assert not sexual
        assert harm not in automatic.NEVER


def test_the_place_is_read_from_the_persons_words_with_how_sure_it_is() -> None:
    found = placing.find(["他在打我", "镇雄县泼机镇 街上小学后面那排 二楼"], noted=None)
    assert (found.region, found.certainty, found.below_county) == ("530627", "said", True)
    county = placing.find(["我在镇雄"], noted=None)
    assert (county.region, county.below_county) == ("530627", False)
    none = placing.find(["救命"], noted=None)
    assert (none.region, none.certainty) == (None, "unknown")
    assert placing.find(["救命"], noted="530600").certainty == "guessed"


@pytest.mark.parametrize(
    "said",
    [
        "镇雄县泼机镇", "在昭阳区龙泉路那边", "会泽县者海镇五星村", "镇雄 阳光宾馆", "我在镇雄县人民医院", "巍山南诏镇中学门口", "大关 G85高速翻车了",
        "盘龙区金辰小区 3栋", "在宣威落水镇那个水库边上", "景洪 曼弄枫市场",
    ],
)  # fmt: skip
def test_what_has_a_name_of_its_own_can_be_driven_to(said: str) -> None:
    assert placing.names_spot(said)


@pytest.mark.parametrize(
    "said",
    ["我在镇雄", "我在学校", "在二楼", "我走路去的", "在马路上", "我们村里", "在医院", "昭通市", "他在楼下", "在河边"],
)
def test_what_anybody_might_call_so_leads_nobody_there(said: str) -> None:
    assert not placing.names_spot(said)
