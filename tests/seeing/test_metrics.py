"""`/metrics`: figures of all processes, from the database; nothing of a person in it, and nobody outside reads it."""

from __future__ import annotations

import os
import re
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

from sms_gateway import database as ground
from sms_gateway import jobs, last_done
from sms_gateway.beats import beat
from sms_gateway.carriers.carrier import CarrierRefused
from sms_gateway.clock import HeldClock
from sms_gateway.contacts.models import Channel
from sms_gateway.conversations import service as conversations
from sms_gateway.database import transaction
from sms_gateway.messages import spool
from sms_gateway.messages.inbox import Inbound
from sms_gateway.seeing import counting
from sms_gateway.seeing.metrics import SETTLED
from sms_gateway.settings import get_settings
from sms_gateway.timers import set_timer
from tests.console.story import add_operator
from tests.events.conftest import data, facts
from tests.seeing.conftest import client_of
from tests.telling import FakeCarrier, Person

KICKING = "有个叔叔一直在踹我家门 就我和弟弟在"
LABELS = {
    "queue": re.compile("danger|turns|replies|bulk"),
    "work": re.compile("danger|turns|replies|bulk|outreach|gateway|console|cmpp2?"),
    "kind": re.compile("turn|danger_reply|danger_human"),
    "carrier": re.compile("simulator|twilio|cmpp2?|web|drill"),
    "state": re.compile("queued|sending|unknown|sent|undelivered|blocked|failed|cancelled|delivered"),
    "lane": re.compile("red|other"),
    "part": re.compile("database|rasa|actions|danger_worker|workers"),
    "what": re.compile("backup|purge|submitted|refused|throttled|unknown|delivered"),
    "unit": re.compile(r"[a-z0-9]+@53\d{4}"),
    "door": re.compile(r"[a-z][a-z-]*"),
    "status": re.compile("[1-5]xx"),
    "why": re.compile("password|code|first_code|too_many_tries|link|role|family|page_token|origin|api_key"),
    "generation": re.compile("[0-9]"),
    "le": re.compile(r"\+Inf|[0-9.]+"),
}
"""Every label there is, and all it may say."""
MOST_SERIES = 1_500


async def scrape(app: FastAPI, client: httpx.AsyncClient) -> dict[str, Metric]:
    app.state.metrics._looked_at = float("-inf")  # look again, at once
    answer = await client.get("/metrics")
    assert answer.status_code == 200, answer.text
    return {family.name: family for family in text_string_to_metric_families(answer.text)}


def value(found: dict[str, Metric], name: str, sample: str | None = None, **labels: str) -> float | None:
    for one in found[name].samples if name in found else []:
        if one.name == (sample or name) and labels.items() <= one.labels.items():
            return float(one.value)
    return None


async def lived_through(person: Person, another: Person, clock: HeldClock) -> None:
    """An evening with a bit of everything."""
    await person.texts("营养餐是不是免费的")
    await another.texts(KICKING)
    operator = await add_operator("zhiban", "测试员")
    clock.advance(timedelta(seconds=40))
    async with transaction() as session:
        await conversations.take_over(session, thread_id=another.thread_id, operator=operator)
    person.carrier.fails = [CarrierRefused("30007")]
    await person.texts("0")
    await another.hand_in("我叫张小明，电话 13800000009")


@pytest.fixture
def another(carrier: FakeCarrier, run_jobs: object) -> Person:
    return Person("+8613800000002", carrier, run_jobs)  # type: ignore[arg-type]


async def test_waits_are_counted_once_each_by_what_was_waited_for(
    gateway_app: FastAPI, person: Person, another: Person, clock: HeldClock
) -> None:
    async with client_of(gateway_app) as prometheus:
        before = await scrape(gateway_app, prometheus)
        await lived_through(person, another, clock)
        clock.advance(SETTLED + timedelta(seconds=1))
        after = await scrape(gateway_app, prometheus)
        again = await scrape(gateway_app, prometheus)

    def grew(since: dict[str, Metric], upto: dict[str, Metric], kind: str, what: str) -> float:
        name = f"hotline_wait_seconds_{what}"
        first, last = (value(found, "hotline_wait_seconds", name, kind=kind) for found in (since, upto))
        assert first is not None and last is not None
        return last - first

    assert grew(before, after, "danger_reply", "count") == 1
    assert grew(before, after, "danger_human", "count") == 1
    assert grew(before, after, "danger_human", "sum") == pytest.approx(40)
    assert grew(before, after, "turn", "count") >= 1
    assert grew(after, again, "turn", "count") == grew(after, again, "danger_human", "count") == 0


