"""Every sealed column has a period or a reason to have none; and after the longest of them nothing of a whole family is left."""

from __future__ import annotations

from sqlalchemy import LargeBinary, select, update

from sms_gateway import clock as clocks
from sms_gateway.bridge.models import BridgeCall
from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from sms_gateway.escalations.models import Escalation, LookBack
from sms_gateway.events.models import HotlineEvent
from sms_gateway.handbook.models import Draft
from sms_gateway.messages.models import Thread
from sms_gateway.migrations.models import metadata
from sms_gateway.retention import periods, running
from sms_gateway.retention.models import SubjectRequest
from sms_gateway.tickets.models import Ticket
from sms_gateway.tickets.police_models import PoliceRequest
from tests.console.family import NAME, PLACE, WORDS, settle_in
from tests.telling import FakeCarrier, Person

from . import lives

KIND = {
    "uplink_parts.part_sealed": "references",
    "messages.body_sealed": "talks", "messages.reasons_sealed": "talks", "messages.vector_sealed": "talks", "contacts.address_sealed": "talks",
    "whispers.words_sealed": "talks", "talk_transfers.note_sealed": "talks", "reviews.words_sealed": "talks",
    "escalations.reasons_sealed": "talks", "escalations.note_sealed": "talks", "look_backs.words_sealed": "talks",
    "bridge_calls.incident_sealed": "talks", "bridge_events.words_sealed": "talks", "desk_matters.said_sealed": "talks",
    "tickets.answers_sealed": "tickets", "tickets.words_sealed": "tickets", "ticket_events.why_sealed": "tickets",
    "dispatches.copy_sealed": "tickets", "extensions.reason_sealed": "tickets", "inquiries.words_sealed": "tickets",
    "transfers.words_sealed": "tickets", "duty_reports.receipt_sealed": "tickets", "duty_reports.why_not_sealed": "tickets",
    "children.about_sealed": "tickets", "accused.about_sealed": "tickets",
    "attachments.name_sealed": "media", "attachments.content_sealed": "media", "calls.to_sealed": "calls",
    "sealed_images.content_sealed": "media", "image_openings.reason_sealed": "media",
    "hotline_events.data_sealed": "events", "audit.detail_sealed": "audit", "bot_trackers.sealed": "trackers",
    "broadcast_recipients.address_sealed": "outreach", "outreach_roll_numbers.address_sealed": "rolls", "outreach_roll_parts.sealed": "rolls",
    "handbook_drafts.content_sealed": "drafts", "handbook_drafts.reason_sealed": "drafts",
    "shift_handovers.note_sealed": "handovers", "duty_tests.note_sealed": "handovers",
    "subject_requests.words_sealed": "requests",
    "evidence_holds.reason_sealed": "holds", "evidence_holds.letter_sealed": "holds", "evidence_holds.lift_reason_sealed": "holds",
}  # fmt: skip
NONE = {
    "operators.name_sealed": "accounts of staff: who did what must stay readable",
    "operators.phone_sealed": "accounts of staff",
    "duty_posts.phone_sealed": "offices' numbers, no person's",
    "duty_posts.name_sealed": "offices, no person's",
    "duty_posts.hours_sealed": "offices, no person's",
    "second_factors.secret_sealed": "accounts of staff",
    "broadcasts.title_sealed": "what colleagues call their work",
    "broadcast_events.words_sealed": "what colleagues call their work",
    "outreach_rolls.title_sealed": "what colleagues call their work",
    "outreach_rolls.groups_sealed": "what colleagues call their work",
    "outreach_segments.title_sealed": "what colleagues call their work",
    "outreach_templates.title_sealed": "what colleagues call their work",
    "outreach_templates.note_sealed": "what colleagues call their work",
    "police_requests.letter_sealed": "the record of what was handed to the police, by which letter",
    "police_requests.unit_sealed": "the record of what was handed to the police, by which letter",
    "police_requests.officers_sealed": "the record of what was handed to the police, by which letter",
    "event_subscriptions.secret_sealed": "a key between systems",
    "handbook_entries.content_sealed": "published answers",
    "handbook_entries.vectors_sealed": "published answers",
}


def test_every_sealed_column_has_a_period_or_a_reason_to_have_none() -> None:
    """Fails when a new table seals something nobody ever purges: purge it in `retention`, then write its line here."""
    sealed = {
        f"{table.name}.{column.name}"
        for table in metadata().sorted_tables
        for column in table.c
        if column.name.endswith("sealed") and isinstance(column.type, LargeBinary)
    }
    assert sealed == KIND.keys() | NONE.keys()
    assert set(KIND.values()) <= periods.load().keys()


async def test_after_thirty_years_nothing_a_family_said_is_left_anywhere(
    database: str, clock: HeldClock, person: Person, carrier: FakeCarrier
) -> None:
    family = await settle_in(person, carrier, clock)
    before = await lives.everything_opened()
    for word in (WORDS, NAME, PLACE):
        assert any(word in value for value in before.values())  # else the search below proves nothing
    async with transaction() as session:  # as the desk ends it all
        now = clocks.now()
        await session.execute(update(Escalation).values(closed_at=now, state="resolved"))
        await session.execute(update(LookBack).values(done_at=now))
        await session.execute(update(BridgeCall).values(settled_at=now))
        await session.execute(update(Ticket).values(closed_at=now, status="concluded"))
        await session.execute(update(Thread).values(owner="closed"))
        await session.execute(update(Draft).values(state="retired"))
        await session.execute(update(PoliceRequest).values(state="refused"))
        await session.execute(update(SubjectRequest).values(done_at=now))
        await session.execute(update(PoliceRequest).values(state="refused"))
    await lives.settle_duties()
    lives.years(clock, 30)
    await running.run()
    clock.advance(running.BEGINS)
    await running.go_on()
    left = {
        place: word
        for place, value in (await lives.everything_opened()).items()
        if not place.startswith(
            "police_requests."
        )  # kept: see NONE; `family` writes words of theirs into one on purpose
        for word in (WORDS, NAME, PLACE, "蓝花楹", "13800000001")
        if word in value
    }
    assert left == {}
    async with transaction() as session:
        assert not any(await session.scalars(select(HotlineEvent.data_sealed)))
        for ticket_id in family.ids["ticket_id"]:
            assert await lives.findings(ticket_id) == []
