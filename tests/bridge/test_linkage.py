"""Linkage both ways over real HTTP: a desk that accepts, refuses, loses; forged, old and replayed words; what is given back."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import func, select, update

from sms_gateway import clock as clocks
from sms_gateway import timers
from sms_gateway.bridge import service as bridge
from sms_gateway.bridge.models import BridgeCall
from sms_gateway.clock import HeldClock
from sms_gateway.conversations import bridging, drilling, service
from sms_gateway.database import transaction
from sms_gateway.escalations import service as escalations
from sms_gateway.escalations.ladder import State
from sms_gateway.escalations.models import Escalation
from sms_gateway.platforms import general, linkage
from sms_gateway.settings import Settings, get_settings
from sms_gateway.tickets.models import Ticket
from tests.console.story import add_operator
from tests.telling import Person

KICKING = "有个叔叔一直在踹我家门 就我和弟弟在"


async def _press(person: Person, say: str = KICKING) -> int:
    operator = await add_operator("jia", "甲")
    await person.texts(say)
    async with transaction() as session:
        await service.take_over(session, thread_id=person.thread_id, operator=operator)
    async with transaction() as session:
        await service.mark(session, thread_id=person.thread_id, operator=operator, to=State.IN_CONTACT)
        return (await bridging.press(session, thread_id=person.thread_id, operator=operator, service="110")).id


async def _call(call_id: int) -> BridgeCall:
    async with transaction() as session:
        return (await session.scalars(select(BridgeCall).where(BridgeCall.id == call_id))).one()


async def _whats(call_id: int) -> list[str]:
    async with transaction() as session:
        return [event.what for event in await bridge.list_events(session, [call_id])]


async def _danger(call: BridgeCall) -> tuple[Escalation, list[str]]:
    async with transaction() as session:
        one = (await session.scalars(select(Escalation).where(Escalation.id == call.escalation_id))).one()
        return one, [event.what for event in await escalations.list_events(session, one.id)]


async def _tell(
    door: httpx.AsyncClient, call: BridgeCall, state: str, *, name: str | None = None, secret: str | None = None,
    age: float = 0, desk: str | None = None, **more: Any,
) -> httpx.Response:  # fmt: skip
    body = json.dumps({"reference": call.uid.hex, "state": state, **more}, ensure_ascii=False).encode()
    at = datetime.fromtimestamp(clocks.wall_seconds() - age, UTC)
    headers = general.signed(secret or linkage.make_believe_secret(get_settings()), name or uuid4().hex, body, at=at)
    return await door.post(f"/platforms/linkage/{desk or call.desk}", content=body, headers=headers)


async def _later(person: Person, clock: HeldClock, seconds: float) -> None:
    clock.advance(timedelta(seconds=seconds))
    await timers.sweep()
    await person.run()


async def test_accepted_at_once(door: httpx.AsyncClient, person: Person) -> None:
    call_id = await _press(person)
    await person.run()
    call = await _call(call_id)
    assert call.state == "accepted" and call.receipt and call.receipt.startswith("JQ")
    danger, events = await _danger(call)
    assert danger.state == State.HANDED_OVER and "bridge_accepted" in events
    [incident] = (await door.get("/simulator/desk")).json()["incidents"]
    assert incident["reference"] == call.uid.hex and len(incident["facts"]) == 6


async def test_loses_then_retried_alarm_then_accepted(
    door: httpx.AsyncClient, person: Person, clock: HeldClock
) -> None:
    await door.post("/simulator/desk/mood/loses")
    call_id = await _press(person)
    await person.run()
    for seconds in (2.1, 4.1, 8.1, 15.1, 15.1):
        await _later(person, clock, seconds)
    call = await _call(call_id)
    assert call.state == "requested" and call.attempts == 6
    assert call.alarmed_at is None
    await _later(person, clock, 16)
    call = await _call(call_id)
    assert call.alarmed_at is not None
    _, events = await _danger(call)
    assert events.count("bridge_late") == 1
    async with transaction() as session:
        assert [one.id for one in await bridge.list_unsettled(session)] == [call_id]
    await door.post("/simulator/desk/mood/accepts")
    await _later(person, clock, 16)
    assert (await _call(call_id)).state == "accepted"


async def test_refused_stays_red_until_settled(door: httpx.AsyncClient, person: Person, clock: HeldClock) -> None:
    await door.post("/simulator/desk/mood/refuses")
    call_id = await _press(person)
    await person.run()
    call = await _call(call_id)
    assert call.state == "failed"
    danger, events = await _danger(call)
    assert "bridge_failed" in events and danger.state != State.HANDED_OVER and danger.closed_at is None
    await _later(person, clock, 120)
    async with transaction() as session:
        assert [one.id for one in await bridge.list_unsettled(session)] == [call_id]
        with pytest.raises(bridge.SettlingNeedsWords):
            await bridge.settle(session, call_id, operator_id=1, words="  ")
        await bridge.settle(session, call_id, operator_id=(await add_operator("ban", "班长")).id, words="座机打通")
    async with transaction() as session:
        assert not await bridge.list_unsettled(session)


async def test_forged_old_foreign_and_replayed(door: httpx.AsyncClient, person: Person) -> None:
    call_id = await _press(person)
    await person.run()
    call = await _call(call_id)
    wrong = "whsec_YW5vdGhlci1zZWNyZXQtb2Ytc29tZWJvZHktZWxzZQ=="
    assert (await _tell(door, call, "dispatched", secret=wrong)).status_code == 403
    assert (await _tell(door, call, "dispatched", age=301)).status_code == 403
    assert (await _tell(door, call, "dispatched", age=-301)).status_code == 403
    other = "110@530100" if call.desk != "110@530100" else "110@530600"
    assert (await _tell(door, call, "dispatched", desk=other)).status_code == 404
    assert (await _tell(door, call, "nonsense")).status_code in (400, 422)
    assert "dispatched" not in await _whats(call_id)
    first = await _tell(door, call, "dispatched", name="one")
    again = await _tell(door, call, "concluded", name="one")
    assert (first.json()["news"], again.status_code, again.json()["news"]) == (True, 200, False)
    assert (await _call(call_id)).state == "accepted"
    too_long = await _tell(door, call, "dispatched", name="one-of-two-that-begin-alike".ljust(65, "-"))
    assert too_long.status_code == 400 and "64" in too_long.text
    assert (await _tell(door, call, "dispatched", name="just-as-long-as-may-be".ljust(64, "-"))).json()["news"]


async def test_child_seen_moves_nothing_and_order_does_not_matter(door: httpx.AsyncClient, person: Person) -> None:
    call_id = await _press(person)
    await person.run()
    call = await _call(call_id)
    for state in ("child_seen", "concluded", "dispatched", "accepted", "arrived"):
        assert (await _tell(door, call, state, receipt="X1")).is_success
    await person.run()
    danger, _ = await _danger(call)
    assert danger.state == State.HANDED_OVER and danger.closed_at is None
    call = await _call(call_id)
    assert call.state == "concluded" and call.receipt != "X1"


async def test_returned_makes_one_ticket(door: httpx.AsyncClient, person: Person) -> None:
    call_id = await _press(person)
    await person.run()
    for _ in range(2):
        assert (await _tell(door, await _call(call_id), "returned", words="不是警情")).is_success
    await person.run()
    call = await _call(call_id)
    assert call.state == "returned" and call.ticket_id is not None
    async with transaction() as session:
        assert await session.scalar(select(func.count()).select_from(Ticket)) == 1


async def test_returned_rings_somebody_again(door: httpx.AsyncClient, person: Person) -> None:
    call_id = await _press(person)
    await person.run()
    await _tell(door, await _call(call_id), "returned")
    await person.run()
    danger, events = await _danger(await _call(call_id))
    assert "bridge_returned" in events
    assert danger.state != State.HANDED_OVER, "no desk has it any more"


async def test_a_desk_that_takes_it_back_after_accepting_is_red(door: httpx.AsyncClient, person: Person) -> None:
    call_id = await _press(person)
    await person.run()
    await _tell(door, await _call(call_id), "refused", words="x")
    await person.run()
    assert "bridge_failed" in (await _danger(await _call(call_id)))[1]


async def test_a_desk_that_first_refused_may_still_take_it(door: httpx.AsyncClient, person: Person) -> None:
    await door.post("/simulator/desk/mood/refuses")
    call_id = await _press(person)
    await person.run()
    await _tell(door, await _call(call_id), "accepted", receipt="JQ9")
    await person.run()
    call = await _call(call_id)
    assert call.receipt == "JQ9" and call.state == "accepted"


async def test_in_live_mode_a_drills_desk_is_the_make_believe_one_and_knows_of_nothing_else(
    door: httpx.AsyncClient, person: Person, monkeypatch: pytest.MonkeyPatch, clock: HeldClock
) -> None:
    operator = await add_operator("yi", "乙")
    async with transaction() as session:
        run = await drilling.begin(session, planned=1, at_most=timedelta(hours=1))
        drill = await drilling.send(session, run.id, 0, KICKING + "，我在昭通市镇雄县中学", harm="violence_in_progress")
    await person.run()
    real = (await _call(await _press(person))).id
    await person.run()
    async with transaction() as session:
        await session.execute(update(BridgeCall).values(driver="linkage"))
    desks = {key: {"url": door.base_url.join("/nobody").__str__(), "secret": THEIRS} for key in await _desks(real)}
    for key, value in {"BRIDGE_LIVE": "true", "BRIDGE_DESKS": json.dumps(desks), **TWILIO}.items():
        monkeypatch.setenv(f"HOTLINE_{key}", value)
    get_settings.cache_clear()
    async with transaction() as session:
        await service.take_over(session, thread_id=drill, operator=operator)
        call = await bridging.press(session, thread_id=drill, operator=operator, service="110")
        assert call.driver == "simulator"
    await person.run()
    call = await _call(call.id)
    assert call.state == "accepted" and (call.receipt or "").startswith("JQ")
    assert (await _tell(door, call, "dispatched")).status_code == 200
    theirs = await _call(real)
    assert (await _tell(door, theirs, "dispatched")).status_code == 404, "a made-up word moves no real call"
    assert (await _tell(door, theirs, "dispatched", secret=THEIRS)).status_code == 200
    assert (await _tell(door, call, "arrived", secret=THEIRS, desk=theirs.desk)).status_code == 404
    matter = {"number": "1", "what": "想反映学校收费的事"}
    handed = await door.post("/simulator/desk/matters", json={"desk": theirs.desk, **matter})
    assert handed.status_code == 403, "nothing made up becomes a ticket in live mode"


async def _desks(call_id: int) -> list[str]:
    return [(await _call(call_id)).desk]


THEIRS = "whsec_" + "a" * 40
TWILIO = {
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "TWILIO_AUTH_TOKEN": "x" * 32, "TWILIO_FROM": "+8613800000000", "VOICE": "none",
    "CARRIER": "twilio",
}  # fmt: skip
REAL = {"110@530600": {"url": "https://desk.example/incidents", "secret": "whsec_" + "a" * 40}}
OURS = {"110@530600": {"url": "http://127.0.0.1:8000/simulator/desk/incidents", "secret": "whsec_" + "a" * 40}}


def _signed_as(secret: str | None) -> dict[str, Any]:
    return {"110@530600": {"url": "https://desk.example/incidents", "secret": secret}}


MAKE_BELIEVE = _signed_as(Settings().make_believe_desk_secret)
BARE = _signed_as((Settings().make_believe_desk_secret or "").removeprefix("whsec_"))
OWN_KEY = _signed_as(base64.b64encode(b"k" * 32).decode())


@pytest.mark.parametrize(
    ("desks", "carrier", "starts"),
    [(REAL, "twilio", True), ({}, "twilio", False), (REAL, "simulator", False), (OURS, "twilio", False),
     (MAKE_BELIEVE, "twilio", False), (BARE, "twilio", False), (OWN_KEY, "twilio", False)],
)  # fmt: skip
def test_live_mode_starts_with_real_desks_and_carriers_only(
    desks: dict[str, Any], carrier: str, starts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = TWILIO | {"BRIDGE_LIVE": "true", "CARRIER": carrier, "BRIDGE_DESKS": json.dumps(desks)}
    for key, value in told.items():
        monkeypatch.setenv(f"HOTLINE_{key}", value)
    if starts:
        assert Settings().bridge_live
        return
    with pytest.raises(ValueError, match="HOTLINE_BRIDGE"):
        Settings()
