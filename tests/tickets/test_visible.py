"""The list filter and the single read give the same answer, on a real PostgreSQL, whatever the matter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, insert, select

from sms_gateway.contacts.models import Contact
from sms_gateway.database import transaction
from sms_gateway.departments.visibility import Facts, Sight, sight_of
from sms_gateway.messages.models import Thread
from sms_gateway.supervision.scratch import ScratchPostgres
from sms_gateway.tickets.models import Accused, Dispatch, Ticket
from sms_gateway.tickets.visible import facts_of, sight, where

NOW = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
PLACES = ["530627", "530621", "530600", "530502", "530500", "530000"]
DEPARTMENTS = ["edu", "police", "civil", "fuer", "health", "tobacco", "culture"]
UNITS = [f"{dept}@{place}" for dept in DEPARTMENTS for place in PLACES] + ["telecom@530000", "sports@530000"]
READERS = [*UNITS, "sports@530627", "nobody@530627", "edu@999999", "edu", ""]
_numbers = count(1)


@dataclass
class Matter:
    """A ticket with what hangs on it; `hands`: (unit, role, open | closed | returned)."""

    category: str | None
    place: str
    level: str
    lane: str
    sensitivity: str | None
    sealed: bool
    unit: str | None
    hands: list[tuple[str, str, str]] = field(default_factory=list)
    accused: list[str | None] = field(default_factory=list)

    def facts(self) -> Facts:
        held = [(unit, role) for unit, role, state in self.hands if state == "open"]
        main = {self.unit} if self.unit else set()
        return Facts(
            category=self.category, place=self.place, level=self.level, lane=self.lane, sensitivity=self.sensitivity,
            units=frozenset({unit for unit, role in held if role != "copy"} | main),
            complained_of=frozenset(unit for unit in self.accused if unit), sealed=self.sealed,
            copied=frozenset(unit for unit, role in held if role == "copy"),
        )  # fmt: skip

    def insert(self, connection: Connection, contact: int, thread: int) -> int:
        number = f"V{next(_numbers):07d}"
        row = insert(Ticket).values(
            number=number, uid=uuid4(), thread_id=thread, contact_id=contact, kind="help", lane=self.lane, place=self.place,
            category=self.category, level=self.level, unit=self.unit, sensitivity=self.sensitivity, sealed=self.sealed,
            received_at=NOW, opened_at=NOW, due_at=NOW,
        )  # fmt: skip
        ticket = connection.execute(row.returning(Ticket.id)).scalar_one()
        for unit, role, state in self.hands:
            connection.execute(
                insert(Dispatch).values(
                    uid=uuid4(),
                    ticket_id=ticket,
                    unit=unit,
                    role=role,
                    dispatched_at=NOW,
                    sign_due_at=NOW,
                    closed_at=NOW if state == "closed" else None,
                    returned_at=NOW if state == "returned" else None,
                )
            )
        for unit in self.accused:
            connection.execute(insert(Accused).values(uid=uuid4(), ticket_id=ticket, unit=unit, made_at=NOW))
        return int(ticket)


hands = st.lists(
    st.tuples(st.sampled_from(UNITS), st.sampled_from(["main", "co", "copy"]), st.sampled_from(["open", "closed", "returned"])),
    max_size=3, unique_by=lambda hand: hand[0],
)  # fmt: skip
matters = st.builds(
    Matter,
    category=st.sampled_from([None, "D11", "D09", "D30", "D06", "D17", "D32", "D99"]),
    place=st.sampled_from(PLACES),
    level=st.sampled_from(["county", "prefecture", "province"]),
    lane=st.sampled_from(["red", "orange", "blue"]),
    sensitivity=st.sampled_from([None, None, "none", "sexual", "hiv"]),
    sealed=st.booleans(),
    unit=st.one_of(st.none(), st.sampled_from(UNITS)),
    hands=hands,
    accused=st.lists(st.one_of(st.none(), st.sampled_from(UNITS)), max_size=2),
)


@pytest.fixture(scope="module")
def connection(postgres: ScratchPostgres) -> Iterator[Connection]:
    url = postgres.create("visible", template="template").replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(url)
    with engine.connect() as opened:
        yield opened
    engine.dispose()


@settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.generate],  # shrinking against a database takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    told=st.lists(matters, min_size=1, max_size=12), readers=st.lists(st.sampled_from(READERS), min_size=4, max_size=8)
)
def test_a_list_shows_exactly_what_single_reads_show(
    connection: Connection, told: list[Matter], readers: list[str]
) -> None:
    contact = connection.execute(
        insert(Contact)
        .values(
            uid=uuid4(), channel="web", address_sealed=b"", address_index=str(next(_numbers)).encode(), created_at=NOW
        )
        .returning(Contact.id)
    ).scalar_one()
    thread = connection.execute(
        insert(Thread).values(contact_id=contact, channel="web", created_at=NOW).returning(Thread.id)
    ).scalar_one()
    rows = {matter.insert(connection, contact, thread): matter.facts() for matter in told}
    try:
        for reader in readers:
            for least in (Sight.COUNTS, Sight.WITHOUT_REPORTER, Sight.FULL):
                listed = set(connection.scalars(select(Ticket.id).where(where(reader, least))))
                read = {ticket for ticket, facts in rows.items() if sight_of(reader, facts).reaches(least)}
                assert listed == read, (reader, least)
    finally:
        connection.rollback()


async def test_the_facts_of_a_ticket_are_read_from_its_rows(database: str) -> None:
    matter = Matter(
        category="D11", place="530627", level="county", lane="blue", sensitivity=None, sealed=False, unit="edu@530627",
        hands=[("edu@530627", "main", "open"), ("civil@530627", "co", "open"), ("women@530627", "copy", "open"),
               ("health@530627", "co", "closed"), ("culture@530627", "main", "returned")],
        accused=[None, "police@530627"],
    )  # fmt: skip
    async with transaction() as session:
        contact = Contact(channel="web", address_sealed=b"", address_index=b"1", created_at=NOW)
        session.add(contact)
        await session.flush()
        thread = Thread(contact_id=contact.id, channel="web", created_at=NOW)
        session.add(thread)
        await session.flush()
        connection = await session.connection()
        ticket_id = await connection.run_sync(lambda sync: matter.insert(sync, contact.id, thread.id))
        ticket = await session.get_one(Ticket, ticket_id)
        assert await facts_of(session, ticket) == matter.facts()
        assert await sight(session, "edu@530627", ticket) is Sight.FULL
        assert await sight(session, "women@530627", ticket) is Sight.WITHOUT_REPORTER
        assert await sight(session, "health@530627", ticket) is Sight.COUNTS
        assert await sight(session, "police@530627", ticket) is Sight.NONE
