"""The change of shift: who must be there, what is left in writing, and that another signs for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from sms_gateway.operators import shifts
from sms_gateway.operators.models import Operator
from tests.console.story import add_operator

NOON, NIGHT = datetime(2026, 12, 1, 4, tzinfo=UTC), datetime(2026, 12, 1, 16, tzinfo=UTC)


def person(*, woman: bool | None = None, trained: bool = True) -> Operator:
    return Operator(login="x", name="x", badge="1", role="operator", woman=woman, trained=trained)


@pytest.mark.parametrize(
    ("there", "at", "says"),
    [
        ([], NOON, ["没有人在值班"]), ([person(woman=True)], NOON, []), ([person(woman=True)], NIGHT, ["夜班只有一个人"]),
        ([person(), person(woman=False)], NIGHT, ["没有女值班员"]), ([person(woman=True), person()], NIGHT, []),
        ([person(woman=True, trained=False)], NOON, ["没有未保专席"]),
    ],
)  # fmt: skip
def test_each_shift_has_a_woman_and_nobody_is_alone_at_night(
    there: list[Operator], at: datetime, says: list[str]
) -> None:
    found = shifts.lacks(there, at)
    assert len(found) == len(says)
    assert all(words in sentence for words, sentence in zip(says, found, strict=True))


async def test_another_signs_once_and_the_list_ends_after_fourteen_days(database: str, clock: HeldClock) -> None:
    one, two = await add_operator("li", "李"), await add_operator("he", "和")
    async with transaction() as session:
        made = await shifts.hand_over(
            session, operator_id=one.id, words="盯着镇雄那件", promised="明早回他", left_open={"threads": [7]}
        )
        made_id = made.id
    async with transaction() as session:
        with pytest.raises(shifts.JustHandedOver):
            await shifts.hand_over(session, operator_id=one.id, words="又按了", promised="", left_open={})
        with pytest.raises(shifts.NotYourOwn):
            await shifts.take(session, made_id, operator_id=one.id)
        with pytest.raises(shifts.HandoverNotFound):
            await shifts.take(session, 99, operator_id=two.id)
        await shifts.take(session, made_id, operator_id=two.id)
        with pytest.raises(shifts.HandoverIsTaken):
            await shifts.take(session, made_id, operator_id=two.id)
        (row,) = await shifts.list_recent(session)
        assert (row.note, row.left_open, row.taken_by) == (
            "盯着镇雄那件\n答应过孩子的：明早回他",
            {"threads": [7]},
            two.id,
        )
        for words in ("", "  ", "长" * 4001):
            with pytest.raises((shifts.NoteIsMissing, shifts.NoteIsTooLong)):
                await shifts.hand_over(session, operator_id=two.id, words=words, promised="", left_open={})
    clock.advance(timedelta(days=15))
    async with transaction() as session:
        assert list(await shifts.list_recent(session)) == []
