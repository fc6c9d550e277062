"""Parts of a long text become one text, whatever order they come in, and no part waits for ever."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sms_gateway.carriers.cmpp.joining import Joiner, Part
from sms_gateway.carriers.cmpp.text import Piece, join

WITHIN = 0.2


class Stored(list[tuple[str, int]]):
    """What was handed on: the text and of how many parts."""

    fails = 0

    async def __call__(self, parts: Sequence[Part]) -> None:
        await asyncio.sleep(0)
        if self.fails:
            self.fails -= 1
            raise OSError
        self.append((join([part.piece for part in parts]), len(parts)))


def parts_of(text: str, *, sender: str = "13800000001", reference: int = 7, size: int = 8) -> list[Part]:
    data = text.encode("utf-16-be")
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    return [
        Part(f"id{number}", sender, "1069", Piece(piece, 8, reference, len(pieces), number))
        for number, piece in enumerate(pieces, 1)
    ]


async def test_parts_in_any_order_and_twice_make_one_text() -> None:
    stored = Stored()
    joiner = Joiner(stored, within=WITHIN)
    parts = parts_of("爸爸喝醉了在打妈妈我躲在厕所里😭") * 2
    random.shuffle(parts)
    await asyncio.gather(*(joiner.put(part) for part in parts))
    assert stored == [("爸爸喝醉了在打妈妈我躲在厕所里😭", 5)]


async def test_a_part_is_only_acknowledged_once_its_text_is_stored() -> None:
    stored = Stored()
    joiner = Joiner(stored, within=WITHIN)
    first, second = parts_of("一二三四五六七")
    waiting = asyncio.create_task(joiner.put(second))
    await asyncio.sleep(WITHIN / 4)
    assert not waiting.done() and stored == []
    await joiner.put(first)
    await waiting
    assert stored == [("一二三四五六七", 2)]


async def test_what_never_comes_whole_is_handed_on_with_what_is_there() -> None:
    stored = Stored()
    joiner = Joiner(stored, within=WITHIN)
    began = time.monotonic()
    first, _, third = parts_of("我不想活了你们别找我")
    await asyncio.gather(joiner.put(third), joiner.put(first))
    assert WITHIN <= time.monotonic() - began < WITHIN + 1
    assert stored == [("我不想活别我"[:4] + "找我", 2)]


async def test_a_part_that_comes_late_is_handed_on_alone_and_once() -> None:
    stored = Stored()
    joiner = Joiner(stored, within=WITHIN)
    first, second = parts_of("一二三四五六七")
    await joiner.put(first)
    await joiner.put(second)
    await joiner.put(second)
    await joiner.put(first)
    assert stored == [("一二三四", 1), ("五六七", 1)]


async def test_what_cannot_be_stored_is_not_acknowledged_and_comes_again() -> None:
    stored = Stored()
    stored.fails = 1
    joiner = Joiner(stored, within=WITHIN)
    parts = parts_of("一二三四五六七")
    answers = await asyncio.gather(*(joiner.put(part) for part in parts), return_exceptions=True)
    assert [type(answer) for answer in answers] == [OSError, OSError]
    await asyncio.gather(*(joiner.put(part) for part in parts))
    assert stored == [("一二三四五六七", 2)]


async def test_an_old_reference_under_a_new_text_is_a_new_text() -> None:
    stored = Stored()
    joiner = Joiner(stored, within=WITHIN)
    await asyncio.gather(*(joiner.put(part) for part in parts_of("一二三四五六七")))
    await asyncio.gather(*(joiner.put(part) for part in parts_of("甲乙丙丁戊己庚")))
    waiting = asyncio.create_task(joiner.put(parts_of("子丑寅卯辰巳午")[0]))
    await asyncio.sleep(0)
    await asyncio.gather(waiting, *(joiner.put(part) for part in parts_of("春夏秋冬东西南")))
    assert sorted(stored) == sorted(
        [("一二三四五六七", 2), ("甲乙丙丁戊己庚", 2), ("子丑寅卯", 1), ("春夏秋冬东西南", 2)]
    )


async def test_two_people_with_the_same_reference_are_not_mixed() -> None:
    stored = Stored()
    joiner = Joiner(stored, within=WITHIN)
    parts = [*parts_of("一二三四五六七"), *parts_of("甲乙丙丁戊己庚", sender="13800000002")]
    await asyncio.gather(*(joiner.put(part) for part in parts))
    assert sorted(stored) == [("一二三四五六七", 2), ("甲乙丙丁戊己庚", 2)]


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=5, max_size=60), st.randoms(use_true_random=False))
def test_every_text_comes_out_as_it_went_in(text: str, dice: random.Random) -> None:
    parts = parts_of(text, size=6)
    dice.shuffle(parts)

    async def run() -> Stored:
        stored = Stored()
        joiner = Joiner(stored, within=5)
        await asyncio.gather(*(joiner.put(part) for part in parts))
        return stored

    stored = asyncio.run(run())
    assert [body for body, _count in stored] == [text.removeprefix("\ufeff")]


@pytest.mark.parametrize("many", [3])
async def test_a_text_of_one_part_waits_for_nobody(many: int) -> None:
    stored = Stored()
    joiner = Joiner(stored, within=60)
    for _ in range(many):
        await joiner.put(Part("id", "13800000001", "1069", Piece("救命".encode("utf-16-be"), 8)))
    assert stored == [("救命", 1)] * many
