"""Connections that fall silent, logins that are refused, and goodbyes."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from sms_gateway.carriers.cmpp import session as sessions
from sms_gateway.carriers.cmpp.answers import Accepted, NotSent, Unknown
from sms_gateway.carriers.cmpp.pdus import Cancel, CancelResp, Query, QueryResp
from sms_gateway.carriers.cmpp.words import GatewayIsAway
from sms_gateway.simulator.cmpp.faults import WireFaults
from tests.carriers.cmpp.lines import QUICK, line, text_to, until


async def test_a_dead_gateway_on_a_living_line_is_left_and_gets_no_more_than_it_has() -> None:
    quick = replace(QUICK, answer_seconds=0.5, doubt_seconds=0.2, tries=2)
    async with line(quick, faults=WireFaults(deaf=True)) as at:
        answers = await at.session.submit_many([text_to(tail) for tail in range(40)], within=0.4)
        kinds = Counter(answers)
        assert kinds[Unknown("no_answer")] + kinds[Unknown("link_broken")] == 15
        assert kinds[NotSent("no_room")] == 25  # nobody's text is thrown after those that went into the void
        await until(lambda: at.session.counts.lost >= 1)
        assert "cmpp_link_silent" in at.said
        at.gateway.faults = WireFaults()
        assert isinstance(await at.session.submit(text_to(99)), Accepted)


async def test_nothing_more_is_put_on_a_line_that_fell_silent() -> None:
    quick = replace(QUICK, answer_seconds=1.0, doubt_seconds=0.2, tries=2)
    async with line(quick, faults=WireFaults(deaf=True)) as at:
        into_the_void = asyncio.create_task(at.session.submit_many([text_to(tail) for tail in range(3)]))
        await asyncio.sleep(0.4)
        danger = asyncio.create_task(at.session.submit(text_to(9999), urgent=True))
        await asyncio.sleep(0.2)
        assert at.session.state().in_flight == 3
        at.gateway.faults = WireFaults()
        assert {type(answer) for answer in await into_the_void} == {Unknown}
        assert isinstance(await danger, Accepted)


async def test_a_quiet_line_is_asked_and_stays_if_anybody_is_there() -> None:
    async with line(replace(QUICK, idle_seconds=0.1)) as at:
        await asyncio.sleep(0.6)
        assert at.session.counts.connected == 1 and at.session.state().up == 1


async def test_a_quiet_line_where_nobody_is_left_is_made_anew() -> None:
    async with line(replace(QUICK, idle_seconds=0.1, answer_seconds=0.1, tries=3)) as at:
        at.gateway.faults = WireFaults(deaf=True)
        began = asyncio.get_running_loop().time()
        await until(lambda: at.session.counts.lost == 1)
        assert asyncio.get_running_loop().time() - began > 0.3  # three tries
        at.gateway.faults = WireFaults()
        await until(lambda: at.session.state().up == 1)


@pytest.mark.parametrize(
    ("status", "word"),
    [(1, "消息结构错"), (2, "企业代码"), (3, "共享密钥"), (4, "版本太高"), (5, "连接数"), (77, "其他错误")],
)
async def test_a_login_that_is_refused_says_why_in_words(status: int, word: str) -> None:
    async with line(up=False, faults=WireFaults(login_status=status)) as at:
        await until(lambda: at.session.state().trouble is not None)
        assert word in (at.session.state().trouble or "")
        assert not await at.session.wait_until_up(within=0.1)
        at.gateway.faults = WireFaults()
        assert await at.session.wait_until_up(within=5)
        assert at.session.state().trouble is None


@pytest.mark.parametrize(
    ("field", "value", "word"), [("shared_secret", "other", "共享密钥"), ("source_addr", "901235", "企业代码")]
)
async def test_a_wrong_account_is_told_by_the_gateway_itself(field: str, value: str, word: str) -> None:
    async with line(up=False) as at:
        at.gateway.client = replace(at.gateway.client, **{field: value})
        at.gateway.links.clear()
        await at.gateway.cut()
        await at.session.close(within=0.1)
        again = sessions.Session(at.session.account, QUICK, on_deliver=at.session._sender.store)
        await again.start()
        await until(lambda: again.state().trouble is not None)
        assert word in (again.state().trouble or "")
        await again.close(within=0.1)


async def test_an_account_that_is_refused_does_not_knock_every_moment() -> None:
    slow = replace(QUICK, reconnect_least=0.01, reconnect_most=2.0)
    async with line(slow, up=False, faults=WireFaults(login_status=3)) as at:
        await asyncio.sleep(1.0)
        assert 1 <= at.gateway.counts["login_3"] <= 4


async def test_a_gateway_of_the_other_version_is_told_and_nothing_is_sent_to_it() -> None:
    async with line(up=False, faults=WireFaults(answers_old=True)) as at:
        await until(lambda: at.session.state().trouble is not None)
        assert "版本" in (at.session.state().trouble or "")
        assert await at.session.submit(text_to(1), within=0.2) == NotSent("no_link")


@pytest.mark.parametrize("checks", [True, False])
async def test_a_gateway_that_cannot_prove_itself_is_refused_only_where_that_is_wished(checks: bool) -> None:
    async with line(up=False, faults=WireFaults(wrong_proof=True), checks_gateway=checks) as at:
        assert await at.session.wait_until_up(within=0.5) is not checks
        assert "cmpp_gateway_not_proven" in at.said
        answer = await at.session.submit(text_to(1), within=0.2)
        assert isinstance(answer, NotSent if checks else Accepted)


async def test_one_connection_too_many_is_told_while_the_others_send() -> None:
    async with line(replace(QUICK, connections=3), most_connections=2) as at:
        await until(lambda: at.session.state().up == 2 and at.session.state().trouble is not None)
        assert "连接数" in (at.session.state().trouble or "")
        assert isinstance(await at.session.submit(text_to(1)), Accepted)


async def test_who_closes_hears_the_answers_that_are_due_and_says_goodbye() -> None:
    async with line(faults=WireFaults(answer_seconds=0.2)) as at:
        sending = asyncio.create_task(at.session.submit_many([text_to(tail) for tail in range(40)]))
        await until(lambda: at.session.state().in_flight == 15)
        await at.session.close(within=5)
        answers = await sending
        assert [type(answer) for answer in answers] == [Accepted] * 15 + [NotSent] * 25
        assert answers[15] == NotSent("closed")
        await until(lambda: not at.gateway.links)
        assert await at.session.submit(text_to(1)) == NotSent("closed")


async def test_a_gateway_that_says_goodbye_is_heard_out_first() -> None:
    async with line(faults=WireFaults(answer_seconds=0.3)) as at:
        sending = asyncio.create_task(at.session.submit_many([text_to(tail) for tail in range(10)]))
        await until(lambda: at.session.state().in_flight == 10)
        await at.gateway.terminate()
        assert all(isinstance(answer, Accepted) for answer in await sending)
        await until(lambda: at.session.counts.connected == 2)


async def test_the_day_s_totals_and_taking_back_can_be_asked() -> None:
    async with line() as at:
        await at.session.submit(text_to(1))
        totals = await at.session.ask(Query("20250630"))
        assert isinstance(totals, QueryResp) and totals.mt_messages == 1
        assert await at.session.ask(Cancel(bytes(8))) == CancelResp(1)
        await at.gateway.go_down()
        await until(lambda: at.session.state().up == 0)
        with pytest.raises(GatewayIsAway):
            await at.session.ask(Query("20250630"))
