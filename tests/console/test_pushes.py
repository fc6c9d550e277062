"""A supervisor sees which department's system is behind, and sends again what was given up."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from sms_gateway.events import subscriptions
from sms_gateway.events.models import Delivery, HotlineEvent, State
from sms_gateway.operators.models import Role
from sms_gateway.settings import get_settings

from .conftest import SignIn

EDU = "edu@530627"


@pytest.fixture(autouse=True)
def anywhere_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOTLINE_PUSH_PRIVATE_TARGETS", "127.0.0.1")
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))
    get_settings.cache_clear()


async def subscribe() -> int:
    async with transaction() as session:
        made, _secret = await subscriptions.add(session, unit=EDU, name="教体局系统", url="http://127.0.0.1:9/push")
        return made.id


async def give_up_one(subscription_id: int, clock: HeldClock) -> int:
    """A delivery that was tried for three days; its id."""
    async with transaction() as session:
        event = HotlineEvent(type="cn.yunnan.12345.ticket.dispatched", subject="12345678", at=clock.now(), position=1)
        session.add(event)
        await session.flush()
        delivery = Delivery(
            subscription_id=subscription_id, event_id=event.id, position=1, sight="full", state=State.DEAD, attempts=40,
            first_tried_at=clock.now() - timedelta(days=3), last_status="timeout",
        )  # fmt: skip
        session.add(delivery)
        await session.flush()
        return delivery.id


async def test_dead_letters_are_shown_and_sent_again(console: FastAPI, sign_in: SignIn, clock: HeldClock) -> None:
    desk = await sign_in("lead", "值班长", Role.SUPERVISOR)
    delivery_id = await give_up_one(await subscribe(), clock)
    page = (await desk.see("/pushes")).text
    assert "镇雄县教育体育局" in page and "12345678" in page and "对方没有回应" in page and "已派单" in page
    answer = await desk.do("/pushes/replay", chosen=str(delivery_id))
    assert answer.status_code == 204
    async with transaction() as session:
        states = await session.scalars(select(Delivery.state).where(Delivery.id == delivery_id))
        assert list(states) == [State.REPLAYED]
    assert (await desk.do("/pushes/replay", chosen=str(delivery_id))).status_code == 409
    assert (await desk.do("/pushes/replay", chosen="999")).status_code == 404


async def test_a_push_is_paused_and_goes_on(console: FastAPI, sign_in: SignIn) -> None:
    desk = await sign_in("lead", "值班长", Role.SUPERVISOR)
    subscription_id = await subscribe()
    await desk.do(f"/pushes/{subscription_id}/pause")
    assert "已暂停" in (await desk.see("/pushes")).text
    await desk.do(f"/pushes/{subscription_id}/resume")
    assert "正常" in (await desk.see("/pushes")).text


async def test_another_regions_lead_does_not_see_it(console: FastAPI, sign_in: SignIn) -> None:
    desk = await sign_in("km", "值班长", Role.SUPERVISOR, unit="12345@530100")
    subscription_id = await subscribe()
    assert "教体局系统" not in (await desk.see("/pushes")).text
    assert (await desk.do(f"/pushes/{subscription_id}/pause")).status_code == 404
