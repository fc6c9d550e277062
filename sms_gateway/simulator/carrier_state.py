"""The make-believe carrier: takes texts, lets them arrive, tells of them, with the faults it is told to have.

It talks to the gateway as a real carrier does: signed HTTP callbacks, tried again when they fail. What it took it knows from
`Truth`; the bodies of texts for the phones of the page lie in memory only.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import OrderedDict
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any

import httpx

from sms_gateway import clock, logs
from sms_gateway.carriers.carrier import TextOut
from sms_gateway.messages.segments import segments
from sms_gateway.settings import Settings

from .callbacks import RECEIPT, TEXTS, Callbacks
from .faults import Dice, Fate, Faults, Refusal, answer_is_lost, fate_of, refusal_of
from .phones import PHONES_KEPT, PREFIX, TEXTS_KEPT, Phone, Phones, PhoneText
from .truth import Due, Truth

__all__ = [
    "PHONES_KEPT", "PREFIX", "TEXTS_KEPT", "CarrierRefuses", "Faults", "MakeBelieveCarrier", "NobodyAnswers", "Phone",
    "PhoneText", "Refusal",
]  # fmt: skip

log = logs.get("simulator")

PAUSES = (0.5, 2.0, 5.0)
"""Seconds before each new try of a callback; a receipt is tried for ever, with the last."""
NO_ANSWER_SECONDS = 12.0
RECEIPTS_AT_ONCE = 500
"""In one request, in bulk."""
TELLERS, TELLERS_IN_BULK = 32, 4
"""Requests under way at a time."""
BODIES_KEPT = 10_000
PHONE_NUMBER_LENGTH = len(PREFIX) + 4


class CarrierRefuses(Exception):
    """The make-believe carrier does not take a text; `code` as in `carriers.door_client.REFUSALS`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class NobodyAnswers(Exception):
    """The request is not answered, whatever became of it."""


