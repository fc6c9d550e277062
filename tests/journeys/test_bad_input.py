"""Whatever comes in through whatever door: a clear answer or a clear error, nothing lost, no 500."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import quote_plus

import pytest
from sqlalchemy import text as sql

from sms_gateway import clock
from sms_gateway.carriers import simulator
from sms_gateway.database import transaction
from sms_gateway.messages.segments import segments, units
from sms_gateway.settings import get_settings
from sms_gateway.wording import say
from tests.journeys.line import Line
from tests.journeys.records import texts_from, tickets_of
from tests.telling import Person

pytestmark = pytest.mark.usefixtures("database")

HTML = "<script>alert('x')</script>&amp;<img src=x onerror=alert(1)>"
SQL = "'; DROP TABLE messages; --"


@pytest.mark.parametrize(
    ("said", "answers"),
    [
        ("", {"text.empty"}),
        ("   \n\t ", {"text.empty"}),
        ("\x00\x07\x1b", {"text.empty"}),
        ("😭😭😭", {"text.only_emoji"}),
        ("🏳️‍🌈👨‍👩‍👧‍👦", {"text.only_emoji"}),
        ("。。。？？", {"text.only_emoji"}),
        ("\u202e\u200b\ufeff", {"text.empty"}),
    ],
)
async def test_a_text_without_words_is_asked_kindly(person: Person, said: str, answers: set[str]) -> None:
    assert await person.texts(said) in [[say(key)] for key in answers]


async def test_a_digit_after_emoji_is_not_taken_for_danger(person: Person) -> None:
    for said in ("😭😭😭", "", "。。。"):
        await person.texts(said)
    assert await person.texts("1") == [say("digit.lost")]


@pytest.mark.parametrize("length", [1_600, 5_000, 19_000])
async def test_a_very_long_complaint_is_kept_whole_and_taken_up(person: Person, length: int) -> None:
    said = ("我要投诉学校天天占体育课，老师也不管。" * 2000)[:length]
    [reply] = await person.texts_at_length(said)
    assert reply.endswith(say("form.complaint.county"))
    assert await texts_from(person) == [said]


async def test_danger_at_the_end_of_a_very_long_text_is_seen(person: Person) -> None:
    said = "今天学校里没什么事，作业也写完了。" * 100 + "有个叔叔一直在踹我家门 就我和弟弟在"
    assert await person.texts(said) == [say("red.violence")]


async def test_control_characters_inside_words_do_not_hide_them(person: Person) -> None:
    assert await person.texts("有个\x00叔叔一直\x07在\u200b踹我家门 就我和弟弟在") == [say("red.violence")]
    assert all("\x00" not in body for body in await texts_from(person))


async def test_sql_and_html_are_only_words(person: Person) -> None:
    for said in (HTML, SQL, f"我要投诉 学校 {SQL} {HTML} 乱收费"):
        assert len(await person.texts_at_length(said)) == 1, said
    await person.texts("镇雄")
    await person.texts("就这些")
    await person.texts("1")
    callback, ticket = await tickets_of(person)
    assert (callback.kind, (callback.answers or {})["what"]) == ("callback", SQL)  # not understood twice: a person's
    assert SQL in (ticket.answers or {})["what"]
    assert "<script>" in (ticket.answers or {})["what"]
    async with transaction() as session:
        assert await session.scalar(sql("SELECT count(*) FROM messages")) > 0


async def test_garbage_is_no_wish_to_opt_out(person: Person) -> None:
    [reply] = await person.texts_at_length(SQL)
    assert reply != say("optout")


def test_emoji_beyond_the_basic_plane_count_as_two_units() -> None:
    assert units("😭") == 2
    assert units("👨‍👩‍👧") == 8
    assert segments("字" * 70) == 1
    assert segments("字" * 69 + "😭") == 2


# -- through the doors of the running gateway --


def _signed(path: str, body: bytes) -> dict[str, str]:
    key = simulator.secret(get_settings())
    return {
        "Content-Type": "application/x-www-form-urlencoded",
        simulator.SIGNATURE_HEADER: simulator.sign(key, path=path, body=body, at=clock.now()),
    }


async def _text_in(line: Line, number: str, body: str, *, identity: str) -> int:
    form = f"id={identity}&from={quote_plus(number)}&body={quote_plus(body, errors='surrogatepass')}".encode()
    path = "/carriers/simulator/sms"
    return (await line.http.post(path, content=form, headers=_signed(path, form))).status_code


async def test_ten_deliveries_of_one_text_at_once_give_one_reply(line: Line) -> None:
    phone = await line.phone()
    number = f"+861380000{phone.tail}"
    statuses = await asyncio.gather(*(_text_in(line, number, "你好", identity="ten-at-once") for _ in range(10)))
    assert set(statuses) == {200}
    assert (await phone.next())[1] == say("greet")
    assert await _text_in(line, number, "你好", identity="ten-at-once") == 200
    assert await phone.hears_nothing(1.5)


@pytest.mark.parametrize("tampered", ["body", "time", "missing", "garbage"])
async def test_a_forged_text_is_refused(line: Line, tampered: str) -> None:
    path, form = "/carriers/simulator/sms", b"id=forged&from=%2B8613800000001&body=x"
    headers = _signed(path, form)
    match tampered:
        case "body":
            form += b"y"
        case "time":
            headers[simulator.SIGNATURE_HEADER] = "t=1" + headers[simulator.SIGNATURE_HEADER].partition(",")[2]
        case "missing":
            del headers[simulator.SIGNATURE_HEADER]
        case "garbage":
            headers[simulator.SIGNATURE_HEADER] = "t=②,v1=x"
    raw = {name.encode(): value.encode() for name, value in headers.items()}
    answer = await line.http.post(path, content=form, headers=raw)
    assert answer.status_code == 403
    assert answer.json()["error"] == "签名不对。"


@pytest.mark.parametrize(
    "kind",
    ["application/json", "text/plain", "multipart/form-data; boundary=x", "", "x/y; ☃"],
)
async def test_another_kind_of_content_is_refused_clearly(line: Line, kind: str) -> None:
    for path in ("/carriers/simulator/sms", "/carriers/simulator/status"):
        answer = await line.http.post(path, content=b"{}", headers={b"Content-Type": kind.encode()})
        assert answer.status_code == 415


@pytest.mark.parametrize(
    "form",
    [
        b"", b"id=", b"id=1", b"from=%2B8613800000001&body=x", b"id=1&body=x", b"id=%00&from=%00", b"=&=&&&", b"id=1&from=x&body=%ff%fe",
        b"id=" + b"9" * 5000 + b"&from=x", b"id=7&from=" + b"1" * 5000 + b"&body=" + b"%F0%9F%98%AD" * 5000,
        b"id=8&id=9&from=a&from=b&body=c&body=d",
    ],
)  # fmt: skip
async def test_signed_forms_with_wrong_fields_never_break_anything(line: Line, form: bytes) -> None:
    for path in ("/carriers/simulator/sms", "/carriers/simulator/status"):
        answer = await line.http.post(path, content=form, headers=_signed(path, form))
        assert answer.status_code in (200, 413, 422), answer.status_code
        if answer.status_code != 200:
            assert answer.json()["error"]


async def test_a_web_text_of_ten_thousand_characters_gets_a_clear_answer(line: Line) -> None:
    for body in ("啊" * 10_000, "😭" * 10_000, "\u0001" * 10_000):
        answer = await line.http.post("/chat/texts", json={"id": "a" * 16, "body": body})
        assert answer.status_code in (202, 400, 413, 422), answer.status_code
        assert answer.status_code == 202 or answer.json()["error"]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b"1", b'{"id": 1, "body": "x"}', b'{"id": "aaaaaaaaaaaaaaaa"}', b'{"body": "x"}',
        b'{"id": "aaaaaaaaaaaaaaaa", "body": ["x"]}', b'{"id": "../../x", "body": "x"}', b"[" * 100_000, b"\xff\xfe",
        b'{"id": "aaaaaaaaaaaaaaaa", "body": "\\ud83d"}', b'{"id": "aaaaaaaaaaaaaaaa", "body": "\\u0000"}',
        b'{"id": "aaaaaaaaaaaaaaaa", "body": 1e999}',
    ],
)  # fmt: skip
async def test_broken_web_texts_get_a_clear_error(line: Line, body: bytes) -> None:
    answer = await line.http.post("/chat/texts", content=body, headers={"Content-Type": "application/json"})
    assert 400 <= answer.status_code < 500 or answer.status_code == 202, answer.status_code
    assert answer.status_code == 202 or answer.json()["error"]


async def test_the_web_chat_speaks_to_the_same_assistant(line: Line) -> None:
    answer = await line.http.post("/chat/texts", json={"id": "b" * 16, "body": "孤儿每个月能领多少钱"})
    assert answer.status_code == 202
    cookie = answer.headers["set-cookie"].partition(";")[0]
    line.http.cookies.clear()
    async with asyncio.timeout(10):
        while True:
            found = (await line.http.get("/chat/texts", headers={"Cookie": cookie})).json()
            if any("1280" in json.dumps(each, ensure_ascii=False) for each in found["texts"]):
                break
            await asyncio.sleep(0.1)
    stranger = (await line.http.get("/chat/texts")).json()
    assert stranger["texts"] == []


@pytest.mark.parametrize(
    "path",
    [
        "/twilio/sms",
        "/twilio/status",
        "/nowhere",
        "/chat/../../etc/passwd",
        "/%00",
        "/simulator/phones/%F0%9F%98%AD/texts",
    ],
)
async def test_no_door_answers_a_strange_call_with_a_500(line: Line, path: str) -> None:
    for method in ("GET", "POST", "PUT", "DELETE"):
        answer = await line.http.request(method, path, content=b"\xff\x00", headers={"Content-Type": "x"})
        assert 400 <= answer.status_code < 500, (method, path, answer.status_code)
