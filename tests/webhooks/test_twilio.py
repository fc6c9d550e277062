"""Twilio's webhooks: what is signed is stored once, the rest is refused, and nobody's words come back out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy import func, select, text, update
from twilio.request_validator import RequestValidator

from sms_gateway import clock as clocks
from sms_gateway import database as ground
from sms_gateway.contacts.models import Contact
from sms_gateway.database import transaction
from sms_gateway.messages import inbox, outbox, spool
from sms_gateway.messages.models import Message, Thread
from sms_gateway.settings import get_settings
from tests.gateway_client import stored_texts

PUBLIC = "https://hotline.example"
TOKEN = "token-of-the-tests"
SECRET_WORDS = "我叫小花住在泼机镇"


@pytest.fixture(autouse=True)
async def twilio_settings(database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    monkeypatch.setenv("HOTLINE_PUBLIC_URL", PUBLIC)
    monkeypatch.setenv("HOTLINE_CARRIER", "twilio")
    monkeypatch.setenv("HOTLINE_TWILIO_ACCOUNT_SID", "AC" + "0" * 32)
    monkeypatch.setenv("HOTLINE_TWILIO_AUTH_TOKEN", TOKEN)
    monkeypatch.setenv("HOTLINE_TWILIO_FROM", "+861069000000")
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def sms(**changed: str) -> dict[str, str]:
    form = {
        "MessageSid": "SM" + "a" * 32,
        "AccountSid": "AC" + "0" * 32,
        "From": "+8613800000001",
        "To": "+861069000000",
    }
    return {**form, "Body": "孤儿每个月能领多少钱", "NumMedia": "0", **changed}


async def post(
    gateway: httpx.AsyncClient,
    path: str,
    form: dict[str, str],
    *,
    signed: dict[str, str] | None = None,
    token: str = TOKEN,
) -> httpx.Response:
    signature = RequestValidator(token).compute_signature(PUBLIC + path, form if signed is None else signed)
    headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
    return await gateway.post(path, content=urlencode(form), headers=headers)


async def test_a_signed_text_is_stored_and_judged_and_answered_with_empty_twiml(gateway: httpx.AsyncClient) -> None:
    answer = await post(gateway, "/twilio/sms", sms())
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/xml")
    assert answer.text == '<?xml version="1.0" encoding="UTF-8"?><Response/>'
    (stored,) = await stored_texts()
    assert (stored.body, stored.carrier, stored.carrier_id) == ("孤儿每个月能领多少钱", "twilio", "SM" + "a" * 32)
    async with transaction() as session:
        jobs = (
            await session.execute(text("SELECT task_name, queue_name, lock FROM procrastinate_jobs ORDER BY id"))
        ).all()
        contact = (await session.scalars(select(Contact))).one()
    assert [tuple(job) for job in jobs] == [
        ("conversations.judge", "danger", None),
        ("conversations.take_turn", "turns", f"contact:{contact.id}"),
    ]
    assert contact.address == "+8613800000001"


async def test_a_forged_or_unsigned_text_is_refused_and_leaves_nothing(gateway: httpx.AsyncClient) -> None:
    forged = await post(gateway, "/twilio/sms", sms(), token="somebody else's")
    changed = await post(gateway, "/twilio/sms", sms(Body="别的话"), signed=sms())
    elsewhere = await post(gateway, "/twilio/sms?x=1", sms(), signed={})
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    unsigned = await gateway.post("/twilio/sms", content=urlencode(sms()), headers=headers)
    assert [a.status_code for a in (forged, changed, elsewhere, unsigned)] == [403] * 4
    assert await stored_texts() == []


async def test_the_same_text_ten_times_at_once_and_later_is_one_message(gateway: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(post(gateway, "/twilio/sms", sms()) for _ in range(10)))
    answers.append(await post(gateway, "/twilio/sms", sms()))
    assert {answer.status_code for answer in answers} == {200}
    assert len(await stored_texts()) == 1
    async with transaction() as session:
        assert await session.scalar(text("SELECT count(*) FROM procrastinate_jobs")) == 2
        assert await session.scalar(select(func.count()).select_from(Contact)) == 1


async def queue_sent(carrier_id: str | None) -> int:
    async with transaction() as session:
        found = await inbox.find_or_make_thread(session, "sms", "+8613800000001", clocks.now())  # type: ignore[arg-type]
        thread = await session.get_one(Thread, found[0])
        message_id = await outbox.queue(session, thread=thread, author="system", body="收到。")  # type: ignore[arg-type]
        values = {
            "state": "sending" if carrier_id is None else "sent",
            "carrier_id": carrier_id,
            "sending_at": clocks.now(),
        }
        await session.execute(update(Message).where(Message.id == message_id).values(**values))
    assert message_id is not None
    return message_id


async def state_of(message_id: int) -> tuple[str | None, str | None]:
    async with transaction() as session:
        message = await session.get_one(Message, message_id)
        return message.state, message.error


async def test_a_late_sent_never_overwrites_delivered(gateway: httpx.AsyncClient) -> None:
    message_id = await queue_sent("SM" + "b" * 32)
    for status in ("delivered", "sent", "queued"):
        form = {"MessageSid": "SM" + "b" * 32, "MessageStatus": status}
        assert (await post(gateway, f"/twilio/status?m={message_id}", form)).status_code == 200
    assert await state_of(message_id) == ("delivered", None)


async def test_a_receipt_that_is_quicker_than_our_own_note_finds_its_text(gateway: httpx.AsyncClient) -> None:
    message_id = await queue_sent(None)
    form = {"MessageSid": "SM" + "c" * 32, "MessageStatus": "delivered"}
    await post(gateway, f"/twilio/status?m={message_id}", form)
    assert await state_of(message_id) == ("delivered", None)


async def test_a_text_stopped_by_the_content_filter_is_blocked_not_failed(gateway: httpx.AsyncClient) -> None:
    message_id = await queue_sent("SM" + "d" * 32)
    form = {"MessageSid": "SM" + "d" * 32, "MessageStatus": "undelivered", "ErrorCode": "30007"}
    await post(gateway, "/twilio/status", form)
    assert await state_of(message_id) == ("blocked", "30007")


@pytest.mark.parametrize("reference", ["", "?m=", "?m=x", "?m=-1", "?m=99999999999999999999"])
async def test_a_receipt_for_a_text_we_do_not_know_is_kept_and_acknowledged(
    gateway: httpx.AsyncClient, reference: str
) -> None:
    form = {"MessageSid": "SM" + "e" * 32, "MessageStatus": "delivered"}
    assert (await post(gateway, f"/twilio/status{reference}", form)).status_code == 200
    async with transaction() as session:
        assert await session.scalar(text("SELECT count(*) FROM receipts")) == 1


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data; boundary=x", ""])
async def test_another_content_type_is_refused_clearly(gateway: httpx.AsyncClient, kind: str) -> None:
    answer = await gateway.post("/twilio/sms", content=b"{}", headers={"Content-Type": kind})
    assert answer.status_code == 415
    assert "application/x-www-form-urlencoded" in answer.json()["error"]


@pytest.mark.parametrize("without", ["MessageSid", "From"])
async def test_a_signed_form_without_a_needed_field_names_it(gateway: httpx.AsyncClient, without: str) -> None:
    form = sms()
    del form[without]
    answer = await post(gateway, "/twilio/sms", form)
    assert (answer.status_code, answer.json()["fields"]) == (422, [without])


@pytest.mark.parametrize("sid", ["", "a b", "'; DROP TABLE messages; --", "x" * 65, "\x00"])
async def test_an_impossible_message_id_is_refused(gateway: httpx.AsyncClient, sid: str) -> None:
    assert (await post(gateway, "/twilio/sms", sms(MessageSid=sid))).status_code == 422


async def test_what_is_no_form_is_refused(gateway: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": "x"}
    assert (await gateway.post("/twilio/sms", content=b"\xff\xfe=\xff", headers=headers)).status_code == 422
    many = "&".join(f"a{i}=1" for i in range(1000))
    assert (await gateway.post("/twilio/sms", content=many, headers=headers)).status_code == 422


async def test_a_body_beyond_all_measure_is_refused_before_it_is_read(gateway: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": "x"}

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b"a" * 1024

    whole = await gateway.post("/twilio/sms", content=b"a" * 300_000, headers=headers)
    in_parts = await gateway.post("/twilio/sms", content=endless(), headers=headers)
    assert (whole.status_code, in_parts.status_code) == (413, 413)
    assert whole.json()["error"]


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("", ""),
        ("字" * 1700, "字" * 1700),
        ("😭😭👨‍👩‍👧", "😭😭👨👩👧"),
        ("救\x00我\x07\x1b", "救 我"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("'; DROP TABLE messages; --", "'; DROP TABLE messages; --"),
    ],
    ids=["empty", "long", "emoji", "control", "html", "sql"],
)
async def test_strange_texts_are_stored_as_they_are_and_acknowledged(
    gateway: httpx.AsyncClient, sent: str, stored: str
) -> None:
    assert (await post(gateway, "/twilio/sms", sms(Body=sent))).status_code == 200
    assert [message.body for message in await stored_texts()] == [stored]


async def test_a_picture_is_noted_in_the_text(gateway: httpx.AsyncClient) -> None:
    await post(gateway, "/twilio/sms", sms(Body="看", NumMedia="2"))
    assert [message.body for message in await stored_texts()] == ["看［图片2张］"]


async def test_a_pictures_address_at_a_foreign_host_is_neither_fetched_nor_kept_nor_logged(
    gateway: httpx.AsyncClient, database: str, real_logs: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The picture stays at the carrier under the text's own id, where the police can have it by letter."""

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("somebody fetched something")

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", refuse)
    media = "https://api.twilio.example/2010-04-01/Media/ME0123456789"
    answer = await post(
        gateway, "/twilio/sms", sms(Body="", NumMedia="1", MediaUrl0=media, MediaContentType0="image/jpeg")
    )
    assert answer.status_code == 200
    assert [message.body for message in await stored_texts()] == ["［图片1张］"]
    async with transaction() as session:
        jobs = await session.scalars(text("SELECT args::text FROM procrastinate_jobs"))
        assert not any("ME0123456789" in args for args in jobs)
    assert "ME0123456789" not in "".join(real_logs.readouterr())


