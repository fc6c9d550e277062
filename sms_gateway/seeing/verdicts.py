"""What is wrong right now, in words for the person on duty, each with its section of the runbook. Pure.

The same limits stand in `deploy/alerts.yml`, which watches while nobody looks; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from sms_gateway.beats import ALIVE_WITHIN
from sms_gateway.departments import units
from sms_gateway.last_done import What

from .durations import Kind
from .machine import Machine
from .reading import Look

QUEUE_SECONDS = {"danger": 5.0, "turns": 30.0, "replies": 30.0, "bulk": 600.0}
"""A safe reply is due within 0.3 s and a turn within 7; bulk may wait its turn."""
RINGING_SECONDS = 120.0
"""The ladder calls the shift lead's phone at 120 s: nobody was there until then."""
SAFE_REPLY_SECONDS = 5.0
TIMER_SECONDS = 10.0
PUSH_SECONDS = 600.0
SPOOL_SECONDS = 60.0
DISK_PERCENT, DISK_GRAVE_PERCENT = 85, 95
LOST_SHARE, LOST_LEAST = 0.2, 10
"""Of the texts of a quarter of an hour, and of no fewer."""
UNKNOWN_LEAST = 5
DAILY = timedelta(hours=26)
"""What is done once a day, and two hours' grace."""
QUEUE_NAMES = {"danger": "危险识别", "turns": "对话", "replies": "发出", "bulk": "后台"}
LOST = ("undelivered", "blocked", "failed")


@dataclass(frozen=True)
class Trouble:
    """`section` is the id of the runbook's section; `grave`: somebody in danger may wait for it."""

    section: str
    says: str
    grave: bool = False


def judge(look: Look, here: Machine, parts: Mapping[str, str]) -> list[Trouble]:
    """Everything that is wrong, the grave first. `parts`: `ok` or `down` by name (`health`)."""
    found = [
        *_people(look),
        *_queues(look),
        *_parts(parts),
        *_texts(look),
        *_lines(look),
        *_pushes(look),
        *_machine(here),
        *_daily(look),
    ]
    return sorted(found, key=lambda one: not one.grave)


def _people(look: Look) -> Iterator[Trouble]:
    if look.ringing and look.ringing_age > RINGING_SECONDS:
        yield Trouble("nobody-on-duty", f"红色响了 {_span(look.ringing_age)}没人接（{look.ringing} 个）", grave=True)
    if not look.on_duty:
        yield Trouble("nobody-on-duty", "没有人在岗：红色来了只能打值班手机", grave=True)


def _queues(look: Look) -> Iterator[Trouble]:
    for name, limit in QUEUE_SECONDS.items():
        queue = look.queues[name]
        if queue.age > limit:
            says = f"{QUEUE_NAMES[name]}队列堵了：{queue.waiting} 件在等，最早的等了 {_span(queue.age)}"
            yield Trouble("queue-stuck", says, grave=name == "danger")
        if not any(one.queue == name and one.at >= look.at - ALIVE_WITHIN for one in look.processes):
            yield Trouble("queue-stuck", f"{QUEUE_NAMES[name]}没有进程在干活", grave=name in ("danger", "replies"))
    if look.timers_age > TIMER_SECONDS:
        yield Trouble(
            "queue-stuck", f"有 {look.timers_overdue} 个到点的事没人办，最早的晚了 {_span(look.timers_age)}", grave=True
        )
    slow = look.took[Kind.DANGER_REPLY].most
    if slow is not None and slow > SAFE_REPLY_SECONDS:
        yield Trouble("queue-stuck", f"红色来信等安全回复等了 {_span(slow)}", grave=True)


def _parts(parts: Mapping[str, str]) -> Iterator[Trouble]:
    if parts.get("rasa") == "down" or parts.get("actions") == "down":
        yield Trouble("assistant-down", "小助手没有回应：来信都转给人")


def _texts(look: Look) -> Iterator[Trouble]:
    for carrier in sorted({carrier for carrier, _state in look.sends}):
        states = {state: count for (name, state), count in look.sends.items() if name == carrier}
        total, lost = sum(states.values()), sum(states.get(state, 0) for state in LOST)
        if total >= LOST_LEAST and lost / total > LOST_SHARE:
            yield Trouble("carrier-rejects", f"{carrier} 通道 15 分钟里 {total} 条有 {lost} 条没送到", grave=True)
        if states.get("unknown", 0) >= UNKNOWN_LEAST:
            yield Trouble("carrier-down", f"{carrier} 通道没有回音：{states['unknown']} 条不知道发没发出去", grave=True)


def _lines(look: Look) -> Iterator[Trouble]:
    for name in sorted({one.carrier for one in look.lines}):
        alive = [one for one in look.lines if one.carrier == name and one.at >= look.at - ALIVE_WITHIN]
        up, wanted = sum(one.up for one in alive), sum(one.wanted for one in alive)
        why = next((one.trouble for one in alive if one.trouble), None)
        if not alive:
            yield Trouble("carrier-line", f"国内通道（{name}）的进程停了：这条线路收发都断了", grave=True)
        elif not up:
            yield Trouble("carrier-line", f"国内通道（{name}）一条连接都没有：{why or '正在连'}", grave=True)
        elif up < wanted:
            yield Trouble("carrier-line", f"国内通道（{name}）{wanted} 条连接只通了 {up} 条：{why or '正在连'}")


def _pushes(look: Look) -> Iterator[Trouble]:
    for unit, push in look.pushes.items():
        name = units.get_unit(unit).short_name
        if push.lag > PUSH_SECONDS:
            yield Trouble("push-dead", f"{name}的系统 {_span(push.lag)}没收推送，{push.waiting} 件在等")
        elif push.dead:
            yield Trouble("push-dead", f"{name}有 {push.dead} 件推送停发了")


def _machine(here: Machine) -> Iterator[Trouble]:
    if here.disk_used_percent >= DISK_PERCENT:
        grave = here.disk_used_percent >= DISK_GRAVE_PERCENT
        yield Trouble("disk-full", f"磁盘用了 {here.disk_used_percent}%", grave=grave)
    if here.spooled and here.spool_age > SPOOL_SECONDS:
        yield Trouble(
            "database-down",
            f"{here.spooled} 条来信还在磁盘上没入库（红色 {here.spooled_red} 条）",
            grave=here.spooled_red > 0,
        )


def _daily(look: Look) -> Iterator[Trouble]:
    backup, purge = look.last_done.get(What.BACKUP), look.last_done.get(What.PURGE)
    if backup is None or look.at - backup > DAILY:
        yield Trouble(
            "upkeep-late",
            "还没有备份过" if backup is None else f"上次备份是 {_span((look.at - backup).total_seconds())}前",
        )
    if purge is not None and look.at - purge > DAILY:
        yield Trouble("upkeep-late", f"上次到期清理是 {_span((look.at - purge).total_seconds())}前")


def _span(seconds: float) -> str:
    """40 秒, 3 分钟, 5 小时, 2 天; a blank after it."""
    for size, name in ((86_400, "天"), (3_600, "小时"), (60, "分钟")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.1f} 秒" if seconds < 10 else f"{seconds:.0f} 秒"
