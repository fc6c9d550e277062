"""Answers of the action server: checked quickly, and a failure fails the turn."""

from __future__ import annotations

import time
from typing import Any

import pytest
from rasa.core.actions.action import ActionExecutionRejection, RemoteAction
from rasa.shared.core.domain import Domain
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import EndpointConfig

from bot import action_answers, turns

action_answers.install()
GOOD = {"events": [{"event": "slot", "timestamp": None, "name": "draft", "value": None}], "responses": [{"text": "好"}]}


def action() -> RemoteAction:
    return RemoteAction("action_greet", EndpointConfig("http://127.0.0.1:9"))


async def run(of: RemoteAction) -> list[Any]:
    tracker = DialogueStateTracker.from_events("thread-1", [])
    found: list[Any] = await of.run(None, None, tracker, Domain.empty())
    return found


def test_a_good_answer_is_checked_in_far_less_than_a_millisecond() -> None:
    began = time.perf_counter()
    for _ in range(200):
        assert action()._validate_action_result(GOOD)
    assert (time.perf_counter() - began) / 200 < 0.003


@pytest.mark.parametrize("answer", [None, [], {"events": {}}, {"events": [{"event": "slot"}]}, {"responses": ["秘密"]}])
def test_an_answer_of_another_shape_is_refused_without_repeating_it(answer: Any) -> None:
    with pytest.raises(action_answers.ActionAnswerIsWrong) as refusal:
        action()._validate_action_result(answer)
    assert "秘密" not in str(refusal.value)


async def test_an_action_server_that_is_down_fails_the_turn_and_no_other_action_is_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outcome = turns.Outcome()
    turns.begin(outcome)
    with pytest.raises(Exception, match="connect"):
        await run(action())
    assert outcome.failed
    asked: list[str] = []

    async def answers(*args: Any, **kwargs: Any) -> dict[str, Any]:
        asked.append("again")
        return GOOD

    monkeypatch.setattr(EndpointConfig, "request", answers)
    with pytest.raises(action_answers.TurnHasFailed):
        await run(action())
    assert not asked


async def test_an_action_that_declines_does_not_fail_the_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = turns.Outcome()
    turns.begin(outcome)

    async def declines(*args: Any, **kwargs: Any) -> dict[str, Any]:
        raise ActionExecutionRejection("action_greet")

    monkeypatch.setattr(EndpointConfig, "request", declines)
    with pytest.raises(ActionExecutionRejection):
        await run(action())
    assert not outcome.failed
