"""Numbers and names are masked wherever a page, a part, a file or the stream tells of somebody, until somebody says why."""

from __future__ import annotations

import asyncio
import io
import re
import zipfile

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from sms_gateway.clock import HeldClock
from sms_gateway.console import live
from sms_gateway.console.reasons import masked_name
from sms_gateway.console.rules import is_allowed
from sms_gateway.console.seat import Seat
from sms_gateway.database import transaction
from sms_gateway.operators.models import AuditRow, Role
from sms_gateway.tickets import accused, actors, children
from sms_gateway.tickets.accused import AccusedFacts
from sms_gateway.tickets.children import ChildFacts
from sms_gateway.tickets.models import Ticket
from tests.telling import FakeCarrier, Person

from .conftest import PAGE, Desk, SignIn
from .family import NAME, settle_in
from .test_door import _acts, _flat
from .test_shut_out import NOBODYS, WITHOUT_END, _addresses
from .test_ticket_children import opened, press

NUMBER = "13800000001"
ACCUSED = "段世昌"
SIBLINGS = "妹妹阿依兰"


async def _accuse(ticket_ids: set[int]) -> None:
    async with transaction() as session:
        for id_ in sorted(ticket_ids):
            facts = AccusedFacts("teacher", None, True, None, None, {"name": ACCUSED})
            await accused.add(session, ticket_id=id_, version=None, facts=facts, actor=actors.operator(1))


@pytest.mark.parametrize("role", Role)
async def test_no_page_part_list_or_file_holds_a_number_or_a_childs_name(
    console: FastAPI, sign_in: SignIn, person: Person, carrier: FakeCarrier, clock: HeldClock, role: Role
) -> None:
    """`settle_in` writes the child's name into one free text, a note from colleague to colleague, which only its talk shows."""
    family = await settle_in(person, carrier, clock)
    await _accuse(family.ids["ticket_id"])
    unit = {Role.FOLLOWER: "12345@530627", Role.DEPARTMENT: "edu@530627"}.get(role)
    desk = await sign_in(role.value, "看的人", role, unit=unit)
    looked, masked = 0, False
    for path, address in _addresses(console, family, role, "GET"):
        for whole in (address, "/tickets?show=all") if address == "/tickets" else (address,):
            page = await desk.client.get(whole, headers=PAGE, follow_redirects=True)
            looked, masked = looked + 1, masked or "138****0001" in page.text
            assert NUMBER not in page.text and ACCUSED not in page.text, whole
            if not path.startswith("/talks/"):
                assert NAME not in page.text, whole
    assert looked > 5 and (masked or not is_allowed(role, next(iter(_acts_of_talks(console)))))


def _acts_of_talks(console: FastAPI):  # type: ignore[no-untyped-def]
    return [act for _m, path, route in _flat(console) if path == "/talks/{talk_id}" for act in _acts(route)]


async def test_search_export_and_stream_hold_none_either(
    console: FastAPI, sign_in: SignIn, person: Person, another: Person, carrier: FakeCarrier, clock: HeldClock
) -> None:
    family = await settle_in(person, carrier, clock)
    await _accuse(family.ids["ticket_id"])
    desk = await sign_in("lead", "班长", Role.SUPERVISOR)
    said = [(await desk.do("/tickets/search", number=number)).text for number in sorted(family.numbers)]
    for kind in ("csv", "xlsx"):
        form = {"reason": "每周核对数字，交给主任", "kind": kind, "with_words": "1", "show": "all"}
        answer = await desk.do("/tickets/export", **form)
        assert answer.status_code == 200
        said.append(answer.text if kind == "csv" else _unpacked(answer.content))
    await another.texts("有个叔叔一直在踹我家门 就我和弟弟在")
    seat = Seat(desk.operator, desk.csrf, desk.client.cookies["hotline_console"])
    events = live.follow(console.state.board, seat)
    async with asyncio.timeout(20):
        async for event in events:
            said.append(event)
            if event.startswith("event: changed"):
                break
    assert '"alarms": [{' in said[-1]  # it tells of the new red talk
    for words in said:
        assert NUMBER not in words and "13800000002" not in words and NAME not in words and ACCUSED not in words


def _unpacked(workbook: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(workbook)) as parts:
        return "".join(parts.read(name).decode() for name in parts.namelist())


async def _rows(what: str) -> list[tuple[str, str | None]]:
    async with transaction() as session:
        rows = await session.scalars(select(AuditRow).where(AuditRow.what == what).order_by(AuditRow.id))
        return [(row.subject, row.detail) for row in rows]


