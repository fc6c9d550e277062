"""One sample a minute, whoever writes it; a day of them."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from sms_gateway.seeing import durations, sampling
from sms_gateway.seeing.models import OperationSample
from sms_gateway.settings import get_settings
from tests.telling import Person


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))
    get_settings.cache_clear()


async def test_two_gateways_write_one_sample_a_minute(database: str, clock: HeldClock) -> None:
    written = await asyncio.gather(*(sampling.sweep() for _ in range(4)))
    assert written.count(True) == 1
    assert not await sampling.sweep()
    clock.advance(timedelta(minutes=1))
    assert await sampling.sweep()
    async with transaction() as session:
        assert len(await sampling.list_samples(session, since=clock.now() - timedelta(hours=1))) == 2


async def test_what_is_older_than_a_day_is_forgotten(database: str, clock: HeldClock) -> None:
    await sampling.sweep()
    clock.advance(timedelta(hours=24, minutes=1))
    await sampling.sweep()
    async with transaction() as session:
        assert await session.scalar(select(func.count()).select_from(OperationSample)) == 1


async def test_a_sample_holds_numbers_and_codes_only(person: Person, clock: HeldClock) -> None:
    await person.texts("我叫张小明，营养餐是不是免费的")
    await sampling.sweep()
    async with transaction() as session:
        (sample,) = await sampling.list_samples(session, since=clock.now() - timedelta(hours=1))
    assert sample.figures["took"]["turn"][1] >= 0 and sample.figures["age"].keys() == {
        "danger",
        "turns",
        "replies",
        "bulk",
    }
    said = json.dumps(sample.figures, ensure_ascii=False)
    assert said.isascii() and "13800000001" not in said


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert durations.percentile([], 0.5) is None
    assert durations.percentile([3.0], 0.95) == 3.0
    assert durations.percentile([1.0, 2.0, 3.0, 4.0], 0.5) == 3.0
    assert durations.percentile(list(range(100)), 0.95) == 95
