"""What the assistant understands of a text, and what it is given for it."""

from __future__ import annotations

from typing import Any

import pytest
from rasa.core.channels.channel import UserMessage

import bot.featurizer
from texts.embedding import embed, pack_base64

LEARNED = {
    "help_request", "complaint", "report", "consultation", "suggestion", "ticket_status", "human_agent", "evaluate",
    "opt_out", "opt_in", "thanks", "greet", "goodbye", "affirm", "deny", "out_of_scope",
}  # fmt: skip


async def parse(agent: Any, text: str, **metadata: Any) -> dict[str, Any]:
    parsed: dict[str, Any] = await agent.processor.parse_message(UserMessage(text, metadata=metadata))
    return parsed


async def test_the_vector_of_the_turn_is_used_and_nothing_is_embedded(
    agent: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = pack_base64(embed("孤儿每个月能领多少钱"))

    def never(text: str) -> Any:
        raise AssertionError("embedded again")

    monkeypatch.setattr(bot.featurizer, "embed", never)
    parsed = await parse(agent, "孤儿每个月能领多少钱", e5=packed)
    assert parsed["intent"]["name"] == "consultation"


@pytest.mark.parametrize("packed", ["", "not base64!", "AAAA", 7, None])
async def test_a_missing_or_broken_vector_is_made_anew(agent: Any, packed: Any) -> None:
    parsed = await parse(agent, "孤儿每个月能领多少钱", e5=packed)
    assert parsed["intent"]["name"] == "consultation"


async def test_all_sixteen_intents_are_ranked_with_shares_of_one(agent: Any) -> None:
    ranking = (await parse(agent, "我要投诉学校乱收费"))["intent_ranking"]
    learned = [each for each in ranking if each["name"] != "nlu_fallback"]
    assert {each["name"] for each in learned} == LEARNED
    assert sum(each["confidence"] for each in learned) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("1", "digit"), ("２", "digit"), ("你是真人吗", "ask_machine"), ("你是人还是机器", "ask_machine"),
        ("别告诉我妈", "ask_secret"), ("你会告诉我妈妈吗", "ask_secret"), ("爸爸会不会被抓", "ask_arrest"), ("开玩笑的", "prank"),
        ("继续", "resume"), ("我可以说一个秘密吗", "wants_to_tell"), ("还是举报吧", "report"), ("撤了吧", "withdraw"), ("ni hao", "greet"),
        ("12345678", "ticket_status"), ("进度", "ticket_status"),
    ],
)  # fmt: skip
async def test_a_fixed_saying_is_not_guessed(agent: Any, text: str, intent: str) -> None:
    assert (await parse(agent, text))["intent"]["name"] == intent


@pytest.mark.parametrize(
    "text", ["我妈不要我了", "我爸打我", "警察叔叔好", "我想告诉你们学校乱收费", "真人真事我要举报"]
)
async def test_a_sentence_that_only_looks_like_a_saying_is_left_to_the_classifier(agent: Any, text: str) -> None:
    parsed = await parse(agent, text)
    assert parsed["intent"]["name"] in LEARNED | {"nlu_fallback"}


async def test_a_text_that_fits_nothing_falls_back(agent: Any) -> None:
    parsed = await parse(agent, "ㄅㄆㄇㄈ ㄉㄊ")
    assert parsed["intent"]["name"] in {"nlu_fallback", "out_of_scope"}


async def test_ten_thousand_characters_and_emoji_are_parsed(agent: Any) -> None:
    for text in ("字" * 10_000, "😭😭😭", "\u200b\u200d"):
        assert (await parse(agent, text))["intent"]["name"]