async def _named(desk: Desk, person: Person, lane: str) -> int:
    ticket_id = await opened(person, lane=lane, what="学校天天占体育课")
    async with transaction() as session:
        facts = ChildFacts("530627", 9, "f", {"name": NAME, "siblings": SIBLINGS, "school": "旧府小学"})
        await children.add(session, ticket_id=ticket_id, version=None, facts=facts, actor=actors.operator(1))
    await _accuse({ticket_id})
    page = (await desk.see(f"/tickets/{ticket_id}")).text
    assert NAME not in page and "阿＊＊" in page and SIBLINGS not in page and ACCUSED not in page and "旧府小学" in page
    return ticket_id


async def test_a_name_outside_danger_opens_with_a_reason_that_is_kept(sign_in: SignIn, person: Person) -> None:
    desk = await sign_in()
    ticket_id = await _named(desk, person, "blue")
    path = f"/tickets/{ticket_id}/children/names"
    for form in ({}, {"why": "other"}, {"why": "made-up", "words": "想看"}):
        assert (await desk.do(path, **form)).status_code == 422
    assert await _rows("open_names") == []
    page = (await desk.do(path, why="police", words="派出所王警官要")).text
    assert NAME in page and SIBLINGS in page and ACCUSED in page
    assert await _rows("open_names") == [(f"ticket:{ticket_id}", "报告、转给公安或民政，要写姓名：派出所王警官要")]
    assert NAME not in (await desk.see(f"/tickets/{ticket_id}")).text  # nothing stays open


@pytest.mark.parametrize("lane", ["red", "orange"])
async def test_danger_in_hand_is_the_reason_by_itself_for_who_is_on_duty(
    sign_in: SignIn, person: Person, lane: str
) -> None:
    desk = await sign_in()
    ticket_id = await _named(desk, person, lane)
    path = f"/tickets/{ticket_id}/children/names"
    assert NAME in (await desk.do(path)).text
    assert "值班中" in str((await _rows("open_names"))[0][1])
    await desk.do("/live/duty", on="0")
    assert (await desk.do(path)).status_code == 422


async def test_a_record_mended_with_its_names_shut_keeps_them(sign_in: SignIn, person: Person) -> None:
    desk = await sign_in()
    ticket_id = await _named(desk, person, "blue")
    page = (await desk.see(f"/tickets/{ticket_id}")).text
    assert page.count('name="names_kept"') == 2
    async with transaction() as session:
        child = next(one for one in await children.list_children(session, ticket_id) if (one.about or {}).get("name"))
        who = (await accused.list_accused(session, ticket_id))[-1]
    form = {"age": "10", "sex": "f", "county": "530627", "school": "旧府小学", "names_kept": "true"}
    assert (await press(desk, ticket_id, f"children/{child.id}", **form)).status_code == 204
    form = {"relation": "teacher", "more": "教数学", "names_kept": "true"}
    assert (await press(desk, ticket_id, f"accused/{who.id}", **form)).status_code == 204
    async with transaction() as session:
        [after] = [one for one in await children.list_children(session, ticket_id) if one.id == child.id]
        told = (await accused.list_accused(session, ticket_id))[-1]
        assert (after.age, after.about) == (10, {"name": NAME, "siblings": SIBLINGS, "school": "旧府小学"})
        assert told.about == {"name": ACCUSED, "more": "教数学"}


async def test_the_number_opens_in_danger_only_and_the_audit_says_why(sign_in: SignIn, person: Person) -> None:
    desk = await sign_in()
    await person.texts("有个叔叔一直在踹我家门 就我和弟弟在")
    assert (await desk.do(f"/talks/{person.thread_id}/number")).status_code >= 400  # not theirs
    await desk.do(f"/talks/{person.thread_id}/take")
    assert NUMBER in (await desk.do(f"/talks/{person.thread_id}/number")).text
    assert await _rows("show_number") == [(f"thread:{person.thread_id}", "红色在办，要交给接警台")]


def test_a_masked_name_tells_neither_rest_nor_length() -> None:
    assert {masked_name(name) for name in ("阿依", "阿依朵", " 阿依朵兰花 ")} == {"阿＊＊"}
    assert masked_name("") == ""


def test_the_walk_leaves_nothing_out(console: FastAPI) -> None:
    """What an address names is either of the family or of nobody."""
    names = {name for _m, path, _r in _flat(console) for name in re.findall(r"\{(\w+)\}", path)}
    known = {
        "talk_id",
        "ticket_id",
        "child_id",
        "review_id",
        "look_back_id",
        "call_id",
        "transfer_id",
        "draft_id",
        "privacy_id",
    }
    assert names <= known | set(NOBODYS) and {"/live/stream"} == WITHOUT_END
    assert Ticket.__tablename__ == "tickets"
