"""A filtered list as a file for people outside the system: CSV or XLSX, safe to open, without anybody's number or name.

Safe: no cell can be a formula (OWASP, "CSV Injection": = + - @ tab CR, also in full width and behind blanks). Personal data: there
is no column of the reporter at all; what was said comes only when asked for, reworded as the copy that is dispatched; sensitive
matters are rows without category, words, unit or county.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import xlsxwriter
from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, regions
from sms_gateway.departments import categories, rewording, units
from sms_gateway.errors import BadInput, HotlineError
from texts.normalise import clean

from . import filters, visible
from .filters import Filter
from .models import Ticket

MOST = 50_000
"""Rows of one file; more are cut, the newest stay, and the last row says so."""
BATCH = 1_000
LONGEST_CELL = 2_000
MOST_IN_A_SHEET = 1_000_000
"""Excel holds 1,048,576; what is more goes on in a further sheet."""
FORMULA_SIGNS = frozenset("=+-@\t\r\n＝＋－＠")
FEWEST_REASON = 5
LONGEST_REASON = 300
TITLES = (
    "单号", "类别", "颜色", "状态", "事项", "地点", "办理层级", "承办单位", "来信时间", "期限", "结束时间", "超期", "退单次数", "督办层级", "评价",
)  # fmt: skip
WORDS_TITLE = "内容（已遮住号码、姓名和来源）"
SENSITIVE = "（敏感，不导出）"
CUT = f"只导出最新的 {MOST} 行，更早的没有导出；请缩小范围再导。"

Cell = str | int | None


class ReasonIsMissing(BadInput):
    sentence = f"请写明导出的用途（{FEWEST_REASON} 到 {LONGEST_REASON} 个字），会记入审计。"


@dataclass(frozen=True)
class Names:
    """What people read for our words."""

    kinds: Mapping[str, str]
    lanes: Mapping[str, str]
    statuses: Mapping[str, str]
    levels: Mapping[str, str]


def checked_reason(written: str) -> str:
    """The reason as it goes into the audit. Raises `ReasonIsMissing` (422)."""
    reason = " ".join(clean(written).split())
    if not FEWEST_REASON <= len(reason) <= LONGEST_REASON:
        raise ReasonIsMissing
    return reason


async def batch(
    session: AsyncSession, wanted: Filter, *, within: ColumnElement[bool], before: int | None, limit: int = BATCH
) -> list[tuple[Ticket, bool]]:
    """The next tickets, newest first, below the id `before`, each with whether it is sensitive."""
    rows = select(Ticket, visible.is_sensitive()).where(within, filters.where(wanted)).order_by(Ticket.id.desc())
    if before is not None:
        rows = rows.where(Ticket.id < before)
    return [(ticket, sensitive) for ticket, sensitive in await session.execute(rows.limit(limit))]


def cells(ticket: Ticket, names: Names, *, sensitive: bool, with_words: bool, now: datetime) -> list[Cell]:
    """One row, as `TITLES` say, and the words where they are asked for."""
    standing = ticket.lane == "blue" and ticket.status == "clarifying"
    late = ticket.closed_at is None and ticket.due_at < now and not standing
    row: list[Cell] = [
        ticket.number, names.kinds.get(ticket.kind, ticket.kind), names.lanes.get(ticket.lane, ticket.lane),
        names.statuses.get(ticket.status, ticket.status), SENSITIVE if sensitive else _category(ticket.category),
        _place(ticket.place[:4] + "00" if sensitive else ticket.place), names.levels.get(ticket.level, ticket.level),
        "" if sensitive else _unit(ticket.unit), _time(ticket.received_at), _time(ticket.due_at), _time(ticket.closed_at),
        "是" if late else "否", ticket.returns, ticket.supervised, ticket.evaluated,
    ]  # fmt: skip
    if with_words:
        row.append("" if sensitive else _words(ticket.answers))
    return row


def _category(code: str | None) -> str:
    found = categories.load().categories.get(code or "")
    return found.name if found else "未分类"


def _place(adcode: str) -> str:
    try:
        return regions.full_name(adcode)
    except HotlineError:
        return ""


def _unit(code: str | None) -> str:
    try:
        return units.get_unit(code).name if code else ""
    except HotlineError:
        return ""


def _time(at: datetime | None) -> str:
    return f"{clock.shanghai(at):%Y-%m-%d %H:%M}" if at is not None else ""


def _words(answers: Mapping[str, str] | None) -> str:
    said = str((answers or {}).get("what") or "")
    return rewording.reword(said) if said else ""


def safe(value: Cell) -> str | int:
    """A cell no spreadsheet calculates: text that could be a formula gets an apostrophe in front."""
    if value is None:
        return ""
    if isinstance(value, int):
        return value
    text = clean(value.replace("\r\n", "\n"))[:LONGEST_CELL]
    seen = text.lstrip()
    return f"'{text}" if seen[:1] in FORMULA_SIGNS and seen else text


def csv_lines(rows: Iterable[Sequence[Cell]], *, first: bool = False) -> bytes:
    """Rows as UTF-8; the first piece begins with the mark by which Excel knows it. Every text in quotes."""
    held = io.StringIO()
    writer = csv.writer(held, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerows([safe(value) for value in row] for row in rows)
    return held.getvalue().encode("utf-8-sig" if first else "utf-8")


class Sheet:
    """An XLSX file written row by row in constant memory; every text is written as a string, never as a formula or link."""

    def __init__(self, path: Path, name: str = "工单") -> None:
        options = {
            "constant_memory": True, "tmpdir": str(path.parent), "strings_to_formulas": False, "strings_to_urls": False,
            "strings_to_numbers": False,
        }  # fmt: skip
        self._book = xlsxwriter.Workbook(str(path), options)
        self._sheet = self._book.add_worksheet(name)
        self._name, self._next = name, 0

    def write(self, rows: Iterable[Sequence[Cell]]) -> None:
        for row in rows:
            if self._next == MOST_IN_A_SHEET:
                self._sheet = self._book.add_worksheet(f"{self._name}-{len(self._book.worksheets()) + 1}")
                self._next = 0
            for column, value in enumerate(row):
                made = safe(value)
                if isinstance(made, int):
                    self._sheet.write_number(self._next, column, made)
                else:
                    self._sheet.write_string(self._next, column, made)
            self._next += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._book.close()
