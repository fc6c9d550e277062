"""Talks are kept sealed, one session long, and a failed turn leaves them as they were."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActiveLoop, BotUttered, SessionStarted, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot import turns
from bot.tracker_store import SealedTrackerStore, TrackerStoreFailed
from sealing import Keyring

STORY = "班主任天天骂我是猪"
DOMAIN = Domain.from_dict(
    {"intents": ["complaint"], "slots": {"draft": {"type": "any", "mappings": [{"type": "custom"}]}},
     "forms": {"complaint_form": {"required_slots": []}}}
)  # fmt: skip


class Rows:
    """Stands in for the connection: one table in memory."""

    def __init__(self) -> None:
        self.table: dict[str, bytes] = {}
        self.broken = 0
        self.closed = False

    async def execute(self, query: str, values: tuple[Any, ...] = ()) -> Rows:
        if self.broken:
            self.broken -= 1
            raise psycopg.OperationalError(STORY)
        if query.lstrip().startswith("INSERT"):
            self.table[values[0]] = values[1]
        self.found = [(self.table[values[0]],)] if values and values[0] in self.table else []
        return self

    async def fetchone(self) -> tuple[bytes] | None:
        return self.found[0] if self.found else None


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture
def store(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> SealedTrackerStore:
    monkeypatch.setenv("HOTLINE_DATABASE_URL", "postgresql+psycopg://nobody@nowhere/none")
    monkeypatch.setenv("HOTLINE_DATA_KEY", base64.b64encode(b"k" * 32).decode())
    made = SealedTrackerStore(DOMAIN)

    async def opened() -> Rows:
        return rows

    monkeypatch.setattr(made, "_open", opened)
    return made


@pytest.fixture
def outcome() -> Iterator[turns.Outcome]:
    made = turns.Outcome()
    turns.begin(made)
    yield made
    turns.begin(turns.Outcome())


def talk(sender: str = "thread-1") -> DialogueStateTracker:
    tracker = DialogueStateTracker.from_events(sender, [], slots=DOMAIN.slots)
    said = {"text": STORY, "intent": {"name": "complaint", "confidence": 0.9}, "entities": [],
            "intent_ranking": [{"name": str(i), "confidence": 0.1} for i in range(16)],
            "metadata": {"e5": "A" * 1024}, "text_tokens": [[0, 1]]}  # fmt: skip
    events = [
        SessionStarted(), ActionExecuted("action_listen"), UserUttered("以前的话", {"name": "complaint"}),
        SessionStarted(), ActionExecuted("action_listen"),
        UserUttered(STORY, said["intent"], [], said, metadata={"e5": "A" * 1024, "turn": "t"}),
        ActiveLoop("complaint_form"), SlotSet("draft", {"asked": "county"}), SlotSet("requested_slot", "county"),
    ]  # fmt: skip
    for event in events:
        tracker.update(event, DOMAIN)
    return tracker


async def test_a_form_outlives_the_process(store: SealedTrackerStore) -> None:
    await store.save(talk())
    found = await store.retrieve("thread-1")
    assert found is not None
    assert found.active_loop_name == "complaint_form"
    assert found.get_slot("requested_slot") == "county" and found.get_slot("draft") == {"asked": "county"}


async def test_nothing_readable_lies_in_the_table(store: SealedTrackerStore, rows: Rows) -> None:
    await store.save(talk())
    assert STORY.encode() not in rows.table["thread-1"]


async def test_only_the_last_session_is_kept_without_vectors(store: SealedTrackerStore, rows: Rows) -> None:
    await store.save(talk())
    written = Keyring.from_text(base64.b64encode(b"k" * 32).decode()).open(
        rows.table["thread-1"], b"bot_trackers.sealed:thread-1"
    )
    events = json.loads(written)
    said = [event for event in events if event["event"] == "user"]
    assert events[0]["event"] == "session_started" and len(said) == 1
    assert b"AAAA" not in written and said[0]["metadata"] == {"turn": "t"}
    assert len(said[0]["parse_data"]["intent_ranking"]) == 3


async def test_a_talk_moved_to_another_sender_does_not_open(
    store: SealedTrackerStore, rows: Rows, outcome: turns.Outcome
) -> None:
    await store.save(talk())
    rows.table["thread-2"] = rows.table["thread-1"]
    with pytest.raises(TrackerStoreFailed):
        await store.retrieve("thread-2")
    assert outcome.failed


async def test_a_failed_turn_is_not_kept(store: SealedTrackerStore, rows: Rows, outcome: turns.Outcome) -> None:
    turns.mark_failed()
    await store.save(talk())
    assert outcome.failed and not rows.table


async def test_a_lost_connection_is_tried_once_more(store: SealedTrackerStore, rows: Rows) -> None:
    rows.broken = 1
    await store.save(talk())
    assert "thread-1" in rows.table


async def test_a_database_that_is_down_fails_the_turn_without_a_word_of_it(
    store: SealedTrackerStore, rows: Rows, outcome: turns.Outcome
) -> None:
    rows.broken = 2
    with pytest.raises(TrackerStoreFailed) as failure:
        await store.retrieve("thread-1")
    assert STORY not in str(failure.value) and failure.value.__cause__ is None
    assert outcome.failed


async def test_a_talk_that_is_not_there_is_none(store: SealedTrackerStore) -> None:
    assert await store.retrieve("thread-9") is None


async def _kept_answer(store: SealedTrackerStore, outcome: turns.Outcome) -> None:
    tracker = talk()
    tracker.update(UserUttered(STORY, metadata={"message": 7}))
    tracker.update(BotUttered("现在还这样吗？", {"custom": {"key": "form.complaint.still"}}))
    await store.save(tracker)


async def test_the_same_message_asked_again_gets_the_same_words_and_changes_nothing(
    store: SealedTrackerStore, outcome: turns.Outcome
) -> None:
    await _kept_answer(store, outcome)
    again = turns.Outcome(message=7)
    turns.begin(again)
    await store.retrieve("thread-1")
    assert again.said_before == [{"text": "现在还这样吗？", "custom": {"key": "form.complaint.still"}}]
    assert again.failed, "no action is run, nothing is saved"


async def test_another_message_is_read(store: SealedTrackerStore, outcome: turns.Outcome) -> None:
    await _kept_answer(store, outcome)
    following = turns.Outcome(message=8)
    turns.begin(following)
    await store.retrieve("thread-1")
    assert following.said_before == [] and not following.failed


async def test_a_form_that_the_front_door_ended_is_open_no_more(
    store: SealedTrackerStore, outcome: turns.Outcome
) -> None:
    await store.save(talk())
    ended = turns.Outcome(message=9, form_off=True)
    turns.begin(ended)
    found = await store.retrieve("thread-1")
    assert found is not None and found.active_loop_name is None and found.get_slot("draft") is None
