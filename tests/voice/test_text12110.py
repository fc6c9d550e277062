"""The text to the police: short enough, the place first, never inviting a call back."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as some
from phonenumbers import geocoder

from sms_gateway import regions
from sms_gateway.bridge import text12110
from sms_gateway.messages.segments import segments
from sms_gateway.wording import SIGNATURE


def test_every_prefecture_has_its_area_code_as_in_the_numbering_plan() -> None:
    prefectures = [region for region in regions.list_regions() if region.level == "prefecture"]
    assert {region.adcode[:4] for region in prefectures} == set(text12110.AREAS)
    for region in prefectures:
        area = text12110.AREAS[region.adcode[:4]]
        number = phonenumbers.parse(f"+86{area}{'6' if area == '871' else ''}2158276")
        named = geocoder.description_for_number(number, "zh")
        seats = {"5331": "芒市", "5334": "香格里拉"}  # the plan names these two by their seat
        assert (seats.get(region.adcode[:4]) or region.name[:2]) in named


@pytest.mark.parametrize(("adcode", "number"), [("530627", "12110870"), ("530100", "12110871"), ("530000", None), (None, None), ("440300", None)])  # fmt: skip
def test_the_number_follows_the_place(adcode: str | None, number: str | None) -> None:
    assert text12110.number_of(adcode) == number


@pytest.mark.parametrize(("sender", "number"), [("12110870", "12110870"), ("8612110870", "12110870"), ("+8612110", "12110"), ("+8613800012110", None), ("12345", None)])  # fmt: skip
def test_the_polices_answers_are_told_from_peoples_texts(sender: str, number: str | None) -> None:
    assert text12110.read_number(sender) == number


def test_where_what_and_how_to_come_near_are_told() -> None:
    made = text12110.compose(
        place="昭通市镇雄县泼机镇老街12号二楼", what="有人持刀砸门，屋里两个孩子", facts=["对方喝了酒"],
        approach="别敲前门，孩子躲在后屋衣柜",
    )  # fmt: skip
    assert made == (
        "短信报警：昭通市镇雄县泼机镇老街12号二楼；有人持刀砸门，屋里两个孩子；别敲前门，孩子躲在后屋衣柜；对方喝了酒。"
        "本人不能说话，请勿回拨。收到请回复。"
    )


words = some.text(max_size=200)


@given(words, words, some.lists(words, max_size=4), words)
def test_it_is_at_most_two_segments_and_always_asks_not_to_be_called_back(
    place: str, what: str, facts: list[str], approach: str
) -> None:
    made = text12110.compose(place=place, what=what, facts=facts, approach=approach)
    assert segments(SIGNATURE + made) <= text12110.SEGMENTS
    assert made.endswith(text12110.CLOSING)


@given(some.text("县镇村路号", min_size=1, max_size=60), words, words)
def test_the_place_is_told_whole_before_anything_else(place: str, what: str, approach: str) -> None:
    assert place in text12110.compose(place=place, what=what, approach=approach)
