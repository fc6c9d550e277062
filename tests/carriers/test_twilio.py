"""Twilio's edge against a local Messages API: what is asked, and what its answers mean for the text."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jsonschema_rs
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from sms_gateway import clock as clocks
from sms_gateway.broadcasts.references import FIRST, reference_of
from sms_gateway.carriers import twilio
from sms_gateway.carriers.carrier import (
    CarrierBlockedText,
    CarrierDidNotAnswer,
    CarrierIsBusy,
    CarrierRefused,
    CarrierRefusedPerson,
    CarrierRefusesUs,
    Found,
    SendError,
)
from sms_gateway.carriers.twilio import TwilioCarrier

ACCOUNT = "AC" + "1" * 32
NUMBER = "+8613800000001"
Answer = Callable[[web.Request], Any]


DESCRIPTION = json.loads(Path(__file__).with_name("twilio_messages.json").read_text())
FORM = DESCRIPTION["paths"]["/2010-04-01/Accounts/{AccountSid}/Messages.json"]["post"]["requestBody"]


def faults(form: dict[str, str]) -> list[str]:
    """What is wrong with a form by Twilio's description; a field it does not know is wrong too."""
    whole = {**FORM, "components": DESCRIPTION["components"], "additionalProperties": False}
    kinds = {name: schema.get("type") for name, schema in FORM["properties"].items()}
    typed = {name: int(value) if kinds.get(name) == "integer" else value for name, value in form.items()}
    return [error.message for error in jsonschema_rs.validator_for(whole).iter_errors(typed)]


