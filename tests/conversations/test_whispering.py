"""A word between colleagues, which the person never gets."""

from __future__ import annotations

import pytest

from sms_gateway.conversations import service, whispering
from sms_gateway.database import transaction
from sms_gateway.errors import BadInput
from sms_gateway.operators.models import Role
from tests.console.story import add_operator
from tests.telling import Person


async def test_only_a_supervisor_begins_and_only_where_somebody_hears(person: Person) -> None:
    li, he = await add_operator("li", "李春燕"), await add_operator("he", "和志强")
    lead = await add_operator("lead", "杨丽萍", Role.SUPERVISOR)
    await person.texts("我爸在打我 他拿着刀")
    for who, wrong in ((lead, whispering.NobodyToHear), (he, whispering.NotForYou)):
        with pytest.raises(wrong):
            async with transaction() as session:
                await whispering.whisper(session, thread_id=person.thread_id, operator=who, words="先问地点")
    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=li)
    await person.run()
    person.news()
    for words in ("", " ", "字" * 501):
        with pytest.raises(BadInput):
            async with transaction() as session:
                await whispering.whisper(session, thread_id=person.thread_id, operator=lead, words=words)
    async with transaction() as session:
        await whispering.whisper(session, thread_id=person.thread_id, operator=lead, words="先问地点")
    async with transaction() as session:
        await whispering.whisper(session, thread_id=person.thread_id, operator=li, words="好")
        assert await whispering.mark_seen(session, thread_id=person.thread_id, operator=li) == 1
        first, second = await whispering.list_of_talk(session, person.thread_id)
        assert (first.words, first.to_operator, second.to_operator) == ("先问地点", li.id, lead.id)
        assert first.seen_at is not None
        assert second.seen_at is None
    await person.run()
    assert person.news() == []
