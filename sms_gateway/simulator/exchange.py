"""A make-believe telephone exchange in this process's memory: its phones ring until somebody on the page does something.

It speaks as Twilio does: it asks our door what to do when a call is picked up, and tells every state, signed, in order.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import asdict, dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode
from xml.etree import ElementTree

import httpx

from sms_gateway import clock
from sms_gateway.errors import Conflict, NotFound
from sms_gateway.platforms.make_believe_telephone import SIGNATURE_HEADER, secret, sign
from sms_gateway.settings import Settings

Manner = Literal["by_hand", "answers", "busy", "no_answer", "fails"]
Deed = Literal["answer", "busy", "no_answer", "end", "press"]
KEPT = 200
OVER = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})


class CallIsOver(Conflict):
    sentence = "这个电话已经结束了。"


@dataclass
class Ringing:
    """A call as the page shows it; `status` in Twilio's words."""

    id: str
    to: str
    reference: str
    purpose: str
    status: str = "queued"
    said: str = ""
    conference: str | None = None
    key_address: str | None = None
    told: list[str] = field(default_factory=list)

    def shown(self) -> dict[str, Any]:
        return {**asdict(self), "to": f"····{self.to[-4:]}"}


class Exchange:
    """Phones that ring. `manner`: what every phone does by itself from now on."""

    def __init__(self, settings: Settings, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.manner: Manner = "by_hand"
        self._calls: dict[str, Ringing] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._key = secret(settings)
        self._http = httpx.AsyncClient(base_url=settings.gateway_url, timeout=10, trust_env=False, transport=transport)

    def list(self) -> list[dict[str, Any]]:
        """Calls, the newest first."""
        return [call.shown() for call in reversed(self._calls.values())]

    def ring(self, *, to: str, reference: str, purpose: str, ring_seconds: float) -> str:
        """Let a phone ring; returns the id of the call."""
        call = Ringing(f"CA{secrets.token_hex(16)}", to, reference, purpose)
        self._calls[call.id] = call
        for oldest in list(self._calls)[:-KEPT]:
            del self._calls[oldest]
        running = asyncio.create_task(self._ring(call, self.manner, ring_seconds))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        return call.id

    async def do(self, call_id: str, deed: Deed, *, key: str = "1") -> dict[str, Any]:
        """Somebody does something with a phone. Raises `NotFound`, `CallIsOver`."""
        call = self._calls.get(call_id)
        if call is None:
            raise NotFound
        if call.status in OVER:
            raise CallIsOver
        if deed == "answer":
            await self._answer(call)
        elif deed == "press":
            await self._press(call, key)
        elif deed == "end":
            await self._tell(call, "completed" if call.status == "in-progress" else "canceled")
        else:
            await self._tell(call, "busy" if deed == "busy" else "no-answer")
        return call.shown()

    async def aclose(self) -> None:
        """Stop every phone."""
        for running in self._running:
            running.cancel()
        await self._http.aclose()

    async def _ring(self, call: Ringing, manner: Manner, ring_seconds: float) -> None:
        await self._tell(call, "initiated")
        if manner == "fails":
            await self._tell(call, "failed")
        elif manner == "busy":
            await self._tell(call, "busy")
        else:
            await self._tell(call, "ringing")
            if manner == "answers":
                await self._answer(call)
                if call.purpose == "operator" and call.key_address is not None:
                    await self._press(call, "1")
                return
            if manner == "by_hand":
                await asyncio.sleep(ring_seconds)
            if call.status == "ringing":
                await self._tell(call, "no-answer")

    async def _answer(self, call: Ringing) -> None:
        if call.status == "in-progress":
            raise CallIsOver
        call.status = "in-progress"
        answer = await self._post(call, "twiml")
        if answer is None or not answer.is_success:
            await self._tell(call, "failed")
            return
        todo = ElementTree.fromstring(answer.text)  # noqa: S314 - our own door's answer
        call.said = " ".join(said.text or "" for said in todo.iter("Say"))
        joined, asked = todo.find("Dial/Conference"), todo.find("Gather")
        call.conference = joined.text if joined is not None else None
        call.key_address = asked.get("action") if asked is not None else None
        await self._tell(call, "in-progress")
        if joined is None and asked is None:
            await self._tell(call, "completed")

    async def _press(self, call: Ringing, key: str) -> None:
        if call.key_address is None:
            raise CallIsOver
        answer = await self._post(call, "key", Digits=key)
        joined = ElementTree.fromstring(answer.text).find("Dial/Conference") if answer and answer.is_success else None  # noqa: S314 - as above
        call.key_address = None
        if joined is None:
            await self._tell(call, "completed")
        else:
            call.conference = joined.text

    async def _tell(self, call: Ringing, status: str) -> None:
        call.status = status
        call.told.append(status)
        await self._post(call, "status")

    async def _post(self, call: Ringing, what: str, **more: str) -> httpx.Response | None:
        path = f"/platforms/voice/{call.reference}/{what}"
        body = urlencode({"CallSid": call.id, "CallStatus": call.status, **more}).encode()
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            SIGNATURE_HEADER: sign(self._key, path=path, body=body, at=clock.now()),
        }
        try:
            return await self._http.post(path, content=body, headers=headers)
        except httpx.HTTPError:
            return None
