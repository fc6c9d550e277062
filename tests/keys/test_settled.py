"""After a restore nothing that was under way in the backup goes on by itself: it may have been done since."""

from __future__ import annotations

from pathlib import Path

import psycopg
from sqlalchemy import func, select, update

from sms_gateway import clock, timers
from sms_gateway.broadcasts.lifecycle import Status
from sms_gateway.broadcasts.models import Broadcast
from sms_gateway.console import outreach_room
from sms_gateway.database import dispose, transaction
from sms_gateway.escalations.models import EscalationEvent
from sms_gateway.messages import outbox
from sms_gateway.messages.models import Message, Thread
from sms_gateway.messages.tasks import DEAD_AFTER
from sms_gateway.supervision import bot_login
from sms_gateway.tickets.models import FollowUp
from sms_gateway.wording import SIGNATURE, say
from tests.broadcasts.making import govern, make_broadcast, make_ledger, make_operator
from tests.keys.test_backup import hotline
from tests.telling import FakeCarrier, Person
from tests.tickets.asking import concluded, registered

DANGER = "有个叔叔一直在踹我家门 就我和弟弟在"


async def test_what_was_under_way_waits_for_people_or_is_looked_up(
    database: str, person: Person, carrier: FakeCarrier, tmp_path: Path
) -> None:
    await person.texts(DANGER)
    editor = await make_operator()
    running, approved = await make_broadcast(), await make_broadcast(status="approved", approved_by=editor)
    await make_ledger(running, 3)
    await make_ledger(approved, 3)
    other = Person("+8613800000002", carrier, person.run)
    ticket = await registered(other)
    await other.run()
    await concluded(ticket)
    async with transaction() as session:
        await session.execute(update(FollowUp).values(due_at=clock.now()))
        await session.execute(update(timers.Timer).where(timers.Timer.done_at.is_(None)).values(due_at=clock.now()))
        thread = await session.get_one(Thread, person.thread_id)
        in_danger = await outbox.queue_fixed(session, thread=thread, key="danger.noted")
        thread = await session.get_one(Thread, other.thread_id)
        plain = await outbox.queue_fixed(session, thread=thread, key="human.still")
        waited = Message.id.in_((in_danger, plain))  # longer than any sender lives, however quick the restoring is
        await session.execute(update(Message).where(waited).values(at=Message.at - 2 * DEAD_AFTER))
    file, own = tmp_path / "one.backup", bot_login.make(database)
    assert own is not None
    assert hotline("backup", file, data_dir=tmp_path, url=database).returncode == 0
    carrier.sent.append((person.number, SIGNATURE + say("danger.noted")))  # what left after the backup
    before = len(carrier.sent)
    await dispose()
    done = hotline("restore", "--replace", file, data_dir=tmp_path, url=database)
    assert done.returncode == 0, done.stderr
    assert "停下了 1 条" in done.stdout and "退回 1 条" in done.stdout and "有 2 条改成" in done.stdout
    assert "回访有 1 条" in done.stdout

    async with transaction() as session:
        assert (
            (await session.get_one(Message, in_danger)).state
            == (await session.get_one(Message, plain)).state
            == "unknown"
        )
    await govern()
    await timers.sweep()
    await person.run()
    async with transaction() as session:
        one, two = await session.get_one(Broadcast, running), await session.get_one(Broadcast, approved)
        assert (one.status, one.pause_reason) == (Status.PAUSED, "restored")
        assert (two.status, two.approved_by, two.prepared) == (Status.DRAFT, None, "ready")
        assert "备份" in (await outreach_room.list_events(session, approved))[-1].says
        assert (await session.scalars(select(FollowUp.reason))).one() == "restored"
        rung = (
            EscalationEvent.what == "text_did_not_arrive",
            EscalationEvent.detail["message"].as_integer() == in_danger,
        )
        assert await session.scalar(select(func.count()).select_from(EscalationEvent).where(*rung)) == 1
        assert (await session.get_one(Message, in_danger)).state == "sent", "the carrier knew it"
    sent = [
        one for one in carrier.sent[before:] if "问卷" in one[1] or say("survey") in one[1] or one[0] == person.number
    ]
    assert sent == [], "neither the survey nor the word to the child went out again"
    assert (other.number, SIGNATURE + say("human.still")) in carrier.sent[before:], "proven absent, it left"
    with psycopg.connect(own, autocommit=True) as rasa:
        rasa.execute("INSERT INTO bot_trackers (sender, sealed, updated_at) VALUES ('thread-1', '\\x00', now())")
        assert rasa.execute("SELECT count(*) FROM bot_trackers").fetchone() == (1,)
