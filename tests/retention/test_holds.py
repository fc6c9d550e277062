"""What a supervisor holds as evidence stays, with all that belongs together with it, until two of them lift it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import undefer

from sms_gateway import clock
from sms_gateway.bot_trackers import BotTracker
from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from sms_gateway.events.models import HotlineEvent
from sms_gateway.operators.models import AuditRow
from sms_gateway.retention import connected, holds, one_at_a_time
from sms_gateway.retention.blanking import GONE
from sms_gateway.retention.models import EvidenceHold
from sms_gateway.tickets import children, links, service
from sms_gateway.tickets.children import ChildFacts
from sms_gateway.tickets.models import Attachment
from tests.tickets import making

from . import lives

REASON = "公安已立案，等调取"


@pytest.fixture(autouse=True)
def _still(database: str, clock: HeldClock) -> None: ...


async def _hold(ticket_id: int, by: int) -> int:
    async with transaction() as session:
        contact_id = (await lives.ticket(ticket_id)).contact_id
        made = await holds.set_hold(
            session, contact_id=contact_id, ticket_id=ticket_id, by=by, reason=REASON, letter="昆公刑〔2026〕12号"
        )
        return made.id


async def _other_reporter(ticket_id: int) -> tuple[int, int]:
    """Another person's talk and ticket of the same child."""
    thread_id, message_id = await making.text_in("隔壁娃娃没人管", number="+8613800000078")
    async with transaction() as session:
        other = await service.open_ticket(
            session, thread_id=thread_id, contact_id=await making.contact_of(session, message_id), asked_in=message_id,
            kind="complaint", county="530627", answers={"what": "隔壁娃娃没人管"},
        )  # fmt: skip
        facts = ChildFacts("530627", 9, None, {"name": "阿依朵"})
        child = await children.add(session, ticket_id=ticket_id, version=None, facts=facts, actor=making.DESK)
        await children.link(session, ticket_id=other.id, version=None, child_id=child.id, actor=making.DESK)
        session.add(
            Attachment(ticket_id=other.id, who="operator:1", name="信.pdf", content=b"%PDF-1", kind="pdf", size=6, digest="ab" * 32, at=clock.now())
        )  # fmt: skip
    return thread_id, other.id


async def test_a_hold_keeps_the_talk_the_child_and_whoever_else_told_of_it(clock: HeldClock) -> None:
    await making.the_desk()
    lead, second = await lives.supervisors("he", "zhao")
    ticket_id = await making.open_one()
    thread_id, other = await _other_reporter(ticket_id)
    third, _message = await making.text_in("我是他姑妈", number="+8613800000079")
    async with transaction() as session:  # a further talk, only linked
        await links.link(session, ticket_id=other, kind=links.Linked.THREAD, ref=third)
        session.add(BotTracker(sender=f"thread-{third}", sealed=b"x", updated_at=clock.now()))
    for one in (ticket_id, other):
        await lives.close(one)
    hold_id = await _hold(ticket_id, lead)
    lives.years(clock, 60)
    assert (await lives.purge())["kept_hold"] == 3
    assert [await lives.bodies(one) for one in (thread_id, third)] == [["隔壁娃娃没人管"], ["我是他姑妈"]]
    assert (await lives.ticket(other)).answers is not None
    async with transaction() as session:
        file = select(Attachment).options(undefer(Attachment.content_sealed))
        assert (await session.scalars(file)).one().content == b"%PDF-1"
        assert (await session.scalars(select(BotTracker))).all()
        assert (await session.scalars(select(HotlineEvent))).all()  # what departments were told of it
        await holds.ask_to_lift(session, hold_id, by=lead, reason="公安来函，不用再留")
    clock.advance(timedelta(days=1))
    assert "texts" not in await lives.purge()
    async with transaction() as session:
        await holds.lift(session, hold_id, by=second)
    clock.advance(timedelta(days=1))
    went = await lives.purge()
    assert went["texts"] == 3 and went["tickets"] == 2  # at once, not when they would have been looked at again
    assert await lives.bodies(third) == [GONE]


