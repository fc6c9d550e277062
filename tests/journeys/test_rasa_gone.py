"""Rasa is killed with -9 while people text; later it is back."""

from __future__ import annotations

from sms_gateway.supervision.scratch import ScratchHotline
from sms_gateway.wording import say
from tests.journeys.records import calls_for, texts_from
from tests.journeys.trackers import is_back, kill, restart
from tests.telling import Person

KICKING = "有个叔叔一直在踹我家门 就我和弟弟在"


async def test_without_rasa_danger_is_answered_and_all_else_goes_to_a_person_and_then_the_bot_is_back(
    person: Person, assistant: ScratchHotline
) -> None:
    kill(assistant, "rasa")
    assert await person.texts("孤儿每个月能领多少钱") == [say("bot.down")]
    [call] = await calls_for(person)
    assert (call.cause, call.lane) == ("assistant_silent", "blue")
    assert (await person.talk()).owner == "waiting"
    assert await person.texts(KICKING) == [say("red.violence")]
    [call] = await calls_for(person)
    assert (call.lane, call.services[0]) == ("red", "110")
    await is_back(assistant, "rasa")
    assert await texts_from(person) == ["孤儿每个月能领多少钱", KICKING]


async def test_when_rasa_is_back_so_is_the_bot(person: Person, assistant: ScratchHotline) -> None:
    kill(assistant, "rasa")
    assert await person.texts("孤儿每个月能领多少钱") == [say("bot.down")]
    await is_back(assistant, "rasa")
    [answer] = await person.texts("孤儿每个月能领多少钱")
    assert "1280" in answer


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
