"""Sending from the ledger on a real PostgreSQL: everybody once, nobody who must not be, and what a dead worker leaves."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text, update

from sms_gateway import clock as clocks
from sms_gateway.broadcasts import acts, ledger, taking, unknowns
from sms_gateway.broadcasts.models import Broadcast, BroadcastChunk
from sms_gateway.broadcasts.references import reference_of
from sms_gateway.broadcasts.sending import Sender
from sms_gateway.carriers import registry
from sms_gateway.carriers.carrier import (
    CarrierBlockedText,
    CarrierDidNotAnswer,
    CarrierIsBusy,
    CarrierRefusedPerson,
    Found,
    SendError,
    TextOut,
)
from sms_gateway.clock import HeldClock
from sms_gateway.contacts.models import Channel, Contact
from sms_gateway.crypto import blind_index
from sms_gateway.database import transaction
from sms_gateway.operators.models import Operator, Role
from tests.broadcasts import making

NOON = datetime(2026, 12, 1, 4, 0, tzinfo=UTC)


@dataclass
class Remembering:
    """A carrier that keeps every text it took; `answers` decides what a number is told."""

    name: str = "simulator"
    echoes_reference: bool = True
    took: list[TextOut] = field(default_factory=list)
    answers: Callable[[str], SendError | None] = lambda _: None
    seconds: float = 0.0

    async def send(self, *, to: str, body: str, reference: int, validity: timedelta | None = None) -> str:
        await asyncio.sleep(self.seconds)
        error = self.answers(to)
        if error is None or (isinstance(error, CarrierDidNotAnswer) and error.code == "took_it"):
            self.took.append(TextOut(to, body, reference, validity))
        if error is not None:
            raise error
        return f"R{reference}"

    async def find(self, *, to: str, body: str, reference: int, since: datetime) -> tuple[Found, str | None]:
        there = any(one.reference == reference for one in self.took)
        return (Found.SENT, f"R{reference}") if there else (Found.ABSENT, None)

    async def aclose(self) -> None:
        pass

    @property
    def times(self) -> Counter[str]:
        return Counter(one.to for one in self.took)


@pytest.fixture
def remembering(database: str, clock: HeldClock) -> Remembering:
    clock.advance(NOON - clock.now())
    made = Remembering()
    registry._made.clear()
    registry.use(made)
    return made


async def somebody_on_duty() -> int:
    operator = await making.make_operator(role=Role.OPERATOR)
    async with transaction() as session:
        there = {"on_duty": True, "last_seen_at": clocks.now()}
        await session.execute(update(Operator).where(Operator.id == operator).values(**there))
    return operator


async def until(ready: Callable[[], object], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not await ready():  # type: ignore[misc]
            await making.govern()
            await asyncio.sleep(0.05)


async def status_of(broadcast_id: int) -> str:
    async with transaction() as session:
        return (await acts.get(session, broadcast_id)).status


async def send_all(broadcast_id: int, *, seconds: float = 15, senders: int = 1) -> None:
    """Workers send, the governor looks, until the broadcast stands still or is over."""
    workers = [Sender(chunk=50) for _ in range(senders)]
    running = [asyncio.create_task(one.run()) for one in workers]

    async def stands() -> bool:
        return await status_of(broadcast_id) not in ("running", "approved")

    try:
        await until(stands, seconds)
    finally:
        for one in workers:
            one.stop.set()
        await asyncio.gather(*running)


async def test_everybody_is_texted_once_and_the_broadcast_ends(remembering: Remembering) -> None:
    await somebody_on_duty()
    one = await making.make_broadcast(carrier_segments=5000.0, reply_share=0.0)
    await making.make_ledger(one, {"530627": 230, "530602": 170, "": 20})
    await send_all(one, senders=3)
    assert await status_of(one) == "completed"
    assert remembering.times == Counter({making.phone(n): 1 for n in range(1, 421)})
    assert set((await making.states(one)).values()) == {"sent"}
    first = next(one for one in remembering.took if one.to == making.phone(1))
    assert first.body.startswith("【云南12345】")
    assert "镇雄县" in first.body
    assert first.validity == timedelta(hours=4)


async def contact_of(number: int, **flags: object) -> None:
    async with transaction() as session:
        index = blind_index(making.phone(number), "contacts.address.sms")
        made = Contact(channel=Channel.SMS, address=making.phone(number), address_index=index, created_at=NOON)
        for name, value in flags.items():
            setattr(made, name, value)
        session.add(made)


async def test_who_opted_out_has_an_open_case_or_a_watched_phone_is_left_out_with_the_reason(
    remembering: Remembering,
) -> None:
    await somebody_on_duty()
    await contact_of(3, open_case=True)
    await contact_of(4, silent_at=NOON)
    await contact_of(5, outreach_opted_out_at=NOON)
    one = await making.make_broadcast(carrier_segments=5000.0, reply_share=0.0)
    await making.make_ledger(one, 10)
    await send_all(one)
    assert sorted(remembering.times) == sorted(making.phone(n) for n in (1, 2, 6, 7, 8, 9, 10))
    assert await making.counted(one) == {
        ("530627", "sent"): 7, ("530627", "suppressed:open_case"): 1, ("530627", "suppressed:safe_mode"): 1,
        ("530627", "suppressed:opted_out"): 1,
    }  # fmt: skip


async def test_who_was_texted_lately_is_left_out_and_after_the_quiet_days_is_not(
    remembering: Remembering, clock: HeldClock
) -> None:
    await somebody_on_duty()
    for texts, days in ((5, 0), (5, 3), (10, 8)):
        clock.advance(timedelta(days=days))
        async with transaction() as session:
            await session.execute(update(Operator).values(last_seen_at=NOON + timedelta(days=days * 2)))
        one = await making.make_broadcast(
            carrier_segments=5000.0, reply_share=0.0, quiet_days=7.0, started_at=clock.now()
        )
        await making.make_ledger(one, 5)
        await send_all(one)
        assert len(remembering.took) == texts
    assert set((await making.states(one)).values()) == {"sent"}


async def test_what_a_carrier_says_becomes_a_named_state(remembering: Remembering) -> None:
    await somebody_on_duty()
    refusals = {2: CarrierBlockedText("30007"), 3: CarrierRefusedPerson("21610"), 4: CarrierDidNotAnswer("no_answer")}
    remembering.answers = lambda to: refusals.get(int(to[3:]) - making.FIRST_NUMBER)
    one = await making.make_broadcast(carrier_segments=5000.0, reply_share=0.0, error_share=1.0)
    await making.make_ledger(one, 5)
    sender = Sender()
    task = asyncio.create_task(sender.run())

    async def settled() -> bool:
        return (
            "created" not in (await making.states(one)).values()
            and "claimed" not in (await making.states(one)).values()
        )

    await until(settled)
    assert await making.states(one) == {1: "sent", 2: "failed", 3: "failed", 4: "unknown", 5: "sent"}
    assert (await making.recipient(one, 2)).error == "30007"
    async with transaction() as session:
        gone = await session.scalar(text("SELECT outreach_opted_out_at FROM contacts"))
    assert gone is not None
    assert await status_of(one) == "running"  # one is still to be looked up
    del refusals[4]
    async with transaction() as session:
        await session.execute(text("UPDATE broadcast_unknowns SET look_up_at = now()"))

    async def over() -> bool:
        return await status_of(one) == "completed"

    await until(over)
    sender.stop.set()
    await task
    assert remembering.times[making.phone(4)] == 1
    assert await making.states(one) == {1: "sent", 2: "failed", 3: "failed", 4: "sent", 5: "sent"}


async def test_a_text_that_left_unanswered_is_found_and_not_sent_again(remembering: Remembering) -> None:
    await somebody_on_duty()
    remembering.answers = lambda _: CarrierDidNotAnswer("took_it")
    one = await making.make_broadcast(carrier_segments=5000.0, reply_share=0.0)
    await making.make_ledger(one, 3)
    sender = Sender()
    task = asyncio.create_task(sender.run())

    async def lost() -> bool:
        async with transaction() as session:
            await session.execute(text("UPDATE broadcast_unknowns SET look_up_at = now()"))
        return set((await making.states(one)).values()) == {"sent"}

    await until(lost)
    sender.stop.set()
    await task
    assert remembering.times == Counter({making.phone(n): 1 for n in (1, 2, 3)})


async def test_a_busy_carrier_gets_a_pause_and_then_everything(
    remembering: Remembering, monkeypatch: pytest.MonkeyPatch
) -> None:
    await somebody_on_duty()
    monkeypatch.setattr("sms_gateway.broadcasts.sending.BUSY_PAUSE", timedelta(seconds=0.2))
    refused: Counter[str] = Counter()

    def busy_at_first(to: str) -> SendError | None:
        refused[to] += 1
        return CarrierIsBusy("429") if refused[to] < 3 else None

    remembering.answers = busy_at_first
    one = await making.make_broadcast(carrier_segments=5000.0, reply_share=0.0)
    await making.make_ledger(one, 20)
    await send_all(one)
    assert remembering.times == Counter({making.phone(n): 1 for n in range(1, 21)})


async def test_a_dead_workers_numbers_are_unknown_and_only_the_absent_are_sent(remembering: Remembering) -> None:
    await somebody_on_duty()
    one = await making.make_broadcast(carrier_segments=5000.0, reply_share=0.0)
    await making.make_ledger(one, 10)
    async with transaction() as session:
        row = await acts.get(session, one)
        taken = await taking.take(session, row, worker="dead", carrier="simulator", at_most=6)
    assert taken is not None
    for number in (1, 2):  # left before it died, unwritten
        await remembering.send(to=making.phone(number), body="x", reference=reference_of(one, number))
    async with transaction() as session:
        await session.execute(update(BroadcastChunk).values(beat_at=ledger.NOW - timedelta(seconds=31)))
        assert await ledger.recover(session, dead_after=timedelta(seconds=30), look_up_after=timedelta()) == 1
    assert Counter((await making.states(one)).values()) == {"unknown": 6, "created": 4}
    assert await unknowns.look_up_due("me") == 6
    await send_all(one)
    assert await status_of(one) == "completed"
    assert remembering.times == Counter({making.phone(n): 1 for n in range(1, 11)})


async def test_a_pause_stops_it_within_two_seconds_and_resuming_misses_nobody(remembering: Remembering) -> None:
    operator = await somebody_on_duty()
    remembering.seconds = 0.05
    one = await making.make_broadcast(carrier_segments=2000.0, reply_share=0.0)
    await making.make_ledger(one, 3000)
    sender = Sender()
    task = asyncio.create_task(sender.run())

    async def under_way() -> bool:
        return len(remembering.took) > 300

    await until(under_way)
    async with transaction() as session:
        await acts.pause(session, one, operator_id=operator)
    await asyncio.sleep(1.0)
    left = len(remembering.took)
    await asyncio.sleep(1.5)
    assert len(remembering.took) == left < 3000
    states = Counter((await making.states(one)).values())
    assert states == {"sent": left, "created": 3000 - left}  # nothing hangs in a worker's hands
    async with transaction() as session:
        row = await acts.get(session, one)
        await acts.resume(session, one, version=row.version, operator_id=operator, danger_seen=0)

    async def over() -> bool:
        return await status_of(one) == "completed"

    await until(over)
    sender.stop.set()
    await task
    assert remembering.times == Counter({making.phone(n): 1 for n in range(1, 3001)})


async def test_a_cancelled_one_leaves_every_number_in_a_state(remembering: Remembering) -> None:
    operator = await somebody_on_duty()
    remembering.seconds = 0.02
    one = await making.make_broadcast(carrier_segments=1000.0, reply_share=0.0)
    await making.make_ledger(one, 2000)
    sender = Sender()
    task = asyncio.create_task(sender.run())

    async def under_way() -> bool:
        return len(remembering.took) > 200

    await until(under_way)
    async with transaction() as session:
        await acts.cancel(session, one, operator_id=operator)

    async def settled() -> bool:
        return set((await making.states(one)).values()) == {"sent", "cancelled"}

    await until(settled)
    sender.stop.set()
    await task
    left = len(remembering.took)
    assert Counter((await making.states(one)).values()) == {"sent": left, "cancelled": 2000 - left}
    await making.govern()
    async with transaction() as session:
        assert await session.scalar(text("SELECT sum(count) FROM broadcast_counts")) == 2000
        assert (await session.get_one(Broadcast, one)).status == "cancelled"


async def test_nobody_free_means_nothing_is_sent(remembering: Remembering) -> None:
    one = await making.make_broadcast(carrier_segments=5000.0)
    await making.make_ledger(one, 5)
    await making.govern()
    with pytest.raises(TimeoutError):
        await send_all(one, seconds=1.5)
    assert remembering.took == []
    async with transaction() as session:
        assert (await acts.get(session, one)).held_by == "nobody"


async def test_nothing_goes_out_at_night(remembering: Remembering, clock: HeldClock) -> None:
    await somebody_on_duty()
    clock.advance(timedelta(hours=8))  # 20:00
    async with transaction() as session:
        await session.execute(update(Operator).values(last_seen_at=clock.now()))
    one = await making.make_broadcast(carrier_segments=5000.0, reply_share=0.0)
    await making.make_ledger(one, 5)
    await making.govern()
    with pytest.raises(TimeoutError):
        await send_all(one, seconds=1.5)
    assert remembering.took == []
    async with transaction() as session:
        assert (await acts.get(session, one)).held_by == "hours"