async def test_what_stands_in_the_rows_stands_in_the_figures(
    gateway_app: FastAPI, person: Person, another: Person, clock: HeldClock
) -> None:
    await lived_through(person, another, clock)
    await beat("danger")
    async with transaction() as session:
        await set_timer(session, job="conversations.end_waiting", subject_id=1, due_at=clock.now())
        await last_done.note(session, last_done.What.BACKUP)
    await spool.keep(Inbound(Channel.SMS, "+8613800000003", "你好", "simulator", "in-spooled", clock.now()))
    for kept in spool.folder().glob("*.sealed"):
        os.utime(kept, (clock.now().timestamp(),) * 2)  # by the clock that is held
    clock.advance(timedelta(seconds=9))
    await beat("replies")
    async with client_of(gateway_app) as prometheus:
        found = await scrape(gateway_app, prometheus)
    assert value(found, "hotline_database_up") == 1
    assert value(found, "hotline_queue_waiting_jobs", queue="danger") == 1
    assert value(found, "hotline_queue_waiting_jobs", queue="turns") == 1
    assert value(found, "hotline_queue_age_seconds", queue="danger") is not None
    assert value(found, "hotline_processes_alive", work="danger") == 0
    assert value(found, "hotline_processes_alive", work="replies") == 1
    assert (value(found, "hotline_process_memory_bytes", work="replies") or 0) > 10e6
    assert (value(found, "hotline_timers_overdue") or 0) >= 1
    assert value(found, "hotline_timers_overdue_seconds") == pytest.approx(9)
    assert value(found, "hotline_last_done_timestamp_seconds", what="backup") == pytest.approx(
        clock.now().timestamp() - 9
    )
    assert value(found, "hotline_last_done_timestamp_seconds", what="purge") == 0
    assert value(found, "hotline_spooled_texts", lane="other") == 1
    assert value(found, "hotline_spool_age_seconds") == pytest.approx(9, abs=0.1)
    assert (value(found, "hotline_texts_out", carrier="simulator", state="sent") or 0) >= 2
    assert value(found, "hotline_texts_out", carrier="simulator", state="failed") == 1
    assert value(found, "hotline_operators_on_duty") == 1
    assert (value(found, "hotline_database_size_bytes") or 0) > 1e6


async def test_red_rings_in_the_figures_until_somebody_takes_it(
    gateway_app: FastAPI, person: Person, clock: HeldClock
) -> None:
    await person.texts(KICKING)
    clock.advance(timedelta(seconds=70))
    operator = await add_operator("zhiban", "测试员")
    async with client_of(gateway_app) as prometheus:
        rings = await scrape(gateway_app, prometheus)
        async with transaction() as session:
            await conversations.take_over(session, thread_id=person.thread_id, operator=operator)
        taken = await scrape(gateway_app, prometheus)
    assert (value(rings, "hotline_danger_ringing"), value(rings, "hotline_danger_ringing_seconds")) == (1, 70)
    assert value(taken, "hotline_danger_ringing") == 0


async def test_no_label_carries_anything_of_a_person_and_the_series_are_bounded(
    gateway_app: FastAPI, console_app: FastAPI, person: Person, another: Person, clock: HeldClock
) -> None:
    await lived_through(person, another, clock)
    for app in (gateway_app, console_app):
        async with client_of(app) as visitor:
            for path in (
                "/",
                "/chat/texts",
                "/13800000009",
                "/张小明",
                "/talks/13800000009",
                "/a" * 300,
                "/wp-login.php",
            ):
                await visitor.get(path)
            for number in range(200):
                await visitor.get(f"/made-up-{'x' * (number % 15)}{'abcdefghij'[number % 10]}")
            text = (await visitor.get("/metrics")).text
        series = 0
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                series += 1
                for name, said in sample.labels.items():
                    assert name in LABELS, (sample.name, name)
                    assert LABELS[name].fullmatch(said), (sample.name, name, said)
        assert 100 < series < MOST_SERIES
        for secret in ("张小明", "13800000009", "8613800000001", "踹", "营养餐", "made-up"):
            assert secret not in text


