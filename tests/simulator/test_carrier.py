"""The make-believe carrier from end to end: a phone writes, the hotline's driver answers, receipts come back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

from sms_gateway import clock as clocks
from sms_gateway.carriers.carrier import (
    CarrierBlockedText,
    CarrierDidNotAnswer,
    CarrierIsBusy,
    CarrierRefused,
    CarrierRefusedPerson,
    Found,
    SendError,
)
from sms_gateway.carriers.simulator import SimulatorCarrier, access_token
from sms_gateway.contacts.models import Channel
from sms_gateway.database import transaction
from sms_gateway.messages import inbox, outbox
from sms_gateway.messages.models import Author, Message, Thread
from sms_gateway.settings import get_settings
from sms_gateway.simulator.carrier_state import PHONES_KEPT, PREFIX, TEXTS_KEPT, Faults, MakeBelieveCarrier, PhoneText
from tests.gateway_client import HOST, stored_texts

NUMBER = "+8613800000007"


@pytest.fixture
async def driver(app: FastAPI) -> AsyncIterator[SimulatorCarrier]:
    made = SimulatorCarrier(url=HOST, token=access_token(get_settings()), transport=httpx.ASGITransport(app))
    yield made
    await made.aclose()


@pytest.fixture
def make_believe(app: FastAPI) -> MakeBelieveCarrier:
    carrier: MakeBelieveCarrier = app.state.make_believe
    return carrier


async def queued(body: str = "收到。") -> int:
    async with transaction() as session:
        thread_id, _ = await inbox.find_or_make_thread(session, Channel.SMS, NUMBER, clocks.now())
        thread = await session.get_one(Thread, thread_id)
        message_id = await outbox.queue(session, thread=thread, author=Author.SYSTEM, body=body)
        assert message_id is not None
        await outbox.claim(session, message_id)
    return message_id


async def state_of(message_id: int) -> str | None:
    async with transaction() as session:
        return (await session.get_one(Message, message_id)).state


async def test_a_text_typed_on_a_phone_reaches_the_inbox_by_the_signed_webhook(
    gateway: httpx.AsyncClient, make_believe: MakeBelieveCarrier
) -> None:
    answer = await gateway.post("/simulator/phones/0007/texts", json={"body": "有人吗 😭"})
    assert answer.status_code == 202
    await make_believe.settle()
    (stored,) = await stored_texts()
    assert (stored.body, stored.carrier) == ("有人吗 😭", "simulator")
    (text,) = make_believe.phones.get(NUMBER).texts
    assert (text.mine, text.state) == (True, "sent")


async def test_a_text_of_the_hotline_reaches_the_phone_and_is_marked_delivered(
    driver: SimulatorCarrier, make_believe: MakeBelieveCarrier
) -> None:
    message_id = await queued()
    carrier_id = await driver.send(to=NUMBER, body="【云南12345】收到。", reference=message_id)
    await make_believe.settle()
    (text,) = make_believe.phones.get(NUMBER).texts
    assert (text.id, text.body, text.mine, text.state) == (carrier_id, "【云南12345】收到。", False, "delivered")
    assert await state_of(message_id) == "delivered"


@pytest.mark.parametrize(
    ("refuse", "error"),
    [("busy", CarrierIsBusy), ("refused", CarrierRefused), ("opted_out", CarrierRefusedPerson)],
)
async def test_a_refusal_is_told_in_our_words(
    driver: SimulatorCarrier, make_believe: MakeBelieveCarrier, refuse: str, error: type[SendError]
) -> None:
    make_believe.faults = Faults(refuse=refuse)  # type: ignore[arg-type]
    with pytest.raises(SendError) as raised:
        await driver.send(to=NUMBER, body="x", reference=1)
    assert type(raised.value) is error
    assert not make_believe.phones.get(NUMBER).texts


async def test_a_text_stopped_by_the_filter_is_blocked_and_never_shown(
    driver: SimulatorCarrier, make_believe: MakeBelieveCarrier
) -> None:
    message_id = await queued()
    make_believe.faults = Faults(refuse="blocked")
    await driver.send(to=NUMBER, body="x", reference=message_id)
    await make_believe.settle()
    assert await state_of(message_id) == "blocked"
    assert not make_believe.phones.get(NUMBER).texts
    assert CarrierBlockedText.state == "blocked"


async def test_everything_delivered_twice_counts_once(
    gateway: httpx.AsyncClient, driver: SimulatorCarrier, make_believe: MakeBelieveCarrier
) -> None:
    make_believe.faults = Faults(duplicate=True)
    await gateway.post("/simulator/phones/0007/texts", json={"body": "一次"})
    message_id = await queued()
    await driver.send(to=NUMBER, body="x", reference=message_id)
    await make_believe.settle()
    assert len(await stored_texts()) == 1
    assert await state_of(message_id) == "delivered"


async def test_a_lost_answer_is_found_again_by_our_reference(
    driver: SimulatorCarrier, make_believe: MakeBelieveCarrier
) -> None:
    now = clocks.now()
    carrier_id = await driver.send(to=NUMBER, body="x", reference=41)
    await make_believe.settle()
    assert await driver.find(to=NUMBER, body="x", reference=41, since=now) == (Found.SENT, carrier_id)
    later = now + timedelta(seconds=5)
    assert await driver.find(to=NUMBER, body="x", reference=42, since=later) == (Found.ABSENT, None)
    before_its_start = now - timedelta(minutes=5)
    assert (await driver.find(to=NUMBER, body="x", reference=42, since=before_its_start))[0] is Found.CANNOT_SAY


async def test_a_gateway_that_is_down_is_busy_and_one_that_answers_nonsense_is_unknown(database: str) -> None:
    down = SimulatorCarrier(url="http://127.0.0.1:9", token="t")
    with pytest.raises(CarrierIsBusy):
        await down.send(to=NUMBER, body="x", reference=1)
    odd = SimulatorCarrier(url=HOST, token="t", transport=httpx.MockTransport(lambda _: httpx.Response(200, text="?")))
    with pytest.raises(CarrierDidNotAnswer):
        await odd.send(to=NUMBER, body="x", reference=1)
    await down.aclose()
    await odd.aclose()


async def test_only_our_driver_may_hand_texts_over(app: FastAPI, gateway: httpx.AsyncClient) -> None:
    text = {"to": NUMBER, "body": "x", "reference": 1}
    assert (await gateway.post("/simulator/messages", json=text)).status_code == 401
    wrong = {"Authorization": "Bearer x"}
    assert (await gateway.post("/simulator/messages", json=text, headers=wrong)).status_code == 401


@pytest.mark.parametrize("path", ["/phone", "/simulator/phones", "/simulator/faults"])
async def test_the_phone_is_for_this_machine_only(app: FastAPI, gateway: httpx.AsyncClient, path: str) -> None:
    assert (await gateway.get(path)).status_code == 200
    far = httpx.AsyncClient(transport=httpx.ASGITransport(app, client=("10.0.0.5", 4000)), base_url=HOST)
    assert (await far.get(path)).status_code == 404
    assert (await gateway.get(path, headers={"X-Forwarded-For": "10.0.0.5"})).status_code == 404
    assert (await gateway.get(path, headers={"Host": "evil.example:8000"})).status_code == 404
    await far.aclose()


@pytest.mark.parametrize("tail", ["1", "12345", "abcd", "12 4", "１２３４"])
async def test_only_made_up_numbers_can_be_used(gateway: httpx.AsyncClient, tail: str) -> None:
    assert (await gateway.post(f"/simulator/phones/{tail}/texts", json={"body": "x"})).status_code == 422


async def test_invalid_fields_are_named_and_not_repeated(gateway: httpx.AsyncClient) -> None:
    answer = await gateway.put("/simulator/faults", json={"refuse": "<b>秘密</b>", "delay_seconds": -1})
    assert answer.status_code == 422
    assert answer.json()["fields"] == ["delay_seconds", "refuse"]
    assert "秘密" not in answer.text


async def test_phones_and_texts_are_kept_in_bounds(make_believe: MakeBelieveCarrier) -> None:
    for number in range(PHONES_KEPT + 50):
        phone = make_believe.phones.get(f"{PREFIX}{number:04}")
        phone.show(PhoneText(str(number), mine=True, body="x", at="2026-01-01T00:00:00", state="sent"))
    assert len(make_believe.phones.list()) <= PHONES_KEPT
    assert make_believe.phones.list()[0].number == f"{PREFIX}{PHONES_KEPT + 49:04}"
    for number in range(TEXTS_KEPT + 5):
        phone.show(PhoneText(f"t{number}", mine=True, body="x", at="2026-01-01T00:00:00", state="sent"))
    assert len(phone.texts) == TEXTS_KEPT


async def test_a_fresh_phone_has_no_texts(gateway: httpx.AsyncClient, make_believe: MakeBelieveCarrier) -> None:
    tail = (await gateway.get("/simulator/fresh")).json()["tail"]
    assert not make_believe.phones.get(PREFIX + tail).texts
