"""Receipts of outreach: any order, any number of times, for any number, the ledger and its counts end the same."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise, permutations

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, select, text

from sms_gateway import clock
from sms_gateway.broadcasts import ledger, receipts
from sms_gateway.broadcasts.models import BroadcastTally, BroadcastUnknown, CarrierReference, EarlyReceipt
from sms_gateway.broadcasts.receipts import MEANING, Applied, Told, rank_of
from sms_gateway.broadcasts.recipients import RANK, State, after
from sms_gateway.broadcasts.references import reference_of
from sms_gateway.clock import HeldClock
from sms_gateway.contacts import service as contacts
from sms_gateway.contacts.models import Channel
from sms_gateway.database import transaction

from . import making


def told(broadcast_id: int, number: int, state: str, error: str | None = None) -> Told:
    return Told("simulator", f"SIM{number}", state, error, reference_of(broadcast_id, number))


async def apply(*heard: Told) -> Applied:
    async with transaction() as session:
        return await receipts.apply(session, heard)


@pytest.fixture
async def broadcast_id(database: str) -> int:
    made = await making.make_broadcast()
    await making.make_ledger(made, {"530102": 6, "": 4})
    return made


async def exact(broadcast_id: int) -> bool:
    return await making.tallies(broadcast_id) == await making.counted(broadcast_id)


async def test_a_batch_moves_each_row_and_its_count(broadcast_id: int, clock: HeldClock) -> None:
    await making.set_rows(broadcast_id, dict.fromkeys(range(1, 8), "sent"))
    done = await apply(
        told(broadcast_id, 7, "delivered"), told(broadcast_id, 1, "delivered"), told(broadcast_id, 2, "undelivered", "E1"),
        told(broadcast_id, 3, "sent"), told(broadcast_id, 4, "blocked"),
    )  # fmt: skip
    assert done == Applied(moved=4, unmoved=1)
    assert await making.tallies(broadcast_id) == {
        ("530102", "delivered"): 1, ("530102", "failed"): 2, ("530102", "sent"): 3, ("", "delivered"): 1,
        ("", "created"): 3,
    }  # fmt: skip
    first, second, fourth = [await making.recipient(broadcast_id, n) for n in (1, 2, 4)]
    assert (first.carrier, first.carrier_id, first.settled_at, first.error) == (
        "simulator", "SIM1", clock.now(), None,
    )  # fmt: skip
    assert (second.error, fourth.error) == ("E1", "blocked")
    assert await exact(broadcast_id)


async def test_a_batch_adds_its_counts_in_one_insert(broadcast_id: int) -> None:
    async with transaction() as session:
        before = (await session.execute(select(func.count()).select_from(BroadcastTally))).scalar_one()
    await apply(*(told(broadcast_id, n, "delivered") for n in range(1, 7)))
    async with transaction() as session:
        rows = (await session.execute(select(func.count()).select_from(BroadcastTally))).scalar_one()
    assert rows - before == 2  # six created less, six delivered more


@pytest.mark.parametrize("order", list(permutations(["sent", "undelivered", "delivered"])))
async def test_a_text_that_was_delivered_stays_delivered_in_any_order(broadcast_id: int, order: Sequence[str]) -> None:
    for state in order:
        await apply(told(broadcast_id, 1, state, "E"), told(broadcast_id, 1, state, "E"))
    row = await making.recipient(broadcast_id, 1)
    assert (row.state, row.error) == ("delivered", None)
    assert await exact(broadcast_id)


async def test_who_was_left_out_or_cancelled_stays_so(broadcast_id: int) -> None:
    await making.set_rows(broadcast_id, {1: "suppressed:opted_out", 2: "cancelled"})
    assert await apply(told(broadcast_id, 1, "delivered"), told(broadcast_id, 2, "undelivered")) == Applied(unmoved=2)
    assert (await making.states(broadcast_id))[1] == "suppressed"
    assert (await making.recipient(broadcast_id, 1)).carrier_id is None
    assert await exact(broadcast_id)


async def test_a_text_we_thought_absent_did_leave_when_a_receipt_says_so(broadcast_id: int, clock: HeldClock) -> None:
    await apply(told(broadcast_id, 1, "sent"))
    row = await making.recipient(broadcast_id, 1)
    assert (row.state, row.sent_at, row.settled_at, row.carrier_id) == ("sent", clock.now(), None, "SIM1")
    assert await exact(broadcast_id)


async def test_what_is_settled_need_not_be_looked_up(broadcast_id: int) -> None:
    await making.set_rows(broadcast_id, {1: "unknown", 2: "unknown"})
    async with transaction() as session:
        await ledger.keep_unknown(session, broadcast_id, [1, 2], after=timedelta(seconds=30))
    await apply(told(broadcast_id, 1, "delivered"))
    async with transaction() as session:
        assert list(await session.scalars(select(BroadcastUnknown.number))) == [2]


async def test_a_look_up_under_way_is_not_waited_for(broadcast_id: int) -> None:
    await making.set_rows(broadcast_id, {1: "unknown"})
    async with transaction() as session:
        await ledger.keep_unknown(session, broadcast_id, [1], after=timedelta(seconds=30))
    async with transaction() as looking:
        await looking.execute(select(BroadcastUnknown).with_for_update())
        async with asyncio.timeout(5):
            assert (await apply(told(broadcast_id, 1, "delivered"))).moved == 1


async def test_numbers_and_broadcasts_nobody_knows_are_counted_and_left(broadcast_id: int) -> None:
    strange = [told(broadcast_id, 11, "delivered"), told(broadcast_id + 1, 1, "delivered"), told(99_999_999, 5, "sent")]
    assert await apply(*strange, told(broadcast_id, 1, "delivered")) == Applied(moved=1, unknown=3)
    odd = Told("simulator", "x", "delivered", None, 10**17)  # broadcast 0, number 0
    assert await apply(odd) == Applied(unknown=1)
    assert await apply() == Applied()


async def test_one_batch_may_speak_of_several_broadcasts(broadcast_id: int) -> None:
    other = await making.make_broadcast()
    await making.make_ledger(other, 3)
    done = await apply(*(told(one, n, "delivered") for n in (1, 2) for one in (other, broadcast_id)))
    assert done == Applied(moved=4)
    assert await exact(other)
    assert await exact(broadcast_id)


def test_the_rank_in_sql_is_that_of_the_table(database: str) -> None:
    with psycopg.connect(database) as connection:
        for state, rank in RANK.items():
            assert connection.execute(f"SELECT {rank_of('x')} FROM (SELECT %s AS x) one", [str(state)]).fetchone() == (
                rank,
            )


def test_every_state_a_carrier_can_tell_has_a_meaning() -> None:
    from sms_gateway.carriers import simulator, twilio
    from sms_gateway.carriers.cmpp import meanings

    tables = (simulator.STATES, twilio.STATES, meanings.STATES)
    said = {state for states in tables for state in states.values() if state is not None}
    assert said <= set(MEANING)
    assert {kind.state for kind in twilio.REFUSALS.values()} <= set(MEANING)


WORDS = [State.CREATED, State.CLAIMED, State.UNKNOWN, State.SENT, State.FAILED, State.DELIVERED, State.CANCELLED]


@pytest.fixture
async def many(database: str) -> int:
    made = await making.make_broadcast()
    await making.make_ledger(made, {"530102": 50, "530627": 50})
    return made


def test_any_order_and_number_of_receipts_ends_the_same(postgres: object, many: int, database: str) -> None:
    """Against the pure rule, from every state; each example on rows of its own broadcast."""
    heard = st.lists(st.tuples(st.integers(1, 8), st.sampled_from(sorted(MEANING))), max_size=30)

    @settings(max_examples=40, deadline=None)
    @given(
        st.lists(st.sampled_from(WORDS), min_size=8, max_size=8), heard, st.randoms(use_true_random=False), st.data()
    )
    def check(starts: list[State], events: list[tuple[int, str]], chance: random.Random, data: st.DataObject) -> None:
        cuts = sorted(data.draw(st.lists(st.integers(0, len(events)), max_size=4)))
        repeated = [*events, *chance.choices(events, k=len(events) // 2)] if events else []
        asyncio.run(one_example(starts, repeated, [0, *cuts, len(repeated)]))

    async def one_example(starts: list[State], events: list[tuple[int, str]], cuts: list[int]) -> None:
        from sms_gateway import database as ground

        try:
            one = await making.make_broadcast()
            await making.make_ledger(one, {"530102": 5, "": 3})
            await making.set_rows(one, {n: str(state) for n, state in enumerate(starts, 1)})
            for first, last in pairwise(cuts):
                await apply(*(told(one, number, state) for number, state in events[first:last]))
            wanted = dict(enumerate(starts, 1))
            for number, state in events:
                wanted[number] = after(wanted[number], MEANING[state])
            assert await making.states(one) == {n: str(state) for n, state in wanted.items()}
            assert await exact(one)
        finally:
            await ground.dispose()

    check()


async def test_five_hundred_at_once_beside_a_sender_of_the_same_rows(database: str) -> None:
    made = await making.make_broadcast()
    await making.make_ledger(made, 500)
    numbers = list(range(1, 501))

    async def send() -> None:
        for start in range(0, 500, 50):
            part = numbers[start : start + 50]
            random.shuffle(part)
            async with transaction() as session:
                await ledger.settle(session, made, [ledger.Outcome(n, State.CLAIMED) for n in part])
            async with transaction() as session:
                sent = [ledger.Outcome(n, State.SENT, f"SIM{n}") for n in part]
                await ledger.settle(session, made, sent)

    async def hear(state: str) -> None:
        shuffled = random.sample(numbers, len(numbers))
        for _ in range(3):
            await apply(*(told(made, n, state) for n in shuffled))

    async with asyncio.timeout(60):
        await asyncio.gather(send(), send(), hear("sent"), hear("undelivered"), hear("delivered"), hear("delivered"))
    assert set((await making.states(made)).values()) == {"delivered"}
    assert await exact(made)


# ---- carriers that know their own ids only ----


class Connection:
    """A connection's carrier as outreach will meet it: its receipts carry the id it gave, and may come before our note of it."""

    name = "cmpp"
    echoes_reference = False

    def __init__(self) -> None:
        self.given: dict[int, str] = {}

    async def send(self, *, to: str, body: str, reference: int, validity: timedelta | None = None) -> str:
        self.given[reference] = f"M{len(self.given) + 1}"
        return self.given[reference]

    def receipt(self, reference: int, state: str) -> Told:
        return Told(self.name, self.given[reference], state)


