"""What is written down about questions, and how an approved entry reaches a handbook that is already answering."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import select, text

from policy_faq import parse_entry
from policy_faq.entry import ENTRIES
from sms_gateway.clock import HeldClock
from sms_gateway.conversations import after_turn
from sms_gateway.conversations.after_turn import Note
from sms_gateway.database import transaction
from sms_gateway.handbook import asked, drafts, published
from sms_gateway.handbook.live import LiveHandbook
from sms_gateway.handbook.models import Asked, Outcome, Published, Verdict
from tests.console.story import Teller, add_operator
from tests.telling import FakeCarrier

CONTENT = (ENTRIES / "orphan-count.md").read_text(encoding="utf-8")
_numbers = count(1)
FEW = ("orphan-allowance", "orphan-count", "dibao-standard", "dibao-who", "bike-age")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small handbook."""
    made = tmp_path / "entries"
    made.mkdir()
    for name in FEW:
        (made / f"{name}.md").write_text((ENTRIES / f"{name}.md").read_text(encoding="utf-8"), encoding="utf-8")
    return made


async def a_question(words: str = "夏令营能退钱吗", number: str = "+8613800000041") -> tuple[Teller, int]:
    person = Teller(number)
    return person, await person.says(words)


async def rows() -> list[Asked]:
    async with transaction() as session:
        return list(await session.scalars(select(Asked).order_by(Asked.id)))


async def publish(content: str, entry_id: str = "orphan-count") -> None:
    operator = await add_operator(f"who-{next(_numbers)}", "某人", there=False)
    entry = parse_entry(content, f"{entry_id}.md")
    packed = await asyncio.to_thread(published.pack_vectors, entry)
    async with transaction() as session:
        await published.publish(
            session, entry=entry, content=content, packed=packed, draft_id=None, approved_by=operator.id
        )


async def test_a_question_is_written_down_once_and_the_first_verdict_but_praise_stands(carrier: FakeCarrier) -> None:
    person, message = await a_question()
    for _again in range(2):
        await after_turn.write(
            Note(person.thread_id, message, outcome=Outcome.ANSWERED, entry_id="bike-age", score=0.5)
        )
    for verdict in (Verdict.USEFUL, Verdict.HANDED_OVER, Verdict.USELESS):
        await after_turn.write(Note(person.thread_id, message, verdict=verdict))
    [row] = await rows()
    assert (row.entry_id, row.verdict) == ("bike-age", "handed_over")


async def test_a_word_half_an_hour_later_is_not_about_the_answer_any_more(
    carrier: FakeCarrier, clock: HeldClock
) -> None:
    person, message = await a_question()
    await after_turn.write(Note(person.thread_id, message, outcome=Outcome.ANSWERED, entry_id="bike-age"))
    clock.advance(timedelta(minutes=31))
    await after_turn.write(Note(person.thread_id, message, verdict=Verdict.HANDED_OVER))
    assert (await rows())[0].verdict is None


async def test_choosing_between_two_entries_closes_the_gap_and_neither_keeps_it(carrier: FakeCarrier) -> None:
    person, message = await a_question()
    await after_turn.write(Note(person.thread_id, message, outcome=Outcome.UNCLEAR))
    async with transaction() as session:
        assert len(await asked.list_gaps(session)) == 1
    await after_turn.write(Note(person.thread_id, message, chosen=True, entry_id="bike-age"))
    async with transaction() as session:
        assert await asked.list_gaps(session) == []


