"""The public chat: what is written is stored once, and nobody sees anybody else's talk."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from itsdangerous import Signer
from sqlalchemy import select, text, update

from sms_gateway import clock as clocks
from sms_gateway import database as ground
from sms_gateway.clock import HeldClock
from sms_gateway.contacts.models import Contact
from sms_gateway.database import notify, transaction
from sms_gateway.listening import subscribe
from sms_gateway.messages import outbox
from sms_gateway.messages.models import Author, Message, Thread, ThreadEvent
from sms_gateway.settings import get_settings
from sms_gateway.webchat import door, talk, typing, visitor
from tests.gateway_client import HOST, stored_texts

STRANGER_SITE = {"Sec-Fetch-Site": "cross-site"}


def written(body: str, text_id: str = "a1b2c3d4e5") -> dict[str, str]:
    return {"id": text_id, "body": body}


@pytest.fixture
async def other(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A second browser."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HOST) as client:
        yield client


async def reply(thread_id: int, body: str, *, author: Author = Author.ASSISTANT, sent: bool = True) -> int:
    async with transaction() as session:
        thread = await session.get_one(Thread, thread_id)
        message_id = await outbox.queue(session, thread=thread, author=author, body=body)
        assert message_id is not None
        if sent:
            await outbox.mark_sent(session, message_id, None)
    return message_id


async def bodies(browser: httpx.AsyncClient) -> list[tuple[str, str]]:
    return [(line["who"], line["body"]) for line in (await browser.get("/chat/texts")).json()["texts"]]


async def test_nothing_is_stored_in_a_browser_before_its_first_text(gateway: httpx.AsyncClient) -> None:
    for path in ("/", "/chat/texts", "/chat/stream"):
        assert "set-cookie" not in (await gateway.get(path)).headers
    assert (await gateway.get("/chat/stream")).status_code == 204


async def test_a_text_is_stored_and_the_session_is_signed_and_closed_to_scripts(gateway: httpx.AsyncClient) -> None:
    answer = await gateway.post("/chat/texts", json=written("有人吗"))
    (stored,) = await stored_texts()
    assert (answer.status_code, answer.json()) == (202, {"id": stored.id})
    cookie = answer.headers["set-cookie"]
    for part in ("talk=", "HttpOnly", "SameSite=lax", "Path=/chat"):
        assert part in cookie
    assert "expires" not in cookie.lower()
    assert "max-age" not in cookie.lower()
    async with transaction() as session:
        jobs = set(await session.scalars(text("SELECT task_name FROM procrastinate_jobs")))
        contact = (await session.scalars(select(Contact))).one()
    assert jobs == {"conversations.judge", "conversations.take_turn"}
    assert contact.channel == "web"
    assert contact.address in cookie


async def test_the_same_text_posted_again_is_one_text(gateway: httpx.AsyncClient) -> None:
    first = await gateway.post("/chat/texts", json=written("有人吗"))
    again = await gateway.post("/chat/texts", json=written("有人吗"))
    assert first.json() == again.json()
    assert len(await stored_texts()) == 1


async def test_two_browsers_never_see_each_others_talk(gateway: httpx.AsyncClient, other: httpx.AsyncClient) -> None:
    await gateway.post("/chat/texts", json=written("我是甲"))
    await other.post("/chat/texts", json=written("我是乙"))  # the very same id of its own
    first, second = await stored_texts()
    await reply(first.thread_id, "给甲的话")
    await reply(second.thread_id, "给乙的话")
    assert await bodies(gateway) == [("me", "我是甲"), ("machine", "给甲的话")]
    assert await bodies(other) == [("me", "我是乙"), ("machine", "给乙的话")]


async def test_a_forged_or_foreign_or_old_session_opens_nothing(
    gateway: httpx.AsyncClient, other: httpx.AsyncClient, clock: HeldClock
) -> None:
    await gateway.post("/chat/texts", json=written("我是甲"))
    genuine = gateway.cookies["talk"]
    token = genuine.split(".")[0]
    for forged in (
        token,
        genuine[:-3] + "abc",
        Signer("another key", salt="hotline.webchat").sign(genuine).decode(),
        "x" * 500,
    ):
        other.cookies.set("talk", forged, domain="127.0.0.1", path="/chat")
        assert await bodies(other) == []
        other.cookies.clear()
    clock.advance(visitor.VALID_FOR + timedelta(seconds=1))
    assert await bodies(gateway) == []


async def test_what_has_not_left_or_was_cancelled_is_not_shown(gateway: httpx.AsyncClient) -> None:
    await gateway.post("/chat/texts", json=written("有人吗"))
    (stored,) = await stored_texts()
    await reply(stored.thread_id, "还在排队", sent=False)
    cancelled = await reply(stored.thread_id, "作废的话", sent=False)
    async with transaction() as session:
        await session.execute(update(Message).where(Message.id == cancelled).values(state="cancelled"))
    await reply(stored.thread_id, "我是值班员", author=Author.OPERATOR)
    assert await bodies(gateway) == [("me", "有人吗"), ("operator", "我是值班员")]


async def read_events(events: AsyncIterator[str], count: int) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    async with asyncio.timeout(10):
        async for event in events:
            lines = dict(line.split(": ", 1) for line in event.strip().splitlines() if ": " in line and line[0] != ":")
            if "event" in lines:
                data = json.loads(lines["data"])
                found.append((lines["event"], data["body"] if isinstance(data, dict) else data))
            if len(found) == count:
                return found
    raise AssertionError


async def test_the_stream_brings_new_texts_the_owner_and_the_end(gateway: httpx.AsyncClient) -> None:
    await gateway.post("/chat/texts", json=written("有人吗"))
    (stored,) = await stored_texts()
    token = gateway.cookies["talk"].split(".")[0]
    events = door.follow(token, stored.thread_id, last_id=0)
    assert await read_events(events, 2) == [("text", "有人吗"), ("owner", "assistant")]

    events = door.follow(token, stored.thread_id, last_id=stored.id)
    assert await read_events(events, 2) == [("text", "有人吗"), ("owner", "assistant")]  # the page knows it by its id
    following = asyncio.create_task(read_events(events_from(events), 2))
    await asyncio.sleep(0.2)
    await reply(stored.thread_id, "我在")
    async with transaction() as session:
        await session.execute(update(Thread).values(owner="waiting"))
        await notify(session, "hotline_thread", str(stored.thread_id))
    assert await following == [("text", "我在"), ("owner", "waiting")]

    ending = asyncio.create_task(read_events(events_from(events), 1))
    await gateway.post("/chat/leave")
    assert await ending == [("left", None)]


async def events_from(events: AsyncIterator[str]) -> AsyncIterator[str]:
    """The rest of a stream that was read in part (a plain `async for` would close it)."""
    while True:
        yield await anext(events)


async def test_a_text_that_leaves_late_is_brought_also_after_a_reconnect(gateway: httpx.AsyncClient) -> None:
    await gateway.post("/chat/texts", json=written("有人吗"))
    (stored,) = await stored_texts()
    late = await reply(stored.thread_id, "排在前面，后发出", sent=False)
    newest = await reply(stored.thread_id, "先发出")
    async with transaction() as session:
        await outbox.mark_sent(session, late, None)
        after = await talk.start_after(session, stored.thread_id, newest)
        lines = await talk.list_lines(session, stored.thread_id, after=after)
    assert [line.body for line in lines] == ["有人吗", "排在前面，后发出", "先发出"]


async def test_leaving_ends_the_session_on_both_sides_and_tells_the_operator(
    gateway: httpx.AsyncClient, other: httpx.AsyncClient
) -> None:
    await gateway.post("/chat/texts", json=written("有人吗"))
    kept = gateway.cookies["talk"]
    answer = await gateway.post("/chat/leave")
    assert answer.status_code == 204
    assert 'talk=""' in answer.headers["set-cookie"]
    assert "storage" in answer.headers["clear-site-data"]
    other.cookies.set("talk", kept, domain="127.0.0.1", path="/chat")
    assert await bodies(other) == []
    await other.post("/chat/texts", json=written("换了个人"))
    assert await bodies(other) == [("me", "换了个人")]
    assert len({message.contact_id for message in await stored_texts()}) == 2
    async with transaction() as session:
        assert set(await session.scalars(select(ThreadEvent.what))) == {"person_left"}


async def test_leaving_without_a_session_does_no_harm(gateway: httpx.AsyncClient) -> None:
    assert (await gateway.post("/chat/leave")).status_code == 204


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("字" * 5000, 202),
        ("字" * 5001, 413),
        ("字" * 10_000, 413),
        ("😭" * 5000, 202),
        ("😭", 202),
        ("", 422),
        (" \n\x00", 422),
    ],
    ids=["5000", "5001", "10000", "5000 emoji", "emoji", "empty", "blank"],
)
async def test_a_text_of_any_length_gets_a_clear_answer(gateway: httpx.AsyncClient, body: str, status: int) -> None:
    answer = await gateway.post("/chat/texts", json=written(body))
    assert answer.status_code == status
    if status != 202:
        assert answer.json()["error"].endswith("。")
        assert await stored_texts() == []
    else:
        assert [message.body for message in await stored_texts()] == [body]


@pytest.mark.parametrize(
    ("body", "stored"),
    [
        ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),
        ("'; DROP TABLE messages; --", "'; DROP TABLE messages; --"),
        ("a\x00b\x07c", "a b c"),
        ("a\ud800b", "a?b"),
    ],
    ids=["html", "sql", "control", "half an emoji"],
)
async def test_strange_texts_are_stored_as_they_are(gateway: httpx.AsyncClient, body: str, stored: str) -> None:
    answer = await gateway.post("/chat/texts", content=json.dumps(written(body)))
    assert answer.status_code == 202
    assert [message.body for message in await stored_texts()] == [stored]


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b'{"id": 1, "body": "x"}', b'{"id": "a1b2c3d4", "body": null}',
     b'{"id": "<script>", "body": "x"}', b'{"id": "", "body": "x"}', b"[" * 100_000],
)  # fmt: skip
async def test_what_is_no_text_gets_a_clear_error(gateway: httpx.AsyncClient, raw: bytes) -> None:
    answer = await gateway.post("/chat/texts", content=raw)
    assert answer.status_code == 422
    assert answer.json()["error"]


async def test_another_sites_page_cannot_write_or_end_a_talk(gateway: httpx.AsyncClient) -> None:
    foreign = {"Origin": "https://evil.example"}
    for headers in (STRANGER_SITE, foreign):
        assert (await gateway.post("/chat/texts", json=written("x"), headers=headers)).status_code == 403
        assert (await gateway.post("/chat/leave", headers=headers)).status_code == 403
    assert await stored_texts() == []


async def test_while_the_database_is_away_the_page_is_told_that_nothing_was_stored(
    gateway: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await gateway.post("/chat/texts", json=written("有人吗"))
    await ground.dispose()
    monkeypatch.setenv("HOTLINE_DATABASE_URL", "postgresql://nobody:x@127.0.0.1:9/none")
    get_settings.cache_clear()
    answer = await gateway.post("/chat/texts", json=written("还在吗", "another-id"))
    assert answer.status_code == 503
    assert "再发一次" in answer.json()["error"]
    for path in ("/chat/texts", "/chat/stream"):
        away = await gateway.get(path)
        assert (away.status_code, away.headers["retry-after"]) == (503, "2")
    assert (await gateway.get("/")).status_code == 200


@pytest.mark.parametrize("path", ["/", "/phone", "/chat/texts", "/healthz", "/nowhere", "/static/chat.js"])
async def test_every_answer_wears_the_security_headers(gateway: httpx.AsyncClient, path: str) -> None:
    headers = (await gateway.get(path)).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'self'")
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == ("no-cache" if path.startswith("/static/") else "no-store")


@pytest.mark.parametrize("path", ["/", "/phone"])
async def test_pages_hold_no_inline_script_or_style_and_no_other_host(gateway: httpx.AsyncClient, path: str) -> None:
    page = (await gateway.get(path)).text
    assert "<style" not in page
    assert " style=" not in page
    assert " onclick=" not in page
    assert page.count("<script") == page.count('<script src="/static/')
    assert "://" not in page


async def test_an_unknown_page_and_a_wrong_method_are_told_in_chinese(gateway: httpx.AsyncClient) -> None:
    assert (await gateway.get("/nowhere")).json() == {"error": "没有这个页面。"}
    assert (await gateway.put("/chat/texts")).json() == {"error": "这里不能这样用。"}
    assert (await gateway.get("/docs")).status_code == 404


def test_a_cookie_of_the_future_is_refused() -> None:
    key = Signer("k", salt="s")
    now = clocks.now()
    value = visitor.cookie_value("token", at=now + timedelta(hours=1), key=key)
    assert visitor.read_cookie(value, at=now, key=key) is None
    assert visitor.read_cookie(value, at=now + timedelta(hours=1), key=key) == "token"


async def test_writing_is_told_to_whoever_has_the_talk_and_to_nobody_else(
    gateway: httpx.AsyncClient, other: httpx.AsyncClient
) -> None:
    typing._told.clear()
    await gateway.post("/chat/texts", json=written("我想找真人"))
    async with transaction() as session:
        thread = (await session.scalars(select(Thread))).one()
    async with subscribe("hotline_typing") as heard:
        await heard.wait(within=2)  # the connection itself
        assert (await gateway.post("/chat/typing")).status_code == 204
        assert await heard.wait(within=0.5) == frozenset()  # nobody is there to see it
        typing._told.clear()
        async with transaction() as session:
            await session.execute(update(Thread).values(owner="operator"))
        assert (await other.post("/chat/typing")).status_code == 204
        assert (await gateway.post("/chat/typing", headers=STRANGER_SITE)).status_code == 403
        assert await heard.wait(within=0.5) == frozenset()
        assert (await gateway.post("/chat/typing")).status_code == 204
        assert await heard.wait(within=3) == {str(thread.id)}


def test_a_visitor_who_never_stops_writing_is_told_of_every_two_seconds() -> None:
    typing._told.clear()
    assert [typing.may_tell("a", at=at) for at in (10, 11, 11.9, 12.1, 13, 14.2)] == [
        True,
        False,
        False,
        True,
        False,
        True,
    ]
    assert typing.may_tell("b", at=14.3)
    for number in range(typing.KNOWN_AT_MOST + 10):
        typing.may_tell(str(number), at=20)
    assert len(typing._told) == typing.KNOWN_AT_MOST
