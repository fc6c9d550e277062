"""A talk that called nobody is read for a reason that is kept; danger, a call and one's own talk are reasons by themselves."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy import select

from sms_gateway.clock import HeldClock
from sms_gateway.console import reasons
from sms_gateway.conversations import openings
from sms_gateway.database import transaction
from sms_gateway.operators.models import AuditRow, Operator, Role
from sms_gateway.tickets.models import Ticket
from tests.telling import Person
from tests.tickets.test_attachments import PDF

from . import matters
from .conftest import SignIn
from .test_sealed import put

WORDS = "学校天天占体育课"
SHUT = "写理由，打开会话"


async def _audit(what: str) -> list[str | None]:
    async with transaction() as session:
        rows = await session.scalars(select(AuditRow).where(AuditRow.what == what).order_by(AuditRow.id))
        return [row.detail for row in rows]


async def test_a_talk_with_the_assistant_opens_for_two_hours_with_a_reason(
    sign_in: SignIn, person: Person, clock: HeldClock
) -> None:
    desk, other = await sign_in(), await sign_in("lead", "班长", Role.SUPERVISOR)
    await person.texts(WORDS)
    talk = f"/talks/{person.thread_id}"
    colleague = await sign_in("he", "同事")
    for act in ("take", "hand-back"):  # nobody is called any more
        assert (await colleague.do(f"{talk}/{act}")).status_code == 200
    page = (await desk.see(talk)).text
    assert SHUT in page and WORDS not in page
    for method, path in (("see", "/live"), ("do", "/history")):
        answer = await getattr(desk, method)(talk + path)
        assert answer.status_code in (403, 422) and WORDS not in answer.text
    for form in ({}, {"why": "other"}, {"why": "nosy", "words": "看看"}):
        assert (await desk.do(f"{talk}/open", **form)).status_code == 422
    assert (await desk.do(f"{talk}/open", why="ticket", words="核对学校")).status_code == 303
    assert WORDS in (await desk.see(talk)).text and (await desk.see(f"{talk}/live")).status_code == 200
    assert await _audit("open_shut_talk") == ["办工单，要看原话：核对学校"]
    assert SHUT in (await other.see(talk)).text  # a reason is the one's who said it
    clock.advance(timedelta(hours=2, seconds=1))
    assert SHUT in (await (await sign_in("later", "晚班")).see(talk)).text
    await openings.sweep()
    async with transaction() as session:
        assert list(await session.scalars(select(openings.TalkOpening))) == []


async def test_danger_is_the_reason_by_itself_and_the_audit_says_so(sign_in: SignIn, person: Person) -> None:
    desk = await sign_in()
    await person.texts("有个叔叔一直在踹我家门 就我和弟弟在")
    assert SHUT not in (await desk.see(f"/talks/{person.thread_id}")).text
    assert await _audit("open_talk") == ["红色在办，值班中"]


async def test_what_they_had_in_hand_stays_open_a_while(sign_in: SignIn, person: Person, clock: HeldClock) -> None:
    desk = await sign_in()
    await person.texts(WORDS)
    talk = f"/talks/{person.thread_id}"
    assert (await desk.do(f"{talk}/take")).status_code == 200
    assert (await desk.do(f"{talk}/hand-back")).status_code == 200
    assert WORDS in (await desk.see(talk)).text
    assert SHUT in (await (await sign_in("he", "同事")).see(talk)).text


async def test_a_talk_that_waits_is_read_by_taking_it_over_or_with_a_reason(sign_in: SignIn, person: Person) -> None:
    desk, other = await sign_in(), await sign_in("he", "同事")
    await person.texts(WORDS)
    await person.texts("我要找真人")
    talk = f"/talks/{person.thread_id}"
    page = (await desk.see(talk)).text
    assert SHUT in page and WORDS not in page and f'action="{talk}/take"' in page
    assert (await desk.do(f"{talk}/take")).status_code == 200
    assert WORDS in (await desk.see(talk)).text
    assert await _audit("open_talk") == ["会话在自己手上"]
    page = (await other.see(talk)).text
    assert SHUT in page and "/take" not in page


async def test_danger_is_no_reason_for_who_is_not_on_duty(sign_in: SignIn, person: Person) -> None:
    desk = await sign_in()
    await person.texts("有个叔叔一直在踹我家门 就我和弟弟在")
    async with transaction() as session:
        (await session.get_one(Operator, desk.operator.id)).on_duty = False
    page = (await desk.see(f"/talks/{person.thread_id}")).text
    assert SHUT in page and "踹我家门" not in page


def test_the_talk_itself_is_a_reason_only_in_hand_passed_on_or_in_danger_on_duty() -> None:
    found_of = {
        given: openings.has_reason(mine=given[0], offered=given[1], danger=given[2], on_duty=given[3])
        for given in product((True, False), repeat=4)
    }
    assert {given for given, found in found_of.items() if not found} == {
        (False, False, True, False), (False, False, False, True), (False, False, False, False),
    }  # fmt: skip


TICKET_SHUT = "写理由，打开工单"


async def test_an_ordinary_open_ticket_is_the_desks_work_and_a_sensitive_one_asks_why(
    sign_in: SignIn, person: Person, clock: HeldClock
) -> None:
    ticket = await matters.open_matter(person)
    desk = await sign_in()
    page, what = f"/tickets/{ticket.id}", matters.ANSWERS["what"]
    assert what in (await desk.see(page)).text and what in (await desk.see("/tickets")).text
    assert await _audit("open_ticket") == ["办这件单"]
    file_id = await put(ticket, "说明.pdf", PDF)
    async with transaction() as session:
        (await session.get_one(Ticket, ticket.id)).sealed = True
    shut = (await desk.see(page)).text
    assert TICKET_SHUT in shut and what not in shut
    assert (
        what not in (await desk.see("/tickets")).text
        and what not in (await desk.do("/tickets/search", number=ticket.number)).text
    )
    assert (await desk.see(f"{page}/files/{file_id}")).status_code == 403
    assert (await desk.do(f"{page}/open")).status_code == 422
    assert (await desk.do(f"{page}/open", why="asked", words="外婆来电话")).status_code == 303
    assert what in (await desk.see(page)).text
    assert await _audit("open_shut_ticket") == ["来信人、家里人或单位来问这件单：外婆来电话"]
    assert TICKET_SHUT in (await (await sign_in("he", "同事")).see(page)).text
    clock.advance(timedelta(hours=2, seconds=1))
    assert TICKET_SHUT in (await (await sign_in("later", "晚班")).see(page)).text
    assert await _audit("search_tickets") == [None]


@pytest.mark.parametrize(
    ("lane", "on_duty", "is_open", "is_harm", "at_it", "reason"),
    [
        ("red", True, True, True, False, "红色在办，值班中"), ("red", False, True, True, False, None), ("red", True, False, True, False, None),
        ("blue", False, True, False, False, "办这件单"), ("blue", True, True, True, False, None), ("blue", True, False, False, False, None),
        ("red", False, True, True, True, "办这件单"), ("blue", True, False, False, True, "办这件单"),
    ],
)  # fmt: skip
def test_which_ticket_gives_its_own_reason(
    lane: str, on_duty: bool, is_open: bool, is_harm: bool, at_it: bool, reason: str | None
) -> None:
    given = reasons.for_a_ticket(lane, on_duty=on_duty, is_open=is_open, is_harm=is_harm, at_it=at_it)
    assert given == reason
