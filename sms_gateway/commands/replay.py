"""`hotline replay`: scripted dialogues through the real pipeline, on a scratch database, with a clock that stands still.

Rasa and the action server run as processes of their own; texts take the ordinary path (inbox, judge, turn, outbox) with
a carrier that only remembers. Contracts: DESIGN section 7. Nobody is on duty. Nothing live is touched, nothing is sent.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from .predict import identity_of

SERVICES_NAMED = re.compile(r"(?<!\d)(?:110|119|120|122)(?!\d)")
JOINING = 4
"""Seconds for a turn with `"more": true` and the one after it; the clock stands still, so any will do."""
LONGEST_WAIT = timedelta(days=400)


class BadDialogue(ValueError):
    """A line that is no dialogue; its sentence goes into the answer."""


@dataclass
class Memory:
    """A carrier that hands texts to nobody: what left, by number."""

    name: str = "simulator"
    echoes_reference: bool = True
    left: dict[str, list[str]] = field(default_factory=dict)
    ids: Iterator[int] = field(default_factory=lambda: count(1))

    async def send(self, *, to: str, body: str, reference: int, validity: object = None) -> str:  # noqa: ARG002 - the protocol
        self.left.setdefault(to, []).append(body)
        return f"replay-{reference}-{next(self.ids)}"

    async def find(self, *, to: str, body: str, reference: int, since: datetime) -> Any:  # noqa: ARG002 - the protocol
        from sms_gateway.carriers.carrier import Found

        return (Found.SENT if body in self.left.get(to, ()) else Found.ABSENT), None

    async def aclose(self) -> None:
        pass


def replay() -> None:
    """逐行读对话，走一遍真的流程，逐行写出结果。"""
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    out, sys.stdout = sys.stdout, sys.stderr  # only JSON on standard output
    asyncio.run(_run(out))


async def _run(out: Any) -> None:
    numbers = count(1)
    async with _pipeline() as pipeline:
        for raw in sys.stdin.buffer:
            line = raw.decode("utf-8", "replace").strip()
            if line:
                answer = await _answered(pipeline, line, f"+8613800{next(numbers):06d}")
                out.write(json.dumps(answer, ensure_ascii=False) + "\n")
                out.flush()


async def _answered(pipeline: Pipeline, line: str, number: str) -> dict[str, Any]:
    identity = identity_of(line)
    try:
        return {"id": identity, "turns": await pipeline.play(_read(line), number)}
    except BadDialogue as error:
        return {"id": identity, "error": str(error)}
    except Exception as error:  # noqa: BLE001 - a dialogue that breaks something must not end the run
        return {"id": identity, "error": type(error).__name__}


def _read(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        raise BadDialogue("not a JSON object") from None
    if not isinstance(found, dict) or not isinstance(found.get("turns"), list):
        raise BadDialogue("a dialogue is an object with a list of turns")
    for turn in found["turns"]:
        wait = turn.get("wait") if isinstance(turn, dict) else None
        good_wait = (
            isinstance(wait, int | float) and not isinstance(wait, bool) and 0 <= wait <= LONGEST_WAIT.total_seconds()
        )
        if not isinstance(turn, dict) or not (isinstance(turn.get("user"), str) or good_wait):
            raise BadDialogue("a turn has a user text, or a wait in seconds")
    return found


@asynccontextmanager
async def _pipeline() -> AsyncIterator[Pipeline]:
    """Database, Rasa, actions and in-process workers, all gone afterwards."""
    from sms_gateway import logs
    from sms_gateway.carriers import registry
    from sms_gateway.clock import HeldClock, use
    from sms_gateway.migrations import upgrade
    from sms_gateway.settings import get_settings
    from sms_gateway.supervision.bot_model import trained_model
    from sms_gateway.supervision.places import DataDir
    from sms_gateway.supervision.scratch import scratch_hotline, scratch_postgres

    model = await asyncio.to_thread(trained_model, DataDir.at(get_settings().data_dir))
    for name in [name for name in os.environ if name.startswith("HOTLINE_")]:
        del os.environ[name]  # the live hotline's settings have no say here
    with scratch_postgres() as postgres:
        url = postgres.create("replay")
        await asyncio.to_thread(upgrade, url)
        async with scratch_hotline(
            postgres.folder / "data", "rasa", "actions", database_url=url, model=model
        ) as hotline:
            os.environ.update(hotline.environment)
            set_joining(0)  # a user turn closes the joining window
            logs.configure("replay")
            memory, clock = Memory(), HeldClock()
            registry.use(memory)
            use(clock)
            async with _workers(url):
                yield Pipeline(memory, clock)


def set_joining(seconds: float) -> None:
    """From now on texts that come within so many seconds belong together."""
    from sms_gateway.settings import get_settings

    os.environ["HOTLINE_JOINING_SECONDS"] = str(seconds)
    get_settings.cache_clear()


@asynccontextmanager
async def _workers(url: str) -> AsyncIterator[None]:
    from procrastinate import PsycopgConnector

    from sms_gateway import database
    from sms_gateway.conversations import assistant
    from sms_gateway.jobs import app

    worker = app.with_connector(PsycopgConnector(conninfo=url, min_size=2, max_size=8))
    async with worker.open_async():
        running = asyncio.create_task(
            worker.run_worker_async(
                concurrency=6, fetch_job_polling_interval=0.2, install_signal_handlers=False, delete_jobs="always"
            )
        )
        yield
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    await assistant.close()
    await database.dispose()


@dataclass
class Pipeline:
    """Where dialogues are played, one after the other: the clock is everybody's."""

    memory: Memory
    clock: Any
    ids: Iterator[int] = field(default_factory=lambda: count(1))

    async def play(self, dialogue: dict[str, Any], number: str) -> list[dict[str, Any]]:
        """Every turn with what came back and how things stand then."""
        from .replay_state import conclude_ticket

        played, read, more = [], 0, False
        if dialogue.get("precondition") == "survey_sent":
            await self._wait(await conclude_ticket(number) - self.clock.now())
            await self._settle()
            read = len(self.memory.left.get(number, ()))
        for turn in dialogue["turns"]:
            if isinstance(turn.get("user"), str):
                more_follows = turn.get("more") is True
                set_joining(JOINING if more_follows or more else 0)
                more = more_follows
                await self._text(number, turn["user"])
                said = {"user": turn["user"]}
            else:
                more = False
                await self._wait(timedelta(seconds=turn["wait"]))
                said = {"wait": turn["wait"]}
            await self._settle()
            if not more:
                await self._close_joining()
            left = self.memory.left.get(number, [])
            played.append({**said, "replies": left[read:], "state": await self._state(number, left)})
            read = len(left)
        return played

    async def _text(self, number: str, text: str) -> None:
        from sms_gateway.contacts.models import Channel
        from sms_gateway.database import transaction
        from sms_gateway.messages import inbox

        inbound = inbox.Inbound(Channel.SMS, number, text, "simulator", f"replay-{next(self.ids)}", self.clock.now())
        async with transaction() as session:
            await inbox.receive(session, inbound)

    async def _wait(self, time: timedelta) -> None:
        """Let time pass, timer by timer, so that what is due early sees the hour it was due."""
        from .replay_state import next_timer

        until = self.clock.now() + time
        while (due := await next_timer(until)) is not None:
            self.clock.advance(max(due - self.clock.now(), timedelta(0)))
            await self._settle()
        self.clock.advance(until - self.clock.now())

    async def _settle(self) -> None:
        """Until no job is left and no timer is due."""
        from sms_gateway import timers

        from .replay_state import count_jobs

        while True:
            swept = await timers.sweep()
            pause = 0.005
            while await count_jobs():
                await asyncio.sleep(pause)
                pause = min(0.05, pause * 1.3)
            if not swept:
                return

    async def _close_joining(self) -> None:
        """No further part comes: what waits for one is answered now."""
        from .replay_state import end_waiting_now

        if await end_waiting_now():
            await self._settle()

    async def _state(self, number: str, left: list[str]) -> dict[str, Any]:
        from .replay_state import read_state

        state = await read_state(number)
        return {**state, "bridged": any(SERVICES_NAMED.search(text) for text in left)}
