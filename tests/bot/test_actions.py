"""Single actions without Rasa: what they read of a turn, what they say, which slots they leave."""

from __future__ import annotations

import contextlib
import copy
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions import drafts
from actions.drafts import End, Kept
from actions.forms import ValidateForm
from actions.outreach import ActionOptOut
from actions.people import ActionFallback, ActionOutOfScope
from actions.registry import all_actions
from actions.session import ActionSessionStart
from actions.turn import TurnIsBroken, deadline_of, read_turn
from sms_gateway import wording
from sms_gateway.settings import ROOT
from sms_gateway.supervision.places import free_ports
from sms_gateway.tickets import intake, marks
from sms_gateway.tickets.draft import Kind
from texts.embedding import embed, pack_base64

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def tracker_of(call: dict[str, Any], text: str = "你好", **more: Any) -> Tracker:
    """The call's tracker with another text; `slots`, `intent`, `confidence` as given, the rest into the metadata."""
    call = copy.deepcopy(call)
    state = call["tracker"]
    state["slots"] = more.pop("slots", {})
    intent, confidence = more.pop("intent", "greet"), more.pop("confidence", 0.9)
    state["latest_message"] |= {"text": text, "intent": {"name": intent, "confidence": confidence}}
    state["latest_message"]["metadata"] |= {"now": NOW.timestamp(), **more}
    return Tracker.from_dict(state)


def open_draft(text: str = "我要投诉 学校乱收费", *, at: datetime = NOW, kind: Kind = Kind.COMPLAINT) -> Kept:
    draft = intake.start(kind, text)
    return Kept(draft, intake.next_question(draft).name, at)


async def run(action: Any, tracker: Tracker) -> tuple[list[str], dict[str, Any]]:
    """What the action says, and the slots it sets."""
    dispatcher = CollectingDispatcher()
    events = await action.run(dispatcher, tracker, {})
    slots = {event["name"]: event["value"] for event in events if event["event"] == "slot"}
    return [message["text"] for message in dispatcher.messages if message["text"]], slots


def test_every_action_of_the_domain_exists_and_no_other() -> None:
    import yaml

    domain = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))
    assert {action.name() for action in all_actions()} == set(domain["actions"])


def test_every_saying_has_its_text() -> None:
    from actions.sayings import FIXED

    assert set(FIXED.values()) <= wording.keys()


def test_a_turn_without_ids_is_refused(call: dict[str, Any]) -> None:
    for broken in ({"contact": None}, {"message": "x"}, {"thread": []}):
        with pytest.raises(TurnIsBroken):
            read_turn(tracker_of(call, **broken))


def test_a_turn_is_read_with_its_vector(call: dict[str, Any]) -> None:
    turn = read_turn(tracker_of(call, e5=pack_base64(embed("你好")), lane="orange", sexual=True))
    assert turn.vector is not None and turn.vector.shape == (384,)
    assert (turn.contact_id, turn.message_id, turn.thread_id) == (1, 2, 3)
    assert turn.lane == "orange" and turn.sexual and turn.now == NOW


@pytest.mark.parametrize("packed", [None, "", "###", "AAAA", 3])
def test_a_broken_vector_is_none(call: dict[str, Any], packed: Any) -> None:
    assert read_turn(tracker_of(call, e5=packed)).vector is None


def test_the_deadline_of_a_session_start_stands_in_its_slot(call: dict[str, Any]) -> None:
    assert deadline_of(call) == call["tracker"]["latest_message"]["metadata"]["deadline"]
    call["next_action"] = "action_session_start"
    assert deadline_of(call) is None
    call["tracker"]["slots"]["session_started_metadata"] = {"deadline": 12.5}
    assert deadline_of(call) == 12.5


@pytest.mark.parametrize(
    ("text", "stars", "unsolved"),
    [
        ("5", 5, False), ("很满意", 5, False), ("办得很快，谢谢", 5, False), ("满意", 4, False), ("还可以", 3, False),
        ("一般般", 3, False), ("不满意", 2, False), ("很不满意", 1, False), ("太差了", 1, False), ("1", 1, False),
        ("没解决", None, True), ("问题还是老样子", None, True), ("9", None, False), ("我是来评价的", None, False),
    ],
)  # fmt: skip
def test_a_mark_is_read_from_words(text: str, stars: int | None, unsolved: bool) -> None:
    assert marks.read_mark(text) == marks.Mark(stars, unsolved)


