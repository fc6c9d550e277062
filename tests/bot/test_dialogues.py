"""Whole dialogues through the real pipeline: judge, turn, Rasa, actions, outbox, with the clock standing still."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.quality.replaying import Result, run

FILE = Path(__file__).with_name("dialogues.jsonl")
IDS = [json.loads(line)["id"] for line in FILE.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def results(model: Path) -> dict[str, Result]:
    """How each dialogue of the file went."""
    return {result.id: result for result in run(FILE)}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("dialogue", IDS)
def test_the_dialogue_goes_as_written(results: dict[str, Result], dialogue: str) -> None:
    assert results[dialogue].why == []
