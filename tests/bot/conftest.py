"""Rasa and the action server as they really run, on a throw-away database, with the trained model."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from sms_gateway import clock
from sms_gateway.contacts.models import Channel
from sms_gateway.database import transaction
from sms_gateway.messages import inbox
from sms_gateway.settings import get_settings
from sms_gateway.supervision.bot_model import trained_model
from sms_gateway.supervision.places import DataDir
from sms_gateway.supervision.scratch import ScratchHotline, ScratchPostgres, scratch_hotline
from texts.embedding import embed, pack_base64

collect_ignore = ["rasa_side"]  # runs in Rasa's environment, see test_rasa_side.py

_numbers = count(1)


@pytest.fixture(scope="session")
def model() -> Path:
    """The trained model of the data as they are; made once, under a minute or two."""
    return trained_model(DataDir.at(get_settings().data_dir))


@pytest.fixture(scope="session")
async def assistant(postgres: ScratchPostgres, model: Path) -> AsyncIterator[ScratchHotline]:
    url = postgres.create("assistant", template="template")
    shared = {name: os.environ[name] for name in ("HOTLINE_DATA_KEY", "HOTLINE_BOT_SECRET")}
    folder = postgres.folder / "assistant"
    async with scratch_hotline(folder, "rasa", "actions", database_url=url, model=model, settings=shared) as hotline:
        yield hotline


@pytest.fixture
async def on_its_database(assistant: ScratchHotline, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Our own code writes into the database the assistant uses."""
    from sms_gateway import database as ground

    monkeypatch.setenv("HOTLINE_DATABASE_URL", assistant.environment["HOTLINE_DATABASE_URL"])
    get_settings.cache_clear()
    yield
    await ground.dispose()
    get_settings.cache_clear()


@dataclass
class Talk:
    """One person's talk with the assistant, as the front door has it."""

    client: httpx.AsyncClient
    environment: Any
    number: str = field(default_factory=lambda: f"+86138000{next(_numbers):05d}")
    thread_id: int = 0
    status: int = 0
    last: list[dict[str, Any]] = field(default_factory=list)

    async def say(self, text: str, *, within: float = 20.0, **metadata: Any) -> list[str]:
        """The texts that come back; `last` are the whole replies, `status` the answer's."""
        inbound = inbox.Inbound(Channel.SMS, self.number, text, "simulator", uuid4().hex, clock.now())
        async with transaction() as session:
            found = await inbox.record(session, inbound)
        assert found is not None
        self.thread_id = found.thread_id
        turn = {
            "contact": found.contact_id, "message": found.message_id, "thread": found.thread_id, "turn": uuid4().hex,
            "deadline": time.time() + within, "channel": "sms", "region": None, "e5": pack_base64(embed(text)), **metadata,
        }  # fmt: skip
        body = {"sender": f"thread-{found.thread_id}", "message": text, "metadata": turn}
        answer = await self.client.post(
            self.environment["HOTLINE_RASA_URL"] + "/webhooks/hotline/webhook",
            json=body,
            headers={"X-Hotline-Secret": self.environment["HOTLINE_BOT_SECRET"]},
            timeout=30,
        )
        self.status = answer.status_code
        self.last = answer.json() if answer.status_code == 200 else []
        return [reply["text"] for reply in self.last if reply.get("text")]

    @property
    def keys(self) -> list[str]:
        return [reply["custom"]["key"] for reply in self.last]


@pytest.fixture
async def talk(assistant: ScratchHotline, on_its_database: None) -> AsyncIterator[Talk]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield Talk(client, assistant.environment)


@pytest.fixture
def call() -> dict[str, Any]:
    """What Rasa sends the action server, for `action_greet`."""
    metadata = {"contact": 1, "message": 2, "thread": 3, "turn": "t", "deadline": time.time() + 20}
    latest = {"text": "你好", "intent": {"name": "greet", "confidence": 0.9}, "entities": [], "metadata": metadata}
    tracker = {
        "sender_id": "thread-3", "slots": {}, "latest_message": latest, "events": [], "paused": False,
        "followup_action": None, "active_loop": {}, "latest_action_name": None,
    }  # fmt: skip
    return {"next_action": "action_greet", "sender_id": "thread-3", "tracker": tracker, "version": "3.6.21"}
