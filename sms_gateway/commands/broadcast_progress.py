"""How a broadcast looks on a terminal: a live bar, the counts, what holds it."""

from __future__ import annotations

from datetime import datetime

from rich.console import Console, Group
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn
from rich.table import Table

from sms_gateway import clock, regions
from sms_gateway.broadcasts.overview import Progress as Seen
from sms_gateway.console import outreach_words as w


def bar() -> tuple[Progress, int]:
    """A bar for a live screen, and its only task."""
    made = Progress(
        TextColumn("{task.description}"), BarColumn(bar_width=None), TaskProgressColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[pace]}"), expand=True,
    )  # fmt: skip
    return made, made.add_task("", total=None, pace="")


def show(made: Progress, task: int, seen: Seen) -> Group:
    """The bar brought up to date, with the counts and a line of words below it."""
    one = seen.broadcast
    made.update(task, description=f"群发 {one.id}", total=seen.total or None, completed=seen.done, pace=pace(seen))  # type: ignore[arg-type]  # rich's TaskID is an int
    return Group(made, counts(seen), words(seen))


def pace(seen: Seen) -> str:
    """Rate and end, as far as there is one."""
    if seen.broadcast.status != "running":
        return ""
    ends = f"，预计 {said(seen.finishes_at)} 发完" if seen.finishes_at else ""
    return f"每秒 {seen.broadcast.measured:.0f} 条{ends}"


def said(at: datetime | None) -> str:
    """12-01 14:05."""
    return "" if at is None else f"{clock.shanghai(at):%m-%d %H:%M}"


def words(seen: Seen) -> str:
    """What state it is in and what to do about it."""
    one = seen.broadcast
    line = w.STATUSES[one.status]
    if one.status == "paused":
        line += f"：{w.PAUSES.get(one.pause_reason or '', '')}"
    elif one.status == "running" and one.held_by:
        line += f"：{w.HELD[one.held_by]}"
    if seen.to_look_up:
        line += f"；{seen.to_look_up} 条在向运营商核对"
    return line


def counts(seen: Seen) -> Table:
    """Every state with its number; they add up."""
    table = Table(box=None, show_header=False, padding=(0, 2))
    for state, name in w.STATES.items():
        if n := seen.states.get(state):
            table.add_row(name, f"{n:,}")
    for why, n in seen.reasons.items():
        table.add_row(f"  其中{w.WHY[why]}", f"{n:,}")
    table.add_row("合计", f"{seen.total:,}")
    if seen.replies:
        lanes = {"red": "红", "orange": "橙", "blue": "蓝"}
        table.add_row(
            "回信", "，".join(f"{name} {seen.replies[lane]}" for lane, name in lanes.items() if lane in seen.replies)
        )
    return table


def by_region(seen: Seen) -> Table:
    """States by county, the largest first."""
    table = Table("地区", "还没轮到", "已交/送到", "没发成", "没有发", title="各地")
    rows = sorted(seen.regions.items(), key=lambda one: -sum(one[1].values()))
    for region, states in rows:
        left = sum(n for state, n in states.items() if state.partition(":")[0] in ("suppressed", "cancelled"))
        waits = states.get("created", 0) + states.get("claimed", 0)
        went = states.get("sent", 0) + states.get("delivered", 0) + states.get("unknown", 0)
        table.add_row(
            regions.full_name(region) if region else "地区不详",
            f"{waits:,}",
            f"{went:,}",
            f"{states.get('failed', 0):,}",
            f"{left:,}",
        )
    return table


def print_status(console: Console, seen: Seen) -> None:
    """All of it once."""
    made, task = bar()
    console.print(f"群发 {seen.broadcast.id}：{seen.broadcast.title}")
    console.print(show(made, task, seen))
    console.print(by_region(seen))
