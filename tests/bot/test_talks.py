"""Whole talks with the real assistant: trained model, actions, PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from sms_gateway.database import transaction
from sms_gateway.messages.models import Thread
from sms_gateway.supervision.scratch import ScratchHotline
from sms_gateway.tickets import service as tickets
from sms_gateway.tickets.models import Ticket
from sms_gateway.wording import say

from .conftest import Talk


async def ticket_of(talk: Talk) -> Ticket | None:
    async with transaction() as session:
        return await tickets.find_latest(session, thread_id=talk.thread_id)


async def test_an_orphans_allowance_is_told_with_both_amounts(talk: Talk) -> None:
    (answer,) = await talk.say("孤儿每个月能领多少钱")
    assert "1280" in answer and "1980" in answer
    assert talk.keys == ["policy.answer"] and talk.last[0]["custom"]["entry"]


async def test_a_complaint_goes_through_its_form_to_a_ticket(talk: Talk) -> None:
    (county,) = await talk.say("我要投诉 学校天天占体育课")
    assert "哪个县" in county and talk.last[0]["custom"]["asks"] == "form"
    await talk.say("镇雄的")
    await talk.say("1")
    (secret,) = await talk.say("跳过")
    assert "保密" in secret
    (confirm,) = await talk.say("不用")
    assert "昭通市镇雄县" in confirm and "学校的事" in confirm
    (opened,) = await talk.say("1")
    ticket = await ticket_of(talk)
    assert ticket is not None and ticket.number in opened
    assert (ticket.kind, ticket.county) == ("complaint", "530627")
    assert ticket.answers is not None and ticket.answers["what"] == "学校天天占体育课"
    (progress,) = await talk.say("进度")
    assert ticket.number[-3:] in progress and "体育" not in progress


async def test_a_policy_question_in_the_middle_is_answered_and_the_question_put_again(talk: Talk) -> None:
    await talk.say("我要投诉 老师天天占体育课")
    (answer,) = await talk.say("孤儿每个月能领多少钱")
    assert "1280" in answer and answer.endswith("在哪个州市、哪个县？写县名就行。")
    (still,) = await talk.say("昭通市镇雄县")
    assert still.startswith("现在还这样吗")


async def test_a_wrong_county_is_corrected_and_the_form_submitted_early(talk: Talk) -> None:
    await talk.say("我要投诉 学校乱收费，镇雄的")
    await talk.say("不对 是威信")
    (confirm,) = await talk.say("就这些")
    assert "昭通市威信县" in confirm
    await talk.say("1")
    ticket = await ticket_of(talk)
    assert ticket is not None and ticket.county == "530629"


async def test_a_cancelled_form_leaves_no_ticket(talk: Talk) -> None:
    await talk.say("我要投诉 学校乱收费")
    assert await talk.say("取消") == ["好，这次不登记了。想说的时候再发，随时都在。"]
    assert await ticket_of(talk) is None
    await talk.say("孤儿每个月能领多少钱")
    assert talk.keys == ["policy.answer"]


async def test_somebody_near_is_met_with_silence_and_the_form_is_kept(talk: Talk) -> None:
    await talk.say("我要投诉 学校乱收费")
    assert await talk.say("有人来了") == []
    assert talk.status == 200 and talk.keys == ["hush"]
    (back,) = await talk.say("我回来了")
    assert back == "您写的都还在，接着来。在哪个州市、哪个县？写县名就行。"


async def test_a_form_outlives_a_killed_rasa(talk: Talk, assistant: ScratchHotline) -> None:
    await talk.say("我要投诉 学校乱收费")
    old = assistant.pid("rasa")
    os.kill(old, signal.SIGKILL)
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            await talk.client.get(talk.environment["HOTLINE_RASA_URL"], timeout=2)
        except httpx.HTTPError:
            await asyncio.sleep(0.5)
        else:
            break
    (still,) = await talk.say("镇雄")
    assert still.startswith("现在还这样吗") and assistant.pid("rasa") != old


async def test_a_sexual_disclosure_stops_the_form_and_brings_a_person(talk: Talk) -> None:
    await talk.say("我要投诉 学校的事")
    (stopped,) = await talk.say("老师以前摸过我", lane="orange", sexual=True)
    assert stopped.startswith("收到，谢谢你肯说") and "表不用填了" in stopped
    async with transaction() as session:
        assert await session.scalar(select(Thread.owner).where(Thread.id == talk.thread_id)) == "waiting"


async def test_a_disclosure_in_the_first_text_opens_no_form(talk: Talk) -> None:
    (stopped,) = await talk.say("我要举报校长，他摸过我", lane="orange", sexual=True)
    assert "表不用填了" in stopped
    await talk.say("孤儿每个月能领多少钱")
    assert talk.keys == ["policy.answer"]


async def test_danger_now_in_a_form_calls_a_person(talk: Talk) -> None:
    await talk.say("我要求助")
    (noted,) = await talk.say("1")
    assert noted == "知道了，已告诉值班员。急就打110。"
    async with transaction() as session:
        assert await session.scalar(select(Thread.owner).where(Thread.id == talk.thread_id)) == "waiting"


async def test_who_must_report_is_asked_the_short_form(talk: Talk) -> None:
    (first,) = await talk.say("我是小学老师，要举报一个家长打孩子", writer="professional", lane="orange")
    assert "孩子现在和谁在一起" in first


async def test_a_matter_of_another_province_can_be_passed_on(talk: Talk) -> None:
    (outside,) = await talk.say("我要投诉贵阳的一所小学乱收费")
    assert "不在云南" in outside and talk.last[0]["custom"]["asks"] == "choice"
    (passed,) = await talk.say("1")
    assert passed.startswith("好，已交给值班员帮你转")


async def test_a_water_cut_is_told_honestly_where_it_goes(talk: Talk) -> None:
    (told,) = await talk.say("我们小区停水三天了")
    assert "12345" in told and "已转" not in told


async def test_nobody_on_duty_is_said_and_a_ticket_keeps_the_promise(talk: Talk) -> None:
    (said,) = await talk.say("我要找个真人跟我说话")
    assert said.startswith("收到，已记下，值班员一有空就回你")
    ticket = await ticket_of(talk)
    assert ticket is not None and ticket.kind == "callback"


async def test_the_machine_says_that_it_is_one(talk: Talk) -> None:
    assert (await talk.say("你是真人吗"))[0].startswith("我是自动回复")


async def test_the_same_message_asked_again_is_no_answer_to_the_next_question(talk: Talk) -> None:
    await talk.say("我要投诉 学校乱收费")
    first = await talk.say("镇雄", message=987654)
    assert await talk.say("镇雄", message=987654) == first
    (wish,) = await talk.say("1")
    assert wish.startswith("您想怎么解决")


async def test_a_form_that_danger_ended_does_not_take_the_next_text(talk: Talk) -> None:
    await talk.say("我要投诉 学校乱收费")
    await talk.say("孤儿每个月能领多少钱", form_off=True)
    assert talk.keys == ["policy.answer"] and talk.last[0]["custom"]["asks"] is None
    assert await talk.say("继续") == ["现在没有在填的登记。有什么事，写几个字就行。"]


@pytest.mark.parametrize("words", ["１", "1。", "要"])
async def test_a_choice_is_read_however_it_is_typed(talk: Talk, words: str) -> None:
    await talk.say("我要投诉贵阳的一所小学乱收费")
    (passed,) = await talk.say(words)
    assert passed.startswith("好，已交给值班员帮你转")


async def test_that_110_was_called_names_no_ticket(talk: Talk) -> None:
    (told,) = await talk.say("110打了 我的投诉进度怎么样")
    assert told == say("status.none")


async def test_two_talks_at_once_never_see_each_others_form(talk: Talk) -> None:
    other = Talk(talk.client, talk.environment)
    await asyncio.gather(talk.say("我要投诉 学校乱收费"), other.say("我要举报网吧收未成年人上网"))
    mine, theirs = await asyncio.gather(talk.say("镇雄"), other.say("2"))
    assert mine[0].startswith("现在还这样吗")
    assert "县" in theirs[0]


async def test_a_turn_that_is_over_leaves_the_form_as_it_was(talk: Talk) -> None:
    await talk.say("我要投诉 学校乱收费")
    assert await talk.say("取消", within=0.001) == [] and talk.status == 504
    (still,) = await talk.say("镇雄")
    assert still.startswith("现在还这样吗")


async def test_a_wrong_secret_is_refused_by_both(talk: Talk, call: dict[str, object]) -> None:
    for url in (
        talk.environment["HOTLINE_RASA_URL"] + "/webhooks/hotline/webhook",
        talk.environment["HOTLINE_ACTIONS_URL"] + "/webhook",
    ):
        for headers in ({}, {"X-Hotline-Secret": "not-it-but-long-enough"}):
            answer = await talk.client.post(url, json=call, headers=headers)
            assert answer.status_code == 401


async def test_no_log_of_rasa_or_the_actions_holds_a_word(talk: Talk, assistant: ScratchHotline) -> None:
    marker = "孔雀蓝的书包"
    await talk.say(f"我要投诉 老师撕了我{marker}")
    await talk.say(f"{marker}是新的", contact="broken")  # an action that fails
    assert talk.status == 500
    await talk.say(f"还有{marker}", within=0.001)
    folder: Path = assistant.data_dir.logs
    logs = [path.read_text(encoding="utf-8", errors="replace") for path in folder.rglob("*") if path.is_file()]
    assert any("turn_failed" in log for log in logs) and any("action_failed" in log for log in logs)
    assert not any(marker in log for log in logs)
