"""Holding evidence and answering people who ask for their data, as supervisors see it."""

from __future__ import annotations

from sms_gateway.contacts.models import Contact
from sms_gateway.database import transaction
from sms_gateway.messages.models import Thread
from sms_gateway.operators.models import Role
from sms_gateway.retention.request_rules import SAID
from tests.telling import Person

from . import matters
from .conftest import SignIn

ASKED = {
    "wants": "access",
    "asker": "subject",
    "checked": "in_person",
    "number": "13800000001",
    "name": "阿依朵",
    "words": "本人带身份证来",
}


async def test_a_supervisor_holds_a_ticket_and_two_lift_it(sign_in: SignIn, person: Person) -> None:
    ticket = await matters.open_matter(person)
    lead = await sign_in("banzhang", role=Role.SUPERVISOR)
    other = await sign_in("erhao", role=Role.SUPERVISOR)
    operator = await sign_in()
    page = f"/tickets/{ticket.id}"
    assert "保全这件事" in (await lead.see(page)).text and "证据保全" not in (await operator.see(page)).text
    assert (await lead.do(f"{page}/hold", reason="好")).status_code == 422
    assert (await operator.do(f"{page}/hold", reason="公安已立案，等调取")).status_code == 403
    assert (await lead.do(f"{page}/hold", reason="公安已立案，等调取", letter="12号")).status_code == 204
    assert "已保全" in (await operator.see(page)).text
    assert (await lead.do(f"/talks/{ticket.thread_id}/open", why="ticket")).status_code == 303
    assert "已保全" in (await lead.see(f"/talks/{ticket.thread_id}")).text
    listed = (await lead.see("/holds")).text
    assert ticket.number in listed and "公安已立案" in listed and "12号" in listed
    assert (await lead.do("/holds/1/ask", reason="公安来函，不用再留")).status_code == 204
    assert (await lead.do("/holds/1/lift")).status_code == 403
    assert "同意解除" in (await other.see("/holds")).text
    assert (await other.do("/holds/1/keep")).status_code == 204
    assert (await other.do("/holds/1/lift")).status_code == 409
    assert (await lead.do("/holds/1/ask", reason="公安来函，不用再留")).status_code == 204
    assert (await other.do("/holds/1/lift")).status_code == 204
    assert ticket.number not in (await lead.see("/holds")).text
    assert await matters.audited("lift_hold") == [f"ticket:{ticket.id}"]


async def test_a_talk_is_held_from_its_own_page_and_hidden_from_who_knows_the_family(
    sign_in: SignIn, person: Person
) -> None:
    await person.texts("你好")
    lead = await sign_in("banzhang", role=Role.SUPERVISOR)
    other = await sign_in("erhao", role=Role.SUPERVISOR)
    page = f"/talks/{person.thread_id}"
    assert (await lead.do(f"{page}/hold", reason="法院来函调取")).status_code == 204
    assert "法院来函" in (await other.see("/holds")).text
    assert (await other.do(f"{page}/recuse")).status_code in (200, 204)
    assert "法院来函" not in (await other.see("/holds")).text
    assert (await other.do("/holds/1/ask", reason="想解除这一条")).status_code == 404


async def test_a_regions_supervisor_sees_the_holds_of_its_region_only(sign_in: SignIn, person: Person) -> None:
    await person.texts("你好")
    lead = await sign_in("banzhang", role=Role.SUPERVISOR)
    assert (await lead.do(f"/talks/{person.thread_id}/hold", reason="法院来函调取")).status_code == 204
    here, there = [await sign_in(f"qu{at}", role=Role.SUPERVISOR, unit=f"12345@{at}") for at in ("530600", "530300")]
    for desk in (here, there):  # nobody knows where they are
        assert "法院来函" not in (await desk.see("/holds")).text
    async with transaction() as session:
        thread = await session.get_one(Thread, person.thread_id)
        (await session.get_one(Contact, thread.contact_id)).region = "530627"
    assert "法院来函" in (await here.see("/holds")).text and "法院来函" not in (await there.see("/holds")).text
    assert (await there.do("/holds/1/ask", reason="想解除这一条")).status_code == 404


async def test_whoever_asks_for_whatever_number_hears_the_same(sign_in: SignIn, person: Person) -> None:
    ticket = await matters.open_matter(person)
    lead = await sign_in("banzhang", role=Role.SUPERVISOR)
    assert SAID in (await lead.see("/privacy")).text
    tried = [
        {},
        {"asker": "guardian"},
        {"asker": "other"},
        {"number": "13800000099"},
        {"wants": "erasure"},
        {"checked": "not"},
    ]
    for number, changed in enumerate(tried, start=1):
        answer = await lead.do("/privacy", **{**ASKED, **changed})
        assert answer.status_code == 204 and answer.headers["HX-Redirect"] == f"/privacy/{number}"
        page = (await lead.see(f"/privacy/{number}")).text
        assert SAID in page and ticket.number not in page and "13800000001" not in page
    assert (await lead.do("/privacy", **{**ASKED, "number": "abc"})).status_code == 422
    assert (await lead.do("/privacy", **{**ASKED, "words": ""})).status_code == 422
    assert (await lead.do("/privacy", **{**ASKED, "name": ""})).status_code == 422
    assert (await lead.do("/privacy/2/file", name="阿依朵")).status_code == 409
    assert (await lead.do("/privacy/1/file")).status_code == 422
    file = await lead.do("/privacy/1/file", name="阿依朵")
    assert file.status_code == 200 and "老师打学生" in file.text and file.headers["Cache-Control"] == "no-store"
    assert (await lead.do("/privacy/1/file", name="阿依朵")).status_code == 409
    assert await matters.audited("hand_out") == ["request:1"]


async def test_the_pages_ask_a_second_supervisor_where_there_is_harm(sign_in: SignIn, person: Person) -> None:
    await matters.open_matter(person, kind="report")
    lead = await sign_in("banzhang", role=Role.SUPERVISOR)
    other = await sign_in("erhao", role=Role.SUPERVISOR)
    assert (await lead.do("/privacy", **ASKED)).status_code == 204
    page = (await lead.see("/privacy/1")).text
    assert "要另一位值班长" in page and "取出文件" not in page and "身边没有大人" in page
    assert (await lead.do("/privacy/1/file", name="阿依朵")).status_code == 403
    assert "取出文件" in (await other.see("/privacy/1")).text
    assert (await other.do("/privacy/1/file", name="阿依朵")).status_code == 200


async def test_only_the_whole_provinces_supervisors_answer_people_who_ask(sign_in: SignIn) -> None:
    lead = await sign_in("banzhang", role=Role.SUPERVISOR, unit="12345@530600")
    assert (await lead.see("/privacy")).status_code == 403
    assert (await lead.do("/privacy", **ASKED)).status_code == 403
    assert (await lead.see("/holds")).status_code == 200
