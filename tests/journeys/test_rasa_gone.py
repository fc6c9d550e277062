"""Rasa is killed with -9 while people text; later it is back."""

from __future__ import annotations

from collections.abc import Callable

from sms_gateway.supervision.scratch import ScratchHotline
from sms_gateway.wording import say
from tests.journeys.records import calls_for, texts_from, tickets_of
from tests.journeys.trackers import is_back, kill, restart
from tests.telling import Person

KICKING = "有个叔叔一直在踹我家门 就我和弟弟在"


async def test_rasa_is_killed_people_are_still_heard_and_then_the_bot_is_back_with_every_form(
    somebody: Callable[[], Person], assistant: ScratchHotline
) -> None:
    mother, child = somebody(), somebody()
    await mother.texts("我要投诉 学校天天占体育课")
    await mother.texts("镇雄的")
    kill(assistant, "rasa")
    assert await child.texts("孤儿每个月能领多少钱") == [say("bot.down")]
    [call] = await calls_for(child)
    assert (call.cause, call.lane) == ("assistant_silent", "blue")
    assert (await child.talk()).owner == "waiting"
    assert await child.texts(KICKING) == [say("red.violence")]
    [call] = await calls_for(child)
    assert (call.lane, call.services[0]) == ("red", "110")
    assert await texts_from(child) == ["孤儿每个月能领多少钱", KICKING]
    await is_back(assistant, "rasa")
    [answer] = await somebody().texts("孤儿每个月能领多少钱")
    assert "1280" in answer
    assert await mother.texts("1") == [say("form.complaint.wish")]
    await mother.texts("就这些")
    await mother.texts("1")
    [ticket] = await tickets_of(mother)
    assert (ticket.kind, ticket.county) == ("complaint", "530627")


async def test_without_the_action_server_a_person_is_called_and_the_form_is_kept(
    person: Person, assistant: ScratchHotline
) -> None:
    await person.texts("我要投诉 学校天天占体育课")
    kill(assistant, "actions")
    [reply] = await person.texts("镇雄")
    assert reply in (say("bot.down"), say("form.complaint.still")), "the supervisor may be quicker"
    await restart(assistant, "actions")
    [reply] = await person.texts("镇雄的")
    assert reply.endswith(say("form.complaint.still")) or reply == say("form.complaint.wish")
