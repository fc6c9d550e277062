"""The same line by Twilio: signed webhooks in, the Messages API out, receipts by rank; a make-believe Twilio answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import func, select
from twilio.request_validator import RequestValidator

from sms_gateway.app import make_gateway
from sms_gateway.carriers import registry
from sms_gateway.contacts.models import Contact
from sms_gateway.crypto import blind_index
from sms_gateway.database import transaction
from sms_gateway.messages.models import Direction, Message
from sms_gateway.settings import get_settings
from sms_gateway.wording import say

PUBLIC = "https://hotline.example"
TOKEN = "token-of-the-tests"
KICKING = "有个叔叔一直在踹我家门 就我和弟弟在"
_ids = count(1)
_phones = count(1)


class MakeBelieveTwilio:
    """Keeps what it was handed. `before_answer` runs while the caller still waits for the id."""

    def __init__(self, run: Callable[[], Awaitable[None]]) -> None:
        self.handed: list[dict[str, str]] = []
        self.run = run
        self.door: httpx.AsyncClient
        self.before_answer: Callable[[str, dict[str, str]], Awaitable[None]] | None = None

    async def create(self, request: web.Request) -> web.Response:
        form = {str(name): str(value) for name, value in (await request.post()).items()}
        sid = f"SM{next(_ids):032x}"
        self.handed.append({**form, "sid": sid})
        if self.before_answer is not None:
            await self.before_answer(sid, form)
        return web.json_response({"sid": sid, "status": "queued"}, status=201)

    async def post(self, path: str, form: dict[str, str], *, token: str = TOKEN) -> httpx.Response:
        """As Twilio calls us."""
        headers = {
            "X-Twilio-Signature": RequestValidator(token).compute_signature(PUBLIC + path, form),
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
        }
        return await self.door.post(path, content=urlencode(form), headers=headers)

    async def text(self, form: dict[str, str], **how: str) -> httpx.Response:
        return await self.post("/twilio/sms", form, **how)

    async def report(self, sid: str, callback: str, status: str) -> None:
        """A status callback to the address the text was handed over with."""
        where = urlsplit(callback)
        answer = await self.post(f"{where.path}?{where.query}", {"MessageSid": sid, "MessageStatus": status})
        assert answer.status_code == 200


@pytest.fixture
async def twilio(
    database: str, run_jobs: Callable[[], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[MakeBelieveTwilio]:
    made = MakeBelieveTwilio(run_jobs)
    application = web.Application()
    application.router.add_post("/2010-04-01/Accounts/{account}/Messages.json", made.create)
    async with TestServer(application) as server:
        settings = {
            "PUBLIC_URL": PUBLIC, "CARRIER": "twilio", "TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_FROM": "+861069000000", "TWILIO_API_URL": str(server.make_url("/")).rstrip("/"),
        }  # fmt: skip
        for name, value in settings.items():
            monkeypatch.setenv(f"HOTLINE_{name}", value)
        get_settings.cache_clear()
        await registry.close()
        gateway = make_gateway()
        async with httpx.AsyncClient(transport=httpx.ASGITransport(gateway), base_url="http://127.0.0.1") as made.door:
            yield made
        await gateway.state.health.aclose()
        await gateway.state.make_believe.aclose()
        await registry.close()


def sms(body: str, **changed: str) -> dict[str, str]:
    form = {"MessageSid": f"SM{next(_ids):032x}", "From": f"+861380001{next(_phones):04d}", "To": "+861069000000"}
    return {**form, "Body": body, "NumMedia": "0", **changed}


async def _texts(number: str, direction: Direction) -> list[Message]:
    async with transaction() as session:
        contact = select(Contact.id).where(Contact.address_index == blind_index(number, "contacts.address.sms"))
        wanted = select(Message).where(Message.contact_id.in_(contact), Message.direction == direction)
        return list(await session.scalars(wanted.order_by(Message.id)))


async def test_a_question_comes_in_signed_and_is_answered_through_the_messages_api(twilio: MakeBelieveTwilio) -> None:
    form = sms("孤儿每个月能领多少钱")
    answer = await twilio.text(form)
    assert (answer.status_code, answer.text) == (200, '<?xml version="1.0" encoding="UTF-8"?><Response/>')
    await twilio.run()
    [handed] = twilio.handed
    assert (handed["To"], handed["From"]) == (form["From"], "+861069000000")
    assert handed["Body"].startswith("【云南12345】")
    assert "1280" in handed["Body"]
    [out] = await _texts(form["From"], Direction.OUT)
    assert (out.state, out.carrier_id) == ("sent", handed["sid"])


async def test_ten_deliveries_at_once_and_one_an_hour_later_are_one_text_and_one_reply(
    twilio: MakeBelieveTwilio,
) -> None:
    form = sms(KICKING)
    answers = await asyncio.gather(*(twilio.text(form) for _ in range(10)))
    await twilio.run()
    answers.append(await twilio.text(form))
    await twilio.run()
    assert {answer.status_code for answer in answers} == {200}
    assert len(await _texts(form["From"], Direction.IN)) == 1
    assert [handed["Body"] for handed in twilio.handed] == ["【云南12345】" + say("red.violence")]


async def test_a_forged_text_is_refused_and_never_answered(twilio: MakeBelieveTwilio) -> None:
    form = sms(KICKING)
    assert (await twilio.text(form, token="somebody else's")).status_code == 403
    await twilio.run()
    assert await _texts(form["From"], Direction.IN) == []
    assert twilio.handed == []


async def test_a_receipt_quicker_than_our_own_note_is_not_lost_and_a_late_one_changes_nothing(
    twilio: MakeBelieveTwilio,
) -> None:
    async def at_once(sid: str, form: dict[str, str]) -> None:
        await twilio.report(sid, form["StatusCallback"], "delivered")

    twilio.before_answer = at_once
    form = sms("孤儿每个月能领多少钱")
    await twilio.text(form)
    await twilio.run()
    [out] = await _texts(form["From"], Direction.OUT)
    assert out.state == "delivered"
    [handed] = twilio.handed
    for late in ("sent", "queued", "sending", "delivered"):
        await twilio.report(handed["sid"], handed["StatusCallback"], late)
    [out] = await _texts(form["From"], Direction.OUT)
    assert out.state == "delivered"


async def test_a_safe_reply_that_does_not_arrive_is_told_to_a_person(twilio: MakeBelieveTwilio) -> None:
    form = sms(KICKING)
    await twilio.text(form)
    await twilio.run()
    [handed] = twilio.handed
    await twilio.report(handed["sid"], handed["StatusCallback"], "undelivered")
    await twilio.run()
    [out] = await _texts(form["From"], Direction.OUT)
    assert out.state == "undelivered"
    from sms_gateway.escalations.models import Escalation, EscalationEvent

    async with transaction() as session:
        told = select(func.count()).select_from(EscalationEvent).join(Escalation)
        told = told.where(Escalation.thread_id == out.thread_id, EscalationEvent.what == "text_did_not_arrive")
        assert await session.scalar(told) == 1
