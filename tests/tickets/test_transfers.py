"""转办: one step to the general desk with the original words, over a real socket; what comes back is caught."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from sms_gateway import clock as clocks
from sms_gateway.app import make_gateway
from sms_gateway.clock import HeldClock
from sms_gateway.contacts.models import Contact
from sms_gateway.conversations import assistant
from sms_gateway.database import transaction
from sms_gateway.messages.models import Message
from sms_gateway.platforms import general
from sms_gateway.settings import Settings, get_settings
from sms_gateway.tickets import moves, transfers
from sms_gateway.tickets.actors import operator
from sms_gateway.tickets.models import Ticket, Transfer
from sms_gateway.tickets.transfer_rules import (
    MOVES,
    Side,
    State,
    TransferCannotMove,
    check,
    is_general_matter,
    owner,
    pause_after,
)
from sms_gateway.wording import say
from tests.telling import Person

from . import general_desk
from .asking import MORNING, again, at, happened, later, registered
from .general_desk import SECRET, Desk, tell

WATER = "我家小区停水三天了没人管"


@pytest.fixture(autouse=True)
def no_assistant(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask(**_question: object) -> list[assistant.Reply]:
        return [assistant.Reply("小助手", "greet", None)]

    monkeypatch.setattr(assistant, "ask", ask)


@pytest.fixture
async def desk(database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    """A general desk that is set up."""
    async with general_desk.running() as made:
        monkeypatch.setenv("HOTLINE_GENERAL_DESK_URL", made.url)
        monkeypatch.setenv("HOTLINE_GENERAL_DESK_SECRET", SECRET)
        monkeypatch.setattr(general.GeneralDesk.__init__, "__kwdefaults__", {"within": 0.5})  # it hangs for three
        get_settings.cache_clear()
        yield made


@pytest.fixture
async def gateway(database: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))
    get_settings.cache_clear()
    app = make_gateway()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8000") as client:
        yield client
    await app.state.make_believe.aclose()
    await app.state.health.aclose()


async def _told(person: Person, clock: HeldClock, words: str = WATER) -> tuple[Ticket, Transfer]:
    """A text that is none of ours, passed on as the assistant's action does."""
    at(clock, MORNING)
    message_id = await person.hand_in(words)
    await person.run()
    person.news()
    async with transaction() as session:
        row = await transfers.open_for_text(session, message_id=message_id)
        assert row is not None
        ticket = (await session.scalars(select(Ticket).where(Ticket.id == row.ticket_id))).one()
    return ticket, row


async def _now(row: Transfer) -> Transfer:
    async with transaction() as session:
        return (await session.scalars(select(Transfer).where(Transfer.id == row.id))).one()


async def test_a_matter_that_is_not_a_childs_goes_over_in_one_step_in_its_own_words(
    person: Person, clock: HeldClock, desk: Desk
) -> None:
    ticket, row = await _told(person, clock)
    assert row.state == "requested"
    await person.run()
    [call] = desk.calls
    assert (call["number"], call["words"], call["phone"], call["key"]) == (
        ticket.number,
        WATER,
        person.number,
        ticket.number,
    )
    row, now = await _now(row), await again(ticket)
    assert (row.state, row.their_number) == ("accepted", "ZT000001")
    assert (now.status, now.closed_at is None) == ("transferred", False)
    assert person.news() == [say("other.matter")]
    assert [event.what for event in await happened(ticket)] == ["accepted", "transfer_asked", "transferred"]


@pytest.mark.parametrize("mode", ["broken", "numberless", "babbles", "hangs"])
async def test_a_desk_that_does_not_answer_is_asked_again_and_then_an_operator_does_it(
    person: Person, clock: HeldClock, desk: Desk, mode: str
) -> None:
    desk.mode = mode
    ticket, row = await _told(person, clock)
    await person.run()
    assert (person.news(), (await _now(row)).state) == ([], "requested")
    assert await later(person, clock, timedelta(hours=1)) == [say("transfer.failed")]
    assert (len(desk.calls), {call["id"] for call in desk.calls}) == (5, {f"matter-{ticket.number}"})
    assert (await _now(row)).state == "by_hand"
    assert (await again(ticket)).status == "accepted", "our number, state and clock"
    async with transaction() as session:
        assert [waiting.id for waiting in await transfers.list_by_hand(session)] == [row.id]


