"""The load generator against a server that is known to answer."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from benchmarks import load
from benchmarks.twilio_texts import TOKEN, number, signed_text
from sms_gateway.carriers import twilio
from sms_gateway.carriers.incoming import read_form


@pytest.fixture
async def server() -> AsyncIterator[tuple[int, list[str]]]:
    """A port, and the bodies that reached it; the body `bad` gets a 500."""
    bodies: list[str] = []

    async def take(request: web.Request) -> web.Response:
        bodies.append(await request.text())
        return web.Response(text="ok", status=500 if bodies[-1] == "bad" else 200)

    app = web.Application()
    app.router.add_post("/", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield runner.addresses[0][1], bodies
    await runner.cleanup()


async def test_every_request_is_sent_once_and_timed(server: tuple[int, list[str]]) -> None:
    port, bodies = server
    found = await load.run(port, [load.post("/", f"{index}".encode(), {}) for index in range(40)], connections=4)
    assert sorted(bodies, key=int) == [str(index) for index in range(40)]
    assert len(found.seconds) == 40
    assert found.p50_ms > 0
    assert found.per_second > 0


async def test_another_status_ends_the_run(server: tuple[int, list[str]]) -> None:
    port, _bodies = server
    with pytest.raises(load.AnswerIsWrong, match="500"):
        await load.run(port, [load.post("/", b"bad", {})], connections=1)


def test_a_made_text_bears_a_signature_that_our_door_accepts() -> None:
    head, _, body = signed_text(8123, sender=number(7), body="你好").partition(b"\r\n\r\n")
    signature = head.split(b"X-Twilio-Signature: ")[1].split(b"\r\n")[0].decode()
    url = "http://127.0.0.1:8123/twilio/sms"
    assert twilio.is_genuine(token=TOKEN, url=url, form=read_form(body), signature=signature)
    assert read_form(body)["From"] == "+8613800000007"