async def test_a_hold_waits_for_the_purge_at_work_and_whoever_purges_after_it_leaves_everything(
    clock: HeldClock,
) -> None:
    (lead,) = await lives.supervisors("he")
    thread_id, message_id = await making.text_in("低保怎么申请")
    lives.years(clock, 2)
    async with transaction() as session:
        contact_id = await making.contact_of(session, message_id)

    async def hold(within: str) -> None:
        async with transaction() as session:
            await session.execute(text(f"SET LOCAL lock_timeout = '{within}'"))
            await holds.set_hold(session, contact_id=contact_id, thread_id=thread_id, by=lead, reason=REASON)

    async with transaction() as at_work:
        await one_at_a_time.take(at_work)
        with pytest.raises(OperationalError):
            await hold("200ms")
    await hold("0")
    assert (await lives.purge())["kept_hold"] == 1 and await lives.bodies(thread_id) == ["低保怎么申请"]


async def test_lifting_needs_a_reason_and_another_person(clock: HeldClock) -> None:
    await making.the_desk()
    lead, second = await lives.supervisors("he", "zhao")
    hold_id = await _hold(await making.open_one(), lead)
    async with transaction() as session:
        with pytest.raises(holds.LiftWasNotAsked):
            await holds.lift(session, hold_id, by=second)
        with pytest.raises(holds.HoldNeedsReason):
            await holds.ask_to_lift(session, hold_id, by=lead, reason="好")
        await holds.ask_to_lift(session, hold_id, by=second, reason="公安来函，不用再留")
        with pytest.raises(holds.LiftNeedsAnother):
            await holds.lift(session, hold_id, by=second)
        await holds.keep_on(session, hold_id, by=lead)
        with pytest.raises(holds.LiftWasNotAsked):
            await holds.lift(session, hold_id, by=lead)
        await holds.ask_to_lift(session, hold_id, by=second, reason="公安来函，不用再留")
        await holds.lift(session, hold_id, by=lead)
        with pytest.raises(holds.HoldIsLifted):
            await holds.ask_to_lift(session, hold_id, by=lead, reason="再来一次看看")
    async with transaction() as session:
        rows = (await session.scalars(select(AuditRow).where(AuditRow.what.like("%hold")).order_by(AuditRow.id))).all()
        of = {who: [row.what for row in rows if row.operator_id == who] for who in (lead, second)}  # a chain for each
        assert of == {lead: ["set_hold", "keep_hold", "lift_hold"], second: ["ask_to_lift_hold", "ask_to_lift_hold"]}
        assert next(row.detail for row in rows if row.what == "set_hold") == REASON
        assert {row.subject.partition(":")[0] for row in rows} == {"ticket"}


async def test_a_lifted_holds_own_words_go_after_ten_years(clock: HeldClock) -> None:
    await making.the_desk()
    lead, second = await lives.supervisors("he", "zhao")
    hold_id = await _hold(await making.open_one(), lead)
    async with transaction() as session:
        await holds.ask_to_lift(session, hold_id, by=lead, reason="公安来函，不用再留")
        await holds.lift(session, hold_id, by=second)
    lives.years(clock, 9.8)
    await lives.purge()
    async with transaction() as session:
        assert (await session.scalars(select(EvidenceHold))).one().reason == REASON
    lives.years(clock, 0.5)
    await lives.purge()
    async with transaction() as session:
        one = (await session.scalars(select(EvidenceHold))).one()
        assert (one.reason, one.letter, one.lift_reason) == ("", None, None) and one.set_by == lead


async def test_whoever_is_looked_at_first_the_same_belongs_together(clock: HeldClock) -> None:
    await making.the_desk()
    ticket_id = await making.open_one()
    thread_id, other = await _other_reporter(ticket_id)
    stranger, _message = await making.text_in("低保", number="+8613800000070")
    async with transaction() as session:
        contacts = [(await lives.ticket(one)).contact_id for one in (ticket_id, other)]
        first, second = [await connected.load(session, one) for one in contacts]
        assert first == second and first.contacts == set(contacts) and first.tickets == {ticket_id, other}
        assert thread_id in first.threads and stranger not in first.threads and first.children
