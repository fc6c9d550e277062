"""The real trained assistant and its action server, on a real database; one set of processes for all journeys."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count

import pytest
from sqlalchemy import delete, text, update

from sms_gateway import database as ground
from sms_gateway.conversations import assistant as assistant_edge
from sms_gateway.database import transaction
from sms_gateway.operators import accounts
from sms_gateway.operators.models import Operator, Role
from sms_gateway.operators.presence import set_duty
from sms_gateway.settings import get_settings
from sms_gateway.supervision.bot_model import trained_model
from sms_gateway.supervision.places import DataDir
from sms_gateway.supervision.scratch import ScratchHotline, ScratchPostgres, scratch_hotline
from sms_gateway.timers import Timer
from tests.journeys.line import Line, Switch, whole_line
from tests.telling import FakeCarrier, Person

SECRETS = ("HOTLINE_DATA_KEY", "HOTLINE_SESSION_KEY", "HOTLINE_BOT_SECRET")

_numbers = count(1)
_logins = count(1)


@pytest.fixture(scope="session")
async def assistant(postgres: ScratchPostgres) -> AsyncIterator[ScratchHotline]:
    """Rasa with the trained model, and the action server, on the database `journeys`."""
    url = postgres.create("journeys", template="template")
    model = await asyncio.to_thread(trained_model, DataDir.at(get_settings().data_dir))
    settings = {name: os.environ[name] for name in SECRETS}
    folder = postgres.folder / "journeys"
    async with scratch_hotline(folder, "rasa", "actions", database_url=url, model=model, settings=settings) as hotline:
        yield hotline


@pytest.fixture
async def database(assistant: ScratchHotline, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """The database of the journeys: nobody on duty, no job left over; its address."""
    for name, value in assistant.environment.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    async with transaction() as session:
        await session.execute(update(Operator).values(on_duty=False))
        await session.execute(delete(Timer))
        await session.execute(text("DELETE FROM procrastinate_jobs WHERE status = 'todo'"))
    yield assistant.environment["HOTLINE_DATABASE_URL"]
    await assistant_edge.close()
    await ground.dispose()
    get_settings.cache_clear()


@pytest.fixture
def somebody(carrier: FakeCarrier, run_jobs: Callable[[], Awaitable[None]]) -> Callable[[], Person]:
    """Another person who texts for the first time."""
    return lambda: Person(f"+861380000{next(_numbers):04d}", carrier, run_jobs)


@pytest.fixture
def person(somebody: Callable[[], Person]) -> Person:
    """Somebody who texts for the first time."""
    return somebody()


@pytest.fixture
async def operator(database: str) -> Operator:
    """An operator on duty with an open console."""
    async with transaction() as session:
        made = await accounts.add(
            session, login=f"zhiban{next(_logins)}", name="值班员甲", role=Role.OPERATOR, password=None, trained=True
        )
        await set_duty(session, operator_id=made.id, on_duty=True)
        return made


@pytest.fixture(scope="session")
async def switch(assistant: ScratchHotline) -> AsyncIterator[Switch]:
    """What stands between the workers and Rasa, and can be told to be slow."""
    async with Switch(assistant.environment["HOTLINE_RASA_URL"]) as made:
        yield made


@pytest.fixture(scope="module")
async def line(assistant: ScratchHotline, switch: Switch, postgres: ScratchPostgres) -> AsyncIterator[Line]:
    """Gateway, danger worker and workers as processes of their own, with phones to text from."""
    async with whole_line(assistant, switch, postgres.folder / "line") as running:
        yield running
