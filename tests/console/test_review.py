"""The second reading on its page: masked, audited, shut to whoever handled it."""

from __future__ import annotations

from datetime import timedelta

from fastapi import FastAPI
from sqlalchemy import select

from sms_gateway.clock import HeldClock
from sms_gateway.conversations import reviewing
from sms_gateway.conversations.models import Review
from sms_gateway.database import transaction
from sms_gateway.operators.models import AuditRow, Role
from tests.telling import Person

from .conftest import SignIn, enter

NASTY = "<script>alert(1)</script>"


async def one_to_read(person: Person, clock: HeldClock) -> int:
    await person.texts(f"有人拿刀在打我妈妈 {NASTY}")
    clock.advance(timedelta(days=1))
    await reviewing.sweep()
    async with transaction() as session:
        return (await session.scalars(select(Review.id))).one()


async def test_a_quality_reader_reads_a_talk_masked_and_audited(
    console: FastAPI, sign_in: SignIn, person: Person, clock: HeldClock
) -> None:
    review_id = await one_to_read(person, clock)
    reader = await sign_in("zhijian", "质检", Role.QUALITY)
    assert "还没看" in (await reader.see("/review")).text and "0 / 1" in (await reader.see("/review")).text
    page = (await reader.see(f"/review/{review_id}")).text
    assert (
        "138****0001" in page
        and "13800000001" not in page
        and "拿刀" in page.replace("<mark>", "").replace("</mark>", "")
    )
    assert "<script>alert" not in page
    async with transaction() as session:
        (row,) = await session.scalars(select(AuditRow).where(AuditRow.what == "open_review"))
        assert row.subject == f"thread:{person.thread_id}" and row.detail == "复看"
    act = f"/review/{review_id}/decide"
    for form in (
        {},
        {"verdict": "x"},
        {"verdict": "learn"},
        {"verdict": "missed", "words": "看"},
        {"verdict": "missed", "words": "看", "lane": "blue"},
    ):
        assert (await reader.do(act, **form)).status_code == 422, form
    answer = await reader.do(act, verdict="learn", words=NASTY)
    assert answer.headers["hx-redirect"].startswith("/review?day=")
    assert (await reader.do(act, verdict="fine")).status_code == 409
    for path in (answer.headers["hx-redirect"], f"/review/{review_id}", "/review/lessons"):
        found = await reader.see(path)
        assert found.status_code == 200 and "可以学的" in found.text and "<script>alert" not in found.text, path


async def test_who_handled_it_is_refused_and_others_do_not_come_in(
    console: FastAPI, sign_in: SignIn, person: Person, clock: HeldClock
) -> None:
    handler = await sign_in("lead", "值班长", Role.SUPERVISOR)
    await person.texts("有人拿刀在打我妈妈 我躲在里屋")
    assert (await handler.do(f"/talks/{person.thread_id}/take")).status_code < 400
    clock.advance(timedelta(days=1))
    await reviewing.sweep()
    async with transaction() as session:
        review_id = (await session.scalars(select(Review.id))).one()
    lead = await sign_in("lead2", "另一个班长", Role.SUPERVISOR)
    assert (await lead.see(f"/review/{review_id}")).status_code == 200
    await enter(handler.client, "lead")
    assert "你经手过，换人看" in (await handler.see("/review")).text
    assert "经手过" in (await handler.see(f"/review/{review_id}")).text
    desk = await sign_in("other", "另一个", Role.OPERATOR)
    for path in ("/review", f"/review/{review_id}", "/review/lessons"):
        assert (await desk.see(path)).status_code == 403
    assert (await desk.do(f"/review/{review_id}/decide", verdict="fine")).status_code == 403


async def test_addresses_that_name_nothing(console: FastAPI, sign_in: SignIn) -> None:
    reader = await sign_in("zhijian", "质检", Role.QUALITY)
    assert (await reader.see("/review/999")).status_code == 404
    assert (await reader.see("/review?day=2026-99-99")).status_code == 404
    assert (await reader.see("/review?day=2020-01-01")).status_code == 200
