"""What a session does with a peer that keeps to no rule: it never loses its place, never believes an answer to nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sms_gateway.carriers.cmpp import codec
from sms_gateway.carriers.cmpp.answers import Accepted, Unknown
from sms_gateway.carriers.cmpp.codec import HEADER
from sms_gateway.carriers.cmpp.pdus import (
    ActiveTest,
    ActiveTestResp,
    Deliver,
    DeliverResp,
    Submit,
    SubmitResp,
    Terminate,
)
from tests.carriers.cmpp.lines import QUICK, at_a_peer, text_to, until

ID = bytes.fromhex("6f20f781543d0001")


async def test_an_answer_to_a_number_nobody_gave_answers_nothing() -> None:
    async with at_a_peer() as (peer, session, _):
        sending = asyncio.create_task(session.submit(text_to(1)))
        await until(lambda: bool(peer.of(Submit)))
        sequence = peer.of(Submit)[0].sequence
        peer.write(SubmitResp(ID, 0), sequence + 1)
        await until(lambda: session.counts.strays == 1)
        assert not sending.done()
        peer.write(SubmitResp(ID, 0), sequence)
        assert await sending == Accepted(ID)
        peer.write(SubmitResp(ID, 0), sequence)  # said twice
        await until(lambda: session.counts.strays == 2)
        assert session.state().up == 1


async def test_an_answer_that_cannot_be_read_leaves_its_text_unknown() -> None:
    async with at_a_peer() as (peer, session, _):
        sending = asyncio.create_task(session.submit(text_to(1)))
        await until(lambda: bool(peer.of(Submit)))
        peer.write(HEADER.pack(20, codec.SUBMIT_RESP, peer.of(Submit)[0].sequence) + ID)
        assert await sending == Unknown("unreadable")
        assert session.state().up == 1


async def test_a_length_that_cannot_be_ends_the_connection_and_another_is_made() -> None:
    async with at_a_peer() as (peer, session, delivered):
        sending = asyncio.create_task(session.submit(text_to(1)))
        await until(lambda: bool(peer.of(Submit)))
        text = codec.encode(Deliver(ID, "1069", "13800000001", b"ok", msg_fmt=0), sequence=1)
        peer.write(text + bytes(4) + b"whatever")
        assert await sending == Unknown("link_broken")
        await until(lambda: peer.logins == 2)
        assert [each.content for each in delivered] == [b"ok"]  # what came before it was whole


async def test_a_frame_of_no_command_we_know_is_passed_over() -> None:
    async with at_a_peer() as (peer, session, _):
        peer.write(HEADER.pack(16, 0x00000010, 5) + b"what")
        peer.write(ActiveTest(), 6)
        await until(lambda: [frame.sequence for frame in peer.of(ActiveTestResp)] == [6])
        assert session.counts.strays == 1


async def test_a_broken_text_is_answered_with_the_reason_so_that_it_does_not_come_for_ever() -> None:
    async with at_a_peer() as (peer, session, delivered):
        whole = codec.encode(Deliver(ID, "1069", "13800000001", b"help", msg_fmt=0), sequence=8)
        peer.write(HEADER.pack(len(whole) - 6, codec.DELIVER, 8) + whole[12:-6])
        await until(lambda: bool(peer.of(DeliverResp)))
        assert peer.of(DeliverResp)[0].pdu == DeliverResp(ID, 4)
        assert not delivered and session.state().up == 1


async def test_a_flood_of_texts_is_stored_a_few_at_a_time_and_all_are_answered() -> None:
    async with at_a_peer() as (peer, session, _):
        now = most = 0

        async def store(_: Deliver) -> None:
            nonlocal now, most
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.01)
            now -= 1

        session._sender.store = store
        one = [codec.encode(Deliver(ID, "1069", "13800000001", bytes(140)), sequence=n) for n in range(1, 3001)]
        peer.write(b"".join(one))
        await until(lambda: len(peer.of(DeliverResp)) == 3000, within=20)
        assert {frame.sequence for frame in peer.of(DeliverResp)} == set(range(1, 3001))
        assert most < 2000  # a read holds several hundred, then nothing is read until they are stored


async def test_before_we_are_let_in_nothing_that_comes_is_believed() -> None:
    async with at_a_peer() as (peer, session, delivered):
        text = codec.encode(Deliver(ID, "1069", "13800000001", b"ok", msg_fmt=0), sequence=1)
        peer.first = text + codec.encode(ActiveTest(), sequence=2) + codec.encode(SubmitResp(ID, 0), sequence=3)
        peer.writers[-1].close()
        await until(lambda: peer.logins == 2 and session.state().up == 1)
        assert session.counts.strays == 3
        assert not delivered and not peer.of(DeliverResp) and not peer.of(ActiveTestResp)


async def test_what_comes_in_one_read_with_our_welcome_is_believed() -> None:
    async with at_a_peer() as (peer, _, delivered):
        peer.last = codec.encode(Deliver(ID, "1069", "13800000001", b"ok", msg_fmt=0), sequence=1)
        peer.writers[-1].close()
        await until(lambda: bool(peer.of(DeliverResp)))
        assert [each.content for each in delivered] == [b"ok"]


async def test_a_goodbye_is_answered_and_the_connection_made_anew() -> None:
    async with at_a_peer() as (peer, session, _):
        peer.write(Terminate(), 3)
        await until(lambda: peer.logins == 2)
        assert session.counts.lost == 1


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    junk=st.lists(st.binary(max_size=80), max_size=5), command=st.integers(0, 2**32 - 1), body=st.binary(max_size=60)
)
def test_no_junk_whatever_keeps_a_session_from_sending_again(junk: list[bytes], command: int, body: bytes) -> None:
    async def try_it() -> None:
        async with at_a_peer(replace(QUICK, reconnect_least=0.005, reconnect_most=0.01)) as (peer, session, _):
            peer.write(HEADER.pack(12 + len(body), command, 1) + body)
            for piece in junk:
                if peer.writers[-1].is_closing():
                    break
                peer.write(piece)
            await asyncio.sleep(0.01)
            peer.writers[-1].close()
            await until(lambda: peer.logins >= 2)
            assert await session.wait_until_up(within=5)
            sending = asyncio.create_task(session.submit(text_to(1)))
            await until(lambda: bool(peer.of(Submit)))
            peer.write(SubmitResp(ID, 0), peer.of(Submit)[-1].sequence)
            assert await sending == Accepted(ID)

    asyncio.run(try_it())
