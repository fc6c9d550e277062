"""Twilio Voice against a local Calls API that checks every request by Twilio's own description."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from sms_gateway.calls.states import State
from sms_gateway.platforms import twilio_voice
from sms_gateway.platforms.telephone import ExchangeDidNotAnswer, ExchangeIsBusy, ExchangeRefused, Order, TelephoneError
from sms_gateway.platforms.twilio_voice import TwilioVoice

ACCOUNT = "AC" + "1" * 32
CALL = "CA" + "2" * 32
NUMBER = "+8613800000001"
BASE = "/2010-04-01/Accounts/{AccountSid}/"
DESCRIPTION = json.loads(Path(__file__).with_name("twilio_calls.json").read_text())
ORDER = Order(to=NUMBER, reference="a" * 32, purpose="desk", conference="c" * 32, ring_seconds=30)


def faults(path: str, form: dict[str, list[str]]) -> list[str]:
    """What is wrong with a form by the description; a field it does not know is wrong too."""
    schema = {
        **DESCRIPTION["paths"][BASE + path]["post"]["requestBody"],
        "components": DESCRIPTION["components"],
        "additionalProperties": False,
    }
    typed = {name: _typed(schema["properties"].get(name, {}), values) for name, values in form.items()}
    return [error.message for error in jsonschema_rs.validator_for(schema).iter_errors(typed)]


def _typed(schema: dict[str, Any], values: list[str]) -> Any:
    if schema.get("type") == "array":
        return values
    if schema.get("type") == "integer":
        return int(values[0])
    return (
        {"true": True, "false": False}.get(values[0].lower(), values[0])
        if schema.get("type") == "boolean"
        else values[0]
    )


class Api:
    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, list[str]]]] = []
        self.answer: Callable[[], web.Response] = lambda: web.json_response(
            {"sid": CALL, "status": "queued"}, status=201
        )
        self.url = ""

    async def create(self, request: web.Request) -> web.Response:
        return await self._take("Calls.json", request)

    async def change(self, request: web.Request) -> web.Response:
        return await self._take("Calls/{Sid}.json", request)

    async def _take(self, path: str, request: web.Request) -> web.Response:
        form = await request.post()
        fields = {name: [str(value) for value in form.getall(name)] for name in form}
        assert not faults(path, fields)
        self.asked.append((path, fields))
        return self.answer()


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    made = Api()
    application = web.Application()
    application.router.add_post(f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json", made.create)
    application.router.add_post(f"/2010-04-01/Accounts/{ACCOUNT}/Calls/{CALL}.json", made.change)
    server = TestServer(application)
    await server.start_server()
    made.url = str(server.make_url("")).rstrip("/")
    yield made
    await server.close()


@pytest.fixture
async def voice(api: Api) -> AsyncIterator[TwilioVoice]:
    made = TwilioVoice(
        account=ACCOUNT, token="secret", number="+861069000000", door="https://hotline.example", api_url=api.url
    )
    yield made
    await made.aclose()


async def test_a_call_is_placed_with_random_ids_in_its_addresses_and_without_recording(
    api: Api, voice: TwilioVoice
) -> None:
    assert await voice.call(ORDER) == CALL
    path, form = api.asked[0]
    assert path == "Calls.json"
    door = f"https://hotline.example/platforms/voice/{'a' * 32}"
    assert form == {
        "To": [NUMBER], "From": ["+861069000000"], "Url": [f"{door}/twiml"], "Method": ["POST"], "Timeout": ["30"],
        "StatusCallback": [f"{door}/status"], "StatusCallbackMethod": ["POST"], "Record": ["false"],
        "StatusCallbackEvent": DESCRIPTION["components"]["schemas"]["call_enum_event"]["enum"],
    }  # fmt: skip


async def test_a_call_is_ended_and_one_that_is_gone_is_no_error(api: Api, voice: TwilioVoice) -> None:
    api.answer = lambda: web.json_response({"sid": CALL, "status": "completed"})
    await voice.hang_up(CALL)
    assert api.asked == [("Calls/{Sid}.json", {"Status": ["completed"]})]
    api.answer = lambda: web.json_response({"code": 20404, "status": 404}, status=404)
    await voice.hang_up(CALL)


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, 21211, ExchangeRefused),
        (401, 20003, ExchangeRefused),
        (429, 20429, ExchangeIsBusy),
        (503, None, ExchangeIsBusy),
        (500, 20500, ExchangeDidNotAnswer),
    ],
)
async def test_a_refusal_is_told_in_our_words_without_the_number(
    api: Api, voice: TwilioVoice, status: int, code: int | None, error: type[TelephoneError]
) -> None:
    api.answer = lambda: web.json_response({"code": code, "message": f"{NUMBER} no", "status": status}, status=status)
    with pytest.raises(TelephoneError) as raised:
        await voice.call(ORDER)
    assert type(raised.value) is error
    assert NUMBER not in f"{raised.value!s}{raised.value!r}{raised.value.code}"


async def test_a_refused_connection_means_that_nothing_rings() -> None:
    voice = TwilioVoice(
        account=ACCOUNT, token="x", number="+861069000000", door="https://h.example", api_url="http://127.0.0.1:9"
    )
    with pytest.raises(ExchangeIsBusy):
        await voice.call(ORDER)
    await voice.aclose()


def test_every_state_of_twilios_is_in_the_one_table() -> None:
    told = {*DESCRIPTION["components"]["schemas"]["call_enum_status"]["enum"], "initiated", "answered"}
    assert told == set(twilio_voice.STATES)
    assert set(twilio_voice.STATES.values()) <= set(State)
