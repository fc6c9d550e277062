"""Transfers, whispers, stepping back and the wall as browsers see them."""

from __future__ import annotations

from sqlalchemy import select

from sms_gateway import clock
from sms_gateway.bridge.models import BridgeCall
from sms_gateway.console import words
from sms_gateway.console.desk_notices import look
from sms_gateway.console.seat import Seat
from sms_gateway.conversations import transferring
from sms_gateway.database import transaction
from sms_gateway.escalations import service as escalations
from sms_gateway.operators import pauses, presence
from sms_gateway.operators.models import AuditRow, Operator, Role
from sms_gateway.tickets.models import Ticket
from tests.telling import Person

from .conftest import Desk, SignIn
from .story import PASSWORD

DANGER = "我爸在打我 他拿着刀"
SCRIPT = "<script>alert(1)</script><b>粗</b>"


async def _on(*desks: Desk) -> None:
    async with transaction() as session:
        for desk in desks:
            await presence.set_duty(session, operator_id=desk.operator.id, on_duty=True)


async def _says(desk: Desk) -> list[str]:
    seat = Seat(desk.operator, desk.csrf, "")
    return [notice.kind for notice in await look() if notice.concerns(seat)]


async def _done(what: str) -> int:
    async with transaction() as session:
        return len((await session.scalars(select(AuditRow.id).where(AuditRow.what == what))).all())


async def test_a_talk_is_offered_with_a_note_and_taken(sign_in: SignIn, person: Person) -> None:
    li, he = await sign_in("li", "李春燕"), await sign_in("he", "和志强")
    await _on(li, he)
    await person.texts(DANGER)
    at = f"/talks/{person.thread_id}"
    assert (await li.do(f"{at}/take")).status_code == 200
    assert "转给同事" in (await li.see(at)).text
    answer = await li.do(f"{at}/transfer", to=str(he.operator.id), mode="warm", note=SCRIPT)
    assert answer.status_code == 200
    assert "正在转给" in answer.text
    assert await _says(he) == ["transfer_offered"]
    assert await _says(li) == []
    page = (await he.see(at)).text
    assert "要把这个会话转给你" in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    async with transaction() as session:
        (row,) = await transferring.list_offers(session)
    assert (await he.do(f"{at}/transfer/{row.id}/accept")).status_code == 200
    assert (await he.do(f"{at}/transfer/{row.id}/accept")).status_code == 409
    assert "在你手上" in (await he.see(at)).text


async def test_who_is_away_is_refused_in_a_sentence(sign_in: SignIn, person: Person) -> None:
    li, he = await sign_in("li", "李春燕"), await sign_in("he", "和志强")
    await _on(li)
    async with transaction() as session:
        one = await session.get_one(Operator, he.operator.id)
        one.last_seen_at = None
    await person.texts(DANGER)
    at = f"/talks/{person.thread_id}"
    await li.do(f"{at}/take")
    answer = await li.do(f"{at}/transfer", to=str(he.operator.id), mode="cold", note="")
    assert (answer.status_code, "不在线" in answer.json()["error"]) == (409, True)
    for to in ("", "x", "-1", "9" * 30):
        assert (await li.do(f"{at}/transfer", to=to, mode="cold")).status_code == 422


async def test_whispers_go_both_ways_and_never_to_the_person(sign_in: SignIn, person: Person) -> None:
    lead, li = await sign_in("lead", "杨丽萍", Role.SUPERVISOR), await sign_in("li", "李春燕")
    await _on(lead, li)
    await person.texts(DANGER)
    at = f"/talks/{person.thread_id}"
    await li.do(f"{at}/take")
    await person.run()
    person.news()
    assert (await li.do(f"{at}/whisper", words="有人吗")).status_code == 422
    assert (await lead.do(f"{at}/listen")).status_code == 204
    assert (await lead.do(f"{at}/whisper", words=SCRIPT)).status_code == 200
    assert await _says(li) == ["whisper"]
    page = (await li.see(at)).text
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert (await li.do(f"{at}/whisper/seen")).status_code == 200
    assert await _says(li) == []
    assert (await li.do(f"{at}/whisper", words="好的，正在问地点")).status_code == 200
    assert await _says(lead) == ["whisper"]
    await person.run()
    assert person.news() == []
    assert await _done("listen_in") == 1


