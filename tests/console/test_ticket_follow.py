"""回访、补充、转办 on the ticket's page: what is shown, what may be done, and by whom."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from sms_gateway.operators.models import Role
from sms_gateway.tickets import follow_up, transfers
from sms_gateway.tickets.models import Ticket
from sms_gateway.wording import say
from tests.telling import Person
from tests.tickets.asking import MORNING, again, at, concluded, later, registered

from .conftest import SignIn

QUESTION = "是哪个班的课？"


async def _matter(person: Person, clock: HeldClock, **changed: object) -> Ticket:
    at(clock, MORNING)
    ticket = await registered(person, **changed)
    person.read = len(person.carrier.sent)
    return ticket


async def test_a_question_is_released_to_the_person_and_shown(
    sign_in: SignIn, person: Person, clock: HeldClock
) -> None:
    ticket, desk = await _matter(person, clock), await sign_in()
    answer = await desk.do(f"/tickets/{ticket.id}/ask-person", version=str(ticket.version), words=QUESTION)
    assert answer.status_code == 204
    assert (await again(ticket)).status == "clarifying"
    page = (await desk.see(f"/tickets/{ticket.id}")).text
    assert QUESTION in page and "还没有回" in page and "看过了，发给来信人" not in page
    await person.run()
    assert say("clarify.ask", tail=ticket.number[-3:]) + QUESTION in person.news()


async def test_who_has_read_an_older_page_hears_that_somebody_was_quicker(
    sign_in: SignIn, person: Person, clock: HeldClock
) -> None:
    ticket, desk = await _matter(person, clock), await sign_in()
    for path, fields in (
        ("ask-person", {"words": QUESTION}), ("transfer", {"partner": "general"}), ("transfer/number", {"number": "1"}),
        ("transfer/said", {"state": "closed"}),
    ):  # fmt: skip
        answer = await desk.do(f"/tickets/{ticket.id}/{path}", version=str(ticket.version + 1), **fields)
        assert answer.status_code == 409, path
    assert (await again(ticket)).status == "accepted"


async def test_without_the_pages_token_nothing_is_done(sign_in: SignIn, person: Person, clock: HeldClock) -> None:
    ticket, desk = await _matter(person, clock), await sign_in()
    for path in ("ask-person", "transfer", "transfer/number", "transfer/said"):
        answer = await desk.client.post(f"/tickets/{ticket.id}/{path}", data={"version": "1", "words": QUESTION})
        assert answer.status_code == 403, path


@pytest.mark.parametrize("role", [Role.EDITOR, Role.DEPARTMENT])
async def test_editors_and_departments_may_not(sign_in: SignIn, person: Person, clock: HeldClock, role: Role) -> None:
    ticket, desk = (
        await _matter(person, clock),
        await sign_in(role=role, unit="edu@530627" if role is Role.DEPARTMENT else None),
    )
    for path in ("ask-person", "transfer", "transfer/number", "transfer/said"):
        answer = await desk.do(f"/tickets/{ticket.id}/{path}", version="1", words=QUESTION)
        assert answer.status_code == 403, path


@pytest.mark.parametrize(
    ("words", "says"), [("", "请写要问的话"), ("字" * 121, "只问一件事"), ("加我微信号 abc", "不加好友")]
)
async def test_what_may_not_go_out_is_said_in_one_sentence(
    sign_in: SignIn, person: Person, clock: HeldClock, words: str, says: str
) -> None:
    ticket, desk = await _matter(person, clock), await sign_in()
    answer = await desk.do(f"/tickets/{ticket.id}/ask-person", version="1", words=words)
    assert answer.status_code == 422 and says in answer.json()["error"]
    assert (await again(ticket)).status == "accepted"


async def test_where_a_text_may_harm_the_page_says_so_and_offers_none(
    sign_in: SignIn, person: Person, clock: HeldClock
) -> None:
    ticket, desk = await _matter(person, clock, lane="orange"), await sign_in()
    page = (await desk.see(f"/tickets/{ticket.id}")).text
    assert "不能发短信去问：橙色的事" in page and "ask-person-words" not in page
    assert "带原话转到" not in page
    for path, fields in (("ask-person", {"words": QUESTION}), ("transfer", {"partner": "general"})):
        assert (await desk.do(f"/tickets/{ticket.id}/{path}", version="1", **fields)).status_code == 409


async def test_the_page_tells_when_somebody_is_asked_and_why_not(
    sign_in: SignIn, person: Person, clock: HeldClock
) -> None:
    ticket, desk = await _matter(person, clock, anonymous=True), await sign_in()
    await concluded(ticket)
    assert "回访：等白天再问" in (await desk.see(f"/tickets/{ticket.id}")).text
    async with transaction() as session:
        [row] = await follow_up.list_for(session, ticket.id)
        await follow_up.look(session, row.id)
    assert "回访：没有问：不留名" in (await desk.see(f"/tickets/{ticket.id}")).text


async def test_a_matter_is_transferred_by_hand_and_comes_back(
    sign_in: SignIn, person: Person, clock: HeldClock
) -> None:
    ticket, desk = await _matter(person, clock), await sign_in()
    assert (await desk.do(f"/tickets/{ticket.id}/transfer", version="1", partner="月球")).status_code == 422
    assert (await desk.do(f"/tickets/{ticket.id}/transfer", version="1", partner="general")).status_code == 204
    page = (await desk.see(f"/tickets/{ticket.id}")).text
    assert "要人工转" in page and "都归我们" in page and "我要投诉学校天天占体育课" in page
    async with transaction() as session:
        assert [row.ticket_id for row in await transfers.list_by_hand(session)] == [ticket.id]
    assert (await desk.do(f"/tickets/{ticket.id}/transfer/number", version="1", number="ZT77")).status_code == 204
    page = (await desk.see(f"/tickets/{ticket.id}")).text
    assert "对方已接" in page and "ZT77" in page and "都归对方" in page and "已转出" in page
    now = await again(ticket)
    back = await desk.do(
        f"/tickets/{ticket.id}/transfer/said", version=str(now.version), state="returned", words="说归教育"
    )
    assert back.status_code == 204
    assert (await again(ticket)).status == "accepted"
    assert "说归教育" in (await desk.see(f"/tickets/{ticket.id}")).text


async def test_what_waits_for_an_operator_stands_in_lists_of_its_own(
    sign_in: SignIn, person: Person, clock: HeldClock
) -> None:
    ticket, desk = await _matter(person, clock), await sign_in()
    await desk.do(f"/tickets/{ticket.id}/ask-person", version="1", words=QUESTION)
    assert ticket.number not in (await desk.see("/tickets?unanswered=1")).text
    await later(person, clock, timedelta(days=8))
    desk = await sign_in("zhiban2")
    assert ticket.number in (await desk.see("/tickets?unanswered=1")).text
    other = await registered(person, "我要投诉幼儿园乱收费")
    await desk.do(f"/tickets/{other.id}/transfer", version="1", partner="贵州")
    page = (await desk.see("/tickets?by_hand=1")).text
    assert other.number in page and ticket.number not in page
