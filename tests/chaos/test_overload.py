"""Really too many texts: danger keeps its pace, questions hear "稍后回复" and every one is answered afterwards."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks.broadcasts_line import outreach_line
from benchmarks.results import percentile
from benchmarks.trust_load import WHOLE, overload, send, settle
from sms_gateway.settings import get_settings
from sms_gateway.supervision.bot_model import trained_model
from sms_gateway.supervision.places import DataDir

DANGER_WITHIN = 8.0
"""Seconds, p95, on a machine that tests at the same time (without `hurrying` it was 52); `make bench AREA=trust` has the measure."""


@pytest.mark.timeout(300)
async def test_danger_keeps_its_pace_while_questions_wait() -> None:
    model = await asyncio.to_thread(trained_model, DataDir.at(get_settings().data_dir))
    shed = {"HOTLINE_SHED_OUTREACH_SECONDS": "1.5", "HOTLINE_SHED_POLICY_SECONDS": "3"}
    async with outreach_line(*WHOLE, model=model, settings=shed) as line:
        try:
            await send(line, "texts", 2, 4.0)
            await settle(30.0)
            found = await overload(line, rate=30, seconds=10.0, within=150.0)
        finally:
            await line.hotline.supervisor.stop()  # before its database
    assert found.texts > 100
    assert found.unanswered == 0
    assert percentile(found.danger, 0.95) < DANGER_WITHIN, "danger waits behind nothing"
    assert found.put_off > 0, "questions are put off"
    assert found.answered_later == found.put_off, "and answered when the load has fallen"
    assert found.all_done is not None
