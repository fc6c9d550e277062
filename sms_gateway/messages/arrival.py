"""The usual text in, in one statement: a person already known, the row, both its jobs and the notice of it.

Four statements cost the webhook three more journeys to the database. `inbox.receive` tries this one first; for somebody
new it makes them known (`NEWCOMER`) and tries again.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import (
    DateTime,
    Executable,
    LargeBinary,
    String,
    Uuid,
    bindparam,
    cast,
    func,
    literal,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert

from sms_gateway import tracing
from sms_gateway.contacts.models import Contact
from sms_gateway.jobs import app

from .models import Author, Direction, Message, Thread

JUDGE, TAKE_TURN = "conversations.judge", "conversations.take_turn"

NEWCOMER = text("""
WITH made AS (
    INSERT INTO contacts (uid, channel, address_sealed, address_index, created_at, open_case)
    VALUES (:uid, :channel, :address_sealed, :address_index, :at, false)
    ON CONFLICT (channel, address_index) DO NOTHING RETURNING id
), who AS (
    SELECT id FROM made UNION ALL SELECT id FROM contacts WHERE channel = :channel AND address_index = :address_index
)
INSERT INTO threads (contact_id, channel, owner, version, lane, created_at)
SELECT id, :channel, 'assistant', 1, 'blue', :at FROM who
ON CONFLICT (contact_id, channel) DO NOTHING
""")
"""A contact and their talk. Two at once: the second waits in its ON CONFLICT until the first, talk and all, is there."""


@lru_cache(maxsize=1)
def statement() -> Executable:
    """Bind: channel, address_index, uid, body_sealed, at, carrier, carrier_id, extension, trace.

    Gives `(thread_id, contact_id, message_id, …)`: no row for somebody new, `message_id` NULL for a repeated text.
    """
    channel = bindparam("channel", type_=String())
    known = (
        select(Thread.id.label("thread_id"), Thread.contact_id)
        .join(Contact, Contact.id == Thread.contact_id)
        .where(Contact.channel == channel, Contact.address_index == bindparam("address_index", type_=LargeBinary()))
        .where(Thread.channel == channel)
        .cte("known")
    )
    values: dict[str, Any] = {
        "uid": bindparam("uid", type_=Uuid()),
        "thread_id": known.c.thread_id,
        "contact_id": known.c.contact_id,
        "direction": literal(str(Direction.IN)),
        "author": literal(str(Author.PERSON)),
        "body_sealed": bindparam("body_sealed", type_=LargeBinary()),
        "at": bindparam("at", type_=DateTime(timezone=True)),
        "carrier": bindparam("carrier", type_=String()),
        "carrier_id": bindparam("carrier_id", type_=String()),
        "extension": bindparam("extension", type_=String()),
        "trace": bindparam("trace", type_=String()),
    }
    row = insert(Message).from_select(list(values), select(*values.values()))
    returned = row.on_conflict_do_nothing().returning(Message.id, Message.thread_id, Message.contact_id, Message.trace)
    stored = returned.cte("stored")
    deferred = select(func.procrastinate_defer_jobs_v1(literal_column(_jobs()))).select_from(stored)
    told = select(func.pg_notify("hotline_thread", cast(stored.c.thread_id, String))).select_from(stored)
    return select(
        known.c.thread_id,
        known.c.contact_id,
        stored.c.id,
        deferred.scalar_subquery(),
        cast(told.scalar_subquery(), String),
    ).select_from(known.outerjoin(stored, literal(True)))


def _jobs() -> str:
    """Procrastinate's own argument for the two jobs of the row `stored`; a misspelt name raises."""
    app.perform_import_paths()  # type: ignore[no-untyped-call]  # procrastinate left it bare
    ids = f"jsonb_build_object('message_id', stored.id, '{tracing.NAME}', stored.trace)"
    rows = [
        f"ROW('{app.tasks[name].queue}', '{name}', 0, {lock}, NULL, {ids}, NULL)"
        for name, lock in ((JUDGE, "NULL"), (TAKE_TURN, "'contact:' || stored.contact_id"))
    ]
    return f"ARRAY[{', '.join(rows)}]::procrastinate_job_to_defer_v1[]"
