"""How long a text is, and that nothing is lost where it is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_gateway.messages.segments import segments, split, units

ANY = st.text(
    alphabet=st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from("好，。！ 🌱👶\u200d\ufe0f")),
    max_size=400,
)


def test_an_emoji_counts_two() -> None:
    assert units("好") == 1
    assert units("🌱") == 2


@pytest.mark.parametrize(
    ("length", "count"), [(0, 1), (1, 1), (70, 1), (71, 2), (134, 2), (135, 3), (201, 3), (202, 4)]
)
def test_seventy_fit_alone_and_sixty_seven_in_each_part(length: int, count: int) -> None:
    assert segments("好" * length) == count


def test_a_surrogate_pair_is_not_cut_between_two_parts() -> None:
    assert segments("好" * 66 + "🌱" + "好" * 66) == 3  # 134 units, but the emoji does not fit into the first part
    assert segments("好" * 65 + "🌱" + "好" * 67) == 2


def test_a_long_text_is_cut_after_a_sentence() -> None:
    first, second = "一" * 40 + "。", "二" * 40 + "。"
    assert split(first + second, 1) == [first, second]


def test_a_long_sentence_is_cut_at_a_pause() -> None:
    first, second = "一" * 40 + "，", "二" * 40
    assert split(first + second, 1) == [first, second]


def test_room_for_the_signature_is_kept() -> None:
    parts = split("好" * 70, 1, reserve=9)
    assert [len(part) for part in parts] == [61, 9]


def test_a_short_text_stays_whole() -> None:
    assert split("好。好。", 1) == ["好。好。"]
    assert split("", 1) == [""]


@pytest.mark.parametrize(("limit", "reserve"), [(0, 0), (1, 69), (-1, 0)])
def test_a_limit_without_room_is_refused(limit: int, reserve: int) -> None:
    with pytest.raises(ValueError):
        split("好", limit, reserve=reserve)


def test_an_emoji_made_of_several_characters_is_not_torn() -> None:
    family = "👨\u200d👩\u200d👧"
    parts = split("好" * 66 + family + "好", 1)
    assert "".join(parts) == "好" * 66 + family + "好"
    assert any(family in part for part in parts)


@given(ANY, st.integers(1, 4), st.integers(0, 20))
def test_no_part_is_too_long_and_nothing_is_lost(text: str, limit: int, reserve: int) -> None:
    parts = split(text, limit, reserve=reserve)
    assert "".join(parts) == text
    assert all(segments("签" * reserve + part) <= limit for part in parts)
    assert all(parts) or parts == [""]


@given(ANY)
def test_segments_hold_what_they_claim(text: str) -> None:
    count = segments(text)
    assert count == 1 or 67 * (count - 1) - (count - 1) < units(text) <= 67 * count