async def test_a_strange_sender_is_not_lost_and_not_mixed_up_with_another(gateway: httpx.AsyncClient) -> None:
    for number, sender in enumerate(("MOM", "10086", "whatsapp:+8613800000002", "", "", "a\x00b" * 100)):
        answer = await post(gateway, "/twilio/sms", sms(From=sender, MessageSid=f"SM{number:032}"))
        assert answer.status_code == 200
    stored = await stored_texts()
    assert len(stored) == 6
    assert len({message.contact_id for message in stored}) == 6


async def test_one_number_in_two_spellings_is_one_person(gateway: httpx.AsyncClient) -> None:
    for number, sender in enumerate(("+8613800000003", "13800000003", "+86 138 0000 0003")):
        await post(gateway, "/twilio/sms", sms(From=sender, MessageSid=f"SM{number:032}"))
    assert len({message.contact_id for message in await stored_texts()}) == 1


async def test_while_the_database_is_away_a_text_is_kept_on_disk_sealed_and_once(
    gateway: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await ground.dispose()
    monkeypatch.setenv("HOTLINE_DATABASE_URL", "postgresql://nobody:x@127.0.0.1:9/none")
    get_settings.cache_clear()
    answers = [await post(gateway, "/twilio/sms", sms(Body=SECRET_WORDS)) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    await spool.aclose()
    assert spool.counts().spooled == 1
    assert all(SECRET_WORDS.encode() not in path.read_bytes() for path in spool.folder().iterdir())


async def test_while_the_database_is_away_a_receipt_is_not_acknowledged(
    gateway: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ground.dispose()
    monkeypatch.setenv("HOTLINE_DATABASE_URL", "postgresql://nobody:x@127.0.0.1:9/none")
    get_settings.cache_clear()
    answer = await post(gateway, "/twilio/status", {"MessageSid": "SM1", "MessageStatus": "delivered"})
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert set(answer.json()) == {"error"}


async def test_a_text_the_database_will_not_take_is_kept_on_disk(
    gateway: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise ValueError(SECRET_WORDS)

    monkeypatch.setattr(inbox, "receive", fails)
    answer = await post(gateway, "/twilio/sms", sms(Body=SECRET_WORDS))
    assert answer.status_code == 200
    await spool.aclose()
    assert await spool.replay() == 0
    assert spool.counts().spooled == 1, "it waits for somebody to look"


async def test_an_unexpected_failure_tells_nobody_what_was_written(
    gateway: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, real_logs: pytest.CaptureFixture[str]
) -> None:
    async def fails(*_: object) -> None:
        raise ValueError(SECRET_WORDS)

    monkeypatch.setattr(inbox, "receive", fails)
    monkeypatch.setattr(spool, "take_in", fails)
    answer = await post(gateway, "/twilio/sms", sms(Body=SECRET_WORDS))
    assert answer.status_code == 500
    assert list(answer.json()) == ["error"]
    seen = real_logs.readouterr()
    assert "request_failed" in seen.out
    for words in (SECRET_WORDS, "13800000001"):
        assert words not in answer.text + seen.out + seen.err


async def test_nothing_of_a_text_is_logged_when_all_goes_well(
    gateway: httpx.AsyncClient, real_logs: pytest.CaptureFixture[str]
) -> None:
    await post(gateway, "/twilio/sms", sms(Body=SECRET_WORDS))
    await post(gateway, "/twilio/sms", sms(Body=SECRET_WORDS, From=""), signed={})
    seen = real_logs.readouterr()
    assert "text_received" in seen.out
    for words in (SECRET_WORDS, "13800000001", TOKEN):
        assert words not in seen.out + seen.err


async def test_without_twilio_settings_there_is_no_such_door(
    gateway: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTLINE_CARRIER", "simulator")
    monkeypatch.delenv("HOTLINE_TWILIO_AUTH_TOKEN")
    get_settings.cache_clear()
    assert (await post(gateway, "/twilio/sms", sms())).status_code == 404
