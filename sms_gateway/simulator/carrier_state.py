"""The make-believe carrier: phones with their texts, in this process's memory, and the faults it is told to have.

It talks to the gateway as a real carrier does: signed HTTP callbacks, tried again when they fail.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

import httpx

from sms_gateway import clock, logs
from sms_gateway.carriers import simulator
from sms_gateway.settings import Settings

log = logs.get("simulator")

PREFIX = "+861380000"
"""The numbers of make-believe phones; four digits follow."""

TEXTS_KEPT = 200
PHONES_KEPT = 200
PAUSES = (0.5, 2.0, 5.0)
"""Seconds before each new try of a callback."""

Refusal = Literal["none", "busy", "refused", "opted_out", "blocked", "silent"]
NO_ANSWER_SECONDS = 12.0


class CarrierRefuses(Exception):
    """The make-believe carrier does not take a text; `code` as in `carriers.simulator.REFUSALS`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Faults:
    """What goes wrong on purpose."""

    delay_seconds: float = 0.0
    """Before a text of ours reaches the phone, and before its receipts."""
    refuse: Refusal = "none"
    """Texts of ours: `silent` takes them and does not answer in time, `blocked` stops them in the content filter."""
    duplicate: bool = False
    """Every callback is delivered twice."""


@dataclass
class PhoneText:
    """One text on a phone. `mine`: written on the phone. `state`: sending, sent, failed; out texts: queued … delivered."""

    id: str
    mine: bool
    body: str
    at: str
    state: str
    reference: int | None = None
    to: str = field(default="", repr=False)

    def shown(self) -> dict[str, Any]:
        """As the page gets it."""
        shown = asdict(self)
        del shown["to"], shown["reference"]
        return shown


class Phone:
    """A number's texts, and the pages that look at it."""

    def __init__(self, number: str) -> None:
        self.number = number
        self.texts: deque[PhoneText] = deque(maxlen=TEXTS_KEPT)
        self.watchers: set[asyncio.Queue[PhoneText]] = set()

    def show(self, text: PhoneText) -> None:
        """Put a text, or its new state, before everybody who looks."""
        if text not in self.texts:
            self.texts.append(text)
        for watcher in self.watchers:
            watcher.put_nowait(text)

    @contextmanager
    def watched(self) -> Iterator[asyncio.Queue[PhoneText]]:
        """A queue of what happens on this phone."""
        queue: asyncio.Queue[PhoneText] = asyncio.Queue()
        self.watchers.add(queue)
        try:
            yield queue
        finally:
            self.watchers.discard(queue)


class MakeBelieveCarrier:
    """Every phone, and the way to the gateway's own webhooks. `http` is an `httpx` client whose base is the gateway."""

    def __init__(self, settings: Settings, http: httpx.AsyncClient | None = None) -> None:
        self.faults = Faults()
        self.running_since = clock.now()
        self._key = simulator.secret(settings)
        self._http = http or httpx.AsyncClient(base_url=settings.gateway_url, timeout=10, trust_env=False)
        self._phones: OrderedDict[str, Phone] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def phone(self, number: str) -> Phone:
        """The phone of that number; the one longest unused is forgotten when there are too many."""
        if number not in self._phones:
            self._phones[number] = Phone(number)
            for idle in [n for n, phone in self._phones.items() if not phone.watchers and n != number]:
                if len(self._phones) <= PHONES_KEPT:
                    break
                del self._phones[idle]
        self._phones.move_to_end(number)
        return self._phones[number]

    def list_phones(self) -> list[Phone]:
        """Phones with texts, the last used first."""
        return [phone for phone in reversed(self._phones.values()) if phone.texts]

    def find_handed_over(self, reference: int) -> PhoneText | None:
        """The text we were handed under that reference."""
        texts = (text for phone in self._phones.values() for text in phone.texts)
        return next((text for text in texts if text.reference == reference and not text.mine), None)

    async def hand_over(self, *, to: str, body: str, reference: int) -> str:
        """Take a text for a phone, as a carrier's API does; its id. Raises `CarrierRefuses`."""
        faults = self.faults
        if faults.refuse in ("busy", "refused", "opted_out"):
            raise CarrierRefuses(faults.refuse)
        text = PhoneText(_new_id(), mine=False, body=body, at=_now(), state="queued", reference=reference, to=to)
        self._start(self._deliver(text, faults))
        if faults.refuse == "silent":
            await asyncio.sleep(NO_ANSWER_SECONDS)
        return text.id

    async def write(self, number: str, *, body: str) -> PhoneText:
        """Send a text from a phone to the hotline."""
        phone = self.phone(number)
        text = PhoneText(_new_id(), mine=True, body=body, at=_now(), state="sending")
        phone.show(text)
        self._start(self._bring(phone, text))
        return text

    async def aclose(self) -> None:
        """Drop what is under way and close the connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._http.aclose()

    async def settle(self) -> None:
        """Wait until nothing is under way (tests)."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _bring(self, phone: Phone, text: PhoneText) -> None:
        form = {"id": text.id, "from": phone.number, "body": text.body}
        arrived = await self._call_back("/carriers/simulator/sms", form)
        text.state = "sent" if arrived else "failed"
        phone.show(text)

    async def _deliver(self, text: PhoneText, faults: Faults) -> None:
        await asyncio.sleep(faults.delay_seconds)
        if faults.refuse == "blocked":
            await self._report(text, "blocked")
            return
        phone = self.phone(text.to)
        for state in ("sent", "delivered"):
            text.state = state
            phone.show(text)
            await self._report(text, state)

    async def _report(self, text: PhoneText, state: str) -> None:
        form = {"id": text.id, "state": state, "reference": str(text.reference or "")}
        if state == "blocked":
            form["error"] = "content_filter"
        await self._call_back("/carriers/simulator/status", form)

    async def _call_back(self, path: str, form: dict[str, str]) -> bool:
        body = urlencode(form, encoding="utf-8", errors="replace").encode()
        times = 2 if self.faults.duplicate else 1
        for pause in (0.0, *PAUSES):
            await asyncio.sleep(pause)
            answers = [await self._post(path, body) for _ in range(times)]
            if all(status == 200 for status in answers):
                return True
            if any(400 <= status < 500 for status in answers):
                break
        log.warning("callback_failed", path=path)
        return False

    async def _post(self, path: str, body: bytes) -> int:
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            simulator.SIGNATURE_HEADER: simulator.sign(self._key, path=path, body=body, at=clock.now()),
        }
        try:
            return (await self._http.post(path, content=body, headers=headers)).status_code
        except httpx.HTTPError:
            return 0


def _new_id() -> str:
    return f"SIM{secrets.token_hex(12)}"


def _now() -> str:
    return clock.shanghai(clock.now()).isoformat(timespec="seconds")
