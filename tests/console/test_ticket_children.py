"""Children, persons complained of and the duty to report on a ticket's page: who may do what, and who was quicker."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from sms_gateway.clock import HeldClock, shanghai
from sms_gateway.database import transaction
from sms_gateway.messages.models import Message
from sms_gateway.operators.models import AuditRow, Role
from sms_gateway.tickets import children, service
from sms_gateway.tickets.models import Accused, Child, DutyReport, Ticket, TicketEvent
from tests.telling import Person

from .conftest import Desk, SignIn

WORDS = "我爸喝醉了老是打我，我12岁，在镇雄一中读初一"


async def opened(person: Person, *, lane: str = "orange", **answers: str) -> int:
    message_id = await person.hand_in("有事要说")
    async with transaction() as session:
        message = (await session.scalars(select(Message).where(Message.id == message_id))).one()
        ticket = await service.open_ticket(
            session, thread_id=person.thread_id, contact_id=message.contact_id, asked_in=message_id, kind="report",
            county="530627", answers=answers or {"what": WORDS}, lane=lane,
        )  # fmt: skip
        return ticket.id


async def ticket_of(ticket_id: int) -> Ticket:
    async with transaction() as session:
        return (await session.scalars(select(Ticket).where(Ticket.id == ticket_id))).one()


async def children_of(ticket_id: int) -> list[Child]:
    async with transaction() as session:
        return await children.list_children(session, ticket_id)


async def duties_of(ticket_id: int) -> list[DutyReport]:
    async with transaction() as session:
        return list(
            await session.scalars(select(DutyReport).where(DutyReport.ticket_id == ticket_id).order_by(DutyReport.id))
        )


async def press(desk: Desk, ticket_id: int, path: str, **fields: str) -> httpx.Response:
    """A button of the newest page."""
    version = str((await ticket_of(ticket_id)).version)
    return await desk.do(f"/tickets/{ticket_id}/{path}", **{"version": version, **fields})


async def test_the_page_shows_what_the_words_say_of_child_and_accused(
    sign_in: SignIn, person: Person, clock: HeldClock
) -> None:
    desk = await sign_in()
    ticket_id = await opened(person)
    page = (await desk.see(f"/tickets/{ticket_id}")).text
    assert "12 岁" in page and "镇雄一中" in page and "父母、监护人" in page and "同住" in page
    assert "已对监护人和被反映的单位保密" in page and "还没报告" in page and "镇雄县公安局" in page
    clock.advance(timedelta(hours=3))
    desk = await sign_in("later", "后来的人")
    assert "还没报告，已经超时" in (await desk.see(f"/tickets/{ticket_id}")).text


async def test_a_child_is_added_mended_and_taken_off(sign_in: SignIn, person: Person) -> None:
    desk = await sign_in()
    ticket_id = await opened(person, lane="blue", what="学校天天占体育课")
    assert await children_of(ticket_id) == []
    answer = await press(
        desk, ticket_id, "children", age="9", sex="f", school="旧府小学", county="530627", with_whom="奶奶"
    )
    assert answer.headers["hx-redirect"] == f"/tickets/{ticket_id}"
    [child] = await children_of(ticket_id)
    assert (child.age, child.sex, child.about) == (9, "f", {"school": "旧府小学", "with_whom": "奶奶"})
    assert (await press(desk, ticket_id, f"children/{child.id}", age="10", sex="f")).status_code == 204
    [child] = await children_of(ticket_id)
    assert (child.age, child.about, child.school_index) == (10, None, None)
    assert (await press(desk, ticket_id, f"children/{child.id}/unlink")).status_code == 204
    assert await children_of(ticket_id) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"age": "18"},
        {"age": "-1"},
        {"age": "九"},
        {"sex": "x", "age": "3"},
        {},
        {"county": "999999", "age": "3"},
        {"more": "长" * 301},
    ],
)
async def test_what_cannot_be_is_said_in_the_form(sign_in: SignIn, person: Person, wrong: dict[str, str]) -> None:
    desk = await sign_in()
    ticket_id = await opened(person, lane="blue", what="学校天天占体育课")
    answer = await press(desk, ticket_id, "children", **wrong)
    assert answer.status_code == 422 and re.search("[一-龥]", answer.json()["error"])
    assert await children_of(ticket_id) == []


async def test_who_has_an_older_page_is_told_so(sign_in: SignIn, person: Person) -> None:
    one, other = await sign_in("one", "甲"), await sign_in("other", "乙")
    ticket_id = await opened(person)
    version = str((await ticket_of(ticket_id)).version)
    assert (await one.do(f"/tickets/{ticket_id}/children", version=version, age="5")).status_code == 204
    for path in ("children", "accused"):
        answer = await other.do(f"/tickets/{ticket_id}/{path}", version=version, age="6", relation="teacher")
        assert answer.status_code == 409 and "刷新" in answer.json()["error"]
    duty = (await duties_of(ticket_id))[0]
    answer = await other.do(f"/tickets/{ticket_id}/duties/{duty.id}/excuse", version=version, words="已经报过")
    assert answer.status_code == 409


async def test_the_same_child_in_two_tickets_is_found_merged_and_split(
    sign_in: SignIn, person: Person, another: Person
) -> None:
    desk = await sign_in()
    first = await opened(person, lane="orange", child="9岁，在旧府小学读三年级")  # danger on duty opens both
    second = await opened(another, lane="orange", child="女孩，9岁，旧府小学的")
    page = (await desk.see(f"/tickets/{second}")).text
    assert "像是同一个孩子（同校、同岁）" in page
    [old], [new] = await children_of(first), await children_of(second)
    assert (await press(desk, second, f"children/{new.id}/merge", into=str(old.id))).status_code == 204
    assert [child.id for child in await children_of(second)] == [old.id] and (await children_of(first))[0].sex == "f"
    assert "还在这些单里" in (await desk.see(f"/tickets/{first}")).text
    assert (await press(desk, second, f"children/{new.id}/split")).status_code == 204
    assert [child.id for child in await children_of(second)] == [new.id] and (await children_of(first))[0].sex is None
    async with transaction() as session:
        said = [
            event.what
            for event in await session.scalars(
                select(TicketEvent).where(TicketEvent.ticket_id == first).order_by(TicketEvent.seq)
            )
        ]
        noted = set(await session.scalars(select(AuditRow.what)))
    assert said[-2:] == ["children_merged", "children_split"] and {"merge_children", "split_children"} <= noted


async def test_a_unit_complained_of_loses_the_matter(sign_in: SignIn, person: Person) -> None:
    desk = await sign_in()
    ticket_id = await opened(person, lane="blue", what="学校天天占体育课")
    await press(desk, ticket_id, "dispatch", unit="edu@530627")
    assert (
        await press(desk, ticket_id, "accused", relation="body", unit="edu@530627", body="教体局")
    ).status_code == 204
    page = (await desk.see(f"/tickets/{ticket_id}")).text
    assert "不派给它" in page and "被退回" in page
    ticket = await ticket_of(ticket_id)
    assert (ticket.status, ticket.unit) == ("returned", None)
    async with transaction() as session:
        [row] = await session.scalars(select(Accused).where(Accused.ticket_id == ticket_id))
    assert (await press(desk, ticket_id, f"accused/{row.id}", relation="x")).status_code == 422
    assert (await press(desk, ticket_id, "accused", relation="body", unit="edu@999999")).status_code == 404
    assert (await press(desk, ticket_id, f"accused/{row.id}/remove")).status_code == 204
    assert (await press(desk, ticket_id, f"accused/{row.id}/remove")).status_code == 404


async def test_a_report_is_noted_with_its_receipt(sign_in: SignIn, person: Person, clock: HeldClock) -> None:
    desk = await sign_in()
    ticket_id = await opened(person)
    police = (await duties_of(ticket_id))[0]
    at = f"{shanghai(clock.now()):%Y-%m-%dT%H:%M}"
    clock.advance(timedelta(minutes=1))
    path = f"duties/{police.id}/report"
    assert (await press(desk, ticket_id, path, at=at, how="phone")).status_code == 422  # nobody took it
    assert (await press(desk, ticket_id, path, at="昨天", person="王警官", how="phone")).status_code == 422
    assert (await press(desk, ticket_id, path, at="2030-01-01T00:00", person="王警官", how="phone")).status_code == 422
    fields = {"at": at, "person": "王警官 警号0231", "number": "JQ202611300001", "how": "phone", "filed": "1"}
    assert (await press(desk, ticket_id, path, **fields)).status_code == 204
    police = (await duties_of(ticket_id))[0]
    assert police.receipt == {"number": "JQ202611300001", "person": "王警官 警号0231", "how": "phone"}
    assert police.settled_at and police.filed_at and police.feedback_due_at == police.filed_at + timedelta(days=3)
    page = (await desk.see(f"/tickets/{ticket_id}")).text
    assert "JQ202611300001" in page and "公安要在 3 天内反馈" in page
    assert (await press(desk, ticket_id, path, **fields)).status_code == 409
    assert (await press(desk, ticket_id, f"duties/{police.id}/feedback", words="正在查")).status_code == 204
    assert (await press(desk, ticket_id, "duties/999999/report", **fields)).status_code == 404


async def test_not_reporting_takes_two_people_one_of_them_a_lead(sign_in: SignIn, person: Person) -> None:
    operator, lead = await sign_in("zhiban", "值班甲"), await sign_in("banzhang", "班长甲", Role.SUPERVISOR)
    ticket_id = await opened(person)
    duty = (await duties_of(ticket_id))[0]
    path = f"duties/{duty.id}"
    assert (await press(operator, ticket_id, f"{path}/excuse", words=" ")).status_code == 422
    assert (await press(lead, ticket_id, f"{path}/sign")).status_code == 409  # nothing to sign yet
    assert (await press(operator, ticket_id, f"{path}/excuse", words="同一件事上午已报")).status_code == 204
    assert (await press(operator, ticket_id, f"{path}/sign")).status_code == 403
    assert (await press(lead, ticket_id, f"{path}/refuse", words="没看到回执")).status_code == 204
    assert (await press(lead, ticket_id, f"{path}/excuse", words="回执在上一单")).status_code == 204
    assert (await press(lead, ticket_id, f"{path}/sign")).status_code == 403  # who wrote it does not sign it
    other = await sign_in("banzhang2", "班长乙", Role.SUPERVISOR)
    assert (await press(other, ticket_id, f"{path}/sign")).status_code == 204
    assert "不报，已签" in (await lead.see(f"/tickets/{ticket_id}")).text
    [row] = [row for row in await duties_of(ticket_id) if row.id == duty.id]
    assert row.settled_at is not None and row.signed_by == other.operator.id


async def test_a_department_sees_none_of_it_and_acts_on_none_of_it(sign_in: SignIn, person: Person) -> None:
    ticket_id = await opened(person)
    editor = await sign_in("bianji", "编辑", Role.EDITOR)
    duty = (await duties_of(ticket_id))[0]
    for path in (
        "children",
        "accused",
        "children/1",
        "children/1/merge",
        f"duties/{duty.id}/report",
        f"duties/{duty.id}/sign",
    ):
        assert (await press(editor, ticket_id, path, into="1")).status_code == 403


async def test_no_words_of_a_child_stand_in_events_or_addresses(sign_in: SignIn, person: Person) -> None:
    desk = await sign_in()
    ticket_id = await opened(person)
    await press(desk, ticket_id, "children", age="7", name="王小明", school="旧府小学", county="530627")
    async with transaction() as session:
        events = list(await session.scalars(select(TicketEvent).where(TicketEvent.ticket_id == ticket_id)))
    assert events and not re.search("[一-龥]", repr([(event.what, event.who, event.detail) for event in events]))
