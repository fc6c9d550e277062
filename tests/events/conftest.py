"""A subscriber on this machine that settings allow, and what happens to tickets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from sms_gateway import clock as clocks
from sms_gateway.database import transaction
from sms_gateway.departments.visibility import Facts
from sms_gateway.events import service, subscriptions, tasks
from sms_gateway.events.sending import Sender
from sms_gateway.events.targets import Allowed
from sms_gateway.settings import get_settings
from tests.events.subscriber import Subscriber, listening

EDU = "edu@530627"


def facts(**changes: object) -> Facts:
    """A school matter of 镇雄, handled by its education office."""
    values: dict[str, object] = {
        "category": "D20", "place": "530627", "level": "county", "lane": "blue", "sensitivity": None,
        "units": frozenset({EDU}), "complained_of": frozenset(),
    }  # fmt: skip
    return Facts(**{**values, **changes})


def data(number: str, **parts: object) -> dict[str, object]:
    return {
        "ticket": {"number": number, "status": "dispatched", "category": "D20", "units": [EDU]},
        "event": {"what": "dispatched", "why": "请尽快核实"},
        "words": {"copy": {"what": "近期在学校被打"}, "original": {"what": "我女儿班主任打她"}},
        "children": [{"age": 9, "sex": "f", "name": "小丽"}],
        "reporter": {"number": "+8613800000009", "name": "王某", "relation": "母亲"},
        **parts,
    }


Happens = Callable[..., Awaitable[None]]


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Journals of runs lie in a folder of this test."""
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))
    get_settings.cache_clear()


@pytest.fixture
def happens(database: str) -> Happens:
    """Something happens to these tickets, each in a transaction of its own."""

    async def happen(*numbers: str, what: str = "dispatched", told: Facts | None = None, **parts: object) -> None:
        for number in numbers:
            async with transaction() as session:
                await service.publish(
                    session, type=f"cn.yunnan.12345.ticket.{what}", subject=number, facts=told or facts(),
                    data=data(number, **parts), at=clocks.now(),
                )  # fmt: skip

    return happen


@pytest.fixture
async def subscriber(database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Subscriber]:
    monkeypatch.setenv("HOTLINE_PUSH_PRIVATE_TARGETS", "127.0.0.1")
    get_settings.cache_clear()
    async with listening() as server:
        yield server


@pytest.fixture
def subscribe(database: str) -> Callable[..., Awaitable[tuple[int, str]]]:
    """A unit subscribes; its subscription's id and secret."""

    async def subscribe(url: str, *, unit: str = EDU, categories: list[str] | None = None) -> tuple[int, str]:
        async with transaction() as session:
            made, secret = await subscriptions.add(session, unit=unit, name="测试", url=url, categories=categories)
            return made.id, secret

    return subscribe


@pytest.fixture
async def push(database: str) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """What a worker does in a second, waited for. Answers are waited for half a second."""
    allowed = Allowed.parse("127.0.0.1")
    courier = tasks.Courier(Sender(allowed, within=0.5))

    async def second() -> None:
        await courier.sweep()
        await courier.finish()

    yield second
    await courier.close()
