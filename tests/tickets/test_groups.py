"""普遍性诉求: what several people say is found by its meaning, kept without a word, and shown to those who may read it."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import select, true

from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from sms_gateway.tickets import filters, groups, listing, scope, service
from sms_gateway.tickets.filters import Filter
from sms_gateway.tickets.groups import Said
from sms_gateway.tickets.models import Ticket, TicketGroup
from tests.console.story import Teller
from tests.telling import FakeCarrier
from texts.embedding import DIMENSIONS, embed

PE = (
    "学校天天占体育课，孩子都没得运动",
    "我们班体育课老是被占用上数学",
    "体育课又被数学老师占了",
    "学校把体育课都占了上主课",
)
FOOD = ("食堂的饭菜里有虫子", "学校食堂吃出虫来了", "中午食堂的菜里有条虫")
ALONE = ("想问转学手续怎么办", "校车一辆车塞了五十个娃娃")


async def _tell(
    texts: tuple[str, ...], *, start: int, county: str = "530627", category: str | None = "D33"
) -> list[int]:
    made = []
    for place, text in enumerate(texts):
        teller = Teller(f"+861380000{start + place:04d}")
        await teller.says(text)
        confirmed = await teller.says("1")
        async with transaction() as session:
            ticket = await service.open_ticket(
                session, thread_id=teller.thread_id, contact_id=teller.contact_id, asked_in=confirmed, kind="complaint",
                county=county, answers={"what": text},
            )  # fmt: skip
            ticket.category = category
            made.append(ticket.id)
    return made


def test_groups_need_several_people_not_several_texts() -> None:
    vector = embed(PE[0])
    same = [Said(n, 7, None, vector) for n in range(5)]
    assert groups.group(same) == []
    others = [Said(10 + n, n, "D33", embed(text)) for n, text in enumerate(PE)]
    (found,) = groups.group([*others, *(Said(50 + n, 50 + n, None, embed(text)) for n, text in enumerate(ALONE))])
    assert {each.ticket_id for each in found} == {10, 11, 12, 13}
    assert groups.group([]) == [] and groups.group(same[:2]) == []


def test_no_more_than_the_newest_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "MOST", 4)
    draw = np.random.default_rng(1)
    strangers = [Said(n, n, None, draw.normal(size=DIMENSIONS).astype(np.float32)) for n in range(2)]
    older = [Said(10 + n, 10 + n, None, embed(text)) for n, text in enumerate(PE)]
    assert groups.group([*strangers, *older]) == []
    assert len(groups.group([*older, *strangers])) == 1


async def test_what_people_say_again_and_again_is_found_without_the_sensitive(
    database: str, carrier: FakeCarrier, clock: HeldClock
) -> None:
    pe, food = await _tell(PE, start=100), await _tell(FOOD, start=200, county="530102")
    await _tell(ALONE, start=300)
    secret = await _tell(PE, start=400, category="D04")
    assert await groups.sweep()
    assert not await groups.sweep()  # once an hour
    async with transaction() as session:
        rows = (await session.scalars(select(TicketGroup).order_by(TicketGroup.id))).all()
        assert [set(row.ticket_ids) for row in rows] == [set(), set(pe), set(food)]
        assert rows[0].looked_at == 9 and not rows[0].cut and rows[1].category == "D33"
        assert not set(secret) & {each for row in rows for each in row.ticket_ids}
        everywhere = await groups.overview(session, within=true())
        assert [(each.size, len(each.examples)) for each in everywhere.groups] == [(4, 3), (3, 3)]
        zhenxiong = await groups.overview(session, within=scope.in_region("530600"))
        assert [each.size for each in zhenxiong.groups] == [4]
        behind = Filter(show="all", group=everywhere.groups[0].id)
        assert await listing.count(session, behind, within=true()) == 4
        ticket = await session.get(Ticket, pe[0])
        assert ticket is not None
        ticket.sealed = True  # what became sensitive since is not shown any more
        await session.flush()
        again = await groups.overview(session, within=true())
        assert sorted(each.size for each in again.groups) == [3, 3]
    clock.advance(timedelta(hours=1))
    assert await groups.sweep()
    async with transaction() as session:
        assert await session.scalar(filters.select(Ticket.id).where(Ticket.id == pe[0])) is not None
        newest = (await session.scalars(select(TicketGroup.found_at).distinct())).all()
    assert newest == [clock.now()]
