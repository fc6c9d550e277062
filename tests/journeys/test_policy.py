"""Somebody asks what the law or the money is."""

from __future__ import annotations

from sms_gateway.messages.segments import segments
from tests.telling import Person

SIGNATURE = "【云南12345】"


async def test_an_orphans_grandmother_learns_the_sum_its_source_and_its_date_in_two_segments(person: Person) -> None:
    [answer] = await person.texts("孤儿每个月能领多少钱")
    assert "1280" in answer
    assert "1980" in answer
    assert "散居" in answer
    assert "集中供养" in answer
    assert "截至2020年底" in answer
    assert "昭通新闻网2021-09-04" in answer
    assert "以当地民政部门最新规定为准" in answer
    assert segments(SIGNATURE + answer) <= 2
