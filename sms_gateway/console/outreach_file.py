"""A broadcast's report as an XLSX file: sums, counties, minutes, replies, acts. No number, no name of a recipient is in it.

Every cell goes through `tickets.export.safe`, so that nothing anybody typed is ever calculated.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import datetime

import xlsxwriter

from sms_gateway import clock
from sms_gateway.tickets.export import Cell, safe

from . import outreach_words as says
from . import words
from .outreach_report_view import DELAY_NAMES, SENT, Report
from .outreach_room import Happened

OPTIONS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
Table = Iterable[Sequence[Cell]]


def written(report: Report, events: Sequence[Happened]) -> bytes:
    """The file."""
    held = io.BytesIO()
    book = xlsxwriter.Workbook(held, OPTIONS)
    for name, rows in sheets(report, events):
        sheet = book.add_worksheet(name)
        for number, row in enumerate(rows):
            for column, value in enumerate(row):
                made = safe(value)
                write = sheet.write_number if isinstance(made, int) else sheet.write_string
                write(number, column, made)
        sheet.set_column(0, 0, 24)
    book.close()
    return held.getvalue()


def sheets(report: Report, events: Sequence[Happened]) -> list[tuple[str, Table]]:
    """(name, rows) of each sheet. Pure."""
    return [
        ("总数", _sums(report)), ("各县", _places(report)), ("每分钟", _minutes(report)), ("回信", _replies(report)),
        ("经过", [["时间", "谁", "做了什么", "说明"], *([_time(one.at), one.name, says.EVENTS.get(one.what, one.what), one.says] for one in events)]),
    ]  # fmt: skip


def _sums(report: Report) -> Table:
    one, states = report.progress.broadcast, report.progress.states
    rows: list[Sequence[Cell]] = [
        ("名称", one.title), ("正文", one.body), ("状态", says.STATUSES.get(one.status, one.status)), ("开始", _time(one.started_at)), ("结束", _time(one.ended_at)),
        ("号码一共", report.progress.total),
    ]  # fmt: skip
    rows += [(name, states.get(key, 0)) for key, name in says.STATES.items()]
    rows += [(f"没发：{says.WHY.get(why, why)}", count) for why, count in sorted(report.progress.reasons.items())]
    rows += [("每条段数（最长的）", report.segments), ("花费（元）", says.yuan(report.fen))]
    rows += [
        (f"送达用时 {name}（抽样）", count) for name, count in zip(DELAY_NAMES, report.delays.classes, strict=True)
    ]
    return rows


def _places(report: Report) -> Table:
    yield ["行政区划", "地方", "号码", *(says.STATES[state] for state in (*SENT, "created", "cancelled")), "回信的人"]
    for row in report.places:
        yield [
            row.code,
            row.name,
            row.total,
            *(row.counts.get(state, 0) for state in (*SENT, "created", "cancelled")),
            row.people,
        ]


def _minutes(report: Report) -> Table:
    kinds = sorted({row.what for row in report.minutes})
    yield ["时间", *(says.MINUTES.get(kind) or says.REPLY_MINUTES.get(kind, kind) for kind in kinds)]
    counts: dict[str, dict[str, int]] = {}
    for row in report.minutes:
        counts.setdefault(_time(row.minute), {})[row.what] = row.count
    for at, found in counts.items():
        yield [at, *(found.get(kind, 0) for kind in kinds)]


def _replies(report: Report) -> Table:
    found = report.responses
    yield ["回信", found.replies]
    yield ["回信的人", found.people]
    yield ["退订的人", found.opted_out]
    yield ["有值班员谈过的", found.reached_person]
    for lane, name in words.LANES.items():
        yield [f"颜色：{name}", found.by_lane.get(lane, 0)]
    for kind, name in says.REPLY_KINDS.items():
        yield [f"内容：{name}", found.by_kind.get(kind, 0)]
    for hour in range(24):
        yield [f"{hour} 点", found.by_hour.get(hour, 0)]


def _time(at: datetime | None) -> str:
    return f"{clock.shanghai(at):%Y-%m-%d %H:%M}" if at is not None else ""
