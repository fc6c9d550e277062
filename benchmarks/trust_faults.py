"""What is done to a running hotline, one thing after the other, and how long it takes to get over each."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import select

from sms_gateway.database import transaction
from sms_gateway.escalations.models import Escalation, EscalationEvent
from sms_gateway.messages import spool_texts
from sms_gateway.messages.models import Message
from sms_gateway.settings import get_settings

from .broadcasts_line import OutreachLine, kill
from .server import Server
from .trust_streets import Sent, Streets, new_number

DANGER = (
    "有个叔叔一直在踹我家门 就我和弟弟在",
    "我爸喝醉了拿刀追着我妈跑 快来人",
    "弟弟掉河里了 快救救他",
    "家里着火了 我出不去",
)
QUESTION = "孤儿每个月能领多少钱"
GETS_OVER_WITHIN = 60.0
NEXT_WITHIN = 12.0
KILLED = ("gateway", "danger", "turns", "turns_2", "replies", "rasa", "actions", "bulk", "outreach", "console")
FILLER = "filler.bin"
WELL: dict[str, object] = {}

Step = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong for `seconds` (0: a blow), and what puts it right again."""

    name: str
    begin: Step
    seconds: float = 0.0
    end: Step | None = None
    database: bool = False
    """The database was away: danger must ring within five seconds of its return."""


@dataclass
class Recovery:
    """Seconds. `answered`, `rang`: a danger text sent as it began, from its sending and from the end of the fault; `talks`: an
    ordinary question sent at its end, to the first word of an answer. None: not within a minute."""

    name: str
    seconds: float
    answered: float | None = None
    rang: float | None = None
    talks: float | None = None
    database: bool = False


class Trouble:
    """Makes faults."""

    def __init__(self, line: OutreachLine, server: Server) -> None:
        self._line, self._server = line, server

    def kill(self, name: str) -> Fault:
        """kill -9; the supervisor starts it again."""

        async def begin() -> None:
            with suppress(ProcessLookupError):
                kill(self._line, name)

        return Fault(f"kill -9 {name}", begin)

    def postgres(self, how: str, seconds: float) -> Fault:
        """`killed` and `frozen` for so long."""
        frozen = how == "frozen"

        async def begin() -> None:
            await asyncio.to_thread(self._server.freeze if frozen else self._server.kill)

        async def end() -> None:
            await asyncio.to_thread(self._server.thaw if frozen else self._server.start)

        return Fault(f"PostgreSQL {how}, {seconds:.0f} s", begin, seconds, end, database=True)

    def spool_full(self, seconds: float) -> Fault:
        """The database is away and the disk's quota for ordinary texts is used up."""
        settings = get_settings()
        size = int((settings.spool_mb - settings.spool_reserved_mb) * spool_texts.MB)

        async def begin() -> None:
            with (spool_texts.folder() / FILLER).open("wb") as file:
                file.truncate(size)
            await asyncio.to_thread(self._server.kill)

        async def end() -> None:
            (spool_texts.folder() / FILLER).unlink()
            await asyncio.to_thread(self._server.start)

        return Fault(f"spool quota full and PostgreSQL killed, {seconds:.0f} s", begin, seconds, end, database=True)

    def carrier(self, name: str, seconds: float, **faults: object) -> Fault:
        """The carrier misbehaves for so long."""

        async def begin() -> None:
            await self._line.set_faults(**faults)

        async def end() -> None:
            await self._line.set_faults(**WELL)

        return Fault(f"carrier {name}, {seconds:.0f} s", begin, seconds, end)

    def all(self, *, short: bool, chance: random.Random) -> list[Fault]:
        """The run's faults in their order; a short run has each kind once."""
        away = 6.0 if short else 20.0
        ill = 5.0 if short else 8.0
        names = ["gateway", "danger", "turns", "replies", "rasa"] if short else list(KILLED)
        blows = [self.kill(name) for name in names]
        long = [
            self.postgres("frozen", away), self.postgres("killed", away), self.spool_full(5.0 if short else 8.0),
            self.carrier("failing", ill, share_refused=0.0, refuse="busy"),
            self.carrier("slow and losing answers", ill, share_no_answer=0.2, share_answer_lost=0.3),
            self.carrier("duplicating and swapping receipts", ill, duplicate=True, share_out_of_order=0.5),
        ]  # fmt: skip
        if not short:
            blows += [self.kill(chance.choice(KILLED)) for _ in range(4)]
        chance.shuffle(blows)
        faults = []
        for one in long:
            share = -(-len(blows) // (len(long) - long.index(one)))
            faults += [*blows[:share], one]
            blows = blows[share:]
        return [*faults, *blows]


async def suffer(fault: Fault, streets: Streets, *, pause: float) -> tuple[Recovery, asyncio.Task[None]]:
    """Let it happen. How long danger and an ordinary question wait is watched by the task, which fills in the rest."""
    found = Recovery(fault.name, fault.seconds, database=fault.database)
    await fault.begin()
    danger = Sent(new_number(), random.choice(DANGER), red=True)
    watching = asyncio.create_task(_watch(danger, streets))
    await asyncio.sleep(fault.seconds)
    if fault.end is not None:
        await fault.end()
    ended = time.time()
    asking = asyncio.create_task(_ask(streets))
    await asyncio.wait({watching}, timeout=NEXT_WITHIN)  # the next fault must not fall into the recovery from this one
    await asyncio.sleep(max(0.0, pause - (time.time() - ended)))

    async def fill_in() -> None:
        answered, rang = await watching
        found.answered = None if answered is None else answered - danger.began
        since = max(danger.began, ended if fault.end is not None else 0.0)
        found.rang = None if rang is None else max(0.0, rang - since)
        at = await asking
        found.talks = None if at is None else at - ended

    return found, asyncio.create_task(fill_in())


async def _ask(streets: Streets) -> float | None:
    question = Sent(new_number(), QUESTION)
    await streets.send(question)
    return await streets.until_answered(question.number, within=GETS_OVER_WITHIN)


async def _watch(danger: Sent, streets: Streets) -> tuple[float | None, float | None]:
    sending = asyncio.create_task(streets.send(danger))
    answered, rang = await asyncio.gather(
        streets.until_answered(danger.number, within=GETS_OVER_WITHIN), _rang(danger, within=GETS_OVER_WITHIN)
    )
    await sending
    return answered, rang


async def _rang(danger: Sent, *, within: float) -> float | None:
    """Unix seconds at which its call first rang, as the call itself says."""
    wanted = select(EscalationEvent.at).join(Escalation, Escalation.id == EscalationEvent.escalation_id)
    wanted = wanted.join(Message, Message.id == Escalation.message_id).where(Message.carrier_id == danger.id)
    wanted = wanted.where(EscalationEvent.what == "rung").order_by(EscalationEvent.id).limit(1)
    until = time.time() + within
    while time.time() < until:
        with suppress(Exception):  # the database is away just now
            async with transaction() as session:
                if (at := await session.scalar(wanted)) is not None:
                    return at.timestamp()
        await asyncio.sleep(0.2)
    return None


def slowest(recoveries: Sequence[Recovery], what: str) -> float:
    """The longest of that column; a minute where something never came."""
    values = [getattr(one, what) for one in recoveries]
    return max((GETS_OVER_WITHIN if value is None else value for value in values), default=0.0)