def test_a_draft_comes_back_from_its_slot_as_it_was() -> None:
    kept = open_draft("我要投诉 学校乱收费，镇雄的")
    assert drafts.read_slot(kept.as_slot()) == kept
    ended = kept.ended(End.CONFIRMED, kept.draft)
    assert drafts.read_slot(ended.as_slot()) == ended and not ended.is_open


@pytest.mark.parametrize(
    "value", [None, {}, [], "x", {"draft": "{}", "asked": "what", "at": 1, "paused": False, "end": None}]
)
def test_a_slot_that_cannot_be_read_is_no_draft(value: Any) -> None:
    assert drafts.read_slot(value) is None


async def test_a_new_session_keeps_a_draft_of_the_day_with_its_form(call: dict[str, Any]) -> None:
    kept = open_draft(at=NOW - timedelta(hours=23))
    tracker = tracker_of(call, slots={"draft": kept.as_slot(), "session_started_metadata": {"now": NOW.timestamp()}})
    events = await ActionSessionStart().run(CollectingDispatcher(), tracker, {})
    assert [event["event"] for event in events] == ["session_started", "slot", "active_loop", "slot", "action"]
    assert events[2]["name"] == "complaint_form" and events[3]["value"] == "county"


async def test_a_new_session_drops_a_draft_of_the_day_before(call: dict[str, Any]) -> None:
    kept = open_draft(at=NOW - timedelta(hours=25))
    tracker = tracker_of(call, slots={"draft": kept.as_slot(), "session_started_metadata": {"now": NOW.timestamp()}})
    events = await ActionSessionStart().run(CollectingDispatcher(), tracker, {})
    assert [event["event"] for event in events] == ["session_started", "action"]


async def test_the_opening_text_is_taken_for_what_it_says(call: dict[str, Any]) -> None:
    said, slots = await run(ValidateForm(Kind.COMPLAINT), tracker_of(call, "我要投诉 学校天天占体育课，镇雄的"))
    assert said == ["记下了。现在还这样吗？1还在 2没有了"] and slots["requested_slot"] == "still"


async def test_an_announced_complaint_is_asked_what_it_is(call: dict[str, Any]) -> None:
    said, slots = await run(ValidateForm(Kind.COMPLAINT), tracker_of(call, "我要投诉"))
    assert said == ["投诉哪里、什么事？一两句就行。"] and slots["requested_slot"] == "what"


async def test_a_form_that_ends_asks_nothing_and_says_so_to_rasa(call: dict[str, Any]) -> None:
    tracker = tracker_of(call, "取消", slots={"draft": open_draft().as_slot()})
    said, slots = await run(ValidateForm(Kind.COMPLAINT), tracker)
    assert said == [] and slots["requested_slot"] is None and slots["draft"]["end"] == "cancelled"


async def test_a_question_of_yesterday_is_put_again_and_the_digit_not_guessed(call: dict[str, Any]) -> None:
    kept = open_draft("我要投诉 学校乱收费，镇雄的", at=NOW - timedelta(hours=25))
    said, slots = await run(ValidateForm(Kind.COMPLAINT), tracker_of(call, "1", slots={"draft": kept.as_slot()}))
    assert said[0].startswith("刚才那句隔久了") and slots["requested_slot"] == "still"
    assert "still" not in slots["draft"]["draft"].split('"skipped"')[0].split('"answers"')[1].split("}")[0]


async def test_a_greeting_in_a_form_is_no_answer(call: dict[str, Any]) -> None:
    kept = open_draft("我要投诉 学校乱收费，镇雄的")
    for greeting in ("你好", "在吗？", "我回来了", "我又来了", "继续"):
        said, _ = await run(ValidateForm(Kind.COMPLAINT), tracker_of(call, greeting, slots={"draft": kept.as_slot()}))
        assert said == ["您写的都还在，接着来。现在还这样吗？1还在 2没有了"]


