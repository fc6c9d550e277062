"""What the runner takes for right and wrong."""

from __future__ import annotations

from typing import Any

import pytest

from tests.quality.replaying import examine, told

TURN = {
    "user": "你好", "replies": ["【云南12345】你好，遇到什么事？"],
    "state": {"owner": "assistant", "ticket": "12345678", "escalated": False},
}  # fmt: skip


def why(expected: dict[str, Any] | None) -> list[str]:
    dialogue = {"id": "a", "title": "问好", "danger": True, "turns": [{"user": "你好"}], "expect": [expected]}
    return examine(dialogue, {"id": "a", "turns": [TURN]}).why


@pytest.mark.parametrize(
    "expected",
    [
        None, {}, {"says_any": ["什么事", "再见"]}, {"says_all": ["你好", "什么事"]}, {"says_none": ["110"]}, {"silent": False},
        {"state": {"owner": "assistant", "escalated": False, "ticket": True}},
    ],
)  # fmt: skip
def test_what_was_expected_is_right(expected: dict[str, Any] | None) -> None:
    assert why(expected) == []


@pytest.mark.parametrize(
    "expected",
    [
        {"says_any": ["再见"]}, {"says_all": ["你好", "再见"]}, {"says_none": ["你好"]}, {"silent": True},
        {"state": {"owner": "waiting"}}, {"state": {"ticket": False}},
    ],
)  # fmt: skip
def test_what_was_missed_is_named(expected: dict[str, Any]) -> None:
    assert len(why(expected)) == 1


def test_a_dialogue_that_did_not_run_is_wrong_and_listed() -> None:
    result = examine({"id": "a", "title": "问好", "expect": []}, {"id": "a", "error": "ValueError"})
    assert not result.right and not result.danger
    assert "ValueError" in told([result]) and "0 of 1" in told([result])
