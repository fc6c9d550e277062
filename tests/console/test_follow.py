"""Looking back on its page: a follower sees the own county only, and never the child's number."""

from __future__ import annotations

from datetime import timedelta

from fastapi import FastAPI
from sqlalchemy import select

from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from sms_gateway.escalations import look_backs
from sms_gateway.escalations.models import Escalation
from sms_gateway.operators.models import AuditRow, Role
from tests.escalations.test_look_backs import rows_of, seen_child
from tests.telling import Person

from .conftest import SignIn

NASTY = "<script>alert(1)</script>"


async def test_a_follower_sees_the_own_county_and_a_supervisor_all(
    console: FastAPI, sign_in: SignIn, person: Person, clock: HeldClock
) -> None:
    call_id = await seen_child(person)
    async with transaction() as session:
        call = await session.get(Escalation, call_id)
        assert call is not None
        call.note = f"对方骂人\n11-30 10:00 工号01 已见到孩子：何警官，十点，在{NASTY}；今晚：外婆家"
    clock.advance(timedelta(hours=25))
    first = (await rows_of(call_id))[0]
    mine = await sign_in("gean", "镇雄跟进人", Role.FOLLOWER, unit="12345@530627")
    other = await sign_in("km", "五华跟进人", Role.FOLLOWER, unit="12345@530102")
    lead = await sign_in("lead", "值班长", Role.SUPERVISOR)
    assert "该看了" in (await mine.see("/follow")).text and "该看了" in (await lead.see("/follow")).text
    assert "没有要回看的" in (await other.see("/follow")).text
    page = (await mine.see(f"/follow/{first.id}")).text
    assert "已见到孩子" in page and "外婆家" in page and "对方骂人" not in page and "<script>alert" not in page
    assert "13800000001" not in page and "138****0001" not in page and "不要打、不要发孩子的手机" in page
    assert (await other.see(f"/follow/{first.id}")).status_code == 404
    assert (await other.do(f"/follow/{first.id}/write", result="safe", words="好")).status_code == 404
    async with transaction() as session:
        audited = select(AuditRow.subject).where(AuditRow.what == "open_look_back")
        assert list(await session.scalars(audited)) == [f"look_back:{first.id}"]


async def test_results_need_words_and_the_second_writer_is_told(
    console: FastAPI, sign_in: SignIn, person: Person, clock: HeldClock
) -> None:
    first = (await rows_of(await seen_child(person)))[0]
    mine = await sign_in("gean", "镇雄跟进人", Role.FOLLOWER, unit="12345@530627")
    act = f"/follow/{first.id}/write"
    for form in (
        {},
        {"result": "fine", "words": "好"},
        {"result": "safe", "words": "  "},
        {"result": "safe", "words": "长" * 2001},
    ):
        assert (await mine.do(act, **form)).status_code == 422, form
    assert (await mine.do(act, result="not_reached", words=NASTY)).status_code == 204
    assert (await mine.do(act, result="safe", words="见到了")).status_code == 409
    for path in ("/follow", f"/follow/{first.id}"):
        page = (await mine.see(path)).text
        assert "没见到" in page and "<script>alert" not in page
    assert "再找第 1 次" in (await mine.see("/follow")).text


async def test_unsafe_on_the_page_rings_the_desk(
    console: FastAPI, sign_in: SignIn, person: Person, clock: HeldClock
) -> None:
    first = (await rows_of(await seen_child(person)))[0]
    mine = await sign_in("gean", "镇雄跟进人", Role.FOLLOWER, unit="12345@530627")
    assert (await mine.do(f"/follow/{first.id}/write", result="unsafe", words="手臂有新伤")).status_code == 204
    async with transaction() as session:
        assert await look_backs.list_open(session) == []
    assert "不安全" in (await mine.see("/follow")).text


async def test_other_roles_do_not_come_in(console: FastAPI, sign_in: SignIn) -> None:
    for role in (Role.OPERATOR, Role.QUALITY, Role.EDITOR):
        desk = await sign_in(role.value, "某人", role)
        assert (await desk.see("/follow")).status_code == 403