async def test_a_desk_that_comes_back_takes_it_at_the_next_try(person: Person, clock: HeldClock, desk: Desk) -> None:
    desk.mode = "broken"
    _ticket, row = await _told(person, clock)
    await person.run()
    desk.mode = "good"
    assert await later(person, clock, timedelta(seconds=11)) == [say("other.matter")]
    assert (await _now(row)).tries == 2


async def test_an_answer_that_was_lost_makes_no_second_matter(person: Person, clock: HeldClock, desk: Desk) -> None:
    desk.mode = "deaf"
    _ticket, row = await _told(person, clock)
    await person.run()
    desk.mode = "good"
    await later(person, clock, timedelta(seconds=11))
    assert (len(desk.calls), len(desk.matters)) == (2, 1)
    assert (await _now(row)).their_number == "ZT000001"


async def test_who_is_refused_is_told_to_call_and_the_desk_sees_why(
    person: Person, clock: HeldClock, desk: Desk
) -> None:
    desk.mode = "refuses"
    ticket, row = await _told(person, clock)
    await person.run()
    assert person.news() == [say("transfer.failed")]
    assert ((await _now(row)).state, (await again(ticket)).status) == ("refused", "accepted")
    event = (await happened(ticket))[-1]
    assert (event.what, event.why) == ("transfer_refused", "不归我们管")
    assert len(desk.calls) == 1


async def test_without_an_endpoint_an_operator_transfers_and_writes_the_number_down(
    person: Person, clock: HeldClock
) -> None:
    ticket, row = await _told(person, clock)
    await person.run()
    assert (row.state, person.news()) == ("by_hand", []), "nothing is claimed that is not so"
    async with transaction() as session:
        await transfers.settle(session, row.id, State.ACCEPTED, actor=operator(3), number=" DH2026-7 ")
    await person.run()
    assert person.news() == [say("other.matter")]
    assert ((await _now(row)).their_number, (await again(ticket)).status) == ("DH2026-7", "transferred")


async def test_another_province_goes_by_record(person: Person, clock: HeldClock, desk: Desk) -> None:
    at(clock, MORNING)
    message_id = await person.hand_in("我要投诉东莞一个学校占体育课")
    await person.run()
    person.news()
    async with transaction() as session:
        row = await transfers.open_for_text(session, message_id=message_id, partner="广东")
        assert row is not None and row.state == "by_hand"
        await transfers.settle(session, row.id, State.ACCEPTED, actor=operator(3), number="GD-1")
    await person.run()
    assert (person.news(), desk.calls) == ([say("transfer.province", province="广东")], [])


async def test_a_number_can_be_written_down_for_one_matter_only(person: Person, clock: HeldClock) -> None:
    _ticket, row = await _told(person, clock)
    _other, second = await _told(person, clock, "我家小区停电两天了")
    async with transaction() as session:
        await transfers.settle(session, row.id, State.ACCEPTED, number="DH1")
    for number, error in (
        ("DH1", transfers.NumberIsTaken),
        ("", transfers.NumberIsWrong),
        ("x" * 41, transfers.NumberIsWrong),
    ):
        with pytest.raises(error):
            async with transaction() as session:
                await transfers.settle(session, second.id, State.ACCEPTED, number=number)


@pytest.mark.parametrize("state", ["closed", "returned"])
async def test_what_they_tell_later_is_noted_once_however_often_they_say_it(
    person: Person, clock: HeldClock, desk: Desk, gateway: httpx.AsyncClient, state: str
) -> None:
    ticket, row = await _told(person, clock)
    await person.run()
    clock.advance(timedelta(days=3))
    for news in (True, False):
        answer = await tell(gateway, number=ticket.number, their_number="ZT000001", state=state, reason="重复")
        assert (answer.status_code, answer.json()["news"]) == (200, news)
    now, events = await again(ticket), [event.what for event in await happened(ticket)]
    assert (await _now(row)).state == state
    if state == "closed":
        assert (now.status, events[-1]) == ("transferred", "transfer_closed")
    else:
        assert (now.status, now.received_at, now.closed_at) == ("accepted", ticket.received_at, None)
        assert now.due_at > clock.now() > ticket.received_at, "its working days run anew"
        assert (await happened(ticket))[-1].why == "重复"


