"""Where Rasa keeps its talks: one sealed row a talk in PostgreSQL, so that forms outlive a restart of Rasa.

Only the current session is kept (see `session_expiration_time` in domain.yml; a form's draft is carried over by
`action_session_start`): a tracker is replayed on every turn, and what a child wrote need not lie here twice.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

import psycopg
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered, SessionStarted, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from sealing import Keyring, SealBroken

from . import turns

log = logging.getLogger("bot.tracker_store")

_READ = "SELECT sealed FROM bot_trackers WHERE sender = %s"
_WRITE = """
INSERT INTO bot_trackers (sender, sealed, updated_at) VALUES (%s, %s, now())
ON CONFLICT (sender) DO UPDATE SET sealed = EXCLUDED.sealed, updated_at = EXCLUDED.updated_at
"""
_KEYS = "SELECT sender FROM bot_trackers"
_RANKED = 3
"""Intents kept of an old turn's ranking."""

_FORM_OFF = [
    {"event": "active_loop", "name": None},
    {"event": "slot", "name": "requested_slot", "value": None},
    {"event": "slot", "name": "draft", "value": None},
]
"""What ends an open form without a word: the line has answered danger or a disclosure itself, or a human spoke."""

Result = TypeVar("Result")


class TrackerStoreFailed(RuntimeError):
    """The talks cannot be read or written; the turn goes to a person. Details stay out: they may hold a text."""


def _address() -> str:
    address = os.environ.get("HOTLINE_BOT_DATABASE_URL") or os.environ.get("HOTLINE_DATABASE_URL")
    if not address:
        raise TrackerStoreFailed("HOTLINE_DATABASE_URL is not set")
    return address.replace("postgresql+psycopg://", "postgresql://", 1)


def _keyring() -> Keyring:
    key = os.environ.get("HOTLINE_DATA_KEY")
    if not key:
        raise TrackerStoreFailed("HOTLINE_DATA_KEY is not set")
    return Keyring.from_text(key)


class SealedTrackerStore(TrackerStore):
    """Table `bot_trackers(sender text primary key, sealed bytea, updated_at timestamptz)`, made by the migrations."""

    def __init__(self, domain: Domain | None, event_broker: EventBroker | None = None, **settings: Any) -> None:
        super().__init__(domain, event_broker)
        self._address = _address()
        self._keyring = _keyring()
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._opening = asyncio.Lock()

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Keep the session of `tracker`. A failed turn is not kept: the talk stays as it was before it."""
        if turns.has_failed():
            return
        sealed = self._keyring.seal(_written(tracker), _place(tracker.sender_id))
        await self._do(lambda db: db.execute(_WRITE, (tracker.sender_id, sealed)))

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """The talk's current session, or None when there is none. Raises `TrackerStoreFailed`."""
        cursor = await self._do(lambda db: db.execute(_READ, (sender_id,)))
        row = await cursor.fetchone()
        if row is None:
            return None
        try:
            events = json.loads(self._keyring.open(bytes(row[0]), _place(sender_id)))
        except SealBroken:
            raise self._failure("tracker_does_not_open") from None
        outcome = turns.current()
        if outcome is not None:
            outcome.said_before = _said_to(outcome.message, events)
            outcome.failed = outcome.failed or bool(outcome.said_before)  # no action is run, nothing is saved
            if outcome.form_off:
                events += _FORM_OFF
        return DialogueStateTracker.from_dict(sender_id, events, self.domain.slots)

    async def keys(self) -> Iterable[str]:
        cursor = await self._do(lambda db: db.execute(_KEYS))
        return [row[0] for row in await cursor.fetchall()]

    async def _do(self, work: Callable[[psycopg.AsyncConnection[Any]], Awaitable[Result]]) -> Result:
        """`work` on the one connection; once more on a new one, since the old one may have died in between."""
        try:
            return await work(await self._open())
        except psycopg.Error:
            log.warning("tracker_store_tried_again")
        try:
            return await work(await self._open())
        except psycopg.Error:
            raise self._failure("tracker_store_failed") from None

    async def _open(self) -> psycopg.AsyncConnection[Any]:
        async with self._opening:
            if self._connection is None or self._connection.closed:
                self._connection = await psycopg.AsyncConnection.connect(
                    self._address, autocommit=True, connect_timeout=3
                )
            return self._connection

    def _failure(self, event: str) -> TrackerStoreFailed:
        log.error(event)
        turns.mark_failed()
        return TrackerStoreFailed(event)


def _said_to(message: int | None, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was said in answer to that message, when it was the last one heard; nothing for another."""
    said: list[dict[str, Any]] = []
    for event in reversed(events):
        if event.get("event") == UserUttered.type_name:
            heard = (event.get("metadata") or {}).get("message")
            return said[::-1] if message is not None and heard == message else []
        if event.get("event") == BotUttered.type_name:
            custom = (event.get("data") or {}).get("custom")
            said.append({key: value for key, value in (("text", event.get("text")), ("custom", custom)) if value})
    return []


def _place(sender_id: str) -> bytes:
    return b"bot_trackers.sealed:" + sender_id.encode()


def _written(tracker: DialogueStateTracker) -> bytes:
    """The events from the last session start on, as JSON, without what only the turn itself needed."""
    events: list[dict[str, Any]] = []
    for event in reversed(tracker.events):
        events.append(_slim(event.as_dict()))
        if isinstance(event, SessionStarted):
            break
    return json.dumps(events[::-1], ensure_ascii=False, separators=(",", ":")).encode()


def _slim(event: dict[str, Any]) -> dict[str, Any]:
    if event.get("event") != UserUttered.type_name:
        return event
    parsed = event.get("parse_data") or {}
    kept = {key: parsed[key] for key in ("intent", "entities", "text") if key in parsed}
    kept["intent_ranking"] = (parsed.get("intent_ranking") or [])[:_RANKED]
    metadata = {key: value for key, value in (event.get("metadata") or {}).items() if key != "e5"}
    return {**event, "parse_data": kept, "metadata": metadata}
