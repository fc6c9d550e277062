"""Search: by number and its end, by filters, by words over what the reader may see; it says when it stopped."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, true

from benchmarks.casework_data import fill
from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from sms_gateway.operators.models import Role
from sms_gateway.tickets import filters, search
from sms_gateway.tickets.filters import Filter
from sms_gateway.tickets.models import Dispatch, Ticket
from sms_gateway.tickets.search import Query

ALL = Filter(show="all")


@pytest.fixture
async def full(database: str, clock: HeldClock) -> str:
    await fill(database, 600, now=clock.now())
    return database


async def test_a_number_its_end_and_a_wrong_one(full: str) -> None:
    async with transaction() as session:
        ticket = (await session.scalars(select(Ticket).order_by(Ticket.id).limit(1))).one()
        for typed in (ticket.number, f"单号 {ticket.number}", ticket.number[-3:], ticket.number[-5:]):
            found = await search.search(session, Query.read(ALL, number=typed), within=true())
            assert ticket.id in {row.id for row in found.rows}, typed
            assert all(row.number.endswith(ticket.number[-3:]) for row in found.rows)
        assert not (await search.search(session, Query.read(ALL, number="00000000"), within=true())).rows
        elsewhere = filters.reach(
            Role.SUPERVISOR, "12345@533400" if not ticket.place.startswith("5334") else "12345@530100"
        )
        assert not (await search.search(session, Query.read(ALL, number=ticket.number), within=elsewhere)).rows


async def test_words_are_found_however_they_were_typed_and_all_of_them_must_stand_there(full: str) -> None:
    async with transaction() as session:
        found = await search.search(session, Query.read(ALL, words="ＸＩＡＯ車 校車　超载"), within=true())
        assert not found.rows
        found = await search.search(session, Query.read(ALL, words="校 車　超载"), within=true())
        assert found.rows and all("校车超载" in (row.answers or {})["what"] for row in found.rows)
        assert all(row.contact.channel == "sms" and row.number for row in found.rows)
        assert [row.id for row in found.rows] == sorted((row.id for row in found.rows), reverse=True)
        assert not (await search.search(session, Query.read(ALL, words="校车 饭菜"), within=true())).rows


async def test_a_search_stops_at_enough_hits_or_at_its_limit_and_says_so(
    full: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "BATCH", 40)
    async with transaction() as session:
        monkeypatch.setattr(search, "ENOUGH", 5)
        common = await search.search(session, Query.read(ALL, words="孩子"), within=true())
        assert len(common.rows) == 5 and common.more and not common.cut and common.looked_at < 200
        rare = await search.search(session, Query.read(ALL, words="没有人写过这个"), within=true())
        assert not rare.rows and rare.looked_at == 600 and not rare.cut
        monkeypatch.setattr(search, "MOST", 100)
        cut = await search.search(session, Query.read(ALL, words="没有人写过这个"), within=true())
        assert cut.looked_at == 100 and cut.cut
        newest = (await session.scalars(select(Ticket).order_by(Ticket.id.desc()).limit(1))).one()
        narrow = Filter(show="all", region=newest.place, category=newest.category or "none")
        less = await search.search(session, Query.read(narrow, words="没有人写过这个"), within=true())
        assert 0 < less.looked_at < 100 and not less.cut


async def test_a_department_finds_words_of_its_own_copies_only(full: str) -> None:
    async with transaction() as session:
        mine = (await session.scalars(select(Dispatch).where(Dispatch.closed_at.is_(None)).limit(1))).one()
        ticket = await session.get(Ticket, mine.ticket_id)
        assert ticket is not None
        ticket.answers = {"what": "只有热线知道的话"}
        mine.copy = {"what": "派下来的话在这里"}
        await session.flush()
        within = filters.reach(Role.DEPARTMENT, mine.unit)
        for words, hits in (("只有热线知道的话", []), ("派下来的话在这里", [mine.ticket_id])):
            found = await search.search(session, Query.read(ALL, words=words), within=within, unit=mine.unit)
            assert [row.id for row in found.rows] == hits
        desk = await search.search(session, Query.read(ALL, words="只有热线知道的话"), within=true())
        assert [row.id for row in desk.rows] == [mine.ticket_id]


@settings(deadline=None)
@given(st.text(max_size=80), st.text(max_size=40))
def test_whatever_is_typed_is_read(words: str, number: str) -> None:
    query = Query.read(Filter(), number=number, words=words)
    assert len(query.number) in (0, *range(search.TAIL, search.NUMBER + 1))
    search.holds(search.normal_form({"what": words}), query.words)


async def test_a_ticket_of_before_is_found_too_and_what_is_mended_is_found_anew(full: str) -> None:
    async with transaction() as session:
        old, new = (await session.scalars(select(Ticket).order_by(Ticket.id).limit(2))).all()
        for ticket in (old, new):
            ticket.answers = {"what": "月亮灣小学"}
        await session.flush()
        assert old.words == "月亮湾小学"
        old.words = None
        await session.flush()
        found = await search.search(session, Query.read(ALL, words="月亮湾"), within=true())
        assert {row.id for row in found.rows} == {old.id, new.id}
        new.answers = None
        await session.flush()
        assert new.words_sealed is None
        found = await search.search(session, Query.read(ALL, words="月亮湾"), within=true())
        assert {row.id for row in found.rows} == {old.id}


async def test_nothing_that_was_looked_for_is_logged(full: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with transaction() as session:
        await search.search(session, Query.read(ALL, words="校车超载"), within=true())
    assert "校车" not in caplog.text
