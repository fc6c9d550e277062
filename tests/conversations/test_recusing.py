"""Who knows the family steps back: the talk is others' at once, and shut to them for good."""

from __future__ import annotations

import pytest

from sms_gateway.conversations import overview, recusing, service, talk, transferring
from sms_gateway.conversations.ownership import Owner
from sms_gateway.database import transaction
from sms_gateway.escalations import service as escalations
from tests.console.story import add_operator
from tests.telling import Person


async def test_danger_rings_for_others_at_once_and_the_person_hears_nothing(person: Person) -> None:
    li = await add_operator("li", "李春燕")
    await person.texts("我爸在打我 他拿着刀")
    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=li)
    await person.run()
    person.news()
    for _twice in range(2):
        async with transaction() as session:
            await recusing.recuse(session, thread_id=person.thread_id, operator=li)
    await person.run()
    assert person.news() == []
    async with transaction() as session:
        thread = await talk.get_talk(session, person.thread_id)
        call = await escalations.find_open(session, person.thread_id)
        assert call is not None
        assert (thread.owner, call.state) == (Owner.WAITING, "ringing")
        with pytest.raises(recusing.YouKnowThisFamily):
            await recusing.check_talk(session, li.id, person.thread_id)
        board = await overview.load_board(session, operator_id=li.id)
        assert not (board.waiting or board.mine or board.others or board.recent)


async def test_what_was_offered_to_them_stays_with_who_offered(person: Person) -> None:
    li, he = await add_operator("li", "李春燕"), await add_operator("he", "和志强")
    await person.texts("我爸在打我 他拿着刀")
    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=li)
        row = await transferring.offer(
            session, thread_id=person.thread_id, operator=li, to_operator_id=he.id, mode="warm", note="请接"
        )
        offered = row.id
    async with transaction() as session:
        await recusing.recuse(session, thread_id=person.thread_id, operator=he)
    async with transaction() as session:
        with pytest.raises(transferring.TransferIsOver):
            await transferring.accept(session, transfer_id=offered, operator=he)
        assert (await talk.get_talk(session, person.thread_id)).operator_id == li.id
