"""What a new matter is filed under, before a person looks."""

from __future__ import annotations

import pytest

from sms_gateway.tickets.classing import classify


@pytest.mark.parametrize(
    ("words", "category"),
    [
        ("学校周末补课收800元", "D13"),
        ("网吧让我儿子上网到半夜", "D27"),
        ("孤儿补贴三个月没发了", "D01"),
        ("娃娃上不了户口", "D20"),
        ("低保被停了", "D02"),
        ("老师叫全班孤立我家孩子", "D11"),
    ],
)
def test_clear_words_are_filed(words: str, category: str) -> None:
    assert classify({"what": words}).category == category


@pytest.mark.parametrize("words", ["有件事想说", "我家娃的事", "帮帮我", ""])
def test_words_that_leave_doubt_are_left_to_a_person(words: str) -> None:
    assert classify({"what": words}).category is None


def test_sexual_harm_is_sensitive_whatever_the_category() -> None:
    assert classify({"what": "叔叔摸我身子 不让我告诉别人"}).sensitivity == "sexual"


def test_words_told_first_are_not_written_over() -> None:
    from sms_gateway.tickets.service import _joined

    first = {"what": "我后爸经常打我 身上都是青的"}
    assert _joined(first, {"what": "昨天又打了"})["what"] == "我后爸经常打我 身上都是青的；昨天又打了"
    assert _joined(first, {"county": "530627"})["what"] == first["what"]
    assert _joined(first, first) == first


async def test_a_matter_of_harm_is_put_into_no_category_by_a_machine(database: str) -> None:
    from sms_gateway.database import transaction
    from sms_gateway.tickets import moves, service, visible
    from tests.api.matters import open_matter

    ticket_id, _number = await open_matter("他又喝酒了 在砸我的门 小卖部卖酒给他", filed=None)
    async with transaction() as session:
        ticket = await moves.lock(session, ticket_id)
        assert ticket.category == "D31"
        await service.raise_one(session, ticket, lane="red", who="system", reason="talk")
        assert ticket.category is None
        assert (await visible.sight(session, "market@530627", ticket)).value == "none"
        service._file(ticket)
        assert ticket.category is None
