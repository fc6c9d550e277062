"""More texts than can be judged: plain danger does not wait behind greetings."""

from __future__ import annotations

from sqlalchemy import text

from sms_gateway.conversations import hurrying
from sms_gateway.database import transaction
from tests.telling import Person

DANGER = "有人拿刀砍我妈 快来"


async def _order() -> list[int]:
    """Message ids of the judgements, in the order workers take them."""
    async with transaction() as session:
        jobs = text(
            "SELECT (args->>'message_id')::bigint FROM procrastinate_jobs WHERE queue_name = 'danger' AND status = 'todo'"
            " AND task_name = 'conversations.judge' ORDER BY priority DESC, id"
        )
        return list(await session.scalars(jobs))


async def test_danger_in_plain_words_is_judged_before_all_that_came_earlier(person: Person) -> None:
    calm = [await person.hand_in("你好") for _ in range(hurrying.MANY)]
    danger = await person.hand_in(DANGER)
    assert await hurrying.sweep() == 1
    newer = await person.hand_in("今天上班吗")
    assert await _order() == [danger, newer, *calm], "and whoever was not looked at yet before those who were"
    await person.run()
    assert (await person.talk()).lane == "red"


async def test_a_few_are_left_as_they_came(person: Person) -> None:
    calm = [await person.hand_in("你好") for _ in range(3)]
    danger = await person.hand_in(DANGER)
    assert await hurrying.sweep() == 0
    assert await _order() == [*calm, danger]


async def test_a_trickle_of_new_ones_does_not_pass_those_that_were_looked_at(person: Person) -> None:
    calm = [await person.hand_in("你好") for _ in range(hurrying.MANY)]
    assert await hurrying.sweep() == 0
    newer = [await person.hand_in("今天上班吗") for _ in range(3)]
    danger = await person.hand_in(DANGER)
    assert await hurrying.sweep() == 1, "they are looked at, few as they are"
    assert await _order() == [danger, *calm, *newer]
