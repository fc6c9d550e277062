"""The queue: Procrastinate in our own database, so that a row and its job commit together.

Jobs are deferred by name and carry ids only: their arguments end up in logs. A job under a contact's lock has no
delayed retry (a job that waits for its retry keeps the lock shut); danger has a queue and a worker of its own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from time import perf_counter
from typing import Any

import psycopg
from procrastinate import App, JobContext, PsycopgConnector, RetryDecision
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.retry import BaseRetryStrategy
from procrastinate.worker import Worker
from psycopg_pool import PoolTimeout
from sqlalchemy import text
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionInTime
from sqlalchemy.ext.asyncio import AsyncSession

from . import clock, logs, tracing
from .database import database_url, transaction
from .errors import HotlineError

log = logs.get("jobs")

QUEUES = {"danger": 8, "turns": 2, "replies": 8, "bulk": 2}
"""Every queue and how many of its jobs one worker process runs at a time (at most 4 turns per Rasa process, by two workers)."""

TASK_MODULES = (
    "sms_gateway.bridge.tasks",
    "sms_gateway.broadcasts.tasks",
    "sms_gateway.calls.tasks",
    "sms_gateway.conversations.tasks",
    "sms_gateway.escalations.tasks",
    "sms_gateway.messages.tasks",
    "sms_gateway.tickets.tasks",
)

HEARTBEAT_SECONDS = 1.0
STALLED_AFTER_SECONDS = 5.0
POLL_SECONDS = 0.5
RECONNECT_SECONDS = 0.4
CONNECTION_WITHIN_SECONDS = 3.0
"""A pool waits ever longer between two tries to reconnect, so whoever waits for it gives up soon and the worker inside starts anew:
with the 30 s that are usual, danger rang up to 27 s after the database was back."""
"""With these a killed worker frees its contact in 3.5-5.6 s (DESIGN section 2)."""
STALLED_WHILE_SLOW_SECONDS = 20.0
LAGS_SECONDS = 2.5
"""A round of freeing that comes so late says that the machine is overloaded, or the database was: then a late sign of life is no death."""
PRUNED_AFTER_SECONDS = 60.0
"""A starting worker removes the rows of workers silent for so long. A living one without its row would have all its jobs run twice."""
CHORE_SECONDS = 1.0
PACE = {
    "hurried": 0.25,
    "uplink_parts": 0.5,
    "timers": 0.4,
    "door_beat": 2.0,
    "links": 2.0,
    "operations": 10.0,
    "desk_matters": 5.0,
    "duty_posts": 60.0,
    "abandoned_uploads": 600.0,
    "old_sign_ins": 3600.0,
    "old_openings": 3600.0,
    "retention": 60.0,
}
"""Seconds of chores that come round sooner or later than the rest. A step of the ladder is at most a second late, the job
that takes it included; what became of a desk's matter may wait; the lines of the duty book are called one a minute at most.
"""
HURRIED = {"danger": 0.1, "replies": 0.1}
"""Queues that are also looked at this often: a job that comes in while its worker is just finding nothing is not told
of again (Procrastinate forgets the notice), and a safe reply must not wait half a second for that.
"""


async def _traced(go_on: Callable[[], Awaitable[Any]], context: JobContext, _worker: Worker) -> Any:
    """A job belongs to the trace it was deferred in: that argument is for us, the task does not know of it."""
    ids = context.job.task_kwargs
    with tracing.within(ids.pop(tracing.NAME, None)):
        began = perf_counter()
        outcome = "failed"
        try:
            found = await go_on()
            outcome = "done"
        finally:
            took = round((perf_counter() - began) * 1000)
            log.info("job_ended", job=context.job.task_name, outcome=outcome, ms=took, **ids)
        return found


app = App(
    connector=PsycopgConnector(), import_paths=list(TASK_MODULES), worker_defaults={"worker_middleware": [_traced]}
)
"""Knows every task; opened with connections of its own only in workers, since doors defer on theirs."""


@dataclass(frozen=True)
class Deferral:
    """A job to be: its name, its subject's ids, and the lock it waits for."""

    name: str
    ids: dict[str, int]
    lock: str | None = None


async def defer_all(session: AsyncSession, deferrals: Iterable[Deferral]) -> None:
    """Defer jobs inside `session`'s transaction, in one statement; a misspelt name raises at once."""
    app.perform_import_paths()  # type: ignore[no-untyped-call]  # procrastinate left it bare
    jobs = []
    trace = tracing.current()
    for wanted in deferrals:
        task = app.tasks[wanted.name]
        jobs.append(
            Job(
                id=None, queue=task.queue, task_name=wanted.name, lock=wanted.lock, queueing_lock=None,
                task_kwargs={**wanted.ids, **({tracing.NAME: trace} if trace else {})}, priority=0, status=Status.TODO.value,
            )
        )  # fmt: skip
    connection = await (await session.connection()).get_raw_connection()
    await app.job_manager.batch_defer_jobs_async(jobs, connection=connection.driver_connection)


async def defer(session: AsyncSession, name: str, *, lock: str | None = None, **ids: int) -> None:
    """Defer one job inside `session`'s transaction."""
    await defer_all(session, [Deferral(name, ids, lock)])


PASSING = (OperationalError, InterfaceError, NoConnectionInTime, ConnectorException)
"""What ends by itself; the third: every connection of our pool was taken."""