async def test_what_came_back_can_be_passed_on_again(
    person: Person, clock: HeldClock, desk: Desk, gateway: httpx.AsyncClient
) -> None:
    ticket, row = await _told(person, clock)
    await person.run()
    await tell(gateway, number=ticket.number, state="returned")
    async with transaction() as session:
        second = await transfers.begin(session, await moves.lock(session, ticket.id), actor=operator(3), partner="广东")
    assert (second.id != row.id, second.state) == (True, "by_hand")


async def test_a_matter_they_took_without_a_number_is_theirs_once_they_tell_it(
    person: Person, clock: HeldClock, desk: Desk, gateway: httpx.AsyncClient
) -> None:
    desk.mode = "pending"
    ticket, row = await _told(person, clock)
    await person.run()
    assert ((await _now(row)).state, person.news()) == ("requested", [])
    assert (await tell(gateway, number=ticket.number, their_number="ZT9", state="accepted")).status_code == 200
    await person.run()
    assert ((await _now(row)).their_number, person.news()) == ("ZT9", [say("other.matter")])


FORGED = "whsec_" + "YW5vdGhlci1zZWNyZXQtb2Ytc29tZWJvZHktZWxzZQ=="


async def test_a_forged_an_old_and_an_unsigned_word_are_refused(
    person: Person, clock: HeldClock, desk: Desk, gateway: httpx.AsyncClient
) -> None:
    ticket, row = await _told(person, clock)
    await person.run()
    said = {"number": ticket.number, "state": "returned"}
    old = datetime.fromtimestamp(clocks.wall_seconds() - 600, UTC)
    assert (await tell(gateway, secret=FORGED, **said)).status_code == 403
    assert (await tell(gateway, at=old, **said)).status_code == 403
    assert (await gateway.post("/platforms/general", json=said)).status_code == 403
    broken = {"webhook-id": "x", "webhook-timestamp": "now", "webhook-signature": "v1"}
    assert (await gateway.post("/platforms/general", json=said, headers=broken)).status_code == 403
    assert (await _now(row)).state == "accepted"


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"number": "99999999", "state": "closed"}, 404), ({"number": "1", "state": "closed"}, 422), ({"number": None, "state": "closed"}, 422),
        ({"state": "sleeping"}, 422), ({"state": "accepted"}, 422), ({"state": "accepted", "their_number": "other"}, 409),
        ({"state": "refused"}, 409), ({"state": "closed", "their_number": "x" * 41}, 422),
    ],
)  # fmt: skip
async def test_what_is_unclear_or_does_not_fit_is_said(
    person: Person, clock: HeldClock, desk: Desk, gateway: httpx.AsyncClient, said: dict[str, Any], status: int
) -> None:
    ticket, row = await _told(person, clock)
    await person.run()
    answer = await tell(gateway, **({"number": ticket.number} | said))
    assert answer.status_code == status
    assert (await _now(row)).state == "accepted"


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", "号".encode("gbk")])
async def test_garbage_that_is_signed_is_still_garbage(
    person: Person, desk: Desk, gateway: httpx.AsyncClient, body: bytes
) -> None:
    try:
        answer = await tell(gateway, body=body)
    except UnicodeDecodeError:
        answer = await gateway.post("/platforms/general", content=body)
    assert answer.status_code in (403, 422)


async def test_where_no_desk_is_set_up_nobody_is_believed(gateway: httpx.AsyncClient) -> None:
    assert (await tell(gateway, number="12345678", state="closed")).status_code == 403


@pytest.mark.parametrize("changed", [{"lane": "orange"}, {"lane": "red"}, {"sealed": True}, {"sensitivity": "sexual"}])
async def test_a_matter_of_harm_never_leaves(
    person: Person, clock: HeldClock, desk: Desk, changed: dict[str, Any]
) -> None:
    ticket = await registered(person, **changed)
    with pytest.raises(transfers.MustNotBeTransferred):
        async with transaction() as session:
            await transfers.begin(session, await moves.lock(session, ticket.id), actor=operator(1))
    await person.run()
    assert desk.calls == []


