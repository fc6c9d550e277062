"""The mark of each success: a subscription's position moves on, on one connection of this process for all subscribers."""

from __future__ import annotations

import psycopg

from sms_gateway import clock
from sms_gateway.database import database_url

from .ledger import LEASE, Run

MOVE_ON = """
    UPDATE event_subscriptions
    SET delivered_position = %(position)s, last_delivered_at = %(now)s, last_status = %(status)s, failures = 0,
        next_at = NULL, leased_until = %(until)s
    WHERE id = %(subscription)s AND leased_by = %(holder)s
    RETURNING active
"""


class Marker:
    """A connection in autocommit: a mark is one short statement, so that marking keeps up with sending.

    Marks are not waited for on disk (`synchronous_commit`): they outlive any process of ours; when the database's machine
    itself loses power, the last half second's events may come once more, under the same `webhook-id`.
    """

    def __init__(self) -> None:
        self._connection: psycopg.AsyncConnection[tuple[bool]] | None = None

    async def move_on(self, run: Run, *, position: int, status: str) -> bool:
        """Everything up to `position` is delivered; False when the run no longer holds the subscriber, or it was paused."""
        now = clock.now()
        connection = await self._connected()
        cursor = await connection.execute(
            MOVE_ON,
            {
                "position": position, "now": now, "status": status, "until": now + LEASE,
                "subscription": run.subscription_id, "holder": run.holder,
            },
            prepare=True,
        )  # fmt: skip
        row = await cursor.fetchone()
        return row is not None and row[0]

    async def _connected(self) -> psycopg.AsyncConnection[tuple[bool]]:
        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(
                database_url(), autocommit=True, connect_timeout=3, options="-c synchronous_commit=off"
            )
        return self._connection

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()
