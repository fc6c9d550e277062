"""Receipts of outreach at the carriers' doors: alone or 500 at once, signed, beside those of talks."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import OperationalError
from twilio.request_validator import RequestValidator

from sms_gateway import clock as clocks
from sms_gateway.broadcasts import receipt_batches
from sms_gateway.broadcasts.models import CarrierReference
from sms_gateway.broadcasts.references import reference_of
from sms_gateway.carriers import simulator
from sms_gateway.contacts.models import Channel
from sms_gateway.database import transaction
from sms_gateway.messages import inbox, outbox
from sms_gateway.messages.models import Author, Message, Thread
from sms_gateway.settings import get_settings
from tests.broadcasts import making

STATUS = "/carriers/simulator/status"
RECEIPTS = "/carriers/simulator/receipts"


@pytest.fixture
async def broadcast_id(gateway: httpx.AsyncClient) -> int:
    made = await making.make_broadcast()
    await making.make_ledger(made, 500)
    return made


def receipt(broadcast_id: int, number: int, state: str = "delivered", **more: str) -> dict[str, str]:
    reference = reference_of(broadcast_id, number)
    return {"id": f"SIM{number}", "state": state, "reference": str(reference), **more}


async def push(gateway: httpx.AsyncClient, receipts: Any, *, signed: bool = True) -> httpx.Response:
    body = receipts if isinstance(receipts, bytes) else json.dumps(receipts).encode()
    key = simulator.secret(get_settings()) if signed else b"another key"
    signature = simulator.sign(key, path=RECEIPTS, body=body, at=clocks.now())
    headers = {"Content-Type": "application/json", simulator.SIGNATURE_HEADER: signature}
    return await gateway.post(RECEIPTS, content=body, headers=headers)


async def tell(gateway: httpx.AsyncClient, form: dict[str, str]) -> httpx.Response:
    body = str(httpx.QueryParams(form)).encode()
    signature = simulator.sign(simulator.secret(get_settings()), path=STATUS, body=body, at=clocks.now())
    headers = {"Content-Type": "application/x-www-form-urlencoded", simulator.SIGNATURE_HEADER: signature}
    return await gateway.post(STATUS, content=body, headers=headers)


async def test_a_single_receipt_moves_its_row(gateway: httpx.AsyncClient, broadcast_id: int) -> None:
    assert (await tell(gateway, receipt(broadcast_id, 7, "undelivered", error="expired"))).status_code == 200
    row = await making.recipient(broadcast_id, 7)
    assert (row.state, row.error, row.carrier_id) == ("failed", "expired", "SIM7")


async def test_five_hundred_come_in_one_request(gateway: httpx.AsyncClient, broadcast_id: int) -> None:
    shuffled = [receipt(broadcast_id, n) for n in random.sample(range(1, 501), 500)]
    assert (await push(gateway, shuffled)).status_code == 200
    assert set((await making.states(broadcast_id)).values()) == {"delivered"}
    assert (await push(gateway, [*shuffled, shuffled[0]])).status_code == 422


async def test_single_and_bulk_and_doubled_at_the_same_time(gateway: httpx.AsyncClient, broadcast_id: int) -> None:
    singles = [tell(gateway, receipt(broadcast_id, n, state)) for n in range(1, 61) for state in ("sent", "delivered")]
    bulks = [push(gateway, [receipt(broadcast_id, n, "delivered") for n in range(400, 0, -1)]) for _ in range(3)]
    answers = await asyncio.gather(*singles, *bulks)
    assert {answer.status_code for answer in answers} == {200}
    assert await making.tallies(broadcast_id) == {
        (making.REGION, "delivered"): 400, (making.REGION, "created"): 100,
    }  # fmt: skip


async def test_a_forged_batch_moves_nothing(gateway: httpx.AsyncClient, broadcast_id: int) -> None:
    forged = await push(gateway, [receipt(broadcast_id, 1)], signed=False)
    assert forged.status_code == 403
    assert (await making.states(broadcast_id))[1] == "created"


@pytest.mark.parametrize(
    "body", [b"[", b"{}", b"[1]", b'[{"id": 1, "state": "sent"}]', b'[{"id": "SIM1", "state": "exploded"}]', b"[{}]"]
)
async def test_what_cannot_be_read_is_refused(gateway: httpx.AsyncClient, broadcast_id: int, body: bytes) -> None:
    assert (await push(gateway, body)).status_code == 422


async def test_receipts_of_talks_and_of_outreach_may_come_mixed(gateway: httpx.AsyncClient, broadcast_id: int) -> None:
    async with transaction() as session:
        thread_id, _ = await inbox.find_or_make_thread(session, Channel.SMS, "+8613800000007", clocks.now())
        thread = await session.get_one(Thread, thread_id)
        message_id = await outbox.queue(session, thread=thread, author=Author.SYSTEM, body="收到。")
        assert message_id is not None
        await outbox.claim(session, message_id)
    of_talk = {"id": "SIMtalk", "state": "delivered", "reference": str(message_id)}
    strange = {"id": "SIMnobody", "state": "delivered", "reference": ""}
    mixed = [receipt(broadcast_id, 1), of_talk, strange, receipt(broadcast_id + 1, 1)]
    assert (await push(gateway, mixed)).status_code == 200
    async with transaction() as session:
        assert (await session.get_one(Message, message_id)).state == "delivered"
    assert (await making.states(broadcast_id))[1] == "delivered"


async def test_a_carrier_that_knows_its_own_ids_only_moves_the_row_too(
    gateway: httpx.AsyncClient, broadcast_id: int
) -> None:
    late, noted = (receipt(broadcast_id, n) | {"reference": ""} for n in (3, 4))
    assert (await tell(gateway, late)).status_code == 200  # quicker than our own note of its id
    async with transaction() as session:
        for number in (3, 4):
            reference = reference_of(broadcast_id, number)
            own = {"carrier": "simulator", "carrier_id": f"SIM{number}", "reference": reference, "at": clocks.now()}
            session.add(CarrierReference(**own))
    assert (await tell(gateway, noted)).status_code == 200
    await receipt_batches.sweep()
    states = await making.states(broadcast_id)
    assert (states[3], states[4], states[5]) == ("delivered", "delivered", "created")


async def test_while_the_database_is_away_the_carrier_is_told_to_come_again(
    gateway: httpx.AsyncClient, broadcast_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: object) -> None:
        raise OperationalError("", {}, Exception())

    with monkeypatch.context() as gone:
        gone.setattr(receipt_batches, "_apply", away)
        for answer in (await tell(gateway, receipt(broadcast_id, 1)), await push(gateway, [receipt(broadcast_id, 1)])):
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert (await tell(gateway, receipt(broadcast_id, 1))).status_code == 200


async def test_a_twilio_receipt_finds_its_row_by_the_reference_in_its_address(
    gateway: httpx.AsyncClient, broadcast_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"ACCOUNT_SID": "AC1", "AUTH_TOKEN": "token", "FROM": "+861069000000"}.items():
        monkeypatch.setenv(f"HOTLINE_TWILIO_{name}", value)
    monkeypatch.setenv("HOTLINE_PUBLIC_URL", "https://hotline.example")
    get_settings.cache_clear()
    path = f"/twilio/status?m={reference_of(broadcast_id, 9)}"
    form = {"MessageSid": "SM9", "MessageStatus": "undelivered", "ErrorCode": "30005"}
    genuine = RequestValidator("token").compute_signature("https://hotline.example" + path, form)
    for signature, status, state in (("forged", 403, "created"), (genuine, 200, "failed")):
        answer = await gateway.post(path, data=form, headers={"X-Twilio-Signature": signature})
        assert answer.status_code == status
        assert (await making.states(broadcast_id))[9] == state
    assert (await making.recipient(broadcast_id, 9)).error == "30005"
