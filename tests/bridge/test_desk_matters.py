"""What a desk hands to 12345: a ticket at once, harm that rings, nothing written back, and the desk hears how it ended."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import func, select, update

from sms_gateway import clock as clocks
from sms_gateway import timers
from sms_gateway.bridge.models import DeskMatter
from sms_gateway.clock import HeldClock
from sms_gateway.contacts.models import Channel
from sms_gateway.conversations import bridging, desk_matters, service
from sms_gateway.database import transaction
from sms_gateway.errors import BadInput
from sms_gateway.escalations.ladder import State
from sms_gateway.escalations.models import Escalation
from sms_gateway.messages.models import Direction, Message, Thread
from sms_gateway.platforms import general, linkage
from sms_gateway.settings import get_settings
from sms_gateway.tickets.models import Ticket
from tests.console.story import add_operator
from tests.telling import FakeCarrier

DESK = "110@530600"
SCHOOL = "孩子在镇上读书，学校每学期都让交三百块资料费，不交就不发书，家长想反映"
BEATEN = "群众来电：隔壁邻居经常打孩子，孩子身上都是伤，今天没有动手，群众希望有人管"
BEATING = "群众来电：楼上爸爸正在用皮带打孩子，孩子一直在哭喊救命"
HTML = "<script>alert(1)</script><img src=x onerror=alert(1)>"

RunJobs = Callable[[], Awaitable[None]]


async def _hand(
    door: httpx.AsyncClient, number: str = "ZJ1", *, desk: str = DESK, secret: str | None = None, name: str | None = None,
    age: float = 0, **said: Any,
) -> httpx.Response:  # fmt: skip
    body = json.dumps({"number": number, "what": SCHOOL, **said}, ensure_ascii=False).encode()
    at = datetime.fromtimestamp(clocks.wall_seconds() - age, UTC)
    headers = general.signed(secret or linkage.make_believe_secret(get_settings()), name or uuid4().hex, body, at=at)
    return await door.post(f"/platforms/linkage/{desk}/matters", content=body, headers=headers)


async def _only_ticket() -> Ticket:
    async with transaction() as session:
        return (await session.scalars(select(Ticket))).one()


async def _calls() -> list[Escalation]:
    async with transaction() as session:
        return list(await session.scalars(select(Escalation)))


async def _count(what: type[Any]) -> int:
    async with transaction() as session:
        return int(await session.scalar(select(func.count()).select_from(what)) or 0)


async def test_a_matter_becomes_a_ticket_where_it_is(door: httpx.AsyncClient, run_jobs: RunJobs) -> None:
    answer = await _hand(door, place="镇雄县乌峰镇", child="女，9 岁", phone="13800000009", caller="一位奶奶")
    assert answer.status_code == 201
    await run_jobs()
    ticket = await _only_ticket()
    assert answer.json() == {"ok": True, "ticket": ticket.number, "news": True}
    assert (ticket.county, ticket.lane, ticket.kind) == ("530627", "blue", "help")
    assert ticket.answers == {"what": SCHOOL, "place": "镇雄县乌峰镇", "child": "女，9 岁", "reference": "ZJ1"}
    assert not await _calls()


@pytest.mark.parametrize(
    ("place", "what", "found"),
    [
        ("", SCHOOL, "530600"),
        ("宣威", SCHOOL, "530381"),
        ("", SCHOOL + "，在威信县", "530629"),
        ("大理州", SCHOOL, "532900"),
    ],
)
async def test_without_a_county_the_desks_own_place_is_taken(
    door: httpx.AsyncClient, place: str, what: str, found: str
) -> None:
    assert (await _hand(door, place=place, what=what)).status_code == 201
    assert (await _only_ticket()).place == found


async def test_the_same_number_twice_is_one_ticket(door: httpx.AsyncClient, run_jobs: RunJobs) -> None:
    first, *more = await asyncio.gather(*(_hand(door) for _ in range(4)))
    assert sorted(one.status_code for one in (first, *more)) == [200, 200, 200, 201]
    assert len({one.json()["ticket"] for one in (first, *more)}) == 1
    await run_jobs()
    assert await _count(Ticket) == await _count(Message) == 1
    other = await _hand(door, desk="110@530100")
    assert other.status_code == 201, "another desk counts for itself"
    assert (await _hand(door, what=BEATING)).status_code == 409, "other words under a known number are not lost unseen"


async def test_replayed_it_opens_nothing_new(door: httpx.AsyncClient) -> None:
    first = await _hand(door, name="one")
    again = await _hand(door, name="one")
    assert (again.status_code, again.json()["ticket"]) == (200, first.json()["ticket"])
    assert (await _hand(door, name="one", age=301)).status_code == 403
    assert await _count(Ticket) == 1


async def test_forged_or_from_a_desk_that_is_none_it_is_refused(door: httpx.AsyncClient) -> None:
    wrong = "whsec_YW5vdGhlci1zZWNyZXQtb2Ytc29tZWJvZHktZWxzZQ=="
    assert (await _hand(door, secret=wrong)).status_code == 403
    assert (await _hand(door, age=-301)).status_code == 403
    for desk in ("110@110000", "999@530600", "110@539900", "110@530600x", "a" * 300, "110@５３０６００"):
        assert (await _hand(door, desk=desk)).status_code == 403, desk
    body = json.dumps({"number": "1", "what": SCHOOL}).encode()
    assert (await door.post(f"/platforms/linkage/{DESK}/matters", content=body)).status_code == 403
    assert await _count(Ticket) == 0


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"what": "字" * 4001}, 422), ({"what": ""}, 422), ({"what": None}, 422), ({"number": ""}, 422), ({"number": "1" * 41}, 422),
        ({"number": "1\n2"}, 422), ({"place": "字" * 201}, 422), ({"child": "字" * 201}, 422), ({"phone": "打我电话"}, 422),
        ({"phone": "1" * 21}, 422), ({"caller": "字" * 61}, 422), ({"kind": "red"}, 422), ({"what": "字" * 20000}, 413),
        ({"what": ["a"]}, 422), ({"what": "字" * 4000}, 201), ({"extra": "ignored"}, 201),
    ],
)  # fmt: skip
async def test_limits(door: httpx.AsyncClient, more: dict[str, Any], status: int) -> None:
    answer = await _hand(door, **{"number": "ZJ1", **more})
    assert answer.status_code == status
    assert status == 201 or set(answer.json()) <= {"error", "fields"}


async def test_signed_rubbish_is_unclear(door: httpx.AsyncClient) -> None:
    for body in (b"", b"[]", b"{", b"null", b'{"number": 1}'):
        at = datetime.fromtimestamp(clocks.wall_seconds(), UTC)
        headers = general.signed(linkage.make_believe_secret(get_settings()), uuid4().hex, body, at=at)
        answer = await door.post(f"/platforms/linkage/{DESK}/matters", content=body, headers=headers)
        assert answer.status_code == 422, body


async def test_html_in_every_field_is_only_words(door: httpx.AsyncClient, run_jobs: RunJobs) -> None:
    said = {"what": f"{HTML} {SCHOOL}", "place": HTML, "child": HTML, "caller": HTML[:60]}
    assert (await _hand(door, number="<b>1</b>", **said)).status_code == 201
    await run_jobs()
    ticket = await _only_ticket()
    assert ticket.answers is not None and ticket.answers["place"] == HTML and ticket.lane == "blue"


async def test_harm_lies_on_top_whatever_the_desk_called_it(door: httpx.AsyncClient, run_jobs: RunJobs) -> None:
    await _hand(door, what=BEATEN, place="镇雄县乌峰镇")
    await run_jobs()
    ticket, [call] = await _only_ticket(), await _calls()
    assert (ticket.lane, call.lane, call.cause) == ("orange", "orange", "disclosure")
    assert ticket.category is None, "a person files harm"
    async with transaction() as session:
        thread = (await session.scalars(select(Thread))).one()
    assert (thread.channel, thread.owner, thread.lane) == (Channel.DESK, "waiting", "orange")


async def test_what_is_going_on_rings_and_nothing_is_written_back(
    door: httpx.AsyncClient, carrier: FakeCarrier, run_jobs: RunJobs, clock: HeldClock
) -> None:
    operator = await add_operator("zhuanxi", "专席")
    await _hand(door, what=BEATING, place="镇雄县乌峰镇中学")
    await run_jobs()
    ticket, [call] = await _only_ticket(), await _calls()
    assert (ticket.lane, call.lane, call.state) == ("red", "red", "ringing")
    for _ in range(4):
        clock.advance(timedelta(seconds=31))
        await timers.sweep()
        await run_jobs()
    async with transaction() as session:
        await service.take_over(session, thread_id=call.thread_id, operator=operator)
    await run_jobs()
    async with transaction() as session:
        with pytest.raises(BadInput):
            await service.reply(session, thread_id=call.thread_id, operator=operator, body="在吗")
    async with transaction() as session:
        out = select(func.count()).select_from(Message).where(Message.direction == Direction.OUT)
        assert await session.scalar(out) == 0
    assert carrier.sent == [] and await _count(Ticket) == 1


async def _becomes(status: str) -> None:
    async with transaction() as session:
        await session.execute(update(Ticket).values(status=status))
    await desk_matters.sweep()


async def test_the_desk_hears_what_became_of_it(door: httpx.AsyncClient, run_jobs: RunJobs) -> None:
    handed = await door.post("/simulator/desk/matters", json={"desk": DESK, "what": SCHOOL, "place": "镇雄"})
    assert handed.status_code == 201 and handed.json()["ticket"] == (await _only_ticket()).number
    states = []
    for status in ("dispatched", "handling", "replied", "concluded", "evaluated", "reworked"):
        await _becomes(status)
        await run_jobs()
        [matter] = (await door.get("/simulator/desk")).json()["matters"]
        states.append(matter["state"])
    assert states == ["taken", "taken", "answered", "concluded", "concluded", "concluded"]
    async with transaction() as session:
        kept = (await session.scalars(select(DeskMatter))).one()
    assert kept.ended_at is not None and kept.told == "concluded"


async def test_a_desk_that_does_not_listen_is_told_later(
    door: httpx.AsyncClient, run_jobs: RunJobs, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await door.post("/simulator/desk/matters", json={"desk": DESK, "what": SCHOOL})
    with monkeypatch.context() as away:
        away.setattr(linkage, "MAKE_BELIEVE", "/nobody/is/here")
        await _becomes("replied")
        await run_jobs()
    [matter] = (await door.get("/simulator/desk")).json()["matters"]
    assert matter["state"] == "taken"
    clock.advance(timedelta(seconds=6))
    await timers.sweep()
    await run_jobs()
    [matter] = (await door.get("/simulator/desk")).json()["matters"]
    assert matter["state"] == "answered"


async def test_one_that_never_listens_is_given_up_after_days(
    door: httpx.AsyncClient, run_jobs: RunJobs, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _hand(door)
    monkeypatch.setattr(linkage, "MAKE_BELIEVE", "/nobody/is/here")
    await _becomes("declined")
    await run_jobs()
    for _ in range(25):
        clock.advance(timedelta(hours=6, seconds=1))
        await timers.sweep()
        await run_jobs()
    async with transaction() as session:
        kept = (await session.scalars(select(DeskMatter))).one()
    assert (kept.tries, kept.told, kept.state) == (20, "taken", "declined") and kept.ended_at is not None


async def test_handed_on_to_police_they_are_told_whose_matter_it_was(
    door: httpx.AsyncClient, run_jobs: RunJobs
) -> None:
    operator = await add_operator("zhuanxi", "专席")
    await _hand(door, "ZJ7", what=BEATING, place="镇雄县泼机镇中学", phone="13800000009")
    await run_jobs()
    [call] = await _calls()
    async with transaction() as session:
        await service.take_over(session, thread_id=call.thread_id, operator=operator)
    async with transaction() as session:
        await service.mark(session, thread_id=call.thread_id, operator=operator, to=State.IN_CONTACT)
        await bridging.press(session, thread_id=call.thread_id, operator=operator, service="110")
    await run_jobs()
    [incident] = (await door.get("/simulator/desk")).json()["incidents"]
    told = dict(incident["facts"])
    assert "昭通市 110" in told["怎么联系"] and "ZJ7" in told["怎么联系"] and "镇雄县" in told["在哪"]
    assert incident["incident"]["ticket"] == (await _only_ticket()).number
    assert "13800000009" not in json.dumps(incident)
