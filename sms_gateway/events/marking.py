"""The mark of each success: a subscription's position moves on in the database before the next event leaves.

A mark is handed to the database's socket before the next POST begins, and its answer is read after that POST: from there
on it is committed whatever becomes of this process, so a worker that is killed repeats at most the event it was sending.
psycopg's own `execute` costs more than the POST beside it (measured: 0.25 of 0.9 ms), so its libpq is used directly.
"""

from __future__ import annotations

import asyncio
from datetime import datetime

import psycopg
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn

from sms_gateway import clock
from sms_gateway.database import database_url

from .ledger import LEASE, Run

NAME = b"move_on"
MOVE_ON = b"""
    UPDATE event_subscriptions
    SET delivered_position = $1::bigint, last_delivered_at = $2::timestamptz, last_status = $3::text, failures = 0,
        next_at = NULL, leased_until = $4::timestamptz
    WHERE id = $5::bigint AND leased_by = $6::uuid
    RETURNING active
"""
LOOK_EVERY_SECONDS = 0.001
"""How often a mark is looked for that is not there when it is needed."""


class MarkIsLost(psycopg.OperationalError):
    """The database went away: the run ends, and another goes on from the last mark."""


class Marks:
    """The marks of one run. Committed, but not waited for on disk (`synchronous_commit`): they outlive any process of ours.

    When the database's machine itself loses power, the last half second's events may come once more, under the same
    `webhook-id`.
    """

    def __init__(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        self.connection = connection
        self._pgconn: PGconn = connection.pgconn
        self._open = False

    def send(self, run: Run, *, position: int, status: str) -> None:
        """Everything up to `position` is delivered. The mark before must have been read."""
        now = clock.now()
        values = (position, now, status, now + LEASE, run.subscription_id, run.holder)
        self._pgconn.send_query_prepared(NAME, [_text(value) for value in values])
        self._pgconn.flush()  # a few hundred bytes: they fit
        self._open = True

    async def read(self) -> bool:
        """Whether to go on after the mark sent last: False when the run no longer holds the subscriber, or it was paused."""
        if not self._open:
            return True
        self._pgconn.consume_input()
        while self._pgconn.is_busy():
            await asyncio.sleep(LOOK_EVERY_SECONDS)
            self._pgconn.consume_input()
        result, self._open = self._pgconn.get_result(), False
        if result is None or result.status != ExecStatus.TUPLES_OK:
            raise MarkIsLost
        while self._pgconn.get_result() is not None:
            pass
        return bool(result.ntuples == 1) and result.get_value(0, 0) == b"t"


def _text(value: object) -> bytes:
    return (value.isoformat() if isinstance(value, datetime) else str(value)).encode()


class Marker:
    """Connections for runs, kept for the next."""

    def __init__(self) -> None:
        self._free: list[Marks] = []

    async def take(self) -> Marks:
        """Marks for a run."""
        while self._free:
            marks = self._free.pop()
            if not marks.connection.closed:
                return marks
        return Marks(await asyncio.to_thread(_connect))

    async def give_back(self, marks: Marks) -> None:
        """The run is over; its last mark is waited for."""
        try:
            await marks.read()
        except psycopg.Error:
            marks.connection.close()
        else:
            self._free.append(marks)

    def close(self) -> None:
        """When no run is left."""
        for marks in self._free:
            marks.connection.close()


def _connect() -> psycopg.Connection[tuple[object, ...]]:
    connection = psycopg.connect(
        database_url(), autocommit=True, connect_timeout=3, options="-c synchronous_commit=off"
    )
    connection.pgconn.prepare(NAME, MOVE_ON)
    connection.pgconn.nonblocking = 1
    return connection
