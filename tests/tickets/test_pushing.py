"""What a department is told of a ticket: enough to act, as it stands after the move, and nothing that leads to the reporter."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import select

from sms_gateway import clock
from sms_gateway.database import transaction
from sms_gateway.events import service as events
from sms_gateway.events import tasks
from sms_gateway.events.models import HotlineEvent
from sms_gateway.tickets import dispatching, erasing, handling, moves, pushing, record
from sms_gateway.tickets.models import Accused, Child, TicketChild

from .making import DESK, LEAD, SCHOOLS, UNIT, dispatched, open_one, read, signed, the_desk

LEADS = "fuer@530627"


async def pulled(unit: str) -> list[dict[str, Any]]:
    await tasks.fan_out_all()
    async with transaction() as session:
        return (await events.pull(session, unit=unit, after=0)).events


async def told(unit: str, what: str) -> dict[str, Any]:
    return next(each for each in await pulled(unit) if each["type"].endswith(f".{what}"))


@pytest.fixture
async def matter(database: str) -> int:
    await the_desk()
    ticket_id = await open_one()
    async with transaction() as session:
        ticket = await moves.lock(session, ticket_id)
        ticket.category = "D20"
        child = Child(
            age=9,
            sex="f",
            county="530627",
            about={"name": "小丽", "where_now": "邻居说她在奶奶家"},
            made_at=ticket.opened_at,
        )
        session.add(child)
        await session.flush()
        session.add(TicketChild(ticket_id=ticket_id, child_id=child.id, at=ticket.opened_at))
    return ticket_id


async def allow_asking_back(ticket_id: int) -> None:
    async with transaction() as session:
        ticket = await moves.lock(session, ticket_id)
        ticket.answers = {**(ticket.answers or {}), "secret": "不用"}


async def test_without_leave_the_unit_gets_no_number(matter: int) -> None:
    await dispatched(matter)
    assert "reporter" not in (await told(SCHOOLS, "dispatched"))["data"]


async def test_the_unit_it_is_dispatched_to_gets_it_all_with_the_number_to_ask_back(matter: int) -> None:
    await allow_asking_back(matter)
    await dispatched(matter)
    event = await told(SCHOOLS, "dispatched")
    ticket = await read(matter)
    assert event["subject"] == ticket.number and event["sight"] == "full"
    data = event["data"]
    assert data["ticket"]["units"] == [SCHOOLS] and data["ticket"]["status"] == "dispatched"
    assert data["words"]["copy"]
    (child,) = data["children"]
    assert (child["age"], child["sex"], child["name"]) == (9, "f", "小丽") and "邻居" not in child["where_now"]
    assert data["reporter"] == {"number": "+8613800000077"}


@pytest.mark.parametrize("kind", ["report", "mandated"])
async def test_who_reports_harm_is_named_to_nobody(database: str, kind: str) -> None:
    await the_desk()
    ticket_id = await open_one(kind=kind)
    await dispatched(ticket_id)
    assert "reporter" not in (await told(SCHOOLS, "dispatched"))["data"]


async def test_the_lead_body_gets_it_without_reporter_and_names(matter: int) -> None:
    await dispatched(matter)
    event = await told(LEADS, "dispatched")
    assert event["sight"] == "without_reporter"
    assert "reporter" not in event["data"] and "1380000" not in json.dumps(event)
    assert event["data"]["children"] == [{"age": 9, "sex": "f", "county": "530627"}]


async def test_a_units_reply_reaches_the_lead_body_reworded_and_the_desks_words_the_unit(matter: int) -> None:
    await dispatched(matter)
    await signed(matter)
    async with transaction() as session:
        ticket = await moves.lock(session, matter)
        await handling.begin(session, ticket, actor=UNIT)
        await handling.reply(session, ticket, actor=UNIT, words="已约谈学校。邻居王婶说孩子好多了，电话13800000055。")
    reply = (await told(LEADS, "replied"))["data"]["event"]["reply"]
    assert "约谈学校" in reply and "王婶" not in reply and "13800000055" not in reply


async def test_whom_it_complains_of_is_known_before_anything_leaves(matter: int) -> None:
    async with transaction() as session:
        session.add(
            Accused(
                ticket_id=matter, relation="body", unit=SCHOOLS, made_at=(await moves.lock(session, matter)).opened_at
            )
        )
    assert await pulled(SCHOOLS) == []


async def test_a_rolled_back_move_tells_nobody(matter: int) -> None:
    before = len(await pulled(LEADS))
    with suppress(RuntimeError):
        async with transaction() as session:
            await dispatching.dispatch(session, await moves.lock(session, matter), unit=SCHOOLS, actor=DESK)
            raise RuntimeError
    assert len(await pulled(LEADS)) == before


async def test_erased_words_go_from_what_was_kept_for_departments(matter: int) -> None:
    await dispatched(matter)
    await signed(matter)
    async with transaction() as session:
        ticket = await moves.lock(session, matter)
        await handling.begin(session, ticket, actor=UNIT)
        event = await handling.reply(session, ticket, actor=UNIT, words="已约谈学校。")
    assert await told(LEADS, "replied")
    async with transaction() as session:
        await erasing.erase_why(session, await moves.lock(session, matter), [event.seq], actor=LEAD, reason="本人要求")
    assert not [each for each in await pulled(LEADS) if each["type"].endswith(".replied")]
    async with transaction() as session:
        kept = await session.scalar(select(HotlineEvent.data_sealed).where(HotlineEvent.ref == event.id))
    assert kept is None


def test_what_stays_between_the_hotline_and_the_person_is_told_to_nobody() -> None:
    assert pushing.is_told("resumed", "handling") and pushing.is_told("accused_added", None)
    for what in ("survey_lost", "wish_noted", "duty_arose", "reminded_person", "something_new"):
        assert not pushing.is_told(what, None)


async def test_many_events_at_once_are_noted_like_single_ones(matter: int) -> None:
    """As the clocks write them."""
    before = len(await pulled(LEADS))
    async with transaction() as session:
        ticket = await moves.lock(session, matter)
        stand = record.Stand(ticket.id, ticket.uid, ticket.events, ticket.head)
        entry = record.next_entry(stand, "warning", who="system", at=clock.now(), detail={"about": ["due"]})
        session.expunge(ticket)
        await record.record_events(session, [entry])
    found = await pulled(LEADS)
    assert len(found) == before + 1 and found[-1]["type"].endswith(".warning")
