"""A line to a mainland carrier: texts in parts through the windows of its connections, answers told apart, ids remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from sms_gateway import clock, logs
from sms_gateway.carriers.carrier import CarrierDidNotAnswer, CarrierRefused, SendError, TextOut
from sms_gateway.carriers.cmpp import ids, numbers
from sms_gateway.carriers.cmpp.answers import Accepted, NotSent, SubmitAnswer, Unknown
from sms_gateway.carriers.cmpp.pdus import Deliver, Submit, Version
from sms_gateway.carriers.cmpp.session import Account, Limits, Session
from sms_gateway.carriers.cmpp.text import Part, TextIsTooLong, split
from sms_gateway.cmpp_settings import CmppSettings
from sms_gateway.database import transaction
from sms_gateway.errors import HotlineError
from sms_gateway.links import Standing
from sms_gateway.messages import carrier_parts
from sms_gateway.messages.carrier_parts import PartOut

from .memory import Known, Memory, Newest, id_of, this_year
from .on_its_way import OnItsWay
from .reports import Reports
from .uplinks import Uplinks

log = logs.get("domestic")

URGENT_WITHIN: Final = 10.0
"""Seconds a text of a talk waits for a place on the wire; then it may try another carrier."""
WITHOUT_LINK: Final = 2.0
"""So long it waits for a connection that is not there."""
BULK_WITHIN: Final = 10.0
"""A broadcast that is paused meanwhile has no more than this on its way."""
URGENT_ANSWER: Final = 20.0
"""So long the sender of a text of a talk is kept waiting in all."""
NOTE_WITHIN: Final = 2.0
"""Seconds for the database to note the parts of a long text; without it only this process knows them."""
MOST_LOST: Final = 10_000
MAKES_WAY_FOR: Final = 0.15
"""Seconds broadcasts and their reports rest when somebody writes: so long danger takes until its reply is on the wire."""
MAKES_WAY_EVERY: Final = 0.5
"""Not more often, so that texts in cannot stop a broadcast."""


class Line:
    """Build it in a running event loop, `start()` it, `close()` it."""

    def __init__(self, name: str, settings: CmppSettings) -> None:
        self.name, self.settings = name, settings
        self.memory = Memory()
        self.reports = Reports(name, settings, self.memory)
        self.uplinks = Uplinks(name, src_id=settings.src_id)
        self._sessions = [self._session(host, port) for host, port in settings.gateways]
        self._lost: Newest[int, OnItsWay] = Newest(MOST_LOST)
        self._under_way: dict[int, OnItsWay] = {}
        self._late: set[asyncio.Task[None]] = set()
        self._made_way_at = float("-inf")

    def _session(self, host: str, port: int) -> Session:
        settings = self.settings
        version = Version.V2 if settings.version == "2.0" else Version.V3
        secret = settings.shared_secret.get_secret_value()
        return Session(
            Account(host, port, settings.source_addr, secret, version, settings.checks_gateway, settings.throttled),
            Limits(settings.connections, settings.window, settings.segments_per_second),
            on_deliver=self._hear,
            on_late=self._hear_late, on_accepted=self._learn, on_event=partial(log.info, carrier=self.name),
        )  # fmt: skip

    async def start(self) -> None:
        """Begin to keep the connections up."""
        for session in self._sessions:
            await session.start()

    async def close(self) -> None:
        """What was handed over is answered, what waits stays here, then the gateway is told."""
        await asyncio.gather(*(session.close() for session in self._sessions))
        await asyncio.gather(*self._late)
        await self.reports.aclose()

    async def send_one(self, text: TextOut) -> str | SendError:
        """A text of a talk, before all others; `unknown` after `URGENT_ANSWER`: whoever hands over texts has others in hand."""
        sending = asyncio.create_task(self.send([text], urgent=True))
        done, _ = await asyncio.wait({sending}, timeout=URGENT_ANSWER)
        if done:
            return sending.result()[0]
        late = asyncio.create_task(self._wait_for_late(text, sending))
        self._late.add(late)
        late.add_done_callback(self._late.discard)
        return CarrierDidNotAnswer("late")

    async def _wait_for_late(self, text: TextOut, sending: asyncio.Task[list[str | SendError]]) -> None:
        """What was said after all; where nothing left, the text stays unknown: nobody would send it again."""
        (answer,) = await sending
        if isinstance(answer, str):
            await self._note_taken(Known(answer, text.reference, answer, 1))

    async def send(self, texts: Sequence[TextOut], *, urgent: bool) -> list[str | SendError]:
        """For each text, in order, the id it goes by, or what went wrong; one that is under way already may have left."""
        going: dict[int, OnItsWay] = {}
        outcomes: dict[int, str | SendError] = {}
        for place, text in enumerate(texts):
            if (known := self.memory.was_taken(text)) is not None:
                outcomes[place] = known
            elif text.reference in self._under_way:
                outcomes[place] = CarrierDidNotAnswer("under_way")
            else:
                self._begin(place, text, going, outcomes)
        try:
            await self._send_parts(list(going.values()), urgent=urgent)
        finally:
            for one in going.values():
                self._under_way.pop(one.text.reference, None)
        await self._note_parts([known for one in going.values() for known in one.taken])
        for place, one in going.items():
            outcomes[place] = one.outcome()
            if isinstance(found := outcomes[place], str):
                self.memory.answered(one.text, found)
        return [outcomes[place] for place in range(len(texts))]

    def _begin(
        self, place: int, text: TextOut, going: dict[int, OnItsWay], outcomes: dict[int, str | SendError]
    ) -> None:
        try:
            parts = split(text.body, reference=text.reference)
        except TextIsTooLong:
            outcomes[place] = CarrierRefused("too_long")
            return
        going[place] = self._under_way[text.reference] = OnItsWay(text, parts)

    async def _send_parts(self, going: list[OnItsWay], *, urgent: bool) -> None:
        """First parts of all, then the second ones of those whose first was taken, and so on."""
        while open_ones := [one for one in going if one.open]:
            submits = [self._submit(one.text, one.parts[len(one.answers)]) for one in open_ones]
            references = [one.text.reference for one in open_ones]
            answers = await self._hand_over(submits, references, urgent=urgent)
            for one, answer in zip(open_ones, answers, strict=True):
                one.note(answer)
                if isinstance(answer, Unknown):
                    self._lost[one.text.reference] = one

    async def _hand_over(self, submits: list[Submit], references: list[int], *, urgent: bool) -> list[SubmitAnswer]:
        """By the first gateway that is up; what could not reach its wire, by the next."""
        within = URGENT_WITHIN if urgent else BULK_WITHIN
        if not any(session.state().up for session in self._sessions):
            within = WITHOUT_LINK if urgent else 0.0
        standing = sorted(
            self._sessions, key=lambda session: session.state().up == 0
        )  # stable: the spare after the main one
        answers: list[SubmitAnswer] = [NotSent("no_link")] * len(submits)
        for place, session in enumerate(standing):
            left = [index for index, answer in enumerate(answers) if isinstance(answer, NotSent)]
            if not left or (place and not session.state().up):
                break
            got = await session.submit_many(
                [submits[index] for index in left], references=[references[index] for index in left], urgent=urgent, within=within
            )  # fmt: skip
            for index, answer in zip(left, got, strict=True):
                answers[index] = answer
        return answers

    def _submit(self, text: TextOut, part: Part) -> Submit:
        settings = self.settings
        extension = numbers.extension_of(text.reference, settings.extension_digits)
        return Submit(
            service_id=settings.service_id, msg_src=settings.source_addr, src_id=settings.src_id + extension,
            destinations=(numbers.to_gateway(text.to),), content=part.content, msg_fmt=part.msg_fmt, tp_udhi=part.tp_udhi,
            pk_total=part.total, pk_number=part.number, fee_type=settings.fee_type, fee_code=settings.fee_code,
            valid_until="" if text.validity is None else ids.absolute_time(clock.now() + text.validity),
        )  # fmt: skip

    def _learn(self, reference: int, msg_id: bytes) -> None:
        """The gateway took a part: its report may be the next thing that comes."""
        one = self._under_way.get(reference)
        if one is None:
            return
        own_id = id_of(msg_id, this_year())
        text_id = one.taken[0].text_id if one.taken else own_id
        known = Known(own_id, reference, text_id, one.total)
        one.taken.append(known)
        self.memory.learn(msg_id, known)

    async def _note_parts(self, known: Sequence[Known]) -> None:
        parts = [PartOut(one.carrier_id, one.text_id, one.reference, one.total) for one in known if one.total > 1]
        if not parts:
            return
        try:
            async with asyncio.timeout(NOTE_WITHIN), transaction() as session:
                await carrier_parts.note(session, self.name, parts)
        except Exception as error:  # noqa: BLE001 - the text is out; whatever this is, its sender must hear of that
            log.warning("parts_not_noted", carrier=self.name, parts=len(parts), error=type(error).__name__)

    async def _hear(self, deliver: Deliver) -> None:
        if deliver.registered_delivery == 1:
            await self.reports.put(deliver)
        else:
            self._make_way()
            await self.uplinks.put(deliver)

    def _make_way(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._made_way_at < MAKES_WAY_EVERY:
            return
        self._made_way_at = now
        self.reports.make_way(MAKES_WAY_FOR)
        for session in self._sessions:
            session.make_way(MAKES_WAY_FOR)

    def _hear_late(self, reference: int, answer: SubmitAnswer) -> None:
        """An answer after we had given up: of a text of one part it says under which id it was taken."""
        one = self._lost.pop(reference, None)
        if one is None or one.total > 1:
            return
        if isinstance(answer, Accepted):
            own_id = id_of(answer.msg_id, this_year())
            known = Known(own_id, reference, own_id, 1)
            self.memory.learn(answer.msg_id, known)
            self.memory.answered(one.text, own_id)
            task = asyncio.create_task(self._note_taken(known))
            self._late.add(task)
            task.add_done_callback(self._late.discard)

    async def _note_taken(self, known: Known) -> None:
        try:
            await self.reports.note_taken(known)
        except HotlineError as error:  # its report will say so
            log.warning("late_answer_not_noted", carrier=self.name, error=type(error).__name__)

    def standing(self) -> Standing:
        """How it stands, all its gateways together."""
        states, counts = [session.state() for session in self._sessions], [session.counts for session in self._sessions]
        rate = max(state.rate for state in states)
        troubles = [state.trouble for state in states if state.trouble]
        return Standing(
            up=sum(state.up for state in states), wanted=sum(state.wanted for state in states),
            in_flight=sum(state.in_flight for state in states), waiting=sum(state.waiting for state in states),
            rate=None if rate == float("inf") else rate, submitted=sum(one.submitted for one in counts),
            refused=sum(one.refused for one in counts), throttled=sum(one.throttled for one in counts),
            unknown=sum(one.unknown for one in counts), delivered=sum(one.delivered for one in counts),
            trouble=troubles[0][:120] if troubles else None,
        )  # fmt: skip

    async def wait_until_up(self, *, within: float) -> bool:
        """Whether any gateway let us in within so many seconds."""
        waiting = [asyncio.create_task(session.wait_until_up(within=within)) for session in self._sessions]
        try:
            for done in asyncio.as_completed(waiting):
                if await done:
                    return True
            return False
        finally:
            for task in waiting:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*waiting, return_exceptions=True)
