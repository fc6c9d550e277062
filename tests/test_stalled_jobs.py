"""Jobs of dead workers come back, whatever stands in the way of one of them; the jobs of slow ones do not run twice."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from procrastinate import PsycopgConnector
from procrastinate.exceptions import ConnectorException
from sqlalchemy import text

from sms_gateway.database import transaction
from sms_gateway.jobs import (
    LAGS_SECONDS,
    PRUNED_AFTER_SECONDS,
    STALLED_AFTER_SECONDS,
    STALLED_WHILE_SLOW_SECONDS,
    Patience,
    app,
    free_stalled,
)
from tests.telling import Person


async def test_one_job_that_cannot_be_freed_does_not_keep_the_others(
    person: Person, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        await person.hand_in("你好")
    async with transaction() as session:
        silent = "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '8 seconds') RETURNING id"
        worker = await session.scalar(text(silent))
        await session.execute(
            text(
                "UPDATE procrastinate_jobs SET status = 'doing', lock = NULL, worker_id = :worker WHERE queue_name = 'turns'"
            ),
            {"worker": worker},
        )
    worker_app = app.with_connector(PsycopgConnector(conninfo=database, min_size=1, max_size=2))
    async with worker_app.open_async():
        retry, tried = worker_app.job_manager.retry_job, []

        async def fails_once(job: Any) -> None:
            tried.append(job.id)
            if len(tried) == 1:
                raise ConnectorException
            await retry(job)

        monkeypatch.setattr(worker_app.job_manager, "retry_job", fails_once)
        assert await free_stalled(worker_app, STALLED_WHILE_SLOW_SECONDS) == 0, "on a slow machine it may live"
        assert tried == []
        assert await free_stalled(worker_app) == 2
        assert await free_stalled(worker_app) == 1


@given(st.lists(st.floats(1.0, LAGS_SECONDS), min_size=1, max_size=30))
def test_rounds_in_time_wait_no_longer_than_ever(gaps: list[float]) -> None:
    patience, now = Patience(), 100.0
    for gap in gaps:
        assert patience.seconds(now) == STALLED_AFTER_SECONDS
        now += gap * 0.999


def test_after_a_round_that_came_late_others_get_time_to_show_that_they_live() -> None:
    patience = Patience()
    assert [patience.seconds(at) for at in (0, 1, 21, 22, 25.5, 27)] == [
        STALLED_AFTER_SECONDS, STALLED_AFTER_SECONDS, STALLED_WHILE_SLOW_SECONDS, STALLED_WHILE_SLOW_SECONDS, STALLED_WHILE_SLOW_SECONDS,
        STALLED_WHILE_SLOW_SECONDS,
    ]  # fmt: skip  # 25.5 came late as well
    assert patience.seconds(28) == STALLED_WHILE_SLOW_SECONDS
    assert [patience.seconds(28 + at) for at in (1, 2, 3, 4)][-1] == STALLED_AFTER_SECONDS


async def test_danger_of_a_silent_worker_is_freed_at_once_on_a_slow_machine_too(person: Person, database: str) -> None:
    await person.hand_in("你好")
    async with transaction() as session:
        silent = "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '8 seconds') RETURNING id"
        worker = {"worker": await session.scalar(text(silent))}
        await session.execute(text("UPDATE procrastinate_jobs SET status = 'doing', worker_id = :worker"), worker)
    worker_app = app.with_connector(PsycopgConnector(conninfo=database, min_size=1, max_size=2))
    async with worker_app.open_async():
        assert await free_stalled(worker_app, STALLED_WHILE_SLOW_SECONDS) == 1
        [waiting] = await worker_app.job_manager.list_jobs_async(status="todo")
        assert waiting.queue == "danger"


def test_a_living_worker_keeps_its_row_through_an_outage_of_twenty_seconds() -> None:
    assert PRUNED_AFTER_SECONDS > STALLED_WHILE_SLOW_SECONDS > STALLED_AFTER_SECONDS
