"""How a test tells a story: a person texts, jobs run, the carrier shows what left."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from sqlalchemy import select, update

from sms_gateway import clock, timers
from sms_gateway.carriers.carrier import Found, SendError
from sms_gateway.contacts.models import Channel
from sms_gateway.database import transaction
from sms_gateway.messages import inbox
from sms_gateway.messages.models import Thread
from sms_gateway.timers import Timer

_ids = count(1)


@dataclass
class FakeCarrier:
    """A carrier that remembers what it was given; `fails` is raised instead, once each."""

    name: str = "simulator"
    echoes_reference: bool = True
    sent: list[tuple[str, str]] = field(default_factory=list)
    fails: list[SendError] = field(default_factory=list)

    async def send(self, *, to: str, body: str, reference: int, validity: timedelta | None = None) -> str:
        if self.fails:
            raise self.fails.pop(0)
        self.sent.append((to, body))
        return f"fake-{reference}"

    async def find(self, *, to: str, body: str, reference: int, since: datetime) -> tuple[Found, str | None]:
        return (Found.SENT, f"fake-{reference}") if (to, body) in self.sent else (Found.ABSENT, None)

    async def aclose(self) -> None:
        pass


@dataclass
class Person:
    """Somebody with a phone."""

    number: str
    carrier: FakeCarrier
    run: Callable[[], Awaitable[None]]
    read: int = 0
    thread_id: int = 0

    async def hand_in(self, text: str) -> int:
        """Their text reaches our door; nothing has looked at it yet. The message's id."""
        inbound = inbox.Inbound(Channel.SMS, self.number, text, "simulator", f"in-{next(_ids)}", clock.now())
        async with transaction() as session:
            recorded = await inbox.receive(session, inbound)
        assert recorded is not None
        self.thread_id = recorded.thread_id
        return recorded.message_id

    async def texts(self, text: str) -> list[str]:
        """They text; every job runs; what came back since they last looked, without the signature."""
        await self.hand_in(text)
        await self.run()
        return self.news()

    async def texts_at_length(self, text: str) -> list[str]:
        """`texts` of a text that may be a part of a longer one; nothing follows, so the line stops waiting for more."""
        said = await self.texts(text)
        async with transaction() as session:
            waiting = update(Timer).where(Timer.job == "conversations.end_waiting", Timer.done_at.is_(None))
            await session.execute(waiting.values(due_at=clock.now()))
        await timers.sweep()
        await self.run()
        return said + self.news()

    def news(self) -> list[str]:
        mine = [body for to, body in self.carrier.sent if to == self.number]
        new, self.read = mine[self.read :], len(mine)
        return [body.removeprefix("【云南12345】") for body in new]

    async def talk(self) -> Thread:
        async with transaction() as session:
            return (await session.scalars(select(Thread).where(Thread.id == self.thread_id))).one()
