"""How the machine does, as the page shows it. No I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from markupsafe import Markup, escape

from sms_gateway import clock
from sms_gateway.beats import ALIVE_WITHIN, WorkerBeat
from sms_gateway.jobs import QUEUES
from sms_gateway.last_done import What
from sms_gateway.links import CarrierLink
from sms_gateway.seeing.durations import Kind
from sms_gateway.seeing.machine import Machine
from sms_gateway.seeing.reading import Look
from sms_gateway.seeing.runbook import Section
from sms_gateway.seeing.verdicts import QUEUE_NAMES, QUEUE_SECONDS, Trouble

WORK = {**{name: f"{says} {name}" for name, says in QUEUE_NAMES.items()}, "outreach": "群发 outreach", "gateway": "网关", "console": "值班台", "cmpp": "国内通道", "cmpp2": "第二条国内通道"}  # fmt: skip
KINDS = {Kind.TURN: "普通来信到回复", Kind.DANGER_REPLY: "红色到安全回复", Kind.DANGER_HUMAN: "红色到有人接"}
STATES = {
    "delivered": "送到", "sent": "已交通道", "queued": "排队", "sending": "正在发", "unknown": "不明", "undelivered": "没送到",
    "blocked": "被拦", "failed": "拒收", "cancelled": "撤回",
}  # fmt: skip
LOST = frozenset({"unknown", "undelivered", "blocked", "failed"})
CARRIERS = {"simulator": "模拟", "twilio": "Twilio", "web": "网页", "cmpp": "国内通道", "cmpp2": "第二条国内通道"}
PARTS = {
    "database": "数据库",
    "rasa": "小助手",
    "actions": "动作服务",
    "danger_worker": "危险识别进程",
    "workers": "其他进程",
}
BUCKET = timedelta(minutes=5)
"""Points of the charts: the worst of so many minutes."""


def span(seconds: float | None) -> str:
    """0.3 秒, 40 秒, 3 分, 5 小时, 2 天; a dash for nothing."""
    if seconds is None:
        return "—"
    for size, name in ((86_400, "天"), (3_600, "小时"), (60, "分")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.1f} 秒" if seconds < 10 else f"{seconds:.0f} 秒"


def size(number: float) -> str:
    """640 MB, 12.5 GB."""
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{number / 1e6:.0f} MB"


@dataclass(frozen=True)
class Advice:
    """What is wrong, and what the runbook says to do now."""

    trouble: Trouble
    title: str
    steps: Sequence[Markup]


def with_steps(troubles: Iterable[Trouble], book: Mapping[str, Section]) -> list[Advice]:
    """Each trouble with its section; what is between backticks is code."""
    found = []
    for trouble in troubles:
        section = book.get(trouble.section)
        steps = [_with_code(step) for step in section.steps] if section else []
        found.append(Advice(trouble, section.title if section else "", steps))
    return found


def _with_code(step: str) -> Markup:
    pieces = re.split("`([^`]+)`", step)
    made = (
        Markup("<code>{}</code>").format(piece) if place % 2 else escape(piece) for place, piece in enumerate(pieces)
    )
    return Markup("").join(made)


@dataclass(frozen=True)
class Tile:
    name: str
    value: str
    amiss: str = ""
    """`lane-red` or `lane-orange` where it is."""


@dataclass(frozen=True)
class Page:
    """The figures as they are now."""

    look: Look
    here: Machine
    parts: Mapping[str, str]

    @property
    def tiles(self) -> list[Tile]:
        look, took = self.look, self.look.took
        lost = sum(count for (_carrier, state), count in look.sends.items() if state in LOST)
        oldest = max((queue.age for name, queue in look.queues.items() if name != "bulk"), default=0.0)
        lag = max((push.lag for push in look.pushes.values()), default=0.0)
        disk = self.here.disk_used_percent
        return [
            Tile("红色在响", str(look.ringing), "lane-red" if look.ringing else ""),
            Tile("在岗", f"{look.on_duty} 人", "" if look.on_duty else "lane-red"),
            Tile("红色到安全回复", span(took[Kind.DANGER_REPLY].half)),
            Tile("普通来信到回复", span(took[Kind.TURN].half)),
            Tile("队列最久等了", span(oldest), "lane-orange" if oldest > QUEUE_SECONDS["turns"] else ""),
            Tile("没送到、不明", f"{lost} 条", "lane-orange" if lost else ""),
            Tile("推送最久等了", span(lag), "lane-orange" if lag > 600 else ""),
            Tile("磁盘用了", f"{disk}%", "lane-red" if disk >= 95 else "lane-orange" if disk >= 85 else ""),
        ]  # fmt: skip

    @property
    def queues(self) -> list[tuple[str, str, str, int, int, int, bool, bool]]:
        """Key, name, oldest, waiting, in hand, failed, whether it is stuck, whether anybody works on it."""
        fresh = self.look.at - ALIVE_WITHIN
        alive = {one.queue for one in self.look.processes if one.at >= fresh}
        return [
            (name, QUEUE_NAMES[name], span(one.age), one.waiting, one.doing, one.failed, one.age > QUEUE_SECONDS[name], name in alive)
            for name, one in ((name, self.look.queues[name]) for name in QUEUES)
        ]  # fmt: skip

    @property
    def waits(self) -> list[tuple[str, int, str, str]]:
        """Name, how many in a quarter of an hour, half within, 95 of 100 within."""
        return [(name, self.look.took[kind].count, span(self.look.took[kind].half), span(self.look.took[kind].most)) for kind, name in KINDS.items()]  # fmt: skip

    @property
    def states(self) -> list[str]:
        """Those that occur, in the order of a text's life."""
        there = {state for _carrier, state in self.look.sends}
        return [state for state in STATES if state in there]

    @property
    def sends(self) -> list[tuple[str, list[tuple[str, int, bool]]]]:
        """For each carrier: (state, count, whether that is bad)."""
        carriers = sorted({carrier for carrier, _state in self.look.sends})
        return [
            (carrier, [(STATES[state], self.look.sends.get((carrier, state), 0), state in LOST) for state in self.states])
            for carrier in carriers
        ]  # fmt: skip

    @property
    def lines(self) -> list[tuple[str, CarrierLink, str, bool]]:
        """(name, how it stands, segments a second, whether something is amiss) of each line to a mainland carrier."""
        fresh = self.look.at - ALIVE_WITHIN
        return [
            (CARRIERS.get(one.carrier, one.carrier), one, "—" if one.rate is None else f"{one.rate:.0f}", one.at < fresh or one.up < one.wanted)
            for one in self.look.lines
        ]  # fmt: skip

    @property
    def processes(self) -> list[tuple[WorkerBeat, str, bool]]:
        """(beat, what it does, whether it lives)."""
        order = list(WORK)
        rows = sorted(
            self.look.processes, key=lambda one: (order.index(one.queue) if one.queue in order else 99, one.worker)
        )
        return [(one, WORK.get(one.queue, one.queue), one.at >= self.look.at - ALIVE_WITHIN) for one in rows]

    @property
    def upkeep(self) -> list[tuple[str, str]]:
        done, here = self.look.last_done, self.here
        waiting = f"{here.spooled} 条" + (f"，最早的等了 {span(here.spool_age)}" if here.spooled else "")
        return [
            ("磁盘还有", f"{size(here.disk_free)} / {size(here.disk_total)}"),
            ("来信暂存在磁盘", waiting),
            ("数据库", size(self.look.database_bytes)),
            ("上次备份", _when(done.get(What.BACKUP))),
            ("上次到期清理", _when(done.get(What.PURGE))),
            ("群发速度", f"{self.look.broadcast_rate:.1f} 条/秒"),
            ("没按时办的定时", str(self.look.timers_overdue)),
        ]  # fmt: skip