@pytest.fixture
async def connection(broadcast_id: int) -> Connection:
    made = Connection()
    for number in (1, 2):
        await made.send(to=making.phone(number), body="您好", reference=reference_of(broadcast_id, number))
    return made


async def note(connection: Connection, reference: int) -> None:
    row = {"carrier": connection.name, "carrier_id": connection.given[reference], "reference": reference}
    async with transaction() as session:
        await session.execute(insert(CarrierReference).values(**row, at=clock.now()))


async def apply_early() -> Applied:
    async with transaction() as session:
        return await receipts.apply_early(session)


async def test_the_carriers_own_id_leads_to_the_row(broadcast_id: int, connection: Connection) -> None:
    await note(connection, reference_of(broadcast_id, 1))
    assert (await apply(connection.receipt(reference_of(broadcast_id, 1), "delivered"))).moved == 1
    row = await making.recipient(broadcast_id, 1)
    assert (row.state, row.carrier, row.carrier_id) == ("delivered", "cmpp", "M1")


async def test_a_receipt_quicker_than_our_note_is_not_lost(broadcast_id: int, connection: Connection) -> None:
    first, second = reference_of(broadcast_id, 1), reference_of(broadcast_id, 2)
    early = [
        connection.receipt(first, "delivered"),
        connection.receipt(first, "sent"),
        connection.receipt(second, "failed"),
    ]
    assert await apply(*early, *early) == Applied(early=6)
    assert await apply_early() == Applied()
    await note(connection, first)
    assert (await apply_early()).moved == 1
    assert (await making.states(broadcast_id))[1] == "delivered"
    async with transaction() as session:
        assert list(await session.scalars(select(EarlyReceipt.carrier_id))) == ["M2"]
    assert await exact(broadcast_id)