class RetryIfTransient(BaseRetryStrategy):
    """Try again what may pass: our errors that say so, and a database that is away or busy; 1, 2, 4 … 60 s apart."""

    def __init__(self, attempts: int) -> None:
        self.attempts = attempts

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        passing = isinstance(exception, PASSING)
        if job.attempts >= self.attempts or not (
            passing or (isinstance(exception, HotlineError) and exception.retryable)
        ):
            return None
        return RetryDecision(retry_at=clock.now() + timedelta(seconds=min(60, 2**job.attempts)))


class RetryAtOnce(BaseRetryStrategy):
    """Try again without a pause, so that a lock is not kept shut."""

    def __init__(self, attempts: int) -> None:
        self.attempts = attempts

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:  # noqa: ARG002 - its signature
        return None if job.attempts >= self.attempts else RetryDecision()


class Patience:
    """For how long others may be silent before they count as dead: longer while we ourselves do not get our turn."""

    def __init__(self) -> None:
        self._last: float | None = None
        self._slow_until = 0.0

    def seconds(self, now: float) -> float:
        """Asked once a round, at `now` (monotonic seconds)."""
        if self._last is not None and now - self._last > LAGS_SECONDS:
            self._slow_until = now + STALLED_AFTER_SECONDS
        self._last = now
        return STALLED_WHILE_SLOW_SECONDS if now < self._slow_until else STALLED_AFTER_SECONDS


async def free_stalled(worker_app: App, silent_for: float = STALLED_AFTER_SECONDS) -> int:
    """Give the jobs of workers that died back to the queue; returns how many. Danger never waits longer: judged twice does no harm."""
    find, freed = worker_app.job_manager.get_stalled_jobs, 0
    stalled = [*await find(queue="danger", seconds_since_heartbeat=STALLED_AFTER_SECONDS)]
    stalled += [job for job in await find(seconds_since_heartbeat=silent_for) if job.queue != "danger"]
    for job in stalled:
        with suppress(
            ConnectorException
        ):  # somebody else was quicker, or it has just ended: the others are freed all the same
            await worker_app.job_manager.retry_job(job)
            freed += 1
    return freed


async def each_second(what: Callable[[], Awaitable[Any]], name: str) -> None:
    """Run `what` every second (see `PACE`) for ever; a failure is logged and the next time tries again."""
    while True:
        try:
            await what()
        except Exception:
            log.warning("chore_failed", chore=name, exc_info=True)
        await asyncio.sleep(PACE.get(name, CHORE_SECONDS))


async def work(
    queue: str, *, chores: Iterable[tuple[str, Callable[[], Awaitable[Any]]]] = (), concurrency: int | None = None
) -> None:
    """Be a worker of `queue` until told to stop (SIGINT, SIGTERM), with `chores` run beside it every second.

    A database that goes away ends the worker inside, not the process: it is back within a second of the database, with
    its models loaded.
    """
    beside = [asyncio.create_task(each_second(chore, name)) for name, chore in chores]
    try:
        while True:
            try:
                await _work_while_connected(queue, concurrency or QUEUES[queue])
                return
            except (ConnectorException, psycopg.OperationalError, PoolTimeout):
                log.warning("database_away", queue=queue)
                await _until_database_answers()
    finally:
        for chore in beside:
            chore.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*beside)


async def _work_while_connected(queue: str, concurrency: int) -> None:
    pool = PsycopgConnector(conninfo=database_url(), min_size=1, max_size=6, timeout=CONNECTION_WITHIN_SECONDS)
    worker_app = app.with_connector(pool)
    async with worker_app.open_async():
        worker = _worker_of(worker_app, queue, concurrency)
        beating = asyncio.create_task(each_second(lambda: _beat(worker), "heartbeat"))
        patience = Patience()
        freeing = asyncio.create_task(
            each_second(lambda: free_stalled(worker_app, patience.seconds(time.monotonic())), "free_stalled")
        )
        try:
            await worker.run()  # type: ignore[no-untyped-call]  # procrastinate left it bare
        finally:
            freeing.cancel()
            beating.cancel()


def _worker_of(worker_app: App, queue: str, concurrency: int) -> Worker:
    worker_app.perform_import_paths()  # type: ignore[no-untyped-call]  # procrastinate left it bare
    return Worker(
        worker_app,
        queues=[queue],
        name=queue,
        concurrency=concurrency,
        fetch_job_polling_interval=HURRIED.get(queue, POLL_SECONDS),
        abort_job_polling_interval=30.0,
        update_heartbeat_interval=HEARTBEAT_SECONDS,
        stalled_worker_timeout=PRUNED_AFTER_SECONDS,
        shutdown_graceful_timeout=8.0,
        delete_jobs="successful",
        worker_middleware=[_traced],  # an app's defaults reach only workers that it makes itself
    )


async def _beat(worker: Worker) -> None:
    """Procrastinate's own heartbeat ends for good with its first error, and nobody is told (it only watches until its first side
    task ends, which without periodic tasks is at once): the worker went on, and all its jobs were taken from it as from a dead one."""
    if worker.worker_id is not None:
        async with transaction() as session:
            await session.execute(
                text("SELECT procrastinate_update_heartbeat_v1(:worker)"), {"worker": worker.worker_id}
            )


async def _until_database_answers() -> None:
    while True:
        await asyncio.sleep(RECONNECT_SECONDS)
        with suppress(psycopg.OperationalError):
            connection = await psycopg.AsyncConnection.connect(database_url(), connect_timeout=2)
            await connection.close()
            return