class MakeBelieveCarrier:
    """Every phone, and the way to the gateway's own webhooks. `http`: an `httpx` client whose base is the gateway."""

    def __init__(
        self,
        settings: Settings,
        http: httpx.AsyncClient | None = None,
        *,
        truth: Truth | None = None,
        dice: Dice = random.random,
    ) -> None:
        self.truth = truth or Truth()
        self.phones = Phones()
        self.callbacks = Callbacks(settings, http)
        self._faults = Faults()
        self._dice = dice
        self._bodies: OrderedDict[int, str] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._tellers: set[asyncio.Task[None]] = set()
        self._failures = 0
        self._news = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        self._tokens, self._filled_at = 0.0, time.monotonic()

    @property
    def faults(self) -> Faults:
        """What goes wrong on purpose."""
        return self._faults

    @faults.setter
    def faults(self, wanted: Faults) -> None:
        self._faults = wanted
        self._tokens, self._filled_at = wanted.rate, time.monotonic()
        self._news.set()

    def start(self) -> None:
        """Take up what is under way; by itself with the first text."""
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())

    async def hand_over_many(self, texts: Sequence[TextOut]) -> list[str | CarrierRefuses]:
        """Take texts for phones, as a carrier's API does; for each its id, or why it is refused. Raises `NobodyAnswers`."""
        faults = self.faults
        lost = answer_is_lost(faults, self._dice)
        if lost == "before":
            raise NobodyAnswers
        answers: list[str | CarrierRefuses] = []
        taken: list[tuple[int, str, Fate]] = []
        for text in texts:
            refusal = refusal_of(faults, self._dice)
            if refusal is None and not self._has_room(text.body):
                refusal = "busy"
            if refusal is not None:
                answers.append(CarrierRefuses(refusal))
                continue
            validity = None if text.validity is None else text.validity.total_seconds()
            taken.append((text.reference, text.to, fate_of(faults, self._dice, validity=validity)))
            answers.append("")
        self._write_down(texts, answers, taken)
        if faults.refuse == "silent":
            await asyncio.sleep(NO_ANSWER_SECONDS)
        if lost == "after":
            raise NobodyAnswers
        return answers

    async def write(self, number: str, *, body: str) -> PhoneText:
        """Send a text from a phone to the hotline."""
        phone = self.phones.get(number)
        text = PhoneText(self._new_id(), mine=True, body=body, at=_now(), state="sending")
        phone.show(text)
        self._start(self._bring(phone, text))
        return text

    async def aclose(self) -> None:
        """Drop what is under way and close the connections."""
        running = [*self._tasks, *self._tellers, *([self._worker] if self._worker else [])]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self.callbacks.aclose()
        self.truth.close()

    async def settle(self) -> None:
        """Wait until nothing is under way (tests)."""
        while self._tasks or self._tellers or self.truth.is_under_way():  # noqa: ASYNC110 - tests only
            await asyncio.sleep(0.002)

    def _has_room(self, body: str) -> bool:
        """Whether the rate lets a text of that length pass now."""
        rate = self.faults.rate
        if rate <= 0:
            return True
        now, needed = time.monotonic(), segments(body)
        self._tokens = min(max(rate, needed), self._tokens + (now - self._filled_at) * rate)
        self._filled_at = now
        if self._tokens < needed:
            return False
        self._tokens -= needed
        return True

    def _write_down(
        self, texts: Sequence[TextOut], answers: list[str | CarrierRefuses], taken: list[tuple[int, str, Fate]]
    ) -> None:
        """Fill in the ids of what is taken, for `Truth` and for the phones of the page."""
        if not taken:
            return
        sequences = iter(self.truth.take(taken, now=clock.wall_seconds()))
        fates = iter(taken)
        for place, text in enumerate(texts):
            if isinstance(answers[place], CarrierRefuses):
                continue
            sequence, (_, _, fate) = next(sequences), next(fates)
            answers[place] = self.truth.id_of(sequence)
            if _is_of_the_page(text.to):
                self._bodies[sequence] = text.body
                if len(self._bodies) > BODIES_KEPT:
                    self._bodies.popitem(last=False)
                if fate.after <= 0:
                    self._show(sequence, text.to, fate.end, "sent")
        self.start()
        self._news.set()

    def _show(self, sequence: int, number: str, end: str, state: str) -> None:
        """Let the page see a text that arrived."""
        if end != "delivered" or not _is_of_the_page(number):
            return
        phone, own_id = self.phones.get(number), self.truth.id_of(sequence)
        known = next((text for text in reversed(phone.texts) if text.id == own_id), None)
        text = known or PhoneText(own_id, mine=False, body=self._bodies.get(sequence, ""), at=_now(), state=state)
        text.state = state
        phone.show(text)
        if state == "delivered":
            self._bodies.pop(sequence, None)

    async def _work(self) -> None:
        """Let texts arrive and receipts go out when they are due, for ever."""
        while True:
            self._news.clear()
            now = clock.wall_seconds()
            arrived = self.truth.let_arrive(now=now)
            for text in arrived:
                self._show(text.sequence, text.number, text.end, "sent")
            bulk = self.faults.bulk
            limit, most = (RECEIPTS_AT_ONCE, TELLERS_IN_BULK) if bulk else (1, TELLERS)
            while len(self._tellers) < most and (due := self.truth.take_to_tell(now=now, limit=limit)):
                teller = asyncio.create_task(self._tell(due, bulk=bulk))
                self._tellers.add(teller)
                teller.add_done_callback(self._teller_is_free)
            if arrived:
                await asyncio.sleep(0)
                continue
            at = self.truth.next_due() if len(self._tellers) < most else None
            with suppress(TimeoutError):
                async with asyncio.timeout(None if at is None else max(at - clock.wall_seconds(), 0.001)):
                    await self._news.wait()

    def _teller_is_free(self, teller: asyncio.Task[None]) -> None:
        self._tellers.discard(teller)
        self._news.set()

    async def _tell(self, texts: list[Due], *, bulk: bool) -> None:
        statuses = [await self._tell_many(texts)] if bulk else [await self._tell_one(text) for text in texts]
        if all(status == 200 or 400 <= status < 500 for status in statuses):
            if any(status != 200 for status in statuses):
                log.warning("callback_failed", path=RECEIPT)
            self._failures = 0
            self.truth.told(texts)
            for text in texts:
                self._show(text.sequence, text.number, text.end, "delivered")
            return
        pause = PAUSES[min(self._failures, len(PAUSES) - 1)]
        self._failures += 1
        self.truth.tell_again(texts, at=clock.wall_seconds() + pause)

    async def _tell_many(self, texts: list[Due]) -> int:
        receipts: list[dict[str, str]] = []
        doubled: list[dict[str, str]] = []
        for text in texts:
            states = (text.end, "sent") if text.out_of_order else (text.end,)
            told = [self._receipt(text, state) for state in states]
            receipts += told
            doubled += told if text.doubled else []
        whole = receipts + doubled
        statuses = [
            await self.callbacks.post_many(whole[start : start + RECEIPTS_AT_ONCE])
            for start in range(0, len(whole), RECEIPTS_AT_ONCE)
        ]
        return next((status for status in statuses if status != 200), 200)

    async def _tell_one(self, text: Due) -> int:
        states = ["sent", text.end] if text.end != "blocked" else ["blocked"]
        if text.out_of_order:
            states.reverse()
        for state in states:
            for _ in range(2 if text.doubled else 1):
                status = await self.callbacks.post_form(RECEIPT, self._receipt(text, state))
                if status != 200:
                    return status
        return 200

    def _receipt(self, text: Due, state: str) -> dict[str, str]:
        told = {"id": self.truth.id_of(text.sequence), "state": state, "reference": str(text.reference or "")}
        if text.error is not None and state == text.end:
            told["error"] = text.error
        return told

    async def _bring(self, phone: Phone, text: PhoneText) -> None:
        form = {"id": text.id, "from": phone.number, "body": text.body}
        arrived = False
        for pause in (0.0, *PAUSES):
            await asyncio.sleep(pause)
            answers = [await self.callbacks.post_form(TEXTS, form) for _ in range(2 if self.faults.duplicate else 1)]
            arrived = all(status == 200 for status in answers)
            if arrived or any(400 <= status < 500 for status in answers):
                break
        text.state = "sent" if arrived else "failed"
        phone.show(text)

    def _new_id(self) -> str:
        return f"SIM{random.randbytes(12).hex()}"

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _is_of_the_page(number: str) -> bool:
    return number.startswith(PREFIX) and len(number) == PHONE_NUMBER_LENGTH


def _now() -> str:
    return clock.shanghai(clock.now()).isoformat(timespec="seconds")
