"""The database is away: nothing is lost, danger is answered, and nobody is answered twice."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.carriers.carrier import CarrierDidNotAnswer, CarrierIsBusy
from sms_gateway.contacts.models import Channel
from sms_gateway.database import transaction
from sms_gateway.escalations.models import Escalation
from sms_gateway.messages import inbox, outbox, spool, spool_files, spool_texts
from sms_gateway.messages.inbox import Inbound
from sms_gateway.messages.models import Message
from sms_gateway.settings import get_settings
from sms_gateway.webhooks import asks_for_silence
from sms_gateway.wording import SIGNATURE, say
from tests.telling import Person

DANGER = "有人拿刀砍我妈 快来"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))
    get_settings.cache_clear()


def _inbound(text: str, carrier_id: str) -> Inbound:
    return Inbound(Channel.SMS, "+8613800000001", text, "simulator", carrier_id, clock.now())


async def test_a_danger_text_is_answered_once_and_rings_when_the_database_is_back(
    person: Person, tmp_path: Path
) -> None:
    await spool.keep(_inbound(DANGER, "a"))
    await spool.keep(_inbound(DANGER, "a"))  # the carrier tries again
    await spool.keep(_inbound("你好", "b"))
    assert [body for _to, body in person.carrier.sent] == [SIGNATURE + say("red.violence")]
    assert (spool.counts().spooled, spool.counts().spooled_red) == (2, 1)
    assert all(DANGER.encode() not in path.read_bytes() for path in tmp_path.rglob("*.sealed"))

    assert await spool.replay() == 2
    await person.run()
    assert spool.counts().spooled == 0
    assert [body for _to, body in person.carrier.sent].count(SIGNATURE + say("red.violence")) == 1
    async with transaction() as session:
        [call] = await session.scalars(select(Escalation).where(Escalation.lane == "red"))
        stored = (await session.scalars(select(Message).where(Message.direction == "in").order_by(Message.id))).all()
    assert [message.body for message in stored] == [DANGER, "你好"]
    assert call.received_at == stored[0].at


async def test_replay_waits_while_the_database_is_still_away(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    from sms_gateway import database

    await spool.keep(_inbound("在吗", "c"))
    await database.dispose()
    good = get_settings().database_url
    assert good is not None
    monkeypatch.setenv("HOTLINE_DATABASE_URL", "postgresql://nobody:x@127.0.0.1:1/none")
    get_settings.cache_clear()
    assert await spool.replay() == 0
    assert spool.counts().spooled == 1
    await database.dispose()
    monkeypatch.setenv("HOTLINE_DATABASE_URL", good.get_secret_value())
    get_settings.cache_clear()
    assert await spool.replay() == 1


async def test_one_text_that_will_not_go_in_does_not_hold_back_the_others(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    await spool.keep(_inbound("坏的", "d"))
    await spool.keep(_inbound("好的", "e"))
    bring_in = spool._bring_in

    async def refuses_one(session: AsyncSession, inbound: Inbound, mark: spool.Mark | None) -> None:
        if inbound.carrier_id == "d":
            raise ValueError
        await bring_in(session, inbound, mark)

    monkeypatch.setattr(spool, "_bring_in", refuses_one)
    assert await spool.replay() == 1
    assert spool.counts().spooled == 1


async def test_a_text_is_not_replayed_while_its_safe_reply_is_on_its_way(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    replayed: list[int] = []
    send = person.carrier.send

    async def send_slowly(*, to: str, body: str, reference: int) -> str:
        replayed.append(await spool.replay())
        return await send(to=to, body=body, reference=reference)

    monkeypatch.setattr(person.carrier, "send", send_slowly)
    await spool.keep(_inbound(DANGER, "f"))
    assert replayed == [0]
    assert await spool.replay() == 1


async def _answered(person: Person) -> list[str]:
    """What left for them, and what the database says left."""
    async with transaction() as session:
        out = select(Message).where(Message.direction == "out", Message.state != "cancelled").order_by(Message.id)
        return [str(message.state) for message in await session.scalars(out)]


@pytest.mark.parametrize(("taken", "left"), [(True, ["sent"]), (False, ["sent"])])
async def test_a_safe_reply_nobody_heard_of_is_looked_up_and_said_once(
    person: Person, taken: bool, left: list[str]
) -> None:
    send = person.carrier.send

    async def loses_the_answer(*, to: str, body: str, reference: int) -> str:
        if taken:
            await send(to=to, body=body, reference=reference)
        raise CarrierDidNotAnswer

    person.carrier.send = loses_the_answer  # type: ignore[method-assign,assignment]
    await spool.keep(_inbound(DANGER, "g"))
    person.carrier.send = send  # type: ignore[method-assign]
    await spool.care()
    assert len(person.carrier.sent) == int(taken), "nothing is sent again while nobody knows"
    assert await spool.replay() == 1
    await person.run()
    assert [body for _to, body in person.carrier.sent] == [SIGNATURE + say("red.violence")]
    assert await _answered(person) == left


async def test_a_commit_that_was_on_its_way_is_no_reason_to_answer_twice(person: Person) -> None:
    text_in = _inbound(DANGER, "w")
    async with transaction() as session:
        assert await inbox.receive(session, text_in)  # committed, but our door heard no more of it
    await spool.keep(text_in)
    assert await spool.replay() == 1
    await person.run()
    assert len(person.carrier.sent) == 1
    async with transaction() as session:
        assert len((await session.scalars(select(Escalation).where(Escalation.lane == "red"))).all()) == 1


async def test_a_carrier_that_is_busy_is_asked_again_while_the_database_is_away(person: Person) -> None:
    person.carrier.fails = [CarrierIsBusy("busy"), CarrierIsBusy("busy")]
    await spool.keep(_inbound(DANGER, "h"))
    for _ in range(3):
        await spool.care()
    assert [body for _to, body in person.carrier.sent] == [SIGNATURE + say("red.violence")]


async def test_what_a_killed_gateway_left_unjudged_is_answered_by_the_next(person: Person) -> None:
    held = spool_texts.write(_inbound(DANGER, "i"), red=False)
    assert held is not None
    assert spool.counts().spooled_red == 0
    await spool.care()
    assert person.carrier.sent == [], "its own gateway still has it"
    held.release()  # as when that process ends
    await spool.care()
    assert len(person.carrier.sent) == 1 and spool.counts().spooled_red == 1


async def test_two_texts_of_danger_right_after_each_other_get_one_reply(person: Person) -> None:
    await spool.keep(_inbound(DANGER, "j"))
    await spool.keep(_inbound("他又拿刀过来了 快来人", "k"))
    assert len(person.carrier.sent) == 1
    assert await spool.replay() == 2
    await person.run()
    assert len(person.carrier.sent) == 1


async def test_nothing_goes_back_to_whoever_asked_for_silence(person: Person) -> None:
    await spool.keep(_inbound("退订 救救我 有人拿刀砍我", "l"), hush=asks_for_silence)
    assert person.carrier.sent == []
    assert spool.counts().spooled_red == 1


async def test_a_later_text_does_not_overtake_those_that_wait(person: Person) -> None:
    first = spool_texts.write(_inbound("第一条", "m"), red=False)
    assert first is not None
    assert spool.holds_of(_inbound("第二条", "n"))
    assert await spool.replay() == 0, "somebody has it in hand"
    first.release()
    assert await spool.replay() == 1
    assert not spool.holds_of(_inbound("第二条", "n"))


async def test_danger_is_replayed_before_a_long_outage_is_worked_off(person: Person) -> None:
    for number in range(3):
        await spool.keep(replace(_inbound("几点上班", f"o{number}"), address=f"+861380000010{number}"))
    await spool.keep(_inbound("你好", "p"))
    await spool.keep(_inbound(DANGER, "q"))
    await spool.replay()
    async with transaction() as session:
        stored = await session.scalars(select(Message.carrier_id).where(Message.direction == "in").order_by(Message.id))
        assert list(stored) == ["p", "q", "o0", "o1", "o2"], (
            "the whole talk of the one in danger, in its order, then the rest"
        )


async def test_the_polices_answer_is_no_persons_text_after_an_outage(person: Person) -> None:
    await spool.keep(_inbound("已派警", "r"))

    async def hears(_session: AsyncSession, sender: str, body: str) -> bool:
        return (sender, body) == ("+8613800000001", "已派警")

    assert await spool.replay(hear=hears) == 1
    async with transaction() as session:
        assert (await session.scalars(select(Message))).all() == []


async def test_a_receipt_that_came_during_the_outage_settles_the_safe_reply(person: Person) -> None:
    await spool.keep(_inbound(DANGER, "s"))
    mark = spool_texts.read_mark(spool_files.in_order(spool.folder())[0])
    assert mark is not None and mark.carrier_id
    async with transaction() as session:
        await outbox.apply_receipt(session, carrier="simulator", carrier_id=mark.carrier_id, state="delivered")
    await spool.replay()
    assert await _answered(person) == ["delivered"]


async def test_a_full_disk_takes_danger_from_the_reserve_and_refuses_the_rest(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    await spool.care()
    reserve = spool.folder() / spool_files.RESERVE
    before = reserve.stat().st_size
    assert before == get_settings().spool_reserved_mb * spool.MB
    write_all = spool_files._write_all

    def no_space_left(handle: int, content: bytes) -> None:
        if reserve.stat().st_size == before:
            raise OSError(errno.ENOSPC, "No space left on device")
        write_all(handle, content)

    monkeypatch.setattr(spool_files, "_write_all", no_space_left)
    with pytest.raises(spool.SpoolIsFull):
        await spool.keep(_inbound("你好", "t"))
    await spool.keep(_inbound(DANGER, "u"))
    assert (spool.counts().spooled, spool.counts().spooled_red) == (1, 1)
    assert list(spool.folder().glob("*.making")) == []
    await spool.replay()
    await spool.care()
    assert reserve.stat().st_size == before, "it is filled again"


async def test_without_any_disk_danger_is_still_answered_once(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_disk(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(spool_files, "write_new", no_disk)
    for _ in range(2):
        with pytest.raises(spool.SpoolIsFull):
            await spool.keep(_inbound(DANGER, "v"))
    assert len(person.carrier.sent) == 1


@settings(deadline=None)
@given(texts=st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=12))
def test_every_order_of_replay_keeps_each_phones_own(texts: list[tuple[int, bool]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for index, (whose, red) in enumerate(texts):
            at = datetime.fromtimestamp(1_800_000_000 + index, UTC)
            held = spool_files.write_new(place, f"{whose:016x}-{index:024x}.sealed", b"x", at=at)
            assert held is not None
            held.release()
            if red:
                spool_files.write_mark(held.path, spool_files.RED, b"x")
        found = [path.stem.split("-") for path in spool_files.danger_first(place)]
        assert sorted(int(index, 16) for _whose, index in found) == list(range(len(texts)))
        for number in range(4):
            mine = [int(index, 16) for whose, index in found if int(whose, 16) == number]
            assert mine == sorted(mine)
        urgent = {whose for whose, red in texts if red}
        calm = [int(whose, 16) not in urgent for whose, _index in found]
        assert calm == sorted(calm), "everything of those in danger comes first"


async def test_a_text_that_cannot_be_opened_holds_nobody_back(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copied by root, or on a bad sector: it stays and is counted, and comes in once it can be read."""
    await spool.keep(_inbound("打不开的", "p"))
    await spool.keep(_inbound("后来的", "q"))
    theirs = replace(_inbound("别人的", "r"), address="+8613800000002")
    held = spool_texts.write(theirs, red=False)  # a killed gateway left it unjudged
    assert held is not None
    held.release()
    [shut, *_] = spool_files.in_order(spool.folder())
    really = os.open

    def opens(path: Any, *how: Any, **more: Any) -> int:
        if Path(path) == shut:
            raise PermissionError(errno.EACCES, "denied")
        return really(path, *how, **more)

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", opens)
        shut.with_suffix(spool_files.CALM).unlink()
        await spool.care()
        assert spool_files.in_order(spool.folder())[-1].with_suffix(spool_files.CALM).exists(), "the others are judged"
        assert await spool.replay() == 2
        assert spool_files.in_order(spool.folder()) == [shut]
    assert await spool.replay() == 1 and spool.counts().spooled == 0


async def test_where_the_folder_does_not_sync_the_text_is_refused_and_left_to_the_next(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The carrier heard no 200 and tries again; what lies there is unlocked, judged, and brought in once."""
    really = os.fsync

    def fails_for_folders(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EIO, "bad disk")
        really(handle)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fails_for_folders)
        with pytest.raises(spool.SpoolIsFull):
            await spool.keep(_inbound("在吗", "s"))
    [path] = spool_files.in_order(spool.folder())
    await spool.care()
    assert path.with_suffix(spool_files.CALM).exists()
    await spool.keep(_inbound("在吗", "s"))
    assert await spool.replay() == 1 and spool.counts().spooled == 0
