"""The whole hotline on a ladder that is ten times as quick, and ways to take parts of it away."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from benchmarks.operators_line import DESKS, DeskLine, Phones, desk_line, somebody
from benchmarks.server import Server
from sms_gateway.database import transaction
from sms_gateway.escalations.models import Escalation, EscalationEvent
from sms_gateway.messages.models import Message

ROUNDS = int(os.environ.get("ROUNDS", "1"))
"""How often each thing is taken away: once in `make test`, more in `make chaos`."""
LADDER = (0.0, 1.5, 3.0, 4.5, 6.0)
"""Seconds of the five steps here; a step late by a whole interval would be seen."""
SETTINGS = {
    "HOTLINE_RING_AGAIN_SECONDS": "1.5",
    "HOTLINE_RING_EVERYONE_SECONDS": "3",
    "HOTLINE_RING_SUPERVISOR_SECONDS": "4.5",
    "HOTLINE_BRIDGE_AFTER_SECONDS": "6",
    "HOTLINE_GIVE_BACK_SECONDS": "6",
}
KICKING = "有个叔叔一直在踹我家门 就我和弟弟在"


@dataclass
class Call:
    """A red text and what became of it."""

    sender: str
    sent_at: float
    escalation_id: int = 0
    thread_id: int = 0

    async def find(self) -> None:
        """Wait for its escalation: the newest but those found before it by others."""
        async with asyncio.timeout(20):
            while not self.escalation_id:
                await asyncio.sleep(0.1)
                try:
                    async with transaction() as session:
                        wanted = select(Escalation).order_by(Escalation.id)
                        rows = list(await session.scalars(wanted))
                        for row in rows:
                            message = await session.get_one(Message, row.message_id)
                            if message.carrier_id is not None and message.body.endswith(self.sender[-4:]):
                                self.escalation_id, self.thread_id = row.id, row.thread_id
                except DBAPIError:
                    continue

    async def steps(self) -> list[tuple[int, float]]:
        """The ladder's steps that were taken: number, and seconds after the text was received."""
        async with transaction() as session:
            row = await session.get_one(Escalation, self.escalation_id)
            wanted = select(EscalationEvent).where(EscalationEvent.escalation_id == self.escalation_id)
            events = list(await session.scalars(wanted.order_by(EscalationEvent.id)))
        return [
            (int(event.detail["step"]), (event.at - row.received_at).total_seconds())
            for event in events
            if event.what == "rung" and not event.detail.get("again")
        ]

    async def state(self) -> dict[str, Any]:
        async with transaction() as session:
            row = await session.get_one(Escalation, self.escalation_id)
            return {"state": row.state, "closed": row.closed_at is not None, "by": row.acknowledged_by}


class Chaos:
    """Takes things away."""

    def __init__(self, line: DeskLine) -> None:
        self.line = line
        self.phones = Phones(line.gateway_port)
        self._server = Server(line.postgres)

    async def danger(self) -> Call:
        """Somebody in danger writes; the carrier tries until the text is taken."""
        sender = somebody()
        return Call(sender, await self.phones.text_until_taken(sender, f"{KICKING} {sender[-4:]}"))

    def kill(self, name: str) -> None:
        """kill -9; the supervisor starts it again."""
        os.kill(self.line.hotline.pid(name), signal.SIGKILL)

    def stop_postgres(self) -> None:
        """At once, as when the machine loses its power."""
        self._server.kill(signal.SIGQUIT)

    def start_postgres(self) -> None:
        self._server.start()

    def close(self) -> None:
        self._server.close()


@pytest.fixture(scope="session")
async def chaos() -> AsyncIterator[Chaos]:
    async with desk_line(*DESKS, settings=SETTINGS) as line:
        made = Chaos(line)
        try:
            yield made
        finally:
            await line.hotline.supervisor.stop()  # before its database
            made.close()


@pytest.fixture(scope="session", autouse=True)
def database() -> None:
    """No database of the unit tests here: the line has its own."""
