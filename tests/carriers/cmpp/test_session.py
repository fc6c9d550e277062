"""A session at a make-believe gateway: what becomes of texts, whatever the gateway and the line do."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

import pytest
import uvloop

from sms_gateway.carriers.cmpp import session as sessions
from sms_gateway.carriers.cmpp.answers import Accepted, NotSent, Refused, Throttled, Unknown
from sms_gateway.carriers.cmpp.pdus import Submit, SubmitResp, Version
from sms_gateway.carriers.cmpp.wire import LARGEST_SEQUENCE
from sms_gateway.carriers.cmpp.words import GatewayIsAway
from sms_gateway.simulator.cmpp.faults import WireFaults
from sms_gateway.simulator.faults import Faults
from tests.carriers.cmpp.lines import ACCESS, QUICK, at_a_peer, line, number, text_to, until


async def test_a_text_that_is_taken_gets_an_id_and_its_report_names_it() -> None:
    async with line() as at:
        answer = await at.session.submit(text_to(1))
        assert isinstance(answer, Accepted)
        await at.gateway.settle()
        (told,) = at.reports
        assert told.report is not None
        assert (told.report.msg_id, told.report.stat) == (answer.msg_id, "DELIVRD")
        assert (told.dest_id, told.report.dest_terminal_id) == (ACCESS, number(1))
        assert at.gateway.counts["report_result_0"] == 1


@pytest.mark.parametrize("version", Version)
async def test_both_versions_carry_texts_reports_and_replies(version: Version) -> None:
    async with line(version=version) as at:
        assert isinstance(await at.session.submit(text_to(1)), Accepted)
        await at.gateway.settle()
        assert await at.gateway.write(number(1), "退订", to=ACCESS, gbk=True) == [0]
        assert [each.content for each in at.delivered if each.report is None] == ["退订".encode("gbk")]
        assert [each.report.stat for each in at.reports if each.report] == ["DELIVRD"]


async def test_no_more_than_the_window_is_on_the_wire_and_all_come_through_in_order() -> None:
    slow = WireFaults(answer_seconds=0.02, answers_shuffled=True)
    async with line(faults=slow) as at:
        most = 0

        async def look() -> None:
            nonlocal most
            while True:
                most = max(most, at.session.state().in_flight)
                await asyncio.sleep(0.001)

        looking = asyncio.create_task(look())
        answers = await at.session.submit_many([text_to(tail) for tail in range(200)])
        looking.cancel()
        assert 8 <= most <= 16
        assert all(isinstance(answer, Accepted) for answer in answers)
        assert len({answer.msg_id for answer in answers if isinstance(answer, Accepted)}) == 200
        by_number = {submit.destinations[0]: place for place, submit in enumerate(at.gateway.submits)}
        assert sorted(by_number, key=by_number.__getitem__) == [number(tail) for tail in range(200)]
        await at.gateway.settle()
        told = {each.report.msg_id: each.src_terminal_id for each in at.reports if each.report}
        expected = zip(answers, range(200), strict=True)
        assert told == {answer.msg_id: number(tail) for answer, tail in expected if isinstance(answer, Accepted)}


async def test_a_refusal_says_its_result_and_nothing_is_sent() -> None:
    async with line() as at:
        wrong = [text_to(1, msg_src="999999"), text_to(2, src_id="955"), text_to(3, content="好" * 71)]
        assert await at.session.submit_many(wrong) == [Refused(11), Refused(10), Refused(6)]
        assert at.gateway.truth.report()["taken"] == 0
        assert at.session.counts.refused == 3


async def test_too_many_at_once_slows_us_down_until_all_are_through_once() -> None:
    async with line(faults=WireFaults(texts=Faults(rate=100))) as at:
        answers = await at.session.submit_many([text_to(tail) for tail in range(80)])
        assert all(isinstance(answer, Accepted) for answer in answers)
        assert at.session.counts.throttled > 0
        assert at.session.state().rate < 1000
        report = at.gateway.truth.report()
        assert (report["taken"], report["numbers_twice"]) == (80, 0)


async def test_a_text_that_is_throttled_to_the_end_was_not_sent() -> None:
    async with line(faults=WireFaults(texts=Faults(refuse="busy"))) as at:
        assert await at.session.submit(text_to(1), within=0.5) == Throttled(8)
        assert at.session.counts.throttled >= 2
        assert at.session.state().waiting == 0
        assert at.gateway.truth.report()["taken"] == 0


async def test_what_is_not_answered_in_time_is_unknown_and_not_sent_again() -> None:
    quick = replace(QUICK, answer_seconds=0.3, idle_seconds=0.1)
    async with line(quick, faults=WireFaults(texts=Faults(share_answer_lost=1))) as at:
        answers = await at.session.submit_many([text_to(tail) for tail in range(20)])
        assert answers == [Unknown("no_answer")] * 20
        assert at.session.state().in_flight == 0
        assert at.gateway.counts["taken"] == 20
        assert at.gateway.truth.report()["numbers_twice"] == 0


async def test_an_answer_that_comes_late_is_told_with_its_reference() -> None:
    quick = replace(QUICK, answer_seconds=0.3, idle_seconds=0.1)
    async with line(quick, faults=WireFaults(answer_seconds=0.8)) as at:
        answers = await at.session.submit_many([text_to(1), text_to(2)], references=[71, 72])
        assert answers == [Unknown("no_answer")] * 2
        await until(lambda: len(at.late) == 2)
        await at.gateway.settle()
        late = {answer.msg_id: reference for reference, answer in at.late if isinstance(answer, Accepted)}
        told = {each.report.msg_id: each.report.dest_terminal_id for each in at.reports if each.report}
        assert {late[msg_id]: told[msg_id] for msg_id in told} == {71: number(1), 72: number(2)}
        assert at.session.counts.strays == 0


async def test_a_line_that_breaks_in_mid_window_leaves_nobody_out_and_nobody_twice() -> None:
    async with line(faults=WireFaults(drop_after=40)) as at:
        answers = await at.session.submit_many([text_to(tail) for tail in range(300)])
        kinds = Counter(type(answer) for answer in answers)
        assert kinds[Unknown] > 0 and kinds[Accepted] + kinds[Unknown] == 300
        assert {answer for answer in answers if isinstance(answer, Unknown)} == {Unknown("link_broken")}
        report = at.gateway.truth.report()
        assert report["numbers_twice"] == 0
        assert report["taken"] == at.gateway.counts["taken"] <= 300
        taken = {submit.destinations[0] for submit in at.gateway.submits}
        assert all(number(tail) in taken for tail, answer in enumerate(answers) if isinstance(answer, Accepted))
        at.gateway.faults = WireFaults()
        await at.gateway.settle()
        unknown = {number(tail) for tail, answer in enumerate(answers) if isinstance(answer, Unknown)}
        told = {each.report.dest_terminal_id for each in at.reports if each.report}
        assert told == taken  # also of those we do not know: the report settles them
        assert told & unknown


async def test_texts_wait_for_a_gateway_that_comes_back() -> None:
    async with line() as at:
        await at.gateway.go_down()
        await until(lambda: at.session.state().up == 0)
        assert at.session.state().trouble == GatewayIsAway.sentence
        waiting = asyncio.create_task(at.session.submit(text_to(1)))
        await asyncio.sleep(0.3)
        assert not waiting.done()
        await at.gateway.start(at.port)
        assert isinstance(await waiting, Accepted)
        assert at.session.state().trouble is None
        assert at.session.counts.connected == 2


async def test_a_text_for_which_no_connection_comes_was_not_sent() -> None:
    async with line(up=False, faults=WireFaults(login_status=5)) as at:
        assert await at.session.submit(text_to(1), within=0.3) == NotSent("login_refused")
    async with line() as at:
        await at.gateway.go_down()
        await until(lambda: at.session.state().up == 0)
        assert await at.session.submit(text_to(1), within=0.2) == NotSent("no_link")


async def test_a_text_that_found_no_place_in_time_was_not_sent() -> None:
    async with line(faults=WireFaults(answer_seconds=1.0)) as at:
        answers = await at.session.submit_many([text_to(tail) for tail in range(40)], within=0.3)
        assert answers[:15] == [answer for answer in answers if isinstance(answer, Accepted)]
        assert answers[15:] == [NotSent("no_room")] * 25
        assert at.gateway.truth.report()["taken"] == 15


async def test_a_value_that_fits_no_field_is_told_apart_and_keeps_nobody_else() -> None:
    async with line() as at:
        answers = await at.session.submit_many([text_to(1, src_id="1" * 30), text_to(2)])
        assert answers[0] == NotSent("does_not_fit") and isinstance(answers[1], Accepted)


async def test_danger_replies_go_past_the_pace_of_a_broadcast() -> None:
    async with line(replace(QUICK, segments_per_second=4)) as at:
        broadcast = asyncio.create_task(at.session.submit_many([text_to(tail) for tail in range(60)]))
        await asyncio.sleep(0.2)
        loop = asyncio.get_running_loop()
        began = loop.time()
        answers = await at.session.submit_many([text_to(9000 + tail) for tail in range(5)], urgent=True)
        assert all(isinstance(answer, Accepted) for answer in answers)
        assert loop.time() - began < 0.2  # at the pace they would take a second
        assert not broadcast.done()
        broadcast.cancel()


async def test_danger_replies_go_before_a_broadcast_that_waited_longer() -> None:
    async with line(faults=WireFaults(answer_seconds=0.3)) as at:
        broadcast = asyncio.create_task(at.session.submit_many([text_to(tail) for tail in range(60)]))
        await until(lambda: at.session.state().in_flight == 15)
        await at.session.submit_many([text_to(9000 + tail) for tail in range(20)], urgent=True)
        places = [place for place, submit in enumerate(at.gateway.submits) if submit.destinations[0] >= number(9000)]
        assert places == list(range(15, 35))  # one into the place kept free, the rest into the first that became so
        broadcast.cancel()


async def test_a_danger_reply_finds_a_place_in_a_window_full_of_others() -> None:
    async with line(faults=WireFaults(answer_seconds=1.0)) as at:
        broadcast = asyncio.create_task(at.session.submit_many([text_to(tail) for tail in range(60)]))
        await until(lambda: at.session.state().in_flight == 15)
        urgent = asyncio.create_task(at.session.submit(text_to(9999), urgent=True))
        await until(lambda: at.gateway.submits[-1].destinations == (number(9999),), within=0.5)
        assert isinstance(await urgent, Accepted)
        broadcast.cancel()


async def test_a_text_whose_caller_went_away_does_not_go_out_any_more() -> None:
    async with line(faults=WireFaults(answer_seconds=0.3)) as at:
        broadcast = asyncio.create_task(at.session.submit_many([text_to(tail) for tail in range(60)]))
        await until(lambda: at.session.state().in_flight == 15)
        broadcast.cancel()
        assert isinstance(await at.session.submit(text_to(9999)), Accepted)
        await asyncio.sleep(0.4)
        assert at.gateway.counts["taken"] == 16


async def test_connections_share_and_one_that_breaks_leaves_the_others() -> None:
    async with line(replace(QUICK, connections=4), faults=WireFaults(answer_seconds=0.01)) as at:
        await until(lambda: at.session.state().up == 4)
        sending = asyncio.create_task(at.session.submit_many([text_to(tail) for tail in range(800)]))
        await until(lambda: at.gateway.counts["taken"] > 100)
        assert all(link.submits > 10 for link in at.gateway.links)
        at.gateway.links[0].abort()
        answers = await sending
        kinds = Counter(type(answer) for answer in answers)
        assert kinds[Unknown] <= 16 and kinds[Accepted] + kinds[Unknown] == 800
        assert at.gateway.truth.report()["numbers_twice"] == 0
        await until(lambda: at.session.state().up == 4)


async def test_the_numbers_of_requests_begin_again_at_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions.random, "randrange", lambda *_: LARGEST_SEQUENCE - 2)
    async with at_a_peer() as (peer, session, _):
        sending = asyncio.create_task(session.submit_many([text_to(tail) for tail in range(6)]))
        await until(lambda: len(peer.of(Submit)) == 6)
        sequences = [frame.sequence for frame in peer.of(Submit)]
        assert sequences == [LARGEST_SEQUENCE - 1, LARGEST_SEQUENCE, 1, 2, 3, 4]
        for place, sequence in reversed(list(enumerate(sequences))):
            peer.write(SubmitResp(bytes(7) + bytes((place,)), 0), sequence)
        assert await sending == [Accepted(bytes(7) + bytes((place,))) for place in range(6)]


async def test_a_number_that_still_waits_for_its_answer_is_not_given_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with at_a_peer() as (peer, session, _):
        first = asyncio.create_task(session.submit(text_to(1)))
        await until(lambda: len(peer.of(Submit)) == 1)
        session._links[0]._sequence -= 1  # once round all 2**31 of them
        second = asyncio.create_task(session.submit(text_to(2)))
        await until(lambda: len(peer.of(Submit)) == 2)
        one, other = (frame.sequence for frame in peer.of(Submit))
        assert other == one + 1
        peer.write(SubmitResp(bytes(8), 0), one)
        peer.write(SubmitResp(b"\1" * 8, 0), other)
        assert (await first, await second) == (Accepted(bytes(8)), Accepted(b"\1" * 8))


def test_a_session_lives_in_the_loop_our_workers_run_in() -> None:
    async def send() -> None:
        async with line(faults=WireFaults(drop_after=30)) as at:
            answers = await at.session.submit_many([text_to(tail) for tail in range(100)])
            assert {type(answer) for answer in answers} <= {Accepted, Unknown}
            at.gateway.faults = WireFaults()
            assert isinstance(await at.session.submit(text_to(101)), Accepted)
            await at.gateway.settle()

    uvloop.run(send())


def test_a_submit_s_defaults_are_those_of_a_free_service() -> None:
    free = Submit("PUBSVC", "901234", ACCESS, (number(1),), b"")
    assert (free.fee_user_type, free.fee_terminal_id, free.fee_type, free.fee_code) == (2, "", "01", "000000")