async def test_a_sigh_is_not_sent_away(call: dict[str, Any]) -> None:
    for action in (ActionFallback(), ActionOutOfScope()):
        said, _ = await run(action, tracker_of(call, "心情不好", confidence=0.4))
        assert said == [wording.say("ask.gentle")]


async def test_a_matter_that_is_hardly_understood_is_asked_about_first(call: dict[str, Any]) -> None:
    said, slots = await run(ActionOutOfScope(), tracker_of(call, "那个东西还没有弄来", confidence=0.45))
    assert said == [wording.say("scope.ask")] and slots["question"]["kind"] == "scope"


async def test_a_question_taken_for_none_of_ours_is_answered_where_the_handbook_is_sure(call: dict[str, Any]) -> None:
    for action in (ActionOutOfScope(), ActionFallback()):
        said, _ = await run(action, tracker_of(call, "孤儿一个月能领多少钱", confidence=0.9))
        assert "1980" in said[0]
    said, _ = await run(ActionOutOfScope(), tracker_of(call, "今天天气怎么样", confidence=0.9))
    assert said == [wording.say("scope.other")]


async def test_pinyin_that_is_not_understood_brings_a_person(
    call: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from actions import people

    called: list[str] = []

    async def call_person(_session: object, _turn: object, *, cause: str) -> str:
        called.append(cause)
        return "human.queued"

    monkeypatch.setattr(people, "call_person", call_person)
    monkeypatch.setattr(people, "transaction", contextlib.nullcontext)
    said, _ = await run(ActionFallback(), tracker_of(call, "zhe ge dong xi na ge hui nong", confidence=0.3))
    assert said == [wording.say("foreign.pinyin")] and called == ["language"]


async def test_annoyance_is_no_wish_to_opt_out(call: dict[str, Any]) -> None:
    said, _ = await run(ActionOptOut(), tracker_of(call, "烦死了", confidence=0.9))
    assert said == [wording.say("ask.gentle")]


@pytest.fixture(scope="module")
async def door() -> AsyncIterator[httpx.AsyncClient]:
    """The action server on a free port, and a client that knows its secret."""
    from actions.server import make_app

    secret, (port,) = "the-secret-of-the-tests", free_ports(1)
    server = await make_app(secret).create_server(host="127.0.0.1", port=port, return_asyncio_server=True)
    assert server is not None
    await server.startup()
    await server.start_serving()
    url = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=url, headers={"X-Hotline-Secret": secret}, trust_env=False) as client:
        yield client
    server.close()
    await server.wait_closed()


async def test_an_action_answers_with_its_words_and_key(door: httpx.AsyncClient, call: dict[str, Any]) -> None:
    answer = await door.post("/webhook", json=call)
    assert answer.status_code == 200
    assert answer.json()["responses"][0]["custom"] == {"key": "greet", "asks": None}


async def test_a_turn_that_is_over_is_refused(door: httpx.AsyncClient, call: dict[str, Any]) -> None:
    call["tracker"]["latest_message"]["metadata"]["deadline"] = time.time() - 1
    assert (await door.post("/webhook", json=call)).status_code == 410


async def test_an_error_never_repeats_the_call(door: httpx.AsyncClient, call: dict[str, Any]) -> None:
    call["next_action"] = "action_answer_policy"
    call["tracker"]["latest_message"]["text"] = "我的秘密"
    del call["tracker"]["latest_message"]["metadata"]["contact"]
    answer = await door.post("/webhook", json=call)
    assert answer.status_code == 500 and answer.json() == {"error": "action_failed"}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"null"])
async def test_what_is_not_a_call_gets_a_clear_error(door: httpx.AsyncClient, body: bytes) -> None:
    assert (await door.post("/webhook", content=body)).status_code == 400


async def test_an_unknown_action_gets_a_clear_error(door: httpx.AsyncClient, call: dict[str, Any]) -> None:
    call["next_action"] = "action_of_nobody"
    assert (await door.post("/webhook", json=call)).status_code == 404
