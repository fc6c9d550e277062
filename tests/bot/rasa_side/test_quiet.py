"""No log record of Rasa's process carries a text."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator

import pytest

from bot import quiet

STORY = "我爸又喝酒了"


@pytest.fixture(autouse=True)
def quietened() -> Iterator[None]:
    before = sys.excepthook
    quiet.keep_texts_out()
    yield
    sys.excepthook = before


def fail() -> None:
    raise ValueError(STORY)


@pytest.mark.parametrize("name", ["rasa.core.processor", "sanic.root", "asyncio", "root", "aiohttp.access"])
def test_another_librarys_message_gives_way_to_its_place(name: str, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger(name).error("could not handle %s", STORY)
    record = json.loads(caplog.records[-1].getMessage())
    assert STORY not in caplog.text
    assert record["logger"] == name and record["where"].startswith("test_quiet:")


def test_a_traceback_gives_way_to_the_type_and_the_places(caplog: pytest.LogCaptureFixture) -> None:
    try:
        fail()
    except ValueError:
        logging.getLogger("rasa.core.processor").exception("failed: %s", STORY)
    record = json.loads(caplog.records[-1].getMessage())
    assert record["error"] == "ValueError" and any(place.startswith("test_quiet.py") for place in record["places"])
    assert STORY not in caplog.text


def test_our_own_events_keep_their_name(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("bot.channel").error("turn_late")
    assert json.loads(caplog.records[-1].getMessage())["event"] == "turn_late"


def test_an_uncaught_error_is_told_by_its_type(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        fail()
    except ValueError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    said = capsys.readouterr().err
    assert "ValueError" in said and STORY not in said
