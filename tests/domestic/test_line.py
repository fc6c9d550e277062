"""A line to a mainland carrier: texts of talks out and their reports back, login trouble, and another carrier that stands in."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from sms_gateway.app import make_line
from sms_gateway.carriers import registry
from sms_gateway.carriers.carrier import CarrierIsBusy, CarrierRefused, CarrierRefusesUs, Found, TextOut
from sms_gateway.carriers.cmpp.carrier import PATH, CmppCarrier
from sms_gateway.carriers.cmpp.text import join, read_piece
from sms_gateway.clock import now
from sms_gateway.database import transaction
from sms_gateway.domestic import line as domestic_line
from sms_gateway.domestic.line import Line
from sms_gateway.links import list_links
from sms_gateway.messages import tasks
from sms_gateway.messages.models import CarrierPart, Receipt, UnclaimedReport
from sms_gateway.settings import get_settings
from sms_gateway.simulator.cmpp.faults import WireFaults
from sms_gateway.simulator.cmpp.gateway import Client, CmppGateway
from sms_gateway.simulator.faults import Faults
from sms_gateway.supervision.children import Inner, children
from sms_gateway.wording import SIGNATURE
from tests.domestic.conftest import HOST, PHONE, SECRET, SRC_ID, edge_of, message, queue, set_up, until
from tests.telling import FakeCarrier

LONG = "先离开那里，到有人的地方去。" * 12


async def ends_as(message_id: int, state: str) -> None:
    async def there() -> bool:
        return (await message(message_id)).state == state

    await until(there)


async def test_a_text_of_a_talk_leaves_and_its_report_says_that_it_arrived(
    edge: CmppCarrier, gateway: CmppGateway
) -> None:
    queued = await queue("你好，我们在。")
    await tasks.send(queued)
    await ends_as(queued, "delivered")
    (submit,) = gateway.submits
    assert (submit.src_id, submit.destinations, submit.registered_delivery) == (SRC_ID, ("13800000001",), 1)
    assert (
        join([read_piece(submit.content, msg_fmt=submit.msg_fmt, tp_udhi=submit.tp_udhi)])
        == SIGNATURE + "你好，我们在。"
    )
    found, carrier_id = await edge.find(to=PHONE, body="", reference=queued, since=now())
    assert (found, carrier_id) == (Found.SENT, (await message(queued)).carrier_id)
    assert await edge.find(to=PHONE, body="", reference=queued + 1, since=now()) == (Found.CANNOT_SAY, None)


async def test_a_long_text_has_arrived_when_all_its_parts_have(edge: CmppCarrier, gateway: CmppGateway) -> None:
    gateway.faults = replace(gateway.faults, texts=Faults(receipt_delay_seconds=0.05, receipt_delay_most=0.3))
    queued = await queue(LONG)
    await tasks.send(queued)
    assert (await message(queued)).state == "sent"
    await ends_as(queued, "delivered")
    pieces = [read_piece(one.content, msg_fmt=one.msg_fmt, tp_udhi=one.tp_udhi) for one in gateway.submits]
    assert len(pieces) == 3 and join(pieces) == SIGNATURE + LONG
    assert [(one.pk_number, one.pk_total) for one in gateway.submits] == [(1, 3), (2, 3), (3, 3)]
    async with transaction() as session:
        assert set(await session.scalars(select(CarrierPart.state))) == {"delivered"}


async def test_a_long_text_without_one_of_its_parts_did_not_arrive(edge: CmppCarrier, gateway: CmppGateway) -> None:
    gateway.faults = replace(gateway.faults, texts=Faults(receipt_delay_seconds=0.05, share_undelivered=0.5))
    gateway._dice = iter([0.9, 0.9, 0.1, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9]).__next__
    queued = await queue(LONG)
    await tasks.send(queued)
    await gateway.settle()
    ended = await message(queued)
    async with transaction() as session:
        states = list(await session.scalars(select(CarrierPart.state).order_by(CarrierPart.part_id)))
    assert sorted(states) == ["delivered", "delivered", "undelivered"]
    assert (ended.state, ended.error) == ("undelivered", "UNDELIV")


async def test_a_report_that_is_quicker_than_the_answer_is_not_lost(edge: CmppCarrier, gateway: CmppGateway) -> None:
    gateway.faults = replace(gateway.faults, answer_seconds=0.4)
    queued = [await queue("你好"), await queue(LONG)]
    await asyncio.gather(*(tasks.send(one) for one in queued))
    for one in queued:
        await ends_as(one, "delivered")
    async with transaction() as session:
        assert await session.scalar(select(func.count()).select_from(UnclaimedReport)) == 0


async def test_reports_that_come_twice_say_it_once(edge: CmppCarrier, gateway: CmppGateway) -> None:
    gateway.faults = replace(gateway.faults, texts=Faults(duplicate=True))
    queued = await queue("你好")
    await tasks.send(queued)
    await gateway.settle()
    await ends_as(queued, "delivered")
    async with transaction() as session:
        assert await session.scalar(select(func.count()).select_from(Receipt)) == 1


@pytest.mark.parametrize(
    ("refuse", "error", "code"),
    [("refused", CarrierRefused, "13"), ("opted_out", CarrierRefused, "100")],
)
async def test_a_refused_text_fails_with_the_gateways_number(
    edge: CmppCarrier, gateway: CmppGateway, refuse: str, error: type[CarrierRefused], code: str
) -> None:
    gateway.faults = replace(gateway.faults, texts=Faults(refuse=refuse))  # type: ignore[arg-type]
    with pytest.raises(error) as raised:
        await edge.send(to=PHONE, body="你好", reference=1)
    assert raised.value.code == code


async def test_blocked_is_told_from_failed(edge: CmppCarrier, gateway: CmppGateway) -> None:
    gateway.faults = replace(gateway.faults, texts=Faults(share_blocked=1), blocked_stat="KEYWORD")
    queued = await queue("你好")
    await tasks.send(queued)
    await ends_as(queued, "blocked")
    assert (await message(queued)).error == "KEYWORD"


async def test_a_repeated_reference_is_not_sent_again(edge: CmppCarrier, gateway: CmppGateway) -> None:
    first = await edge.send(to=PHONE, body="你好", reference=7)
    assert await edge.send(to=PHONE, body="你好", reference=7) == first
    assert await edge.send(to=PHONE, body="别的", reference=7) != first  # references begin anew with a new database
    many = await edge.send_many([TextOut(PHONE, "在吗", 8)] * 2 + [TextOut(PHONE, "在", 9, timedelta(minutes=1))])
    assert [isinstance(one, str) for one in many] == [True, False, True]
    assert len(gateway.submits) == 4
    assert [bool(one.valid_until) for one in gateway.submits] == [False, False, False, True]


async def test_nobody_hands_over_texts_without_our_token(line_app: FastAPI, gateway: CmppGateway) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(line_app), base_url=HOST) as stranger:
        text = {"to": PHONE, "body": "你好", "reference": 1}
        for answer in (
            await stranger.post(PATH, json=text),
            await stranger.post(f"{PATH}/many", json={"texts": [text]}, headers={"Authorization": "Bearer x"}),
            await stranger.get(PATH, params={"reference": 1}),
        ):
            assert answer.status_code == 401
        assert (await stranger.get("/healthz")).json() == {"up": 1, "wanted": 1}
    assert not gateway.submits


async def test_how_the_line_stands_is_there_for_all_to_see(line: Line, edge: CmppCarrier) -> None:
    await edge.send(to=PHONE, body="你好", reference=7)

    async def seen() -> bool:
        async with transaction() as session:
            rows = await list_links(session)
        return [(one.carrier, one.up, one.submitted, one.trouble) for one in rows] == [("cmpp", 1, 1, None)]

    await until(seen)


async def test_a_gateway_that_does_not_let_us_in_says_why_and_texts_stay_with_us(
    database: str, gateway: CmppGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(monkeypatch, tmp_path, await gateway.start(), CMPP_SHARED_SECRET="wrong")
    app = make_line("cmpp")
    async with app.router.lifespan_context(app):
        edge = edge_of(app)

        async def refused() -> bool:
            return "认证失败" in (app.state.line.standing().trouble or "")

        await until(refused)
        with pytest.raises(CarrierRefusesUs):
            await edge.send(to=PHONE, body="你好", reference=7)
        (answer,) = await edge.send_many([TextOut(PHONE, "你好", 8)])
        assert isinstance(answer, CarrierRefusesUs)
        await edge.aclose()
    assert not gateway.submits


async def test_without_a_process_texts_stay_with_us(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(monkeypatch, tmp_path, 9, CMPP_DOOR_PORT="9")
    with pytest.raises(CarrierIsBusy):
        await registry.carrier("cmpp").send(to=PHONE, body="你好", reference=7)
    await registry.close()


async def test_while_one_carrier_is_down_texts_go_by_the_other(
    edge: CmppCarrier, gateway: CmppGateway, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTLINE_CARRIER", "cmpp=1000,simulator=1")
    get_settings.cache_clear()
    other = FakeCarrier()
    registry.use(other)
    await gateway.go_down()
    first = await queue("第一条")
    assert (await message(first)).carrier == "cmpp"
    with pytest.raises(CarrierIsBusy):
        await tasks.send(first)
    await tasks.send(first)  # as its job does two seconds later
    assert ((await message(first)).state, (await message(first)).carrier) == ("sent", "simulator")
    for _ in range(4):  # by now it is known to fail
        registry.note("cmpp", CarrierIsBusy("no_link"))
        registry.note("simulator", None)
    registry.choose()  # the one that tries it
    later = await queue("第二条")
    await tasks.send(later)
    assert (await message(later)).carrier == "simulator" and len(other.sent) == 2


async def test_the_spare_gateway_takes_over_when_the_main_one_dies(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main, spare = (CmppGateway(Client("901234", SECRET, SRC_ID)) for _ in range(2))
    ports = [await main.start(), await spare.start()]
    set_up(monkeypatch, tmp_path, 9, CMPP_HOST=",".join(f"127.0.0.1:{port}" for port in ports))
    app = make_line("cmpp")
    async with app.router.lifespan_context(app):
        line, edge = app.state.line, edge_of(app)

        async def both() -> bool:
            return bool(line.standing().up == 2)

        await until(both)
        await edge.send(to=PHONE, body="一", reference=1)
        assert (len(main.submits), len(spare.submits)) == (1, 0)
        await main.go_down()
        answers = await edge.send_many([TextOut(PHONE, str(number), number) for number in range(2, 40)])
        assert all(isinstance(one, str) for one in answers)
        assert len(spare.submits) == 38
        await edge.aclose()
    await main.close()
    await spare.close()


async def test_a_broadcast_makes_way_for_whoever_writes(
    edge: CmppCarrier, gateway: CmppGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domestic_line, "MAKES_WAY_FOR", 2.0)
    await gateway.write("8613800000002", "有人在敲门", to=SRC_ID)
    broadcast = asyncio.create_task(edge.send_many([TextOut(PHONE, "儿童节快乐", 2)]))
    await asyncio.sleep(0.2)
    assert isinstance(await edge.send(to=PHONE, body="先把门反锁。", reference=3), str)
    assert not broadcast.done() and len(gateway.submits) == 1
    (answer,) = await broadcast
    assert isinstance(answer, str) and len(gateway.submits) == 2


async def test_a_gateway_that_does_not_prove_itself_is_refused_only_where_that_is_asked(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = CmppGateway(Client("901234", SECRET, SRC_ID), faults=WireFaults(wrong_proof=True))
    port = await gateway.start()
    for checks, let_in in (("false", True), ("true", False)):
        set_up(monkeypatch, tmp_path, port, CMPP_CHECKS_GATEWAY=checks)
        app = make_line("cmpp")
        async with app.router.lifespan_context(app):
            assert await app.state.line.wait_until_up(within=5 if let_in else 1) is let_in
    await gateway.close()


def test_a_vendors_own_word_for_too_fast_is_read_from_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(monkeypatch, tmp_path, 7890, CMPP_THROTTLED="[8, 107]")
    assert get_settings().domestic["cmpp"].throttled == {8, 107}
    get_settings.cache_clear()


def test_the_supervisor_starts_a_process_for_each_line() -> None:
    environment = {"HOTLINE_PORT": "8000", "HOTLINE_CONSOLE_PORT": "8001", "HOTLINE_DATA_DIR": "/nowhere"}
    inner = Inner(5005, 5055, "postgresql://x:y@127.0.0.1:5432/z", None)
    assert not {"cmpp", "cmpp2"} & children(inner, environment).keys()
    table = children(inner, environment, lines={"cmpp": 8002, "cmpp2": 8003})
    for name in ("cmpp", "cmpp2"):
        assert table[name].command[-2:] == ("line", name) and table[name].ready is not None
    assert list(table).index("cmpp") < list(table).index("replies")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"CMPP_HOST": ""}, "用 cmpp 发短信还缺"), ({"CMPP_SRC_ID": "10a"}, "HOTLINE_CMPP_SRC_ID"), ({"CMPP_SOURCE_ADDR": "1234567"}, "HOTLINE_CMPP_SOURCE_ADDR"),
        ({"CMPP_WORDS": '{"MK:0001": "gone"}'}, "HOTLINE_CMPP_WORDS"), ({"CMPP_DOOR_PORT": "8000"}, "HOTLINE_CMPP_DOOR_PORT"),
        ({"CARRIER": "cmpp,cmpp2"}, "HOTLINE_CMPP2"), ({"CMPP_VERSION": "4.0"}, "HOTLINE_CMPP_VERSION"),
    ],
)  # fmt: skip
def test_a_line_that_is_not_set_up_right_refuses_to_start_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, str], says: str
) -> None:
    set_up(monkeypatch, tmp_path, 7890, **wrong)
    with pytest.raises(SystemExit) as refused:
        get_settings()
    assert says in str(refused.value) and SECRET not in str(refused.value)
    get_settings.cache_clear()


def test_a_second_line_has_an_account_and_a_door_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    second = {
        "host": "a,b:7891",
        "source_addr": "9",
        "shared_secret": "s",
        "service_id": "S",
        "src_id": "1068",
        "door_port": 8003,
    }
    set_up(monkeypatch, tmp_path, 7890, CARRIER="cmpp=3,cmpp2=1", CMPP2=json.dumps(second))
    lines = get_settings().domestic
    assert [(name, line.door_port) for name, line in lines.items()] == [("cmpp", 8002), ("cmpp2", 8003)]
    assert lines["cmpp2"].gateways == [("a", 7890), ("b", 7891)]
    get_settings.cache_clear()
