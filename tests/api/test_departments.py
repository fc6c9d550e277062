"""A department's system works through its tickets over REST, and sees nothing that is not its own."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest

from sms_gateway.api import door
from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from sms_gateway.operators import api_keys
from sms_gateway.operators.models import ApiKey
from sms_gateway.tickets import concluding, moves

from .matters import CIVIL, EDU, OTHER_EDU, dispatched, give_key, lead, open_matter

PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


@pytest.fixture
async def edu(gateway: httpx.AsyncClient) -> httpx.AsyncClient:
    gateway.headers.update(await give_key(EDU))
    return gateway


async def test_a_unit_signs_handles_and_replies_with_a_file(edu: httpx.AsyncClient) -> None:
    _id, number = await dispatched()
    listed = (await edu.get("/api/tickets")).json()["tickets"]
    assert [row["number"] for row in listed] == [number] and listed[0]["in_hand"]
    ticket = (await edu.post(f"/api/tickets/{number}/sign", json={"version": listed[0]["version"]})).json()
    assert ticket["status"] == "signed_for" and ticket["signed_at"]
    ticket = (await edu.post(f"/api/tickets/{number}/begin", json={"version": ticket["version"]})).json()
    assert set(ticket["may"]) >= {"replied", "returned", "clarifying"}
    file = await edu.post(
        f"/api/tickets/{number}/attachments", files={"file": ("处理情况.pdf", PDF, "application/pdf")}
    )
    assert file.status_code == 201, file.text
    said = {"version": ticket["version"], "words": "已停止补课并退费。", "attachments": [file.json()["id"]]}
    ticket = (await edu.post(f"/api/tickets/{number}/reply", json=said)).json()
    assert ticket["status"] == "replied"
    got = await edu.get(f"/api/tickets/{number}/attachments/{file.json()['id']}")
    assert got.content == PDF and "attachment" in got.headers["content-disposition"]
    events = (await edu.get(f"/api/tickets/{number}/events")).json()["events"]
    assert [event["what"] for event in events][-3:] == ["signed_for", "handling", "replied"]
    assert events[-1]["words"] == "已停止补课并退费。" and events[-1]["by"] == "unit"


async def test_what_was_said_comes_without_the_reporter(edu: httpx.AsyncClient) -> None:
    _id, number = await dispatched()
    told = (await edu.get(f"/api/tickets/{number}")).text
    assert "补课" in told
    for clue in ("班主任", "王老师", "13800000009"):
        assert clue not in told


async def test_another_unit_gets_a_404_for_everything(gateway: httpx.AsyncClient) -> None:
    _id, number = await dispatched(EDU)
    headers = await give_key(OTHER_EDU)
    for method, path, body in (
        ("GET", "", None), ("GET", "/events", None), ("POST", "/sign", {"version": 2}), ("POST", "/begin", {"version": 2}),
        ("POST", "/return", {"version": 2, "why": "不归我们", "duty": CIVIL}),
        ("POST", "/reply", {"version": 2, "words": "好"}),
    ):  # fmt: skip
        answer = await gateway.request(method, f"/api/tickets/{number}{path}", json=body, headers=headers)
        assert answer.status_code == 404, path
    assert (await gateway.get("/api/tickets", headers=headers)).json()["tickets"] == []


async def test_an_old_version_gets_a_409_and_one_of_two_wins(edu: httpx.AsyncClient) -> None:
    _id, number = await dispatched()
    version = (await edu.get(f"/api/tickets/{number}")).json()["version"]
    answers = await asyncio.gather(
        *(edu.post(f"/api/tickets/{number}/sign", json={"version": version}) for _ in range(2))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert "刚刚有人动过" in next(answer for answer in answers if answer.status_code == 409).json()["error"]


async def test_a_reply_after_the_end_is_refused(edu: httpx.AsyncClient) -> None:
    ticket_id, number = await dispatched()
    version = (await edu.get(f"/api/tickets/{number}")).json()["version"]
    signed = (await edu.post(f"/api/tickets/{number}/sign", json={"version": version})).json()
    replied = (
        await edu.post(f"/api/tickets/{number}/reply", json={"version": signed["version"], "words": "办好了"})
    ).json()
    by = await lead()
    async with transaction() as session:
        ticket = await moves.lock(session, ticket_id)
        await concluding.conclude(session, ticket, actor=by, why="答复清楚")
    late = await edu.post(f"/api/tickets/{number}/reply", json={"version": replied["version"] + 1, "words": "再补一句"})
    assert late.status_code in (403, 404, 409)
    async with transaction() as session:
        assert (await moves.lock(session, ticket_id)).status == "concluded"


async def test_a_return_names_whose_duty_it_is(edu: httpx.AsyncClient) -> None:
    ticket_id, number = await dispatched()
    version = (await edu.get(f"/api/tickets/{number}")).json()["version"]
    wrong = {"version": version, "why": "不归我们", "duty": "edu@539999"}
    assert (await edu.post(f"/api/tickets/{number}/return", json=wrong)).status_code == 404
    bare = await edu.post(f"/api/tickets/{number}/return", json={"version": version, "why": "   ", "duty": CIVIL})
    assert bare.status_code == 422
    answer = await edu.post(f"/api/tickets/{number}/return", json={"version": version, "why": "归民政", "duty": CIVIL})
    assert answer.status_code == 204, answer.text
    async with transaction() as session:
        assert (await moves.lock(session, ticket_id)).status == "returned"


async def test_in_bulk_each_stands_for_itself(edu: httpx.AsyncClient) -> None:
    _one, first = await dispatched()
    _two, second = await dispatched()
    _three, strange = await dispatched(OTHER_EDU)
    version = (await edu.get(f"/api/tickets/{first}")).json()["version"]
    items = [
        {"number": first, "version": version},
        {"number": second, "version": 99},
        {"number": strange, "version": 2},
    ]
    results = (await edu.post("/api/bulk/sign", json={"tickets": items})).json()["results"]
    assert [row["status"] for row in results] == [200, 409, 403]  # the third: seen by duty, in another's hands


async def test_more_time_is_asked_for_and_decided_by_the_desk(edu: httpx.AsyncClient, clock: HeldClock) -> None:
    _id, number = await dispatched()
    version = (await edu.get(f"/api/tickets/{number}")).json()["version"]
    signed = (await edu.post(f"/api/tickets/{number}/sign", json={"version": version})).json()
    until = (clock.now() + timedelta(days=14)).date().isoformat()
    wanted = {"version": signed["version"], "until": until, "reason": "要等检测结果"}
    answer = await edu.post(f"/api/tickets/{number}/extensions", json=wanted)
    assert answer.status_code == 202, answer.text
    again = await edu.post(f"/api/tickets/{number}/extensions", json=wanted)
    assert again.status_code == 409


async def test_the_list_goes_on_page_by_page(edu: httpx.AsyncClient) -> None:
    numbers = [(await dispatched())[1] for _ in range(3)]
    first = (await edu.get("/api/tickets", params={"limit": 2})).json()
    rest = (await edu.get("/api/tickets", params={"limit": 2, "before": first["next"]})).json()
    assert [row["number"] for row in first["tickets"] + rest["tickets"]] == numbers[::-1]
    assert rest["next"] is None


async def test_without_a_living_key_there_is_nothing(gateway: httpx.AsyncClient) -> None:
    _id, number = await dispatched()
    headers = await give_key(EDU)
    async with transaction() as session:
        keys = await api_keys.list_keys(session)
        await api_keys.end(session, key_id=keys[0].id)
    refused = [{}, headers, {"Authorization": "Bearer hk_wrong"}, {"Authorization": "Basic abc"}]
    for described, methods in door.description()["paths"].items():
        path = described.replace("{number}", number).replace("{attachment_id}", "1")
        for method in methods:
            for given in refused:
                answer = await gateway.request(method.upper(), path, headers=given)
                assert answer.status_code == 401, (method, path, answer.text)


async def test_a_key_is_kept_only_as_a_hash(database: str) -> None:
    async with transaction() as session:
        key, token = await api_keys.make(session, unit=EDU, name="测试")
        kept = await session.get_one(ApiKey, key.id)
        assert token.encode() not in kept.token_hash and len(kept.token_hash) == 32


@pytest.mark.parametrize("region", ["530000", "530600", "530627"])
async def test_units_of_a_region_are_told(edu: httpx.AsyncClient, region: str) -> None:
    units = (await edu.get("/api/units", params={"region": region})).json()["units"]
    assert any(unit["code"] == f"edu@{region}" for unit in units)


async def test_a_region_that_does_not_exist_is_said_clearly(edu: httpx.AsyncClient) -> None:
    answer = await edu.get("/api/units", params={"region": "539999"})
    assert answer.status_code == 404 and answer.json()["error"] == "没有这个行政区划代码。"


async def test_who_i_am_and_what_there_is(edu: httpx.AsyncClient) -> None:
    assert (await edu.get("/api/me")).json()["unit"] == EDU
    assert len((await edu.get("/api/categories")).json()["categories"]) == 55


async def test_events_are_pulled_in_order_from_where_one_was(edu: httpx.AsyncClient, clock: HeldClock) -> None:
    await dispatched()
    from sms_gateway.events import tasks

    await tasks.fan_out_all()
    page = (await edu.get("/api/events", params={"after": 0})).json()
    assert page["events"] and all(event["specversion"] == "1.0" for event in page["events"])
    assert (await edu.get("/api/events", params={"after": page["next"]})).json()["events"] == []


async def test_a_matter_nobody_dispatched_is_not_in_anybodys_hands(edu: httpx.AsyncClient) -> None:
    _id, number = await open_matter()
    answer = await edu.get(f"/api/tickets/{number}")
    assert answer.status_code in (200, 404)
    if answer.status_code == 200:  # education sees what is of its duty in its county, and may not move it
        assert answer.json()["may"] == [] and not answer.json()["in_hand"]
    assert (await edu.post(f"/api/tickets/{number}/sign", json={"version": 1})).status_code in (403, 404)
