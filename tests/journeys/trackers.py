"""Rasa's own memory, moved in time; Rasa and the action server, ended and started again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from contextlib import suppress
from datetime import timedelta

from sqlalchemy import text

from sealing import Keyring
from sms_gateway.conversations import assistant as edge
from sms_gateway.database import transaction
from sms_gateway.supervision.scratch import ScratchHotline
from tests.telling import Person


async def let_time_pass(person: Person, by: timedelta) -> None:
    """Make everything Rasa remembers of this talk older by so much (its clock is the machine's)."""
    keys, sender = Keyring.from_text(os.environ["HOTLINE_DATA_KEY"]), f"thread-{person.thread_id}"
    place = b"bot_trackers.sealed:" + sender.encode()
    async with transaction() as session:
        wanted = text("SELECT sealed FROM bot_trackers WHERE sender = :sender")
        events = json.loads(keys.open(bytes(await session.scalar(wanted, {"sender": sender})), place))
        assert events
        for event in events:
            event["timestamp"] -= by.total_seconds()
        sealed = keys.seal(json.dumps(events, ensure_ascii=False).encode(), place)
        written = text("UPDATE bot_trackers SET sealed = :sealed WHERE sender = :sender")
        await session.execute(written, {"sealed": sealed, "sender": sender})


async def restart(assistant: ScratchHotline, name: str) -> None:
    """Kill a process of the assistant with -9, if it is not down already, and wait until it is brought back."""
    with suppress(ProcessLookupError):  # killed before, and still in the supervisor's pause
        kill(assistant, name)
    await is_back(assistant, name)


def kill(assistant: ScratchHotline, name: str) -> None:
    os.kill(assistant.pid(name), signal.SIGKILL)


async def is_back(assistant: ScratchHotline, name: str) -> None:
    """Wait until the supervisor has started it again and it answers."""
    await asyncio.sleep(0.3)
    async with asyncio.timeout(60):
        while assistant.supervisor.kept[name].pid is None:
            await asyncio.sleep(0.1)
    await assistant.supervisor.wait_ready(name, within=120)
    await edge.close()
