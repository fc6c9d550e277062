"""The exchange's door: only what is signed is believed, in any order, and nothing but random ids is in its addresses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from itertools import permutations
from urllib.parse import urlencode
from uuid import uuid4
from xml.etree import ElementTree

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as some
from twilio.request_validator import RequestValidator

from sms_gateway.calls import service as calls
from sms_gateway.calls.models import Call
from sms_gateway.calls.states import ENDED, State, is_news
from sms_gateway.calls.words import SAID, Purpose
from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from sms_gateway.platforms import twiml
from sms_gateway.settings import Settings, get_settings

from .conftest import Phones

PUBLIC = "https://hotline.example"
TOKEN = "token-of-the-tests"
SID = "CA" + "a" * 32
NUMBER = "+8613800000009"


@pytest.fixture
def twilio(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {
        "PUBLIC_URL": PUBLIC, "VOICE": "twilio", "TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "TWILIO_AUTH_TOKEN": TOKEN,
        "VOICE_FROM": "+861069000000",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"HOTLINE_{name}", value)
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


async def place(purpose: Purpose = Purpose.NOTICE, conference: str | None = None) -> Call:
    async with transaction() as session:
        return await calls.place(session, purpose=purpose, subject_id=1, to=NUMBER, conference=conference)


async def state_of(call: Call) -> str:
    async with transaction() as session:
        return (await calls.get(session, call.id)).state


async def post(gateway: httpx.AsyncClient, call: Call, what: str, *, token: str = TOKEN, **form: str) -> httpx.Response:
    path = f"/platforms/voice/{call.uid.hex}/{what}"
    fields = {"CallSid": SID, "CallStatus": "in-progress", "To": NUMBER, **form}
    headers = {
        "X-Twilio-Signature": RequestValidator(token).compute_signature(PUBLIC + path, fields),
        "content-type": "application/x-www-form-urlencoded",
    }
    return await gateway.post(path, content=urlencode(fields), headers=headers)


@pytest.mark.parametrize("what", ["twiml", "status", "key"])
async def test_a_forged_callback_is_refused_and_changes_nothing(
    twilio: None, gateway: httpx.AsyncClient, what: str
) -> None:
    call = await place()
    assert (await post(gateway, call, what, token="another")).status_code == 403
    unsigned = await gateway.post(
        f"/platforms/voice/{call.uid.hex}/{what}", data={"CallSid": SID, "CallStatus": "busy"}
    )
    assert unsigned.status_code == 403
    assert await state_of(call) == "queued"


async def test_a_signature_for_one_call_is_no_good_for_another(twilio: None, gateway: httpx.AsyncClient) -> None:
    one, other = await place(), await place()
    path = f"/platforms/voice/{one.uid.hex}/status"
    form = {"CallSid": SID, "CallStatus": "busy"}
    headers = {"X-Twilio-Signature": RequestValidator(TOKEN).compute_signature(PUBLIC + path, form)}
    answer = await gateway.post(f"/platforms/voice/{other.uid.hex}/status", data=form, headers=headers)
    assert answer.status_code == 403


async def test_a_form_without_its_fields_and_a_call_nobody_knows_are_told(
    twilio: None, gateway: httpx.AsyncClient
) -> None:
    call = await place()
    assert (await post(gateway, call, "status", CallSid="")).status_code == 422
    assert (await post(gateway, call, "status", CallStatus="")).status_code == 422
    assert (await post(gateway, call, "status", CallStatus="teleported")).status_code == 204
    assert (await post(gateway, Call(uid=uuid4()), "status")).status_code == 404
    assert await state_of(call) == "queued"


async def test_states_in_any_order_and_twice_end_the_same(twilio: None, gateway: httpx.AsyncClient) -> None:
    for order in permutations(("initiated", "ringing", "in-progress", "completed")):
        call = await place()
        for status in (*order, *order):
            assert (await post(gateway, call, "status", CallStatus=status)).status_code == 204
        assert await state_of(call) == "completed"


async def test_the_first_end_stays_the_end(twilio: None, gateway: httpx.AsyncClient) -> None:
    call = await place()
    await post(gateway, call, "status", CallStatus="busy")
    await post(gateway, call, "status", CallStatus="completed")
    assert await state_of(call) == "busy"


async def test_words_about_an_earlier_try_of_a_call_do_not_count(twilio: None, gateway: httpx.AsyncClient) -> None:
    call = await place()
    await post(gateway, call, "status", CallStatus="ringing")
    await post(gateway, call, "status", CallStatus="failed", CallSid="CA" + "b" * 32)
    assert await state_of(call) == "ringing"


@given(some.lists(some.sampled_from(State), max_size=12))
def test_a_call_only_goes_forward_and_never_comes_back_from_its_end(told: list[State]) -> None:
    state = State.QUEUED
    for word in told:
        if is_news(state, word):
            assert state not in ENDED
            state = word
    if ENDED & set(told):
        assert state in ENDED


async def test_what_is_said_to_staff_is_one_of_our_fixed_sentences(twilio: None, gateway: httpx.AsyncClient) -> None:
    call = await place()
    todo = ElementTree.fromstring((await post(gateway, call, "twiml")).text)
    assert [said.text for said in todo.iter("Say")] == [SAID[Purpose.NOTICE]]
    assert await state_of(call) == "answered"


async def test_a_leg_joins_its_conference_which_is_not_recorded_and_ends_for_nobody_by_anothers_leaving(
    twilio: None, gateway: httpx.AsyncClient
) -> None:
    call = await place(Purpose.DESK, conference="c" * 32)
    answer = await post(gateway, call, "twiml")
    assert answer.headers["content-type"].startswith("text/xml")
    joined = ElementTree.fromstring(answer.text).find("Dial/Conference")
    assert joined is not None
    assert (joined.text, joined.get("record"), joined.get("endConferenceOnExit")) == (
        "c" * 32,
        "do-not-record",
        "false",
    )
    assert NUMBER not in answer.text


async def test_an_operator_joins_once_they_pressed_1_and_any_other_key_hangs_up(
    twilio: None, gateway: httpx.AsyncClient
) -> None:
    call = await place(Purpose.OPERATOR, conference="c" * 32)
    first = ElementTree.fromstring((await post(gateway, call, "twiml")).text)
    asked = first.find("Gather")
    assert asked is not None and first.find("Dial") is None
    assert (asked.get("action") or "").endswith(f"/platforms/voice/{call.uid.hex}/key")
    joined = ElementTree.fromstring((await post(gateway, call, "key", Digits="1")).text).find("Dial/Conference")
    assert joined is not None and joined.text == "c" * 32
    other = await place(Purpose.OPERATOR, conference="c" * 32)
    await post(gateway, other, "twiml")
    for key in ("5", "1"):  # the first key counts
        answer = await post(gateway, other, "key", Digits=key)
        assert ElementTree.fromstring(answer.text).find("Dial/Conference") is None


async def test_it_is_recorded_only_where_that_is_set(
    twilio: None, gateway: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTLINE_VOICE_RECORDING", "true")
    get_settings.cache_clear()
    call = await place(Purpose.DESK, conference="c" * 32)
    assert 'record="record-from-start"' in (await post(gateway, call, "twiml")).text


async def test_a_call_that_was_called_off_is_hung_up_when_it_is_picked_up(
    twilio: None, gateway: httpx.AsyncClient
) -> None:
    call = await place(Purpose.PERSON, conference="c" * 32)
    async with transaction() as session:
        await calls.hang_up(session, await calls.get(session, call.id))
    todo = ElementTree.fromstring((await post(gateway, call, "twiml")).text)
    assert [part.tag for part in todo] == ["Hangup"]
    assert await state_of(call) == "cancelled"


@given(some.text(some.characters(exclude_categories=("Cs", "Cc"))))
def test_no_words_can_become_instructions(words: str) -> None:
    for made in (
        twiml.conference(said=words, name=words, recorded=False),
        twiml.notice(said=words, times=1),
        twiml.question(said=words, times=1, key_address=words),
    ):
        tags = [part.tag for part in ElementTree.fromstring(made.decode()).iter()]
        assert set(tags) <= {"Response", "Say", "Dial", "Conference", "Gather"}
        assert tags.count("Say") == 1


async def test_nothing_is_placed_where_calls_are_switched_off(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_VOICE", "none")
    get_settings.cache_clear()
    with pytest.raises(calls.NoTelephone):
        await place()


async def test_a_silent_exchange_is_given_up(
    phones: Phones, clock: HeldClock, run_jobs: Callable[[], Awaitable[None]]
) -> None:
    from datetime import timedelta

    from sms_gateway import timers

    call = await place(Purpose.DUTY_TEST)
    async with transaction() as session:
        assert await calls.claim(session, call.id) is not None
    clock.advance(timedelta(seconds=76))
    async with transaction() as session:
        await calls.give_up(session, call.id)
        assert (await calls.get(session, call.id)).error == "no_word"
    assert await timers.sweep() >= 1


PRODUCTION = {
    "HOTLINE_MODE": "production", "HOTLINE_CARRIER": "twilio", "HOTLINE_TWILIO_ACCOUNT_SID": "AC0",
    "HOTLINE_TWILIO_AUTH_TOKEN": "t", "HOTLINE_TWILIO_FROM": "+861069000000", "HOTLINE_PUBLIC_URL": PUBLIC, "HOTLINE_CONSOLE_URL": "https://desk.example",
    "HOTLINE_VOICE": "twilio", "HOTLINE_VOICE_FROM": "+861069000000", "HOTLINE_CROSS_BORDER_ASSESSED": "评估1号",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"HOTLINE_CROSS_BORDER_ASSESSED": ""}, "出境安全评估"),
        ({"HOTLINE_VOICE": "simulator"}, "模拟电话"),
        ({"HOTLINE_VOICE_FROM": ""}, "HOTLINE_VOICE_FROM"),
        ({"HOTLINE_VOICE": "carrier_pigeon"}, "HOTLINE_VOICE"),
    ],
)
def test_a_start_with_the_wrong_line_is_refused(
    monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], words: str
) -> None:
    for name, value in {**PRODUCTION, **changed}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError) as raised:
        Settings()
    assert words in str(raised.value)


def test_production_without_a_line_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in PRODUCTION.items():
        monkeypatch.setenv(name, value)
    assert Settings().voice_driver == "twilio"
    monkeypatch.delenv("HOTLINE_VOICE")
    assert Settings().voice_driver == "none"