async def test_a_receipt_of_nobodys_text_is_forgotten_after_days(broadcast_id: int, connection: Connection) -> None:
    await apply(connection.receipt(reference_of(broadcast_id, 1), "delivered"))
    async with transaction() as session:
        await session.execute(text("UPDATE outreach_early_receipts SET at = at - interval '4 days'"))
    await apply_early()
    async with transaction() as session:
        assert await session.scalar(select(func.count()).select_from(EarlyReceipt)) == 0


async def opted_out(number: int) -> bool:
    async with transaction() as session:
        found = await contacts.find(session, channel=Channel.SMS, address=making.phone(number))
        return found is not None and found.outreach_opted_out_at is not None


async def test_who_told_the_carrier_to_stop_is_left_out_from_now_on(broadcast_id: int, clock: HeldClock) -> None:
    await making.set_rows(broadcast_id, {1: "sent", 2: "sent"})
    refused = Told("simulator", "SIM1", "failed", "21610", reference_of(broadcast_id, 1), person_refuses=True)
    await apply(refused, refused, told(broadcast_id, 2, "failed", "30006"))
    assert [await opted_out(number) for number in (1, 2)] == [True, False]


async def test_so_is_one_whose_refusal_was_quicker_than_our_note(broadcast_id: int, connection: Connection) -> None:
    reference = reference_of(broadcast_id, 1)
    await apply(replace(connection.receipt(reference, "failed"), person_refuses=True))
    assert not await opted_out(1)
    await note(connection, reference)
    await apply_early()
    assert await opted_out(1)
