"""The database is away: nothing is lost, danger is answered, and nobody is answered twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.contacts.models import Channel
from sms_gateway.database import transaction
from sms_gateway.escalations.models import Escalation
from sms_gateway.messages import spool
from sms_gateway.messages.inbox import Inbound
from sms_gateway.messages.models import Message
from sms_gateway.settings import get_settings
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

    async def refuses_one(session: AsyncSession, kept: spool.Kept) -> None:
        if kept.inbound.carrier_id == "d":
            raise ValueError
        await bring_in(session, kept)

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
