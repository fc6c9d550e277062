"""The figures of what came back to a broadcast."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from sms_gateway import clock as clocks
from sms_gateway.broadcasts import responses
from sms_gateway.broadcasts.replies import Kind, counts_of, kind_of
from sms_gateway.clock import HeldClock
from sms_gateway.conversations import service
from sms_gateway.database import transaction
from sms_gateway.operators import accounts
from sms_gateway.operators.models import Role
from tests.broadcasts.making import REGION
from tests.broadcasts.reached import reach
from tests.telling import FakeCarrier, Person

HITS = "我爸打我 现在还在打"


@pytest.fixture
def people(carrier: FakeCarrier, run_jobs: Callable[[], Awaitable[None]]) -> list[Person]:
    return [Person(f"+861380000000{number}", carrier, run_jobs) for number in range(1, 5)]


async def measured(broadcast_id: int, texted: int) -> responses.Responses:
    async with transaction() as session:
        return await responses.measure(session, broadcast_id, texted=texted)


async def test_a_broadcast_nobody_answered_has_figures_of_nothing(database: str) -> None:
    broadcast = await reach("+8613800000009")
    found = await measured(broadcast, 1)
    assert (found.replies, found.people, found.danger, found.reply_share) == (0, 0, 0, 0.0)
    assert (found.delays, found.reached_person) == ({}, 0)


async def test_the_figures_say_who_wrote_what_when_and_whom_a_person_met(
    people: list[Person], clock: HeldClock
) -> None:
    broadcast = await reach(*(person.number for person in people))
    thankful, hit, done, silent = people
    clock.advance(timedelta(minutes=1))
    await thankful.texts("收到")
    clock.advance(timedelta(minutes=1))
    await hit.texts(HITS)
    clock.advance(timedelta(minutes=2))
    await done.texts("TD")
    clock.advance(timedelta(minutes=10))
    await thankful.texts("谢谢")
    async with transaction() as session:
        operator = await accounts.add(
            session, login="zhiban", name="甲", role=Role.OPERATOR, password=None, trained=True
        )
        await service.take_over(session, thread_id=hit.thread_id, operator=operator)
    found = await measured(broadcast, texted=len(people))
    assert (found.replies, found.people, found.danger, found.opted_out, found.reached_person) == (4, 3, 1, 1, 1)
    assert found.by_kind == {"thanks": 2, "danger": 1, "opt_out": 1}
    assert found.by_lane == {"blue": 3, "red": 1}
    assert found.by_region == {REGION: 3}
    assert sum(found.by_hour.values()) == 4
    assert clocks.shanghai(clock.now()).hour in found.by_hour
    assert found.delays[0.5] == timedelta(minutes=2), "first texts only: after 1, 2 and 4 minutes"
    assert (found.reply_share, found.opted_out, found.reached_person) == (0.75, 1, 1)
    assert silent.thread_id == 0


def test_a_share_of_nothing_is_none() -> None:
    assert responses.share(1, 0) == 0.0


@pytest.mark.parametrize(
    ("lane", "said", "kind", "names"),
    [
        ("red", Kind.OPT_OUT, Kind.DANGER, ("reply", "reply_red")),
        ("orange", None, Kind.HARM, ("reply", "reply_orange")),
        ("blue", Kind.OPT_OUT, Kind.OPT_OUT, ("reply", "reply_opt_out")),
        (None, None, Kind.OTHER, ("reply",)),
    ],
)
def test_the_lane_says_the_kind_before_the_words_do(
    lane: str | None, said: Kind | None, kind: Kind, names: tuple[str, ...]
) -> None:
    assert kind_of(lane, said) is kind
    assert counts_of(lane, kind) == names
