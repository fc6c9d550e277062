"""The make-believe carrier's faults, one by one, and that its memory says what really happened."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from sms_gateway.carriers.carrier import (
    CarrierBlockedText,
    CarrierDidNotAnswer,
    CarrierIsBusy,
    CarrierRefused,
    Found,
    SendsMany,
    TextOut,
)
from sms_gateway.carriers.simulator import SimulatorCarrier, access_token
from sms_gateway.clock import HeldClock
from sms_gateway.settings import get_settings
from sms_gateway.simulator.carrier_state import MakeBelieveCarrier
from sms_gateway.simulator.faults import Faults, fate_of
from sms_gateway.simulator.truth import Truth
from tests.gateway_client import HOST

FIRST = 10**17 + 10**9


def texts(count: int, *, validity: timedelta | None = None) -> list[TextOut]:
    return [TextOut(f"+86{13_800_000_000 + n}", "您好", FIRST + n, validity) for n in range(1, count + 1)]


class Told:
    """A gateway that only keeps what it is told."""

    def __init__(self) -> None:
        self.receipts: list[tuple[str, str]] = []
        self.requests = 0
        self.down = False

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            return httpx.Response(503)
        self.requests += 1
        if request.headers["content-type"] == "application/json":
            self.receipts += [(each["reference"], each["state"]) for each in json.loads(request.content)]
        else:
            form = dict(httpx.QueryParams(request.content.decode()))
            self.receipts.append((form["reference"], form["state"]))
        return httpx.Response(200)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def make_believe(app: FastAPI, told: Told) -> AsyncIterator[MakeBelieveCarrier]:
    await app.state.make_believe.aclose()
    http = httpx.AsyncClient(transport=httpx.MockTransport(told), base_url=HOST)
    app.state.make_believe = MakeBelieveCarrier(get_settings(), http, dice=random.Random(7).random)
    return app.state.make_believe


@pytest.fixture
async def driver(app: FastAPI, make_believe: MakeBelieveCarrier) -> AsyncIterator[SimulatorCarrier]:
    made = SimulatorCarrier(url=HOST, token=access_token(get_settings()), transport=httpx.ASGITransport(app))
    yield made
    await made.aclose()


async def test_many_texts_leave_in_one_request_each_with_an_id_of_its_own(
    driver: SimulatorCarrier, make_believe: MakeBelieveCarrier, told: Told
) -> None:
    assert isinstance(driver, SendsMany)
    ids = await driver.send_many(texts(500))
    assert len({found for found in ids if isinstance(found, str)}) == 500
    await make_believe.settle()
    report = make_believe.truth.report()
    assert (report["taken"], report["arrived"], report["numbers_twice"]) == (500, 500, 0)
    assert sorted(told.receipts) == sorted((str(FIRST + n), s) for n in range(1, 501) for s in ("sent", "delivered"))
    assert await driver.send_many([]) == []
    with pytest.raises(ValueError, match="500"):
        await driver.send_many(texts(501))


async def test_the_same_text_handed_over_twice_arrives_twice_and_the_truth_says_so(
    driver: SimulatorCarrier, make_believe: MakeBelieveCarrier, app: FastAPI
) -> None:
    first, *_ = await driver.send_many(texts(3))
    again, *_ = await driver.send_many(texts(1))
    assert first != again
    assert await driver.find(to="", body="", reference=FIRST + 1, since=make_believe_since(make_believe)) == (
        Found.SENT,
        first,
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HOST) as client:
        login = {"Authorization": f"Bearer {access_token(get_settings())}"}
        report = (await client.get("/simulator/truth", headers=login)).json()
        assert (report["taken"], report["numbers_twice"], report["references_twice"]) == (4, 1, 1)
        assert report["twice"] == ["+8613800000001"]
        asked = f"/simulator/truth/references?first={FIRST}&last={FIRST + 2}"
        lines = (await client.get(asked, headers=login)).text.splitlines()
        assert lines == [f"{FIRST + 1}\t2\t2\tdelivered", f"{FIRST + 2}\t1\t1\tdelivered"]
        assert (await client.get("/simulator/truth")).status_code == 401


def make_believe_since(carrier: MakeBelieveCarrier) -> object:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(carrier.truth.since + 5, UTC)


async def test_above_the_rate_it_is_busy_and_nothing_of_that_is_taken(
    driver: SimulatorCarrier, make_believe: MakeBelieveCarrier
) -> None:
    make_believe.faults = Faults(rate=20)
    answers = await driver.send_many(texts(50))
    busy = [answer for answer in answers if isinstance(answer, CarrierIsBusy)]
    assert 25 <= len(busy) <= 30
    await make_believe.settle()
    assert make_believe.truth.report()["taken"] == 50 - len(busy)
    make_believe.faults = Faults(rate=1)
    two_segments, one = await driver.send_many([TextOut("+8613800000001", "字" * 71, FIRST + 90), *texts(1)])
    assert isinstance(two_segments, CarrierIsBusy)
    assert isinstance(one, str)


async def test_each_kind_of_error_has_its_share(driver: SimulatorCarrier, make_believe: MakeBelieveCarrier) -> None:
    make_believe.faults = Faults(share_refused=0.2, share_blocked=0.2, share_undelivered=0.2, bulk=True)
    answers = await driver.send_many(texts(500))
    refused = [answer for answer in answers if isinstance(answer, CarrierRefused)]
    assert 60 < len(refused) < 140
    await make_believe.settle()
    ends = make_believe.truth.report()["ends"]
    assert isinstance(ends, dict)
    assert sum(ends.values()) == 500 - len(refused)
    assert 50 < ends["blocked"] < 120
    assert 30 < ends["undelivered"] < 100


@pytest.mark.parametrize(("faults", "taken"), [(Faults(share_no_answer=1), 0), (Faults(share_answer_lost=1), 20)])
async def test_without_an_answer_every_text_may_have_left(
    driver: SimulatorCarrier, make_believe: MakeBelieveCarrier, faults: Faults, taken: int
) -> None:
    make_believe.faults = faults
    answers = await driver.send_many(texts(20))
    assert [type(answer) for answer in answers] == [CarrierDidNotAnswer] * 20
    with pytest.raises(CarrierDidNotAnswer):
        await driver.send(to="+8613800000001", body="x", reference=5)
    assert make_believe.truth.report(first=FIRST)["taken"] == taken


async def test_every_text_of_many_is_busy_when_nothing_listens() -> None:
    down = SimulatorCarrier(url="http://127.0.0.1:9", token="t")
    assert [type(answer) for answer in await down.send_many(texts(2))] == [CarrierIsBusy] * 2
    await down.aclose()
    for said in ({}, {"answers": []}, {"answers": [1, None]}, {"answers": [{"code": "?"}, {"id": 7}]}):
        answer = httpx.MockTransport(lambda _, said=said: httpx.Response(200, json=said))  # type: ignore[misc]
        odd = SimulatorCarrier(url=HOST, token="t", transport=answer)
        assert [type(answer) for answer in await odd.send_many(texts(2))] == [CarrierDidNotAnswer] * 2
        await odd.aclose()


async def test_a_text_blocked_for_good_is_told_by_its_code(driver: SimulatorCarrier, app: FastAPI) -> None:
    answer = httpx.MockTransport(lambda _: httpx.Response(200, json={"answers": [{"code": "blocked"}]}))
    made = SimulatorCarrier(url=HOST, token="t", transport=answer)
    assert isinstance((await made.send_many(texts(1)))[0], CarrierBlockedText)
    await made.aclose()


async def test_a_text_whose_time_is_over_is_not_delivered(
    driver: SimulatorCarrier, make_believe: MakeBelieveCarrier, told: Told
) -> None:
    make_believe.faults = Faults(delay_seconds=1.1, bulk=True)
    await driver.send_many([*texts(2, validity=timedelta(seconds=1)), TextOut("+8613800000009", "您好", FIRST + 9)])
    await make_believe.settle()
    assert make_believe.truth.report()["arrived"] == 1
    assert sorted(told.receipts) == [
        (str(FIRST + 1), "undelivered"), (str(FIRST + 2), "undelivered"), (str(FIRST + 9), "delivered"),
    ]  # fmt: skip
    assert fate_of(Faults(delay_seconds=9), random.random, validity=5.0).error == "expired"


async def test_receipts_come_in_bulk_twice_and_out_of_order_as_wished(
    driver: SimulatorCarrier, make_believe: MakeBelieveCarrier, told: Told
) -> None:
    make_believe.faults = Faults(bulk=True, share_duplicated=0.5, share_out_of_order=0.5)
    await driver.send_many(texts(100))
    await make_believe.settle()
    assert told.requests <= 2
    delivered = [reference for reference, state in told.receipts if state == "delivered"]
    assert len(set(delivered)) == 100 < len(delivered) < 200
    swapped = [reference for reference, state in told.receipts if state == "sent"]
    assert swapped
    assert all(told.receipts.index((one, "delivered")) < told.receipts.index((one, "sent")) for one in swapped)


async def test_single_receipts_are_swapped_too(
    driver: SimulatorCarrier, make_believe: MakeBelieveCarrier, told: Told
) -> None:
    make_believe.faults = Faults(share_out_of_order=1)
    await driver.send_many(texts(1))
    await make_believe.settle()
    assert [state for _, state in told.receipts] == ["delivered", "sent"]


async def test_receipts_wait_for_a_gateway_that_is_down(
    driver: SimulatorCarrier, make_believe: MakeBelieveCarrier, told: Told
) -> None:
    told.down = True
    make_believe.faults = Faults(bulk=True)
    await driver.send_many(texts(3))
    for _ in range(100):
        if make_believe.truth.report()["not_told"] and make_believe._failures:
            break
        await asyncio.sleep(0.01)
    told.down = False
    await make_believe.settle()
    assert len(told.receipts) == 3


def test_what_was_taken_is_known_after_the_process_died(tmp_path: Path, clock: HeldClock) -> None:
    fate = fate_of(Faults(), random.random, validity=None)
    first = Truth(tmp_path / "truth.sqlite3")
    (sequence,) = first.take([(7, "+8613800000001", fate)], now=1.0)
    own_id = first.id_of(sequence)
    assert len(first.take_to_tell(now=2.0, limit=10)) == 1  # its receipt is on its way, and nobody closes anything
    clock.advance(timedelta(hours=1))
    second = Truth(tmp_path / "truth.sqlite3")
    assert second.find(7) == own_id
    assert second.since == first.since
    assert [due.sequence for due in second.take_to_tell(now=2.0, limit=10)] == [sequence]
    assert second.take([(8, "+8613800000002", fate)], now=1.0) == [sequence + 1]
    another = Truth(tmp_path / "another.sqlite3")
    assert another.id_of(sequence) != own_id


async def test_faults_are_set_on_the_page_and_shown(gateway: httpx.AsyncClient) -> None:
    wanted = {"rate": 40, "share_refused": 0.1, "bulk": True, "delay_seconds": 1, "delay_most": 3}
    shown = (await gateway.put("/simulator/faults", json=wanted)).json()
    assert {name: shown[name] for name in wanted} == wanted
    wrong = await gateway.put("/simulator/faults", json={"share_refused": 2, "rate": -1})
    assert wrong.json()["fields"] == ["rate", "share_refused"]