async def test_who_knows_the_family_sees_nothing_of_it_any_more(sign_in: SignIn, person: Person) -> None:
    lead, li = await sign_in("lead", "杨丽萍", Role.SUPERVISOR), await sign_in("li", "李春燕")
    await _on(lead, li)
    await person.texts(DANGER)
    at = f"/talks/{person.thread_id}"
    await li.do(f"{at}/take")
    answer = await li.do(f"{at}/recuse")
    assert answer.headers["HX-Redirect"] == "/"
    for path in (at, f"{at}/live"):
        refused = await li.see(path)
        assert refused.status_code == 403
        assert "认识这家人" in refused.text
        assert "拿着刀" not in refused.text
    assert (await li.do(f"{at}/take")).status_code == 403
    assert (await li.do(f"{at}/history", why="danger")).status_code == 403
    assert "拿着刀" not in (await li.see("/")).text
    page = (await lead.see(at)).text
    assert "要回避" in page
    assert "李春燕" in page
    assert (await lead.do(f"{at}/take")).status_code == 200
    assert await _done("recuse") == 1


async def test_their_tickets_are_shut_too(sign_in: SignIn, person: Person) -> None:
    li = await sign_in("li", "李春燕")
    await _on(li)
    await person.texts(DANGER)
    await li.do(f"/talks/{person.thread_id}/take")  # registers the danger as a ticket
    async with transaction() as session:
        ticket = await session.scalar(select(Ticket.id))
        assert ticket is not None
    assert f'href="/tickets/{ticket}"' in (await li.see("/tickets?show=all")).text
    await li.do(f"/talks/{person.thread_id}/recuse")
    assert (await li.see(f"/tickets/{ticket}")).status_code == 403
    assert f'href="/tickets/{ticket}"' not in (await li.see("/tickets?show=all")).text


async def test_a_call_for_help_reaches_every_supervisor_until_one_comes(sign_in: SignIn) -> None:
    lead, li = await sign_in("lead", "杨丽萍", Role.SUPERVISOR), await sign_in("li", SCRIPT)
    await _on(lead, li)
    assert (await li.do("/colleagues/help")).status_code == 204
    assert await _says(lead) == ["needs_help"]
    assert await _says(li) == []
    wall = (await lead.see("/team")).text
    assert "我来了" in wall
    assert "<script>alert" not in wall
    assert (await li.do(f"/colleagues/{li.operator.id}/come")).status_code == 403
    assert (await lead.do(f"/colleagues/{li.operator.id}/come")).status_code == 204
    assert (await lead.do(f"/colleagues/{li.operator.id}/come")).status_code == 409
    assert await _says(lead) == []


async def test_after_three_severe_cases_the_supervisor_is_asked_to_relieve_them(sign_in: SignIn) -> None:
    lead, li = await sign_in("lead", "杨丽萍", Role.SUPERVISOR), await sign_in("li", "李春燕")
    await _on(lead, li)
    async with transaction() as session:
        assert [await pauses.after_severe(session, li.operator.id) for _ in range(3)] == [False, False, True]
    assert await _says(lead) == ["relief"]
    assert "歇到" in (await lead.see("/team/part")).text
    assert (await li.do("/colleagues/end-break")).status_code == 204
    assert await _done("break_ended_early") == 1
    assert (await lead.do(f"/colleagues/{li.operator.id}/relieve")).status_code == 204
    assert await _says(lead) == []


async def test_the_wall_shows_what_waits_who_is_on_and_what_was_done(sign_in: SignIn, person: Person) -> None:
    lead, li = await sign_in("lead", "杨丽萍", Role.SUPERVISOR), await sign_in("li", "李春燕")
    await _on(lead, li)
    await person.texts(DANGER)
    wall = (await lead.see("/team")).text
    assert f'href="/talks/{person.thread_id}"' in wall
    assert "李春燕" in wall
    await li.do(f"/talks/{person.thread_id}/take")
    wall = (await lead.see("/team/part")).text
    assert f"/talks/{person.thread_id}/listen" in wall
    assert "旁听" in wall
    for path in ("/team", "/team/part"):
        assert (await li.see(path)).status_code == 403
    assert (await li.do(f"/talks/{person.thread_id}/listen")).status_code == 403