class Api:
    """A Messages API that checks every form and keeps what it was asked; `answer` decides what it says."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.headers: list[Any] = []
        self.answer: Answer = lambda _: web.json_response({"sid": "SM" + "2" * 32, "status": "queued"}, status=201)
        self.listed: list[dict[str, Any]] = []
        self.connections: set[Any] = set()

    async def create(self, request: web.Request) -> web.StreamResponse:
        form = {str(name): str(value) for name, value in (await request.post()).items()}
        assert not faults(form)
        self.asked.append(form)
        self.headers.append(request.headers)
        self.connections.add(request.transport)
        answer = self.answer(request)
        found: web.StreamResponse = await answer if asyncio.iscoroutine(answer) else answer
        return found

    async def list_texts(self, request: web.Request) -> web.Response:
        self.asked.append(dict(request.query))
        return web.json_response({"messages": self.listed, "next_page_uri": None, "page": 0, "page_size": 50})


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    made = Api()
    application = web.Application()
    path = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    application.router.add_post(path, made.create)
    application.router.add_get(path, made.list_texts)
    server = TestServer(application)
    await server.start_server()
    made.url = str(server.make_url("")).rstrip("/")  # type: ignore[attr-defined]
    yield made
    await server.close()


def make(url: str, **sender: str) -> TwilioCarrier:
    return TwilioCarrier(
        account=ACCOUNT,
        token="secret",
        sender=sender or {"from_": "+861069000000"},
        webhook_url="https://hotline.example",
        api_url=url,
    )


@pytest.fixture
async def carrier(api: Api) -> AsyncIterator[TwilioCarrier]:
    made = make(api.url)  # type: ignore[attr-defined]
    yield made
    await made.aclose()


async def test_a_text_is_handed_over_with_our_id_in_the_callback(api: Api, carrier: TwilioCarrier) -> None:
    assert await carrier.send(to=NUMBER, body="【云南12345】你好 😭", reference=77) == "SM" + "2" * 32
    assert api.asked == [
        {
            "To": NUMBER,
            "From": "+861069000000",
            "Body": "【云南12345】你好 😭",
            "StatusCallback": "https://hotline.example/twilio/status?m=77",
        }
    ]
    assert api.headers[0]["Authorization"] == "Basic " + base64.b64encode(f"{ACCOUNT}:secret".encode()).decode()


async def test_a_messaging_service_takes_the_place_of_a_number(api: Api) -> None:
    carrier = make(api.url, messaging_service_sid="MG" + "3" * 32)  # type: ignore[attr-defined]
    await carrier.send(to=NUMBER, body="x", reference=1)
    await carrier.aclose()
    assert api.asked[0]["MessagingServiceSid"] == "MG" + "3" * 32
    assert "From" not in api.asked[0]


@pytest.mark.parametrize(
    ("validity", "asked"),
    [
        (timedelta(hours=2, minutes=30), "9000"),
        (timedelta(seconds=59, milliseconds=900), "59"),
        (timedelta(milliseconds=20), "1"),
        (timedelta(seconds=-3), "1"),
        (timedelta(hours=11), "36000"),
    ],
)
async def test_a_text_is_held_no_longer_than_it_is_good_within_what_twilio_takes(
    api: Api, carrier: TwilioCarrier, validity: timedelta, asked: str
) -> None:
    await carrier.send(to=NUMBER, body="x", reference=1, validity=validity)
    assert api.asked[0]["ValidityPeriod"] == asked


async def test_a_text_without_a_time_is_held_by_twilios_own_rule(api: Api, carrier: TwilioCarrier) -> None:
    await carrier.send(to=NUMBER, body="x", reference=1)
    assert "ValidityPeriod" not in api.asked[0]


async def test_a_recipients_reference_comes_back_whole(api: Api, carrier: TwilioCarrier) -> None:
    reference = reference_of(99_999_999, 999_999_999)
    assert reference > 2**31
    await carrier.send(to=NUMBER, body="x", reference=reference, validity=timedelta(hours=1))
    (back,) = parse_qs(urlsplit(api.asked[0]["StatusCallback"]).query)["m"]
    receipt = twilio.read_receipt({"MessageSid": "SM1", "MessageStatus": "delivered"}, back)
    assert receipt is not None
    assert receipt.reference == reference


async def test_as_many_sends_as_a_worker_has_are_under_way_at_once(api: Api, carrier: TwilioCarrier) -> None:
    all_there, going = asyncio.Event(), 0

    async def wait_for_all(_: web.Request) -> web.Response:
        nonlocal going
        going += 1
        if going == twilio.CONNECTIONS:
            all_there.set()
        await all_there.wait()
        return web.json_response({"sid": "SM" + "2" * 32}, status=201)

    api.answer = wait_for_all
    async with asyncio.timeout(8):
        sends = (carrier.send(to=NUMBER, body="x", reference=n) for n in range(1, twilio.CONNECTIONS + 1))
        assert len(await asyncio.gather(*sends)) == twilio.CONNECTIONS


async def test_texts_one_after_the_other_share_a_connection(api: Api, carrier: TwilioCarrier) -> None:
    for reference in range(1, 6):
        await carrier.send(to=NUMBER, body="x", reference=reference)
    assert len(api.connections) == 1


@pytest.mark.parametrize(
    ("status", "code", "error", "state"),
    [
        (400, 21610, CarrierRefusedPerson, "undelivered"),
        (400, 30007, CarrierBlockedText, "blocked"),
        (400, 21211, CarrierRefused, "failed"),
        (401, 20003, CarrierRefusesUs, "failed"),
        (429, 20429, CarrierIsBusy, "failed"),
        (503, None, CarrierIsBusy, "failed"),
        (500, 20500, CarrierDidNotAnswer, "unknown"),
        (502, None, CarrierDidNotAnswer, "unknown"),
    ],
)
async def test_a_refusal_is_told_in_our_words(
    api: Api, carrier: TwilioCarrier, status: int, code: int | None, error: type[SendError], state: str
) -> None:
    told = {"code": code, "message": f"The number {NUMBER} is no good", "status": status}
    api.answer = lambda _: web.json_response(told, status=status) if code else web.Response(text="oops", status=status)
    with pytest.raises(SendError) as raised:
        await carrier.send(to=NUMBER, body="秘密", reference=1)
    assert type(raised.value) is error
    assert raised.value.state == state
    assert raised.value.code == str(code or status)
    assert raised.value.retryable is (error is CarrierIsBusy)
    for words in (NUMBER, "秘密"):
        assert words not in f"{raised.value!s} {raised.value!r} {raised.value.sentence}"
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


async def test_an_answer_that_cannot_be_read_leaves_the_text_unknown(api: Api, carrier: TwilioCarrier) -> None:
    for unreadable in ("<html>", "[]", "{}"):
        api.answer = lambda _, said=unreadable: web.Response(text=said, status=201)  # type: ignore[misc]
        with pytest.raises(CarrierDidNotAnswer):
            await carrier.send(to=NUMBER, body="x", reference=1)


async def test_no_answer_in_time_leaves_the_text_unknown(
    api: Api, carrier: TwilioCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def late(_: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    monkeypatch.setattr(twilio, "TIMEOUT_SECONDS", 0.2)
    api.answer = late
    with pytest.raises(CarrierDidNotAnswer):
        await carrier.send(to=NUMBER, body="x", reference=1)


async def test_a_connection_cut_in_the_middle_leaves_the_text_unknown(api: Api, carrier: TwilioCarrier) -> None:
    def cut(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    api.answer = cut
    with pytest.raises(CarrierDidNotAnswer):
        await carrier.send(to=NUMBER, body="x", reference=1)


async def test_a_refused_connection_means_that_nothing_was_sent() -> None:
    carrier = make("http://127.0.0.1:9")
    with pytest.raises(CarrierIsBusy):
        await carrier.send(to=NUMBER, body="x", reference=1)
    await carrier.aclose()


def listed(sid: str, body: str, at: datetime) -> dict[str, Any]:
    return {"sid": sid, "body": body, "date_created": format_datetime(at), "to": NUMBER, "status": "sent"}


async def test_a_lost_text_is_found_by_number_body_and_time(api: Api, carrier: TwilioCarrier) -> None:
    since = clocks.now()
    api.listed = [
        listed("SM-other", "别的", since + timedelta(seconds=1)),
        listed("SM-ours", "收到", since + timedelta(seconds=1)),
        listed("SM-old", "收到", since - timedelta(hours=1)),
    ]
    assert await carrier.find(to=NUMBER, body="收到", reference=1, since=since) == (Found.SENT, "SM-ours")
    assert api.asked[-1]["To"] == NUMBER
    api.listed = api.listed[2:]
    assert await carrier.find(to=NUMBER, body="收到", reference=1, since=since) == (Found.ABSENT, None)


async def test_a_text_is_found_though_our_clock_is_ahead_of_the_carriers(api: Api, carrier: TwilioCarrier) -> None:
    since = clocks.now()
    api.listed = [listed("SM-ours", "收到\n", since - timedelta(seconds=30))]
    to_many = reference_of(1, 1)
    assert await carrier.find(to=NUMBER, body="收到", reference=to_many, since=since) == (Found.SENT, "SM-ours")
    assert await carrier.find(to=NUMBER, body="收到", reference=1, since=since) == (Found.ABSENT, None)
    assert twilio.OUTREACH == FIRST


async def test_a_list_full_of_other_texts_proves_nothing(api: Api, carrier: TwilioCarrier) -> None:
    since = clocks.now()
    api.listed = [listed(f"SM{number}", "别的", since) for number in range(twilio.LOOK_UP_LIMIT)]
    assert await carrier.find(to=NUMBER, body="收到", reference=1, since=since) == (Found.CANNOT_SAY, None)


async def test_nothing_that_was_sent_is_logged_or_kept(
    api: Api, carrier: TwilioCarrier, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    await carrier.send(to=NUMBER, body="秘密", reference=1)
    assert NUMBER not in caplog.text
    assert "秘密" not in caplog.text
    assert carrier._http._test_only_last_request is None


def test_twilios_own_list_of_states_is_the_table() -> None:
    named = set(DESCRIPTION["components"]["schemas"]["message_enum_status"]["enum"])
    assert named - {"receiving", "received"} == set(twilio.STATES)  # those two are of texts to us


@pytest.mark.parametrize("status", list(twilio.STATES))
def test_every_state_of_twilios_is_in_the_one_table(status: str) -> None:
    receipt = twilio.read_receipt({"MessageSid": "SM1", "MessageStatus": status}, "5")
    if twilio.STATES[status] is None:
        assert receipt is None
    else:
        assert receipt is not None
        assert (receipt.state, receipt.reference) == (twilio.STATES[status], 5)


def test_a_state_nobody_knows_says_nothing_new() -> None:
    assert twilio.read_receipt({"MessageSid": "SM1", "MessageStatus": "teleported"}, None) is None


def test_the_look_up_knows_a_reference_of_outreach_by_its_size() -> None:
    assert twilio.OUTREACH == FIRST
