"""Which fixed text a danger text gets, decided without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_gateway.conversations.safe_reply import RedTalk, choose
from sms_gateway.wording import keys

FIRST = RedTalk(said=(), since_first=timedelta(0), joined=False, place_known=False, somebody_on_duty=True)
LATER = replace(FIRST, said=("red.violence",), since_first=timedelta(seconds=20))


@pytest.mark.parametrize(
    ("reply_key", "talk", "said"),
    [
        ("red.violence", FIRST, "red.violence"),
        (None, LATER, "ask.place"),
        (None, replace(LATER, place_known=True), "wait.red"),
        (None, replace(LATER, since_first=timedelta(seconds=61)), "wait.red"),
        (None, replace(LATER, said=("red.violence", "ask.place")), "wait.red"),
        (None, replace(LATER, joined=True), None),
        (None, replace(LATER, somebody_on_duty=False), "human.none.red"),
        (None, replace(LATER, since_first=timedelta(seconds=180), place_known=True), "human.none.red"),
        ("red.violence.witness", replace(LATER, joined=True), None),
        ("red.fire", replace(LATER, joined=True), "red.fire"),
        ("red.other", replace(LATER, place_known=True), "wait.red"),
    ],
)
def test_each_text_gets_its_words(reply_key: str | None, talk: RedTalk, said: str | None) -> None:
    assert choose(reply_key, talk) == said


@given(
    st.sampled_from([None, *sorted(key for key in keys() if key.startswith("red."))]),
    st.lists(st.sampled_from(sorted(keys())), max_size=6),
    st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=2)),
    st.booleans(), st.booleans(), st.booleans(),
)  # fmt: skip
def test_whatever_is_said_exists_and_safe_replies_and_the_honest_text_are_not_repeated(
    key: str | None, said: list[str], since: timedelta, joined: bool, place: bool, duty: bool
) -> None:
    chosen = choose(key, RedTalk(said, since, joined, place, duty))
    assert chosen is None or chosen in keys()
    assert chosen in (None, "wait.red") or chosen not in said
