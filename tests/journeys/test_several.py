"""Two of everything on one database: two gateways, two workers a queue, two Rasas with their action servers.

Nothing is sticky: a person's texts may come by either gateway, and be understood by either Rasa. And what one text leads to is
found in every process's log under one id.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from sms_gateway.commands.trace import find
from sms_gateway.contacts.models import Channel
from sms_gateway.database import transaction
from sms_gateway.messages.models import Direction, Message, Thread
from sms_gateway.settings import ROOT
from sms_gateway.supervision.bot_model import trained_model
from sms_gateway.supervision.children import Inner, bare_environment, children, inner_environment
from sms_gateway.supervision.places import DataDir, free_ports
from sms_gateway.supervision.ready import answers
from sms_gateway.supervision.scratch import ScratchHotline, ScratchPostgres, scratch_hotline
from sms_gateway.supervision.supervisor import Supervisor
from sms_gateway.wording import say
from tests.journeys.line import Line, Phone, Switch
from tests.journeys.test_leaks import find_leaks

pytestmark = [pytest.mark.usefixtures("database"), pytest.mark.timeout(480)]  # the first waits until everything runs

NAME = "龙小满"
KICKING = f"有个叔叔一直在踹我家门 就我和弟弟{NAME}在"
ASKING = f"孤儿每个月能领多少钱 我叫{NAME}"
ONES = ("danger", "turns", "replies", "bulk", "gateway")


class Balancer(Switch):
    """Before two Rasas: each turn goes to the other one; one that does not answer is passed over, as a balancer does."""

    def __init__(self, *urls: str) -> None:
        super().__init__(urls[0])
        self._rasas = {url: httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) for url in urls}
        self.served: Counter[str] = Counter()
        self._turn = 0

    async def _answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        urls = list(self._rasas)
        self._turn += path.startswith("/webhooks/")
        for url in (urls[self._turn % len(urls)], urls[(self._turn + 1) % len(urls)]):
            self._rasa = self._rasas[url]
            status, answer = await super()._answer(method, path, headers, body)
            if status != 502:
                self.served[url] += path.startswith("/webhooks/")
                return status, answer
        return status, answer


@dataclass
class Several:
    """The running processes; `line` texts to the first gateway, whose make-believe carrier all workers send by."""

    line: Line
    second: httpx.AsyncClient
    balancer: Balancer
    rasas: tuple[ScratchHotline, ScratchHotline]

    async def texts(self, phone: Phone, words: str, *, by_second: bool) -> None:
        http = self.second if by_second else self.line.http
        answer = await http.post(f"/simulator/phones/{phone.tail}/texts", json={"body": words})
        assert answer.status_code == 202

    def logs(self) -> list[Path]:
        folders = [self.line.data_dir.logs, *(one.data_dir.logs for one in self.rasas)]
        return [path for folder in folders for path in sorted(folder.glob("*.log"))]


@pytest.fixture(scope="module")
async def several(assistant: ScratchHotline, postgres: ScratchPostgres) -> AsyncIterator[Several]:
    """Two of everything."""
    from sms_gateway.settings import get_settings

    given = dict(assistant.environment)
    model = await asyncio.to_thread(trained_model, DataDir.at(get_settings().data_dir))
    settings = {name: given[name] for name in ("HOTLINE_DATA_KEY", "HOTLINE_SESSION_KEY", "HOTLINE_BOT_SECRET")}
    url = given["HOTLINE_DATABASE_URL"]
    async with scratch_hotline(
        postgres.folder / "second-rasa", "rasa", "actions", database_url=url, model=model, settings=settings
    ) as second, Balancer(given["HOTLINE_RASA_URL"], second.environment["HOTLINE_RASA_URL"]) as balancer:  # fmt: skip
        data_dir = DataDir.at(postgres.folder / "several")
        port, port_2, console = free_ports(3)
        chosen = {**given, "HOTLINE_PORT": str(port), "HOTLINE_CONSOLE_PORT": str(console)}
        inner = Inner(rasa_port=1, actions_port=1, database_url=url, model=None)
        environment = inner_environment(data_dir, inner, {**bare_environment(), **chosen})
        environment |= {"HOTLINE_RASA_URL": balancer.url, "HOTLINE_ACTIONS_URL": given["HOTLINE_ACTIONS_URL"]}
        table = children(inner, environment)
        both = [table[name] for name in ONES]
        both += [replace(table[name], name=f"{name}_2") for name in ONES if name not in ("gateway", "bulk")]
        elsewhere = {**environment, "HOTLINE_PORT": str(port_2)}
        both.append(replace(table["gateway"], name="gateway_2", env=elsewhere, ready=answers(port_2, "/healthz")))
        supervisor = Supervisor(data_dir.logs, cwd=ROOT)
        try:
            for child in both:
                await supervisor.start(child, wait=False)
            for child in both:
                await supervisor.wait_ready(child.name, within=120)
            async with _client(port) as first_http, _client(port_2) as second_http:
                line = Line(environment, data_dir, supervisor, first_http)
                for http in (first_http, second_http):
                    await _ready(http)
                yield Several(line, second_http, balancer, (assistant, second))
                await line.aclose()
        finally:
            await supervisor.stop()


def _client(port: int) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False)


async def _ready(http: httpx.AsyncClient) -> None:
    async with asyncio.timeout(60):
        while (await http.get("/readyz")).status_code != 200:
            await asyncio.sleep(0.2)


async def _trace_of(number_tail: str) -> tuple[str, list[str | None]]:
    """The trace of the newest text from that phone, and those of its replies."""
    async with transaction() as session:
        rows = list(await session.scalars(select(Message).order_by(Message.id.desc()).limit(400)))
        newest = next(row for row in rows if row.direction == Direction.IN and row.carrier_id is not None)
        replies = [row.trace for row in rows if row.reply_to == newest.id]
    assert newest.trace is not None, number_tail
    return newest.trace, replies


async def test_one_id_stands_in_the_log_of_every_process_that_had_a_hand_in_it(several: Several) -> None:
    phone = await several.line.phone()
    for words, wanted in (
        (ASKING, {"text_received", "message_judged", "turn_step", "turn_answered", "action_ran", "text_sent", "receipt_received"}),
        (KICKING, {"text_received", "message_judged", "job_ended", "text_sent", "receipt_received"}),
    ):  # fmt: skip
        await several.texts(phone, words, by_second=False)
        await phone.next(within=15)
        trace, replies = await _trace_of(phone.tail)
        assert replies and set(replies) == {trace}
        hands = {"gateway", "worker-danger", "worker-turns", "worker-replies"}
        hands |= {"rasa", "actions"} if words == ASKING else set()
        for _ in range(100):
            events = _events(several, trace)
            missing = (wanted - events.keys()) | (hands - {process for where in events.values() for process in where})
            if not missing:
                break
            await asyncio.sleep(0.2)
        assert not missing, (words[:6], missing)
    number = f"1380000{phone.tail}"
    leaks = [
        (log.name, found)
        for log in several.logs()
        if (found := find_leaks(log.read_bytes(), (NAME, "踹我家门", "能领多少钱", number)))
    ]
    assert leaks == []


def _events(several: Several, trace: str) -> dict[str, set[str]]:
    lines = (
        (log.name.partition(".")[0], line) for log in several.logs() for line in log.read_text("utf-8").splitlines()
    )
    found: dict[str, set[str]] = {}
    for line in find(trace, lines):
        found.setdefault(line.event, set()).add(line.process)
    return found


async def test_texts_to_two_gateways_are_each_answered_once(several: Several) -> None:
    phones = [await several.line.phone() for _ in range(6)]
    before = Counter(several.balancer.served)
    await asyncio.gather(
        *(several.texts(phone, "孤儿每个月能领多少钱", by_second=n % 2 == 1) for n, phone in enumerate(phones))
    )
    for phone in phones:
        _at, said = await phone.next(within=30)
        assert "元" in said
    await asyncio.sleep(2)
    assert [len(phone.got) for phone in phones] == [1] * len(phones)
    assert len(several.balancer.served - before) == 2, "both Rasas took turns"


async def test_a_form_goes_on_over_the_other_gateway_and_the_other_rasa(several: Several) -> None:
    phone = await several.line.phone()
    talk = [
        ("我要投诉 学校天天占体育课", say("form.noted") + say("form.complaint.county")),
        ("镇雄的", say("form.complaint.still")),
        ("1", say("form.complaint.wish")),
        ("希望还给孩子体育课", say("form.complaint.secret")),
    ]
    for step, (words, wanted) in enumerate(talk):
        await several.texts(phone, words, by_second=step % 2 == 1)
        _at, said = await phone.next(within=20)
        assert said == wanted


async def test_a_visitor_hears_by_one_gateway_what_was_written_by_the_other(several: Several) -> None:
    written = await several.line.http.post("/chat/texts", json={"id": "a" * 16, "body": "孤儿每个月能领多少钱"})
    assert written.status_code == 202
    cookie = written.headers["set-cookie"].partition(";")[0]
    async with asyncio.timeout(30), several.second.stream("GET", "/chat/stream", headers={"Cookie": cookie}) as stream:
        async for row in stream.aiter_lines():
            if row.startswith("data: {") and json.loads(row.removeprefix("data: "))["who"] == "machine":
                assert "元" in row
                return
    pytest.fail("the stream ended")


async def test_a_talk_goes_on_when_its_gateway_and_its_rasa_are_gone(several: Several) -> None:
    phone = await several.line.phone()
    await several.texts(phone, "我要投诉 学校天天占体育课", by_second=True)
    assert (await phone.next(within=20))[1] == say("form.noted") + say("form.complaint.county")
    several.line.kill("gateway_2")
    second = several.rasas[1]
    import os
    import signal

    os.kill(second.pid("rasa"), signal.SIGKILL)
    for words, wanted in (("镇雄的", say("form.complaint.still")), ("1", say("form.complaint.wish"))):
        await several.texts(phone, words, by_second=False)
        assert (await phone.next(within=20))[1] == wanted
    async with transaction() as session:
        sms = select(func.count()).select_from(Message).join(Thread, Thread.id == Message.thread_id)
        unanswered = sms.where(
            Thread.channel == Channel.SMS, Message.direction == Direction.IN, Message.answered_by.is_(None)
        )
        assert await session.scalar(unanswered) == 0
