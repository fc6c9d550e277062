"""A real PostgreSQL for the whole run, a fresh migrated database for each test that asks, a clock that can be held."""

from __future__ import annotations

import base64
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import count

import pytest

os.environ["OMP_NUM_THREADS"] = "1"
for _name in [name for name in os.environ if name.startswith("HOTLINE_")]:
    del os.environ[_name]  # a developer's own settings have no say in tests
os.environ["HOTLINE_ENV_FILE"] = os.devnull
os.environ["HOTLINE_DATA_KEY"] = base64.b64encode(b"k" * 32).decode()
os.environ["HOTLINE_SESSION_KEY"] = "session-key-of-the-tests"
os.environ["HOTLINE_BOT_SECRET"] = "bot-secret-of-the-tests"

from sms_gateway import clock as clocks
from sms_gateway.clock import HeldClock
from sms_gateway.supervision.scratch import ScratchPostgres, scratch_postgres
from tests.telling import FakeCarrier, Person

_numbers = count(1)

IN_A_BROWSER = "tests/browser/"
"""Pages are waited for by the clock of the wall, which a busy machine can hold up."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those are tried once more when they fail, and the run says so (R); everything else stands or falls at once.

    Journeys and killed workers too: a text that is lost or doubled now and then must fail the run.
    """
    for item in items:
        if item.nodeid.startswith(IN_A_BROWSER):
            item.add_marker(pytest.mark.flaky(reruns=1, reruns_delay=2))


@pytest.fixture(scope="session")
def postgres() -> Iterator[ScratchPostgres]:
    """A throw-away server with a migrated database called `template`."""
    from sms_gateway.migrations import upgrade

    with scratch_postgres() as server:
        upgrade(server.create("template"))
        yield server


@pytest.fixture
async def database(postgres: ScratchPostgres, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """The address of a fresh migrated database, which `sms_gateway.database` uses during the test."""
    from sms_gateway import database as ground
    from sms_gateway.settings import get_settings

    url = postgres.create(f"test_{next(_numbers)}", template="template")
    monkeypatch.setenv("HOTLINE_DATABASE_URL", url)
    get_settings.cache_clear()
    yield url
    await ground.dispose()
    get_settings.cache_clear()


@pytest.fixture
def clock() -> Iterator[HeldClock]:
    """Our clock, standing still until the test moves it."""
    held = HeldClock()
    before = clocks.use(held)
    yield held
    clocks.use(before)


@pytest.fixture
def run_jobs(database: str) -> Callable[[], Awaitable[None]]:
    """Run every job there is, and those they defer, as the workers would."""
    from procrastinate import PsycopgConnector

    from sms_gateway.jobs import app

    async def run() -> None:
        worker = app.with_connector(PsycopgConnector(conninfo=database, min_size=1, max_size=3))
        async with worker.open_async():
            while await worker.job_manager.list_jobs_async(status="todo"):
                await worker.run_worker_async(
                    wait=False, concurrency=4, install_signal_handlers=False, listen_notify=False
                )

    return run


@pytest.fixture
def carrier(database: str) -> Iterator[FakeCarrier]:
    """The only carrier there is; it remembers what left."""
    from sms_gateway.carriers import registry

    fake = FakeCarrier()
    registry._made.clear()
    registry._made["simulator"] = fake
    yield fake
    registry._made.clear()


@pytest.fixture
def person(carrier: FakeCarrier, run_jobs: Callable[[], Awaitable[None]]) -> Person:
    """Somebody who texts for the first time."""
    return Person("+8613800000001", carrier, run_jobs)