async def test_other_roles_have_none_of_it(sign_in: SignIn, person: Person) -> None:
    await person.texts(DANGER)
    at = f"/talks/{person.thread_id}"
    for number, role in enumerate((Role.EDITOR, Role.QUALITY, Role.FOLLOWER)):
        desk = await sign_in(f"other{number}", "别人", role, "12345@530627" if role == Role.FOLLOWER else None)
        for path in ("transfer", "transfer/1/accept", "back-to-queue", "whisper", "recuse", "listen"):
            assert (await desk.do(f"{at}/{path}")).status_code == 403
        assert (await desk.do("/colleagues/help")).status_code == 403


async def test_a_failed_hand_over_stays_red_on_the_wall_until_a_supervisor_settles_it(
    sign_in: SignIn, person: Person
) -> None:
    lead, li = await sign_in("lead", "杨丽萍", Role.SUPERVISOR), await sign_in("li", "李春燕")
    await _on(lead, li)
    await person.texts(DANGER)
    at = f"/talks/{person.thread_id}"
    await li.do(f"{at}/take")
    async with transaction() as session:
        call = await escalations.find_open(session, person.thread_id)
        assert call is not None
        made = BridgeCall(
            escalation_id=call.id, thread_id=person.thread_id, service="110", desk="110@530600", driver="simulator", state="failed",
            requested_at=clock.now(), requested_by=li.operator.id, incident={"where": "x"}, attempts=3,
        )  # fmt: skip
        session.add(made)
        await session.flush()
        made_id = made.id
    assert "没交成" in (await lead.see("/team")).text
    assert (await li.do(f"/team/bridge/{made_id}/settle", words="打通了")).status_code == 403
    assert (await lead.do(f"/team/bridge/{made_id}/settle", words=" ")).status_code == 422
    assert (await lead.do(f"/team/bridge/{made_id}/settle", words="座机打通昭通110")).status_code == 204
    assert "没交成" not in (await lead.see("/team/part")).text
    assert "值班长的账号" in (await li.see(at)).text


async def test_a_call_with_a_bridge_ends_with_a_supervisors_signature(sign_in: SignIn, person: Person) -> None:
    lead, li = await sign_in("lead", "杨丽萍", Role.SUPERVISOR), await sign_in("li", "李春燕")
    other = await sign_in("he", "和志强")
    await _on(lead, li, other)
    await person.texts(DANGER)
    at = f"/talks/{person.thread_id}"
    await li.do(f"{at}/take")
    async with transaction() as session:
        call = await escalations.find_open(session, person.thread_id)
        assert call is not None
        session.add(
            BridgeCall(
                escalation_id=call.id, thread_id=person.thread_id, service="110", desk="110@530600", driver="simulator", state="accepted",
                requested_at=clock.now(), requested_by=li.operator.id, incident={"where": "x"}, attempts=1, receipt="5301",
            )
        )  # fmt: skip
    await li.do(f"{at}/mark", to="in_contact")
    seen = await li.do(f"{at}/child-seen", by="王警官", at="20:14", where="家门口", tonight="外婆")
    assert seen.status_code == 200
    ending = {"outcome": words.OUTCOMES_BY_LANE["red"][0], "note": "见到了"}
    assert (await li.do(f"{at}/close", **ending)).status_code == 422
    wrong = {"second_login": "he", "second_password": PASSWORD}
    assert (await li.do(f"{at}/close", **ending, **wrong)).status_code == 422
    right = {"second_login": "lead", "second_password": PASSWORD}
    assert (await li.do(f"{at}/close", **ending, **right)).status_code == 200
    async with transaction() as session:
        one = await session.get_one(Operator, li.operator.id)
        assert one.severe_in_a_row == 1
        assert one.break_until is not None
    assert "提前结束休息" in (await li.see("/")).text
