"""`python -m benchmarks.trust_locust PLAN.json FIGURES.json`: one step of load by locust, in a process of its own.

gevent patches the whole process it is imported in, so nothing else of ours runs here: only signing a text is borrowed. The plan
is `{"port", "kind": "texts"|"chats", "users", "seconds", "danger_every"}`; a user of `texts` sends one text a second, each from a
number of its own; a user of `chats` keeps a page open (its stream of events) and writes every `EVERY` seconds.
"""

from __future__ import annotations

import locust  # isort: skip  # first: it patches

import http.client
import json
import os
import random
import sys
import time
from itertools import count, cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import gevent
from locust.env import Environment

from sms_gateway import clock
from sms_gateway.carriers import simulator
from sms_gateway.settings import get_settings

TEXTS_IN = "/carriers/simulator/sms"
FORM = "application/x-www-form-urlencoded"
EVERY = 20.0
"""Seconds between two texts of somebody who writes on the page: reads, thinks, types."""
ORDINARY = (
    "孤儿每个月能领多少钱", "事实无人抚养儿童怎么申请补贴", "办事要带哪些证件", "我家娃娃上学的事找哪个部门", "留守儿童有什么补助没有", "今天还上班吗",
)  # fmt: skip
DANGER = ("有个叔叔一直在踹我家门 就我和弟弟在", "我爸喝醉了拿刀追着我妈跑 快来人")

_plan: dict[str, Any] = {}
_texts = count(1)
_ordinary, _danger = cycle(ORDINARY), cycle(DANGER)


class Paced(locust.FastHttpUser):
    """Acts each `every` seconds from a moment of its own on: locust's pacings count from the spawning, so all would act at once."""

    abstract = True
    every = 1.0

    def on_start(self) -> None:
        self._due = time.perf_counter() + random.uniform(0, self.every)
        gevent.sleep(self.wait_time())

    def wait_time(self) -> float:
        wait = self._due - time.perf_counter()
        self._due += self.every
        return max(0.0, wait)


class Texter(Paced):
    """The carrier, bringing texts of one person each."""

    abstract = True

    @locust.task
    def bring(self) -> None:
        number = next(_texts)
        every = _plan["danger_every"]
        body = next(_danger) if every and number % every == 0 else next(_ordinary)
        form = {"id": f"{_plan['mark']}{number:07d}", "from": f"+86138{_plan['first'] + number:08d}", "body": body}
        raw = urlencode(form).encode()
        key = simulator.secret(get_settings())
        signature = simulator.sign(key, path=TEXTS_IN, body=raw, at=clock.now())
        headers = {"Content-Type": FORM, simulator.SIGNATURE_HEADER: signature}
        self.client.post(TEXTS_IN, data=raw.decode(), headers=headers, name="text")


class Visitor(Paced):
    """Somebody with the chat page open."""

    abstract = True
    every = EVERY

    def on_start(self) -> None:
        self._asked_at: float | None = None
        self._listening: Any = None
        self._cookie = ""
        super().on_start()

    def on_stop(self) -> None:
        if self._listening is not None:
            self._listening.kill(block=False)

    @locust.task
    def write(self) -> None:
        written = json.dumps({"id": f"load-{next(_texts):012d}", "body": next(_ordinary)}).encode()
        self._asked_at = time.perf_counter()
        headers = {"Content-Type": "application/json", **({"Cookie": self._cookie} if self._cookie else {})}
        answer = self.client.post("/chat/texts", data=written.decode(), headers=headers, name="write")
        if not self._cookie and answer.status_code == 202:
            given: Any = answer.headers
            self._cookie = str(given["set-cookie"]).partition(";")[0]
            self._listening = gevent.spawn(self._listen)

    def _listen(self) -> None:
        """By the standard library: locust's own client waits for a full block before it gives a line."""
        while True:
            try:
                page = http.client.HTTPConnection("127.0.0.1", _plan["port"], timeout=60)
                page.request("GET", "/chat/stream", headers={"Cookie": self._cookie})
                stream = page.getresponse()
                while line := stream.readline():
                    self._hear(line.decode().strip())
            except OSError:
                gevent.sleep(1)

    def _hear(self, line: str) -> None:
        if not line.startswith("data: {") or self._asked_at is None:
            return
        if json.loads(line.removeprefix("data: ")).get("who") == "machine":
            took, self._asked_at = (time.perf_counter() - self._asked_at) * 1000, None
            self.environment.events.request.fire(
                request_type="CHAT", name="answer", response_time=took, response_length=0, exception=None, context={}
            )


def run(plan: dict[str, Any]) -> dict[str, float]:
    """Do the step; milliseconds and counts."""
    _plan.update(plan)
    chats = plan["kind"] == "chats"
    kind = type(
        "Chosen", (Visitor if chats else Texter,), {"host": f"http://127.0.0.1:{plan['port']}", "abstract": False}
    )
    environment = Environment(user_classes=[kind])
    runner = environment.create_local_runner()
    cpu, began = time.process_time(), time.perf_counter()
    runner.start(plan["users"], spawn_rate=max(1, plan["users"]))
    gevent.sleep(plan["seconds"])
    runner.quit()
    found = environment.stats.get("answer", "CHAT") if chats else environment.stats.get("text", "POST")
    posted = environment.stats.get("write" if chats else "text", "POST")
    return {
        "requests": posted.num_requests,
        "failed": posted.num_failures,
        "answers": found.num_requests,
        "p50": float(found.get_response_time_percentile(0.5) or 0.0),
        "p95": float(found.get_response_time_percentile(0.95) or 0.0),
        "door_p95": float(posted.get_response_time_percentile(0.95) or 0.0),
        "own_cpu": (time.process_time() - cpu) / (time.perf_counter() - began),
    }


def main() -> None:
    """The command line."""
    plan, figures = map(Path, sys.argv[1:3])
    figures.write_text(json.dumps(run(json.loads(plan.read_text()))))
    os._exit(0)  # open streams are nobody's any more


if __name__ == "__main__":
    main()
