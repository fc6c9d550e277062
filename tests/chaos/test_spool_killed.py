"""The database goes away, gateways are killed, the disk is full: what was acknowledged is there once, danger is answered once.

A real gateway, danger worker and carrier; PostgreSQL is really killed or stopped. `Streets` knows what was sent.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import select

from benchmarks.broadcasts_line import OutreachLine, environment_of, inner_of, kill, outreach_line
from benchmarks.server import Server
from benchmarks.trust_streets import Sent, Streets, new_number
from sms_gateway.database import transaction
from sms_gateway.escalations.models import Escalation, EscalationEvent
from sms_gateway.messages import spool, spool_files
from sms_gateway.messages.models import Direction, Message
from sms_gateway.supervision.children import children
from sms_gateway.supervision.places import free_ports
from sms_gateway.supervision.ready import answers

DANGER = "有个叔叔一直在踹我家门 就我和弟弟在"
ORDINARY = "请问你们几点上班"
QUOTA_MB, RESERVED_MB = 0.6, 0.2
"""Some hundred texts, a third of them for danger only."""


@dataclass
class Line:
    line: OutreachLine
    server: Server
    streets: Streets

    @property
    def spool(self) -> Path:
        return spool.folder()

    async def stored(self) -> list[Message]:
        ids = {text.id for text in self.streets.sent}
        async with transaction() as session:
            wanted = select(Message).where(Message.direction == Direction.IN).order_by(Message.id)
            return [message for message in await session.scalars(wanted) if message.carrier_id in ids]

    async def until_replayed(self, within: float = 20.0) -> float:
        """Seconds until nothing waits on disk."""
        began = time.time()
        while spool.counts().spooled:
            assert time.time() - began < within, f"{spool.counts()} still wait"
            await asyncio.sleep(0.1)
        return time.time() - began

    async def holds(self) -> None:
        """Every acknowledged text is stored once, in its phone's order, at the time its door read it."""
        sent = [text for text in self.streets.sent if text.acknowledged is not None]
        stored = await self.stored()
        counted = Counter(message.carrier_id for message in stored)
        assert {text.id for text in sent} <= set(counted), "an acknowledged text is lost"
        assert max(counted.values()) == 1
        places = {message.carrier_id: place for place, message in enumerate(stored)}
        for number in {text.number for text in sent}:
            mine = [places[text.id] for text in sent if text.number == number]
            assert mine == sorted(mine), "a phone's texts changed places"
        at = {message.carrier_id: message.at.timestamp() for message in stored}
        for text in sent:
            assert text.acknowledged is not None
            assert text.began - 0.05 <= at[text.id] <= text.acknowledged, "its clock runs from our door"

    async def rang_after(self, text: Sent, *, within: float = 15.0) -> float:
        """Seconds (Unix) at which the call of that text first rang."""
        until = time.time() + within
        while time.time() < until:
            with suppress(Exception):
                async with transaction() as session:
                    wanted = select(EscalationEvent.at).join(Escalation, Escalation.id == EscalationEvent.escalation_id)
                    wanted = wanted.join(Message, Message.id == Escalation.message_id)
                    wanted = wanted.where(Message.carrier_id == text.id, EscalationEvent.what == "rung")
                    if (at := await session.scalar(wanted.order_by(EscalationEvent.id).limit(1))) is not None:
                        return at.timestamp()
            await asyncio.sleep(0.1)
        raise AssertionError("it did not ring")


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    quota = {"HOTLINE_SPOOL_MB": str(QUOTA_MB), "HOTLINE_SPOOL_RESERVED_MB": str(RESERVED_MB)}
    async with outreach_line("gateway", "danger", "replies", settings=quota, durable=True) as running:
        server = Server(running.postgres)
        streets = Streets(running.gateway_port, memory=running.postgres.folder / "carrier" / "simulator.sqlite3")
        try:
            yield Line(running, server, streets)
        finally:
            await streets.aclose()
            await running.hotline.supervisor.stop()  # before its database
            server.close()


def red(number: str | None = None) -> Sent:
    return Sent(number or new_number(), DANGER, red=True)


@pytest.mark.parametrize("how", ["killed", "stopped"])
async def test_a_text_is_kept_judged_and_rings_within_five_seconds_of_the_database(line: Line, how: str) -> None:
    """Drill 11 of PRACTICE: killed, and stopped in the middle of everything with its connections open."""
    await line.streets.send(Sent(new_number(), ORDINARY))  # connections are open
    (line.server.kill if how == "killed" else line.server.freeze)()
    danger, talk = red(), new_number()
    await asyncio.gather(
        line.streets.send(danger, twice=True), *(line.streets.send(Sent(new_number(), ORDINARY)) for _ in range(20))
    )
    for number in range(3):
        await line.streets.send(Sent(talk, f"{ORDINARY}{number}"))
    assert max((text.acknowledged or 0) - text.began for text in line.streets.sent) < 8, "a carrier waits no longer"
    assert await line.streets.until_answered(danger.number, within=10), "danger is answered without the database"
    waiting = spool.counts()
    assert waiting.spooled >= 24 and waiting.spooled_red == 1
    (line.server.start if how == "killed" else line.server.thaw)()
    back = time.time()
    await line.streets.send(Sent(talk, f"{ORDINARY}3"))  # must not overtake the three that wait
    assert await line.rang_after(danger) - back < 5
    await line.until_replayed()
    await line.holds()
    await asyncio.sleep(3)
    assert line.streets.came_back()[danger.number] == 1, "the reply is not repeated"
    async with transaction() as session:
        [reply] = await session.scalars(select(Message).where(Message.text_key == "red.violence"))
        assert reply.state in ("sent", "delivered")