async def test_without_a_database_it_says_so_and_still_counts_the_texts_on_disk(
    gateway_app: FastAPI, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ground.dispose()
    monkeypatch.setenv("HOTLINE_DATABASE_URL", "postgresql://nobody:x@127.0.0.1:9/none")
    get_settings.cache_clear()
    await spool.keep(Inbound(Channel.SMS, "+8613800000003", KICKING, "simulator", "in-red", clock.now()))
    async with client_of(gateway_app) as prometheus:
        found = await scrape(gateway_app, prometheus)
    assert value(found, "hotline_database_up") == 0
    assert value(found, "hotline_spooled_texts", lane="red") == 1
    assert "hotline_queue_age_seconds" not in found


@pytest.mark.parametrize(
    ("address", "host", "headers"),
    [
        ("203.0.113.9", "http://127.0.0.1:8000", {}),
        ("127.0.0.1", "https://hotline.example", {}),
        ("127.0.0.1", "http://127.0.0.1:8000", {"X-Forwarded-For": "203.0.113.9"}),
        ("127.0.0.1", "http://127.0.0.1:8000", {"Forwarded": "for=203.0.113.9"}),
        ("127.0.0.1", "http://127.0.0.1:8000", {"Via": "1.1 proxy"}),
    ],
)
async def test_from_outside_there_is_no_such_page(
    gateway_app: FastAPI, console_app: FastAPI, address: str, host: str, headers: dict[str, str]
) -> None:
    for app in (gateway_app, console_app):
        async with client_of(app, host=host, address=address) as outside:
            answer = await outside.get("/metrics", headers=headers)
        assert answer.status_code == 404 and "hotline_" not in answer.text


async def test_with_a_token_only_the_token_counts(
    gateway_app: FastAPI, console_app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTLINE_METRICS_TOKEN", "a-token-of-the-tests")
    get_settings.cache_clear()
    for app in (gateway_app, console_app):
        async with client_of(app) as local, client_of(app, host="https://h.example", address="203.0.113.9") as far:
            assert (await local.get("/metrics")).status_code == 404
            for given in ("Bearer wrong", "a-token-of-the-tests", "Bearer 鬼"):
                assert (await far.get("/metrics", headers={"Authorization": given.encode()})).status_code == 404
            answer = await far.get("/metrics", headers={"Authorization": "Bearer a-token-of-the-tests"})
            assert answer.status_code == 200 and "hotline_database_up 1.0" in answer.text


async def test_a_units_push_lag_bears_its_code_only(gateway_app: FastAPI, clock: HeldClock) -> None:
    from sms_gateway.events import fanning, service, subscriptions

    async with transaction() as session:
        await subscriptions.add(session, unit="edu@530627", name="镇雄教体局系统", url="https://edu.example/hook")
    async with transaction() as session:
        await service.publish(
            session,
            type="cn.yunnan.12345.ticket.dispatched",
            subject="20260001",
            at=clock.now(),
            facts=facts(),
            data=data("20260001"),
        )
    async with transaction() as session:
        await fanning.fan_out(session)
    clock.advance(timedelta(minutes=7))
    async with client_of(gateway_app) as prometheus:
        found = await scrape(gateway_app, prometheus)
    assert value(found, "hotline_push_lag_seconds", unit="edu@530627") == pytest.approx(420)
    assert value(found, "hotline_push_waiting_events", unit="edu@530627") == 1


def test_doors_are_bounded_and_what_does_not_exist_is_no_door(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "_doors", set())
    assert counting.door_of("/", 200) == "home"
    assert counting.door_of("/twilio/sms", 200) == "twilio"
    assert counting.door_of("/13800000009", 200) == counting.door_of("/somebody", 404) == "other"
    made = {counting.door_of("/" + "ab"[n % 2] * (n // 2 % 20 + 1) + "cdefg"[n % 5], 200) for n in range(500)}
    assert len(made) <= counting.MOST_DOORS + 1


async def test_every_queue_has_its_figure_before_its_first_job(gateway_app: FastAPI) -> None:
    async with client_of(gateway_app) as prometheus:
        found = await scrape(gateway_app, prometheus)
    for queue in jobs.QUEUES:
        assert value(found, "hotline_queue_age_seconds", queue=queue) == 0