async def test_a_text_of_somebody_in_danger_is_not_passed_on(person: Person, clock: HeldClock, desk: Desk) -> None:
    message_id = await person.hand_in(WATER)
    await person.run()
    async with transaction() as session:
        await session.execute(update(Contact).values(open_case=True))
    async with transaction() as session:
        assert await transfers.open_for_text(session, message_id=message_id) is None


async def test_passed_on_twice_is_passed_on_once(person: Person, clock: HeldClock, desk: Desk) -> None:
    ticket, row = await _told(person, clock)
    async with transaction() as session:
        again_row = await transfers.open_for_text(session, message_id=ticket.asked_in or 0)
        assert again_row is not None and again_row.id == row.id
    await person.run()
    assert len(desk.matters) == 1
    assert person.news() == [say("other.matter")]


async def test_a_result_that_comes_at_night_is_told_in_the_morning(
    person: Person, clock: HeldClock, desk: Desk, gateway: httpx.AsyncClient
) -> None:
    desk.mode = "pending"
    ticket, _row = await _told(person, clock)
    await person.run()
    clock.advance(timedelta(hours=12))
    await tell(gateway, number=ticket.number, their_number="ZT9", state="accepted")
    await person.run()
    assert person.news() == []
    assert await later(person, clock, timedelta(hours=12)) == [say("other.matter")]
    async with transaction() as session:
        assert len(list(await session.scalars(select(Message).where(Message.text_key == "other.matter")))) == 1


def test_the_one_rule_number_state_and_clock_go_over_together_and_come_back_together() -> None:
    for state in State:
        found = owner(state)
        assert len({found.number, found.state, found.clock}) == 1
        assert (found.clock is Side.THEIRS) == (state in (State.ACCEPTED, State.CLOSED))


def test_only_moves_of_the_table_are_made() -> None:
    for state in State:
        for to in State:
            if to in MOVES[state]:
                check(state, to)
            else:
                with pytest.raises(TransferCannotMove):
                    check(state, to)


def test_tries_end() -> None:
    assert [pause_after(tries) is not None for tries in range(7)] == [False, True, True, True, True, False, False]


@pytest.mark.parametrize(
    "words",
    [
        "我们小区停水三天了，什么时候来水",
        "路灯坏了找谁修",
        "楼下半夜施工噪音太大",
        "公积金怎么提取",
        "我三十岁了，没孩子，工资拖欠三个月了没人管",
    ],
)
def test_plain_matters_of_the_general_desk(words: str) -> None:
    assert is_general_matter(words)


@pytest.mark.parametrize(
    "words",
    [
        "讲个笑话",
        "今天天气怎么样",
        "你喜欢我吗",
        "学校停水三天了娃没水喝",
        "我爸欠了工资天天喝酒",
        "幼儿园的电梯老坏",
        "唉",
        "心情不好",
    ],
)
def test_chatter_and_what_may_be_a_childs_stay_here(words: str) -> None:
    assert not is_general_matter(words)


@pytest.mark.parametrize(
    ("url", "secret", "good"),
    [
        (None, None, True), ("https://12345.example.cn/x", SECRET, True), ("http://127.0.0.1:9/x", SECRET, True),
        ("http://12345.example.cn/x", SECRET, False), ("https://12345.example.cn/x", None, False),
        ("https://12345.example.cn/x", "short", False), ("https://12345.example.cn/x", "不是base64", False), ("nonsense", SECRET, False),
    ],
)  # fmt: skip
def test_the_settings_of_the_desk_hold_together(
    monkeypatch: pytest.MonkeyPatch, url: str | None, secret: str | None, good: bool
) -> None:
    for name, value in (("URL", url), ("SECRET", secret)):
        if value is not None:
            monkeypatch.setenv(f"HOTLINE_GENERAL_DESK_{name}", value)
    try:
        made = Settings()
    except ValueError:
        assert not good
    else:
        assert good and made.general_desk_url == url
