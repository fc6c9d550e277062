"""进度: one's own matter by its state, in a sentence that tells nothing; a hidden one as if there were none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from sms_gateway.messages.segments import segments
from sms_gateway.tickets import progress
from sms_gateway.tickets.lifecycle import CLOSED, Status
from sms_gateway.wording import SIGNATURE, say

NOW = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Matter:
    id: int = 1
    number: str = "12345678"
    lane: str = "blue"
    status: str = "handling"
    sealed: bool = False
    sensitivity: str | None = None
    closed_at: datetime | None = None


def ask(*own: Matter, text: str = "进度") -> str:
    return progress.answer(own, text, now=NOW).text


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("text", ["进度", "进度12345678", "我的事办得咋样了", "查678"])
def test_every_state_has_a_neutral_sentence_of_one_segment(status: Status, text: str) -> None:
    closed_at = NOW - timedelta(days=1) if status in CLOSED else None
    said = ask(Matter(status=status, closed_at=closed_at), text=text)
    assert said.startswith("您尾号678的单：") and say(f"status.state.{status}") in said
    assert "12345678" not in said and segments(SIGNATURE + said) == 1


def test_the_sentences_of_different_states_differ() -> None:
    sentences = {say(f"status.state.{status}") for status in Status}
    assert len(sentences) == len(Status)


HIDDEN = [Matter(lane="red"), Matter(lane="orange"), Matter(sealed=True), Matter(sensitivity="sexual")]


@pytest.mark.parametrize("matter", HIDDEN)
def test_a_matter_of_harm_is_answered_as_if_there_were_none(matter: Matter) -> None:
    assert ask(matter) == ask() == say("status.none")
    assert ask(matter, text="进度12345678") == ask(text="进度12345678") == say("status.not_yours")
    told = progress.answer([matter], "进度", now=NOW)
    assert told.hidden == (matter,), "the desk hears that it was asked for"


def test_beside_a_hidden_one_the_other_is_told_alone() -> None:
    other = Matter(id=2, number="87654321")
    assert ask(Matter(lane="orange"), other) == ask(other)


def test_a_number_of_somebody_else_is_neither_confirmed_nor_denied() -> None:
    assert ask(Matter(), text="进度99999999") == ask(text="进度99999999") == say("status.not_yours")


def test_several_are_asked_back_and_named_by_their_last_digits() -> None:
    other = Matter(id=2, number="87654321", status="dispatched")
    assert ask(Matter(), other) == say("status.which", count=2)
    assert ask(Matter(), other, text="321") == say("status.shown", tail="321", state=say("status.state.dispatched"))


def test_who_says_that_110_was_called_names_no_matter() -> None:
    assert ask(Matter(), text="110来过了 进度怎样") == ask(Matter())


def test_what_ended_long_ago_is_not_told_of_unasked() -> None:
    old = Matter(status="concluded", closed_at=NOW - timedelta(days=61))
    assert ask(old) == say("status.none")
    assert ask(replace(old, closed_at=NOW - timedelta(days=59))).startswith("您尾号678的单：")