def _when(at: datetime | None) -> str:
    return f"{clock.shanghai(at):%m-%d %H:%M}" if at else "还没有过"


@dataclass(frozen=True)
class History:
    """A day of samples: charts of five-minute points, and a line an hour for whoever reads tables."""

    charts: str
    """JSON for the script."""
    hours: Sequence[tuple[str, str, str, str, int, str]]
    """Hour, oldest job, turn, red to a person (the worst of the hour), texts out in a quarter, push lag."""

    @classmethod
    def of(cls, samples: Sequence[tuple[datetime, Mapping[str, Any]]]) -> History:
        return cls(_charts(_buckets(samples, BUCKET)), _hours(_buckets(samples, timedelta(hours=1))))


def _buckets(
    samples: Sequence[tuple[datetime, Mapping[str, Any]]], width: timedelta
) -> list[tuple[datetime, list[Mapping[str, Any]]]]:
    """Every step from the first to the last, empty ones too: a gap in a chart is a time nobody sampled."""
    if not samples:
        return []
    seconds = int(width.total_seconds())
    found: dict[int, list[Mapping[str, Any]]] = {}
    for minute, figures in samples:
        found.setdefault(int(minute.timestamp()) // seconds, []).append(figures)
    return [
        (datetime.fromtimestamp(step * seconds, clock.SHANGHAI), found.get(step, []))
        for step in range(min(found), max(found) + 1)
    ]


def _worst(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _took(figures: Sequence[Mapping[str, Any]], kind: Kind) -> float | None:
    return _worst(each["took"].get(kind.value, (None, None))[1] for each in figures)


def _charts(buckets: Sequence[tuple[datetime, list[Mapping[str, Any]]]]) -> str:
    def line(name: str, value: Any) -> dict[str, Any]:
        return {"name": name, "data": [value(figures) if figures else None for _at, figures in buckets]}

    states = ("delivered", "sent", *sorted(LOST, key=list(STATES).index))
    made = [
        ("ages", "秒", [line(QUEUE_NAMES[name], lambda rows, name=name: _worst(row["age"].get(name) for row in rows)) for name in QUEUES]),
        ("waits", "秒", [line(name, lambda rows, kind=kind: _took(rows, kind)) for kind, name in KINDS.items()]),
        ("sends", "条", [line(STATES[state], lambda rows, state=state: _worst(row["sends"].get(state, 0) for row in rows)) for state in states]),
        ("people", "", [line("红色在响", lambda rows: _worst(row["ringing"] for row in rows)), line("在岗", lambda rows: min(row["on_duty"] for row in rows)),
                        line("推送最久等了（分）", lambda rows: round((_worst(row["push_lag"] for row in rows) or 0) / 60, 1))]),
    ]  # fmt: skip
    labels = [f"{at:%H:%M}" for at, _figures in buckets]
    return json.dumps(
        [{"id": name, "unit": unit, "labels": labels, "series": series} for name, unit, series in made],
        ensure_ascii=False, separators=(",", ":"),
    )  # fmt: skip


def _hours(buckets: Sequence[tuple[datetime, list[Mapping[str, Any]]]]) -> list[tuple[str, str, str, str, int, str]]:
    return [
        (
            f"{at:%H:00}", span(_worst(age for row in rows for name, age in row["age"].items() if name != "bulk")),
            span(_took(rows, Kind.TURN)), span(_took(rows, Kind.DANGER_HUMAN)),
            max((sum(row["sends"].values()) for row in rows), default=0), span(_worst(row["push_lag"] for row in rows)),
        )
        for at, rows in reversed(buckets)
    ]  # fmt: skip
