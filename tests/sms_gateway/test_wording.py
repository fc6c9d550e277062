"""The fixed texts: complete, one segment each, and never half filled in."""

from __future__ import annotations

import itertools

import pytest

from sms_gateway import wording
from sms_gateway.conversations.questions import ASKS, MEANS_DANGER
from sms_gateway.messages.segments import segments, units
from sms_gateway.tickets.draft import ORDER, Kind
from sms_gateway.tickets.lifecycle import Status
from sms_gateway.wording import SIGNATURE, MissingValue, UnknownWording, WordingError, keys, load, read, say

PREFIXES = (
    "form.noted",
    "form.corrected",
    "form.skipped",
    "form.back",
    "form.after_policy",
    "form.reask",
    "form.expired",
    "form.county_later",
    "form.call_110",
)
QUESTIONS = sorted(
    {f"form.{kind}.{name}" for kind in Kind for name in ORDER[kind]}
    | {
        "form.fix",
        "form.more",
        "form.need_what",
        "form.need_county",
        "form.county_of",
        "form.two_counties",
        "form.ambiguous_county",
    }
)
RED = {
    "violence",
    "violence.witness",
    "suicide",
    "suicide.friend",
    "abuse",
    "abuse.recent",
    "missing",
    "taken",
    "confined",
    "alone",
    "foundling",
    "fire",
    "medical",
    "nobreath",
    "traffic",
    "drowning",
    "disaster",
    "other",
    "english",
}


@pytest.mark.parametrize("key", sorted(keys()))
def test_each_text_fits_one_sms_with_its_signature_and_has_no_open_brace(key: str) -> None:
    text = SIGNATURE + load().example(key)
    assert units(text) <= 70
    assert segments(text) == 1
    assert "{" not in text and "}" not in text
    assert text == text.strip()


@pytest.mark.parametrize(("prefix", "question"), list(itertools.product(PREFIXES, QUESTIONS)))
def test_a_note_and_the_question_after_it_fit_one_sms(prefix: str, question: str) -> None:
    assert units(SIGNATURE + load().example(prefix) + load().example(question)) <= 70


@pytest.mark.parametrize("prefix", [p for p in PREFIXES if p != "form.county_later"])
def test_a_note_and_the_confirmation_fit_one_sms_even_for_the_longest_county(prefix: str) -> None:
    assert units(SIGNATURE + load().example(prefix) + load().example("form.confirm")) <= 70


def test_every_kind_of_danger_has_its_safe_reply() -> None:
    assert {key.removeprefix("red.") for key in keys() if key.startswith("red.")} == RED


def test_every_question_of_every_form_and_every_ticket_state_has_words() -> None:
    assert set(QUESTIONS) - {"form.mandated.place"} <= keys()
    assert {f"status.state.{status}" for status in Status} <= keys()


def test_what_is_read_by_digit_is_asked_by_an_existing_text() -> None:
    assert ASKS.keys() <= keys()
    assert MEANS_DANGER.keys() <= keys()


def test_no_safe_reply_shows_a_frightening_word_on_a_locked_screen() -> None:
    for key in keys():
        assert not any(word in load().texts[key] for word in wording.FORBIDDEN), key


def test_a_text_is_filled_in() -> None:
    assert say("ticket.opened", number="12345678").startswith("已登记，单号12345678。")


def test_braces_in_a_value_are_left_alone() -> None:
    assert "{badge}" in say("human.joins", badge="{badge}")


def test_an_unknown_key_raises() -> None:
    with pytest.raises(UnknownWording):
        say("red.nothing")


def test_a_missing_value_raises_and_is_named() -> None:
    with pytest.raises(MissingValue, match="number"):
        say("ticket.opened")


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        ({"texts": {}}, "examples"),
        ([], "examples"),
        ({"examples": {}, "texts": {"a": 5}}, "文字"),
        ({"examples": {}, "texts": {"a": " "}}, "空"),
        ({"examples": {}, "texts": {"a": "好" * 62}}, "71"),
        ({"examples": {"x": "好" * 61}, "texts": {"a": "{x}。"}}, "71"),
        ({"examples": {}, "texts": {"a": "{x}"}}, "x"),
        ({"examples": {"x": "1"}, "texts": {"a": "{x"}}, "花括号"),
        ({"examples": {"x": "1"}, "texts": {"a": "{x!r}"}}, "花括号"),
        ({"examples": {"x": "1"}, "texts": {"a": "{x.real}"}}, "花括号"),
        ({"examples": {}, "texts": {"a": "{}"}}, "花括号"),
        ({"examples": {}, "texts": {"a": SIGNATURE + "好"}}, "签名"),
        ({"examples": {}, "texts": {"a": "别自杀"}}, "自杀"),
    ],
)
def test_a_broken_wording_file_is_refused_with_the_place_of_the_fault(raw: object, fault: str) -> None:
    with pytest.raises(WordingError, match=fault):
        read(raw)


def test_emoji_count_two_when_a_text_is_measured() -> None:
    assert read({"examples": {}, "texts": {"a": "好" * 59 + "🌱"}}).texts["a"]
    with pytest.raises(WordingError, match="71"):
        read({"examples": {}, "texts": {"a": "好" * 60 + "🌱"}})
