"""Years pass: what goes, what stays, and what keeps it, on the real tables."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import undefer

from sms_gateway.bot_trackers import BotTracker
from sms_gateway.clock import HeldClock
from sms_gateway.contacts import service as contacts
from sms_gateway.contacts.models import Channel, Contact
from sms_gateway.database import transaction
from sms_gateway.escalations.models import Escalation, LookBack
from sms_gateway.events.models import HotlineEvent
from sms_gateway.messages.models import Message
from sms_gateway.operators.models import AuditRow
from sms_gateway.retention import erasing, one_at_a_time, people, periods, running
from sms_gateway.retention.blanking import GONE
from sms_gateway.retention.models import RetentionRun, SubjectRequest
from sms_gateway.settings import get_settings
from sms_gateway.tickets import attachments, children, copies
from sms_gateway.tickets.children import ChildFacts
from sms_gateway.tickets.models import Attachment, Child, Ticket
from sms_gateway.tickets.police_models import PoliceRequest, Stage
from tests.tickets import making

from . import lives

NUMBER = "+8613800000077"


@pytest.fixture(autouse=True)
def _still(database: str, clock: HeldClock) -> None: ...


async def test_a_question_of_nobody_with_a_matter_goes_after_its_year_and_the_person_with_it(clock: HeldClock) -> None:
    thread_id, _message = await making.text_in("低保怎么申请")
    lives.years(clock, 0.9)
    assert "texts" not in await lives.purge() and await lives.bodies(thread_id) == ["低保怎么申请"]
    lives.years(clock, 0.2)
    went = await lives.purge()
    assert went["texts"] == 1 and went["people"] == 1
    assert await lives.bodies(thread_id) == [GONE]
    contact = await lives.contact_of(thread_id)
    assert contact.erased_at is not None
    async with transaction() as session:
        assert await contacts.find(session, channel=Channel.SMS, address=NUMBER) is None
    clock.advance(timedelta(minutes=11))
    await running.go_on()
    assert (await lives.contact_of(thread_id)).address == ""
    again, _message = await making.text_in("我又来了")
    assert again != thread_id  # found by nobody: a new person


async def test_a_text_that_came_while_the_person_was_forgotten_is_still_answered(clock: HeldClock) -> None:
    thread_id, message_id = await making.text_in("低保怎么申请")
    lives.years(clock, 1.2)
    await lives.purge()
    async with transaction() as session:  # it had found them before, and was stored after
        old = await session.get_one(Message, message_id)
        late = Message(
            thread_id=thread_id, contact_id=old.contact_id, direction="in", author="person", body="有人打我", at=clock.now(),
            carrier="simulator", carrier_id="late",
        )  # fmt: skip
        session.add(late)
    clock.advance(timedelta(minutes=11))
    await running.go_on()
    contact = await lives.contact_of(thread_id)
    assert contact.address == NUMBER and contact.erased_at is None
    async with transaction() as session:
        found = await contacts.find(session, channel=Channel.SMS, address=NUMBER)
        assert found is not None and found.id == contact.id
    assert await lives.bodies(thread_id) == [GONE, "有人打我"]


async def test_an_ordinary_ticket_loses_its_words_after_three_years_and_its_chain_still_verifies(
    clock: HeldClock,
) -> None:
    await making.the_desk()
    ticket_id = await making.open_one()
    await making.dispatched(ticket_id)
    async with transaction() as session:
        from sms_gateway.tickets import moves
        from sms_gateway.tickets.record import record_event

        one = await moves.lock(session, ticket_id)
        await record_event(session, one, "note", who="operator:1", why="班主任说会改")
    await lives.close(ticket_id)
    before = await lives.ticket(ticket_id)
    lives.years(clock, 2.9)
    assert "tickets" not in await lives.purge()
    assert (await lives.ticket(ticket_id)).answers == {"what": "孩子在学校被欺负"}
    lives.years(clock, 0.6)
    assert (await lives.purge())["tickets"] == 1
    after = await lives.ticket(ticket_id)
    assert after.answers is None and after.erased_at is not None
    assert (after.number, after.kind, after.received_at, after.closed_at) == (
        before.number, before.kind, before.received_at, before.closed_at,
    )  # fmt: skip
    said = [event.why for event in await making.events_of(ticket_id) if event.what != "erased"]
    assert set(said) == {None} and await lives.findings(ticket_id) == []
    async with transaction() as session:
        assert await copies.reworded(session, after) is not None  # pages that show it still open
        data = await session.scalars(select(HotlineEvent.data_sealed).where(HotlineEvent.subject == after.number))
        assert not any(data)


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({"lane": "orange"}, "harm"), ({"sealed": True}, "harm"), ({"kind": "report"}, "harm"), ({"sensitivity": "domestic_violence"}, "harm"),
        ({"closed_at": None}, "open"),
    ],
)  # fmt: skip
async def test_harm_and_open_matters_outlast_the_ordinary_period(
    clock: HeldClock, change: dict[str, object], kept: str
) -> None:
    ticket_id = await making.open_one()
    await lives.close(ticket_id)
    async with transaction() as session:
        await session.execute(update(Ticket).where(Ticket.id == ticket_id).values(change))
    lives.years(clock, 6)
    assert (await lives.purge())[f"kept_{kept}"] == 1
    one = await lives.ticket(ticket_id)
    assert one.answers is not None and (await lives.bodies(one.thread_id))[0] != GONE


async def test_harm_is_kept_until_the_youngest_child_is_21_then_all_of_it_goes(clock: HeldClock) -> None:
    await making.the_desk()
    ticket_id = await making.open_one(lane="orange")
    async with transaction() as session:
        facts = ChildFacts("530627", 4, "f", {"name": "阿依朵"})
        child = await children.add(session, ticket_id=ticket_id, version=None, facts=facts, actor=making.DESK)
    await lives.close(ticket_id)
    await lives.settle_duties()
    lives.years(clock, 16.8)
    assert (await lives.purge())["kept_harm"] == 1
    lives.years(clock, 0.6)
    assert (await lives.purge())["tickets"] == 1
    async with transaction() as session:
        one = await session.get_one(Child, child.id)
        assert (one.about, one.name_index, one.school_index) == (None, None, None) and one.age == 4
    assert await lives.findings(ticket_id) == []


async def test_a_child_stays_known_while_another_reporters_ticket_of_it_is_kept(clock: HeldClock) -> None:
    await making.the_desk()
    first = await making.open_one()
    thread_id, message_id = await making.text_in("隔壁娃娃没人管", number="+8613800000078")
    async with transaction() as session:
        from sms_gateway.tickets import service

        other = await service.open_ticket(
            session, thread_id=thread_id, contact_id=await making.contact_of(session, message_id), asked_in=message_id,
            kind="complaint", county="530627", answers={"what": "隔壁娃娃没人管"},
        )  # fmt: skip
        facts = ChildFacts("530627", 9, None, {"name": "阿依朵"})
        child = await children.add(session, ticket_id=first, version=None, facts=facts, actor=making.DESK)
        await children.link(session, ticket_id=other.id, version=None, child_id=child.id, actor=making.DESK)
    await lives.close(first)
    lives.years(clock, 4)
    assert (await lives.purge())["kept_open"] == 2  # the other one is open: nothing that belongs together goes
    await lives.close(other.id)
    async with transaction() as session:  # one closed in time, the other lately
        await session.execute(
            update(Ticket).where(Ticket.id == first).values(closed_at=clock.now() - timedelta(days=1200))
        )
    lives.years(clock, 0.2)
    assert (await lives.purge())["tickets"] == 1
    async with transaction() as session:
        assert (await session.get_one(Child, child.id)).about == {"name": "阿依朵"}
    lives.years(clock, 3)
    await lives.purge()
    async with transaction() as session:
        assert (await session.get_one(Child, child.id)).about is None


async def test_files_of_an_ordinary_ticket_go_after_a_year_their_digest_stays(clock: HeldClock) -> None:
    await making.the_desk()
    ticket_id = await making.open_one()
    async with transaction() as session:
        session.add(
            Attachment(ticket_id=ticket_id, who="operator:1", name="信.pdf", content=b"%PDF-1", kind="pdf", size=6, digest="ab" * 32, at=clock.now())
        )  # fmt: skip
    await lives.close(ticket_id)
    lives.years(clock, 1.1)
    assert (await lives.purge())["media"] == 1
    async with transaction() as session:
        file = (await session.scalars(select(Attachment).options(undefer(Attachment.content_sealed)))).one()
        assert (file.name, file.content, file.size, file.digest) == ("", None, 6, "ab" * 32)
        assert await attachments.list_for(session, ticket_id)
    assert (await lives.ticket(ticket_id)).answers is not None


async def test_an_open_call_or_a_look_back_keeps_everything(clock: HeldClock) -> None:
    thread_id, message_id = await making.text_in("低保怎么申请")
    async with transaction() as session:
        contact_id = await making.contact_of(session, message_id)
        call = Escalation(
            thread_id=thread_id, contact_id=contact_id, message_id=message_id, cause="asked_for_person", lane="blue", services=[],
            state="ringing", received_at=clock.now(), opened_at=clock.now(),
        )  # fmt: skip
        session.add(call)
    lives.years(clock, 5)
    assert (await lives.purge())["kept_open"] == 1
    async with transaction() as session:
        (await session.get_one(Escalation, call.id)).closed_at = clock.now()
        session.add(LookBack(escalation_id=call.id, contact_id=contact_id, mark="30d", due_at=clock.now()))
    clock.advance(timedelta(days=31))
    assert (await lives.purge())["kept_followed"] == 1
    async with transaction() as session:
        (await session.scalars(select(LookBack))).one().done_at = clock.now()
    clock.advance(timedelta(days=31))
    assert (await lives.purge())["texts"] == 1


async def test_a_red_text_is_kept_as_harm_though_nobody_opened_anything_for_it(clock: HeldClock) -> None:
    _thread, message_id = await making.text_in("他打我")
    async with transaction() as session:
        (await session.get_one(Message, message_id)).lane = "red"
    lives.years(clock, 9)
    assert (await lives.purge())["kept_harm"] == 1


async def test_who_opted_out_stays_opted_out_though_their_words_are_gone(clock: HeldClock) -> None:
    thread_id, message_id = await making.text_in("退订")
    async with transaction() as session:
        await contacts.opt_out(session, await making.contact_of(session, message_id))
    lives.years(clock, 2)
    assert (await lives.purge())["texts"] == 1
    contact = await lives.contact_of(thread_id)
    assert contact.erased_at is None and contact.address == NUMBER and contact.outreach_opted_out_at is not None


async def test_one_broken_person_does_not_keep_the_others(clock: HeldClock, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, _one = await making.text_in("低保", number="+8613800000071")
    whole, _two = await making.text_in("低保", number="+8613800000072")
    lives.years(clock, 1.2)
    real = erasing.erase_texts

    async def erase(session: object, contact_id: int, before: object) -> int:
        if contact_id == (await lives.contact_of(broken)).id:
            raise ValueError
        return await real(session, contact_id, before)  # type: ignore[arg-type]

    monkeypatch.setattr(erasing, "erase_texts", erase)
    went = await lives.purge()
    assert went["failed"] == 1 and await lives.bodies(whole) == [GONE] and await lives.bodies(broken) == ["低保"]


async def test_a_run_that_dies_goes_on_where_it_was_and_counts_nothing_twice(
    clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(7):
        await making.text_in("低保", number=f"+861380000006{number}")
    lives.years(clock, 1.2)
    monkeypatch.setattr(people.list_due, "__kwdefaults__", {"after": 0, "limit": 3})
    real, calls = people.purge_batch, []

    async def dying(session: object, table: periods.Periods) -> object:
        calls.append(1)
        done = await real(session, table)  # type: ignore[arg-type]
        if len(calls) == 2:
            raise ConnectionError
        return done

    from sms_gateway.retention import steps

    first = steps.Step("people", dying, steps.STEPS[0].due)  # type: ignore[arg-type]
    monkeypatch.setattr(running, "STEPS", (first, *steps.STEPS[1:]))
    with pytest.raises(ConnectionError):
        await running.run()
    async with transaction() as session:
        assert (await session.scalars(select(RetentionRun))).one().counts["texts"] == 3
    await running.run()
    async with transaction() as session:
        one = (await session.scalars(select(RetentionRun))).one()
        assert one.counts["texts"] == 7 and one.ended_at is not None and not one.cut
        audit = (await session.scalars(select(AuditRow).where(AuditRow.what == running.AUDITED_AS))).one()
        assert "texts 7" in (audit.detail or "") and audit.subject == f"retention:{one.day}"


async def test_one_machine_at_a_time_purges(clock: HeldClock) -> None:
    await making.text_in("低保")
    lives.years(clock, 1.2)
    async with transaction() as other:
        await other.scalar(select(func.pg_advisory_xact_lock(one_at_a_time.LOCK)))
        assert not await running.run()
    assert (await running.run())["texts"] == 1
    assert not await running.run()  # once a day
    clock.advance(timedelta(days=1))
    await running.run()
    async with transaction() as session:
        assert await session.scalar(select(func.count()).select_from(RetentionRun)) == 2


async def test_a_run_out_of_time_says_so_and_the_next_day_goes_on(
    clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        await making.text_in("低保", number=f"+861380000006{number}")
    lives.years(clock, 1.2)
    monkeypatch.setattr(people.list_due, "__kwdefaults__", {"after": 0, "limit": 3})
    monkeypatch.setenv("HOTLINE_RETENTION_MINUTES", "0.0000001")
    get_settings.cache_clear()
    assert (await running.run())["texts"] == 3
    async with transaction() as session:
        one = (await session.scalars(select(RetentionRun))).one()
        assert one.cut and one.ended_at is not None
    went = 0
    for _day in range(2):  # the first of them forgets the numbers of the three
        clock.advance(timedelta(days=1))
        went += (await running.run())["texts"]
    assert went == 1


async def test_a_dry_run_says_what_would_go_and_changes_nothing(clock: HeldClock) -> None:
    thread_id, _message = await making.text_in("低保")
    lives.years(clock, 1.2)
    async with transaction() as session:
        from sqlalchemy import text

        await session.execute(text("SET TRANSACTION READ ONLY"))
        found = await running.look(session)
    assert found["people_with_old_texts"] == 1 and await lives.bodies(thread_id) == ["低保"]


async def test_rasas_tracker_goes_after_its_week_and_never_outlives_the_talk(clock: HeldClock) -> None:
    thread_id, _message = await making.text_in("低保")
    async with transaction() as session:
        session.add(BotTracker(sender=f"thread-{thread_id}", sealed=b"x", updated_at=clock.now()))
    clock.advance(timedelta(days=5))
    await lives.purge()
    async with transaction() as session:
        assert await session.scalar(select(func.count()).select_from(BotTracker)) == 1
    clock.advance(timedelta(days=9))
    await lives.purge()
    async with transaction() as session:
        assert await session.scalar(select(func.count()).select_from(BotTracker)) == 0


async def test_over_twenty_years_quarter_by_quarter_nothing_goes_early_and_nothing_is_left(clock: HeldClock) -> None:
    """Also over leap days and Spring Festivals: the purge is run each quarter, what is due is asked of the pure rule."""
    from sms_gateway.retention.dates import ends

    begun = clock.now()
    question, _message = await making.text_in("低保怎么申请", number="+8613800000071")
    await making.the_desk()
    ordinary, harm = await making.open_one(), 0
    thread_id, message_id = await making.text_in("他打我", number="+8613800000073")
    async with transaction() as session:
        from sms_gateway.tickets import service

        harm = (
            await service.open_ticket(
                session, thread_id=thread_id, contact_id=await making.contact_of(session, message_id), asked_in=message_id,
                kind="report", lane="orange", county="530627", answers={"what": "他打我"},
            )
        ).id  # fmt: skip
    for one in (ordinary, harm):
        await lives.close(one)
    await lives.settle_duties()
    keep = periods.load()
    due = {name: ends(begun, keep.keep(name)) for name in ("talks", "tickets", "grown")}
    for _quarter in range(23 * 4):
        clock.advance(timedelta(days=91, hours=11))
        await running.run()
        if clock.now() < due["talks"]:
            assert await lives.bodies(question) == ["低保怎么申请"]
        if clock.now() < due["tickets"]:
            assert (await lives.ticket(ordinary)).erased_at is None
        if clock.now() < due["grown"]:
            assert (await lives.ticket(harm)).erased_at is None and (await lives.bodies(thread_id)) == ["他打我"]
    assert await lives.bodies(question) == [GONE] and await lives.bodies(thread_id) == [GONE]
    for one in (ordinary, harm):
        assert (await lives.ticket(one)).answers is None and await lives.findings(one) == []
    async with transaction() as session:
        assert await session.scalar(select(func.count()).select_from(Contact).where(Contact.erased_at.is_(None))) == 0


async def test_a_letter_of_the_police_that_is_not_served_keeps_everything(clock: HeldClock) -> None:
    """The file is made from these very words: they must be there when the second supervisor allows it."""
    thread_id, _message = await making.text_in("低保怎么申请")
    (lead,) = await lives.supervisors("he")
    day = clock.now()
    letters = [("talk", thread_id, Stage.APPROVED), ("ticket", thread_id, Stage.ASKED)]
    async with transaction() as session:
        for scope, ref, state in letters:
            session.add(
                PoliceRequest(
                    letter="调〔2026〕1号", unit="镇雄县公安局", officers="王警官、李警官", scope=scope, ref=ref, since=day,
                    until=day, state=state, asked_by=lead, asked_at=day,
                )
            )  # fmt: skip
    lives.years(clock, 1.2)
    assert (await lives.purge())["kept_followed"] == 1
    async with transaction() as session:
        await session.execute(update(PoliceRequest).where(PoliceRequest.scope == "talk").values(state=Stage.MADE))
    clock.advance(timedelta(days=31))
    assert (await lives.purge())["texts"] == 1, "a letter for a ticket of the same number is not about this talk"


async def test_what_somebody_may_have_of_their_own_is_kept_until_they_have_it(clock: HeldClock) -> None:
    thread_id, _message = await making.text_in("低保怎么申请")
    (lead,) = await lives.supervisors("he")
    async with transaction() as session:
        asked = SubjectRequest(
            contact_id=(await lives.contact_of(thread_id)).id, wants="access", asker="subject", checked="person", outcome="granted",
            words="本人带身份证来", recorded_by=lead, recorded_at=clock.now(),
        )  # fmt: skip
        session.add(asked)
    lives.years(clock, 1.2)
    assert (await lives.purge())["kept_followed"] == 1
    async with transaction() as session:
        (await session.get_one(SubjectRequest, asked.id)).done_at = clock.now()
    clock.advance(timedelta(days=31))
    assert (await lives.purge())["texts"] == 1


async def test_on_a_day_that_may_be_wrong_nothing_goes_until_a_person_has_looked(clock: HeldClock) -> None:
    thread_id, _message = await making.text_in("低保怎么申请")
    before = clock.now() - timedelta(days=400)
    async with transaction() as session:
        await session.execute(update(Message).values(at=before))
        await session.execute(update(Contact).values(created_at=before))
        session.add(RetentionRun(day=running.day_of_run() - timedelta(days=4), started_at=before, ended_at=before))
    assert not await running.sweep() and await lives.bodies(thread_id) == ["低保怎么申请"]
    async with transaction() as session:
        assert await running.doubt(session, confirmed=True) is None
        (await session.scalars(select(RetentionRun))).one().day += timedelta(days=2)
    clock.advance(timedelta(minutes=2))
    assert not await running.sweep(), "the database's clock says otherwise"
    clock.advance(-timedelta(minutes=2))
    assert (await running.sweep())["texts"] == 1
