"""A drill of 50 emergencies of which a third fall to operators who never answer: whom each reaches, and when the ladder's steps come."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from sms_gateway.conversations import drilling, service
from sms_gateway.conversations.drill_cases import Score, choose
from sms_gateway.database import transaction
from sms_gateway.errors import HotlineError
from sms_gateway.escalations import drills
from sms_gateway.operators.models import Operator
from sms_gateway.settings import get_settings

from .operators_line import DeskLine
from .operators_soak import keep_there

CASES = 50
OPERATORS = 24
NEVER_ANSWERS = 3
"""Every so many-th operator never answers."""
OVER_SECONDS = 20.0
ANSWERS_WITHIN = (0.5, 9.0)
"""Seconds after its text until somebody takes a call, on a ladder that rings at 3, 6, 12 and 18 s."""
AFTER_THE_BRIDGE = 4.0


@dataclass
class Drilled:
    """What it came to. `deviations`: by step, seconds after the time it was due."""

    scores: list[Score] = field(default_factory=list)
    deviations: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))

    @property
    def reached(self) -> float:
        """The share that reached a human or the bridge, %."""
        return 100.0 * sum(score.ended != "nobody" for score in self.scores) / max(1, len(self.scores))

    @property
    def most_off(self) -> float:
        """The step that was furthest from its time, seconds."""
        return max((abs(off) for each in self.deviations.values() for off in each), default=0.0)


def schedule() -> dict[int, float]:
    """Seconds of each step by the settings."""
    set_to = get_settings()
    return {
        0: 0.0, 1: set_to.ring_again_seconds, 2: set_to.ring_everyone_seconds,
        3: set_to.ring_supervisor_seconds, 4: set_to.bridge_after_seconds,
    }  # fmt: skip


async def drill(line: DeskLine, *, seed: int = 12) -> Drilled:
    """Run it on a line with a quick ladder."""
    operators = [await line.add_operator() for _ in range(OPERATORS)]
    there = asyncio.create_task(keep_there(operators))
    try:
        return await _drill(operators, random.Random(seed))
    finally:
        there.cancel()
        with suppress(asyncio.CancelledError):
            await there


async def _drill(operators: list[Operator], dice: random.Random) -> Drilled:
    wait = schedule()[4] + AFTER_THE_BRIDGE
    async with transaction() as session:
        run_id = (await drilling.begin(session, planned=CASES, at_most=timedelta(minutes=10))).id
    async with asyncio.TaskGroup() as group:
        for number, case in enumerate(choose(CASES, seed=dice.randrange(1000))):
            async with transaction() as session:
                for text in case.texts:
                    thread_id = await drilling.send(session, run_id, number, text, harm=case.harm)
            index = number % len(operators)
            if index % NEVER_ANSWERS:
                group.create_task(_answer(thread_id, operators[index], after=dice.uniform(*ANSWERS_WITHIN)))
            await asyncio.sleep(OVER_SECONDS / CASES)
        await asyncio.sleep(wait)
    found = Drilled()
    async with transaction() as session:
        cases = await drilling.read(session, run_id)
        courses = await drills.courses(session, [case.thread_id for case in cases])
    due = schedule()
    for course in courses.values():
        for step, at in course.steps:
            off = (at - course.received_at).total_seconds() - due[step]
            found.deviations[step].append(off)
    async with transaction() as session:
        found.scores = await drilling.end(session, run_id)
    return found


async def _answer(thread_id: int, operator: Operator, *, after: float) -> None:
    await asyncio.sleep(after)
    with suppress(HotlineError):  # a full seat leaves it to the ladder
        async with transaction() as session:
            await service.take_over(session, thread_id=thread_id, operator=operator)
        async with transaction() as session:
            await service.reply(session, thread_id=thread_id, operator=operator, body="我在。你现在安全吗？")
