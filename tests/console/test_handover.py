"""The change of shift on its page: what is open is shown and kept, another signs, and words stay words."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI
from sqlalchemy import select

from sms_gateway.database import transaction
from sms_gateway.operators.models import Role, ShiftHandover
from tests.telling import Person

from .conftest import SignIn

NASTY = "<script>alert(1)</script>"


async def test_a_shift_is_handed_on_with_what_is_open_and_signed_by_another(
    console: FastAPI, sign_in: SignIn, person: Person
) -> None:
    await person.texts("有人拿刀在打我妈妈 我躲在里屋")
    one, two = await sign_in("li", "李"), await sign_in("he", "和")
    page = (await one.see("/handover")).text
    assert "红色，还没见到孩子" in page and "没人接：先接手" in page and f"/talks/{person.thread_id}" in page
    assert (await one.do("/handover/write", words="  ")).status_code == 422
    assert (await one.do("/handover/write", words=NASTY, promised=NASTY)).headers["hx-redirect"] == "/handover"
    async with transaction() as session:
        made = (await session.scalars(select(ShiftHandover))).one()
        assert made.left_open["threads"] == [person.thread_id]
    act = f"/handover/{made.id}/take"
    assert (await one.do(act)).status_code == 422
    took = await asyncio.gather(two.do(act), (await sign_in("lead", "班长", Role.SUPERVISOR)).do(act))
    assert sorted(answer.status_code for answer in took) == [204, 409]
    page = (await one.see("/handover")).text
    assert "最近 14 天" in page and "<script>alert" not in page and "红橙会话 1" in page


async def test_only_the_desk_comes_in(console: FastAPI, sign_in: SignIn) -> None:
    for role in (Role.QUALITY, Role.EDITOR):
        desk = await sign_in(role.value, "某人", role)
        assert (await desk.see("/handover")).status_code == 403
    desk = await sign_in()
    assert (await desk.do("/handover/99/take")).status_code == 404
    assert "没有开着的红色、橙色" in (await desk.see("/handover")).text