async def test_a_note_that_cannot_be_written_breaks_nothing_and_does_not_wait(
    carrier: FakeCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(after_turn, "LONGEST_SECONDS", 0.3)
    person, message = await a_question()
    async with transaction() as session:
        await session.execute(text("LOCK TABLE handbook_asked IN ACCESS EXCLUSIVE MODE"))
        async with asyncio.timeout(2):
            await after_turn.write(Note(person.thread_id, message, outcome=Outcome.UNANSWERED))
    assert await rows() == []


async def test_an_approved_entry_is_answered_by_a_handbook_that_was_running_already(
    database: str, carrier: FakeCarrier, folder: Path
) -> None:
    live = LiveHandbook(folder=folder, cache=folder.parent / "handbook.npz")
    assert "9262" in live.book.answer("云南有多少孤儿？").text
    following = asyncio.create_task(live.follow())
    try:
        await asyncio.sleep(0.5)
        before = live.book
        await publish(CONTENT.replace("9262", "8888"))
        async with asyncio.timeout(10):
            while live.book is before:
                await asyncio.sleep(0.05)
        assert "8888" in live.book.answer("云南有多少孤儿？").text
        assert "9262" in before.answer("云南有多少孤儿？").text  # who had taken the old one finishes with it
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def test_an_entrys_vectors_are_made_once_and_read_from_its_row(
    database: str, carrier: FakeCarrier, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from policy_faq import passages

    live = LiveHandbook(folder=folder, cache=folder.parent / "handbook.npz")
    _built = live.book
    await publish(CONTENT.replace("question: 云南有多少孤儿？", "question: 云南现在一共多少孤儿呀？"))

    def refuse(_text: str) -> None:
        raise AssertionError("embedded again")

    monkeypatch.setattr(passages, "embed", refuse)
    assert await live.refresh()
    assert not await live.refresh()
    entry = live.book.entry("orphan-count")
    assert entry is not None and entry.question == "云南现在一共多少孤儿呀？"


async def test_versions_follow_each_other_and_a_retired_file_can_speak_again(
    database: str, carrier: FakeCarrier, folder: Path
) -> None:
    live = LiveHandbook(folder=folder, cache=folder.parent / "handbook.npz")
    await publish(CONTENT.replace("9262", "1111"))
    await publish(CONTENT.replace("9262", "2222"))
    operator = await add_operator("lead", "班长", there=False)
    async with transaction() as session:
        assert [row.version for row in await published.list_versions(session, "orphan-count")] == [2, 1]
        await drafts.retire_entry(session, entry_id="orphan-count", operator_id=operator.id, has_file=True)
    await live.refresh()
    assert live.book.entry("orphan-count") is None
    async with transaction() as session:
        await published.restore_file(session, entry_id="orphan-count", operator_id=operator.id)
    await live.refresh()
    entry = live.book.entry("orphan-count")
    assert entry is not None and "9262" in entry.short
    async with transaction() as session:
        with pytest.raises(published.EntryNotFound):
            await published.restore_file(session, entry_id="orphan-count", operator_id=operator.id)


async def test_an_approved_entry_that_todays_rules_refuse_is_left_out_and_its_file_answers(
    database: str, carrier: FakeCarrier, folder: Path
) -> None:
    await publish(CONTENT.replace("9262", "3333"))
    async with transaction() as session:
        row = (await session.scalars(select(Published))).one()
        row.content = "not an entry any more"
    live = LiveHandbook(folder=folder, cache=folder.parent / "handbook.npz")
    await live.refresh()
    entry = live.book.entry("orphan-count")
    assert entry is not None and "9262" in entry.short


async def test_what_people_asked_and_editors_wrote_is_sealed_in_the_database(carrier: FakeCarrier) -> None:
    person, message = await a_question("夏令营能退钱吗 我想问问")
    await after_turn.write(Note(person.thread_id, message, outcome=Outcome.UNANSWERED))
    operator = await add_operator("bianji", "编辑", there=False)
    async with transaction() as session:
        [row] = await asked.list_gaps(session)
        await drafts.make(session, operator_id=operator.id, asked_ids=[row.id])
    async with transaction() as session:
        stored = [
            str(found)
            for table in ("handbook_asked", "handbook_drafts", "handbook_draft_events", "handbook_entries")
            for found in await session.execute(text(f"SELECT t::text FROM {table} t"))
        ]
    assert len(stored) == 3 and not any("夏令营" in found or "\\\\xe5a48f" in found for found in stored)
