"""What a desk says stands beside the talk and on the wall; a matter it hands us has a page; lost contact has its next steps."""

from __future__ import annotations

from sqlalchemy import select

from sms_gateway.bridge import service as bridge
from sms_gateway.bridge.models import BridgeCall, DeskMatter
from sms_gateway.conversations import desk_matters
from sms_gateway.database import transaction
from sms_gateway.messages.models import Thread
from sms_gateway.operators.models import Role
from tests.telling import Person

from .conftest import Desk, SignIn

KICKING = "有个叔叔一直在踹我家门 就我和弟弟在 镇雄县泼机镇"
HTML = "<script>alert(1)</script>"
SAID = {"what": f"{HTML} 楼上爸爸正在用皮带打孩子，孩子一直在喊救命", "place": f"镇雄县泼机镇{HTML}", "child": HTML, "caller": HTML,
        "phone": "13800000009", "kind": "help"}  # fmt: skip


async def _handed_over(desk: Desk, person: Person) -> int:
    await person.texts(KICKING)
    await desk.do(f"/talks/{person.thread_id}/take")
    await desk.do(f"/talks/{person.thread_id}/mark", to="in_contact")
    assert (await desk.do(f"/talks/{person.thread_id}/bridge", service="110")).status_code == 200
    async with transaction() as session:
        return (await session.scalars(select(BridgeCall.id))).one()


async def _says(person: Person, call_id: int, *states: str) -> None:
    for state in states:
        async with transaction() as session:
            await bridge.hear(session, await bridge.lock(session, call_id), state, receipt="JQ1", words="两名民警")
    await person.run()


async def test_a_talk_and_the_wall_say_how_far_the_desk_is(sign_in: SignIn, person: Person) -> None:
    desk, lead = await sign_in(), await sign_in("lead", "班长", role=Role.SUPERVISOR)
    call_id = await _handed_over(desk, person)
    for state, words in (
        ("accepted", "对方已接"),
        ("dispatched", "已派警"),
        ("arrived", "已到场"),
        ("accepted", "已到场"),
    ):
        await _says(person, call_id, state)
        page = (await desk.see(f"/talks/{person.thread_id}")).text
        assert words in page and "两名民警" in page
        assert words in (await lead.see("/team")).text


async def test_a_desk_that_lost_contact_is_called_out_with_what_to_do(sign_in: SignIn, person: Person) -> None:
    desk = await sign_in()
    call_id = await _handed_over(desk, person)
    await _says(person, call_id, "accepted", "dispatched", "lost_contact", "lost_contact")
    page = (await desk.see(f"/talks/{person.thread_id}")).text
    assert "说联系不上" in page and "断了联系，接着做" in page and "告诉 110" in page and "按最后说的地点找" in page
    assert page.count("接警台说联系不上") == 1
    assert (await desk.do(f"/talks/{person.thread_id}/mark", to="in_contact")).status_code == 200
    assert "断了联系，接着做" not in (await desk.see(f"/talks/{person.thread_id}")).text


async def test_an_operator_who_lost_contact_reads_what_to_do(sign_in: SignIn, person: Person) -> None:
    desk = await sign_in()
    await person.texts("有个叔叔一直在踹我家门 就我和弟弟在")
    await desk.do(f"/talks/{person.thread_id}/take")
    await desk.do(f"/talks/{person.thread_id}/mark", to="lost_contact")
    page = (await desk.see(f"/talks/{person.thread_id}")).text
    assert "马上交 110" in page and "地点还不知道" in page and "通讯录里没有当地的人" in page


async def test_a_desks_matter_has_a_page_without_a_reply_and_its_callers_number_is_audited(
    sign_in: SignIn, person: Person
) -> None:
    desk = await sign_in()
    async with transaction() as session:
        number, _news = await desk_matters.take(session, desk="110@530600", number="<b>1</b>", said=SAID)
    await person.run()
    async with transaction() as session:
        thread_id = (await session.scalars(select(Thread.id))).one()
    here = f"/talks/{thread_id}"
    queue = (await desk.see("/")).text
    assert "接警台转来" in queue and "昭通市 110" in queue
    await desk.do(f"{here}/take")
    page = (await desk.see(here)).text
    assert number in page and "谁转来的" in page and "&lt;b&gt;1&lt;/b&gt;" in page and "没有人能收信" in page
    assert HTML not in page and 'id="reply"' not in page and "13800000009" not in page
    shown = await desk.do(f"{here}/number")
    assert shown.status_code == 200 and "13800000009" in shown.text
    refused = await desk.do(f"{here}/reply", body="在吗")
    assert refused.status_code == 422 and "没有人能收信" in refused.text
    async with transaction() as session:
        ticket_id = (await session.scalars(select(DeskMatter.ticket_id))).one()
    ticket = (await desk.see(f"/tickets/{ticket_id}")).text
    assert "昭通市 110" in ticket and HTML not in ticket and "13800000009" not in ticket