async def test_killing_gateways_that_share_a_folder_loses_and_doubles_nothing(line: Line) -> None:
    (port,) = free_ports(1)
    table = children(
        inner_of(line.line.hotline.environment), environment_of(line.line.hotline) | {"HOTLINE_PORT": str(port)}
    )
    second = replace(table["gateway"], name="gateway_2", ready=answers(port, "/healthz"))
    await line.line.hotline.supervisor.start(second)
    streets = Streets(line.line.gateway_port, port, memory=line.line.postgres.folder / "carrier" / "simulator.sqlite3")
    line.streets = streets
    line.server.kill()

    async def talk(number: str, texts: int, first_red: bool) -> None:
        if first_red:
            await streets.send(red(number), twice=True)
        for index in range(texts):
            await streets.send(Sent(number, f"{ORDINARY}{index}"), twice=index % 2 == 0)

    talking = [asyncio.create_task(talk(new_number(), 4, index % 4 == 0)) for index in range(16)]
    chance = random.Random(7)
    for _ in range(6):
        await asyncio.sleep(chance.uniform(0.3, 0.9))
        with suppress(ProcessLookupError):
            kill(line.line, chance.choice(["gateway", "gateway_2"]))
    line.server.start()
    await asyncio.gather(*talking)
    await line.until_replayed(40)
    await line.holds()
    dangers = [text for text in streets.sent if text.red]
    for text in dangers:
        await line.rang_after(text)
        assert await streets.until_answered(text.number, within=20), "danger is answered whoever was killed"
    await asyncio.sleep(3)
    assert streets.taken_twice() == 0
    came = streets.came_back()
    async with transaction() as session:
        red_keys = select(Message).where(Message.direction == Direction.OUT, Message.text_key == "red.violence")
        safe = list(await session.scalars(red_keys))
    assert len(safe) == len(dangers)
    unknown = sum(reply.state == "unknown" for reply in safe)
    beyond = sum(came[text.number] for text in dangers) - await _out_to(line, [text.number for text in dangers])
    assert beyond <= unknown, "no second reply but those nobody can know of"
    await streets.aclose()


async def _out_to(line: Line, numbers: list[str]) -> int:
    async with transaction() as session:
        from sqlalchemy.orm import joinedload

        wanted = select(Message).where(Message.direction == Direction.OUT).options(joinedload(Message.contact))
        out = [message for message in await session.scalars(wanted) if message.contact.address in numbers]
    return sum(message.state not in ("queued", "cancelled") for message in out)


async def test_a_full_spool_refuses_ordinary_texts_and_still_takes_danger(line: Line) -> None:
    await asyncio.sleep(1.5)  # the reserve is filled by the gateway's first round
    line.server.kill()
    ordinary = [Sent(new_number(), ORDINARY) for _ in range(70)]
    taken = await asyncio.gather(*(line.streets.send(text, give_up_after=0.1) for text in ordinary))
    assert any(taken) and not all(taken), "the quota holds some of them"
    refused = [text for text, was in zip(ordinary, taken, strict=True) if not was]
    assert all(text.refused for text in refused), "503: the carrier brings it again"
    dangers = [red() for _ in range(8)]
    assert all(await asyncio.gather(*(line.streets.send(text) for text in dangers))), "the reserve is for danger"
    for text in dangers:
        assert await line.streets.until_answered(text.number, within=15)
    line.server.start()
    await line.until_replayed()
    assert all(await asyncio.gather(*(line.streets.send(text) for text in refused))), "now there is room"
    line.streets.sent = list({text.id: text for text in line.streets.sent}.values())
    await line.holds()


async def test_a_torn_file_holds_nobody_back_and_is_counted(line: Line) -> None:
    line.server.kill()
    whose, other = new_number(), new_number()
    first, second = Sent(whose, ORDINARY), Sent(whose, f"{ORDINARY}吗")
    for text in (first, second, Sent(other, ORDINARY)):
        await line.streets.send(text)
    torn, *_ = spool_files.in_order(line.spool)
    os.truncate(torn, torn.stat().st_size // 2)  # as a disk that lied about its fsync
    (line.spool / f"{'0' * 16}-{'1' * 24}.abc.making").write_bytes(b"half")  # a writer was killed; nobody was told 200
    line.server.start()
    async with asyncio.timeout(20):
        while spool.counts().spooled > 1:
            await asyncio.sleep(0.1)
    await line.streets.send(Sent(whose, "在吗"))
    assert {message.carrier_id for message in await line.stored()} == {text.id for text in line.streets.sent} - {
        first.id
    }
    assert spool.counts().spooled == 1, "it stays, and pages show that something waits"
