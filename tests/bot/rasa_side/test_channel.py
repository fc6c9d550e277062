"""Rasa's door: who may come in, what an answer is, when a turn is over."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import Any

import pytest
from rasa.core.channels.channel import UserMessage
from rasa.shared.exceptions import RasaException

from bot import turns
from bot.channel import TURNS_AT_A_TIME, HotlineInput, Turn

SECRET = "a-secret-of-the-tests"
STORY = "老师打了我的手心很疼"


@pytest.fixture
def door() -> HotlineInput:
    made = HotlineInput.from_credentials({"secret": SECRET})
    assert isinstance(made, HotlineInput)
    return made


def turn(seconds: float = 5.0) -> Turn:
    made = Turn.read({"sender": "thread-1", "message": STORY, "metadata": {"deadline": time.time() + seconds}})
    assert made is not None
    return made


async def speaks(message: UserMessage) -> None:
    await message.output_channel.send_response(
        "thread-1", {"text": "好\n\n的", "custom": {"key": "greet"}, "buttons": []}
    )


@pytest.mark.parametrize("credentials", [None, {}, {"secret": ""}, {"secret": "short"}])
def test_the_door_does_not_open_without_a_secret(credentials: dict[str, Any] | None) -> None:
    with pytest.raises(RasaException):
        HotlineInput.from_credentials(credentials)


@pytest.mark.parametrize(
    "body",
    [
        None, [], "x", {}, {"sender": "a"}, {"sender": "", "message": "x"}, {"sender": 1, "message": "x"},
        {"sender": "a", "message": "  "}, {"sender": "a", "message": None}, {"sender": "a", "message": "x", "metadata": []},
        {"sender": "a", "message": "x", "metadata": {"deadline": "soon"}},
        {"sender": "a", "message": "x", "metadata": {"deadline": True}},
    ],
)  # fmt: skip
def test_what_is_not_a_turn_is_refused(body: Any) -> None:
    assert Turn.read(body) is None


def test_a_person_cannot_give_rasa_orders() -> None:
    made = Turn.read({"sender": "a", "message": " /restart"})
    assert made is not None and made.text == "／restart"


async def test_a_reply_comes_whole_with_its_custom_part(door: HotlineInput) -> None:
    answer = await door._answer(turn(), speaks)
    assert answer.status == 200
    assert json.loads(answer.body) == [{"text": "好\n\n的", "custom": {"key": "greet"}}]


async def test_an_empty_answer_is_a_failure(door: HotlineInput) -> None:
    async def says_nothing(message: UserMessage) -> None:
        pass

    assert (await door._answer(turn(), says_nothing)).status == 500


async def test_half_of_a_failed_turn_is_not_passed_on(door: HotlineInput) -> None:
    async def speaks_then_fails(message: UserMessage) -> None:
        await speaks(message)
        turns.mark_failed()

    assert (await door._answer(turn(), speaks_then_fails)).status == 500


async def test_an_error_is_a_500_and_its_words_stay_out_of_the_log(
    door: HotlineInput, caplog: pytest.LogCaptureFixture
) -> None:
    async def breaks(message: UserMessage) -> None:
        logging.getLogger("rasa.core.processor").error("failed for %s", message.text)
        raise ValueError(message.text)

    answer = await door._answer(turn(), breaks)
    assert answer.status == 500 and STORY not in answer.body.decode()
    assert "turn_failed" in caplog.text and "ValueError" in caplog.text
    assert STORY not in caplog.text


async def test_a_turn_past_its_deadline_is_stopped(door: HotlineInput) -> None:
    ended = asyncio.Event()

    async def hangs(message: UserMessage) -> None:
        try:
            await asyncio.sleep(30)
        finally:
            ended.set()

    began = time.monotonic()
    answer = await door._answer(turn(0.2), hangs)
    assert answer.status == 504 and ended.is_set() and time.monotonic() - began < 2


async def test_a_turn_that_is_over_already_is_not_begun(door: HotlineInput) -> None:
    begun = []

    async def notes(message: UserMessage) -> None:
        begun.append(message)

    assert (await door._answer(turn(-1), notes)).status == 504
    assert not begun


async def test_no_more_than_four_turns_run_at_a_time(door: HotlineInput) -> None:
    running, most = 0, 0

    async def counts(message: UserMessage) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.02)
        running -= 1
        await speaks(message)

    answers = await asyncio.gather(*(door._answer(turn(), counts) for _ in range(12)))
    assert {answer.status for answer in answers} == {200}
    assert most == TURNS_AT_A_TIME
