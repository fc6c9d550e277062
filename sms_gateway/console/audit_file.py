"""A year of the audit as one file for the yearly compliance audit (未成年人网络保护条例 37, 个人信息保护法 54).

A ZIP: the rows as CSV and XLSX (no cell can be a formula), the daily anchors, a note in Chinese on how to check it without our help,
and the SHA-256 of each. Ids, badges and masked reasons only.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

from sqlalchemy import select

from sms_gateway import clock
from sms_gateway.database import transaction
from sms_gateway.operators import audit_reading
from sms_gateway.operators.models import AuditAnchor, AuditRow, Operator
from sms_gateway.tickets.export import Cell, Sheet, csv_lines

from . import audit_names, audit_view

FIRST_YEAR = 2026
"""When the line began."""
TITLES = (
    "编号", "时间（北京）", "谁", "做了什么", "对象", "理由（号码已遮住，姓名尽量遮住）",
    "链", "链内第几条", "时间（UTC）", "账号编号", "动作代码", "对象代码", "有没有理由", "uid", "内容哈希", "链哈希",
)  # fmt: skip
NOTE = """云南12345 未成年人保护热线 {year} 年留痕（审计）

生成：{at}（北京时间），{by}
条数：{rows}；存证：{anchors} 天
用途：每年的个人信息保护合规审计（《未成年人网络保护条例》第三十七条、《个人信息保护法》第五十四条）。
文件里只有编号、工号和理由，没有来信人的原话；理由里的号码已遮住，姓名尽量遮住，仍请按个人信息保管。

怎样核对（不需要我们的密钥）
一、每个文件的 SHA-256 写在 SHA256SUMS.txt，用 sha256sum -c SHA256SUMS.txt 核对；整个压缩包的 SHA-256 导出时另外显示，也记在热线的留痕里。
二、逐条核对：把下面八项按名字排好写成 JSON（冒号、逗号后各一个空格，不转义汉字），算 SHA-256，等于“内容哈希”。
    at：时间（UTC）；detail：有没有理由（true、false）；operator：账号编号（没有的写 null）；seq：链内第几条；
    stream：链；subject：对象代码；uid；what：动作代码。
三、逐链核对：同一条链里，上一条的链哈希接上这一条的内容哈希（都是 32 个字节），算 SHA-256，等于这一条的链哈希。
    第 1 条之前是 SHA-256（“audit:” 加链名）。链内第几条应当连续；本年第一条的前一条在上一年的文件里。
四、存证：每天结束后，各条链走到第几条、链哈希是多少，写在“存证-{year}.csv”，应当和这里的行一致。
    root 用不在数据库里的密钥算出，由热线用 hotline audit verify 核对；每天的 root 也写在运行日志里。
    最后一天的 root：{last}
"""


@dataclass(frozen=True)
class Made:
    """The finished file. `sha256` in hex."""

    path: Path
    sha256: str
    rows: int


async def make(folder: Path, year: int, *, by: str) -> Made:
    """Write `audit-<year>.zip` into `folder`, which is ours alone; `by`: who asked for it, without a name."""
    names = {kind: f"留痕-{year}.{kind}" for kind in ("csv", "xlsx")}
    async with transaction() as session:
        named = {one.id: one for one in await session.scalars(select(Operator))}
        anchors = await audit_reading.list_anchors(session, year)
    rows = await _write_rows(folder / names["csv"], folder / names["xlsx"], year, named)
    (folder / f"存证-{year}.csv").write_bytes(
        csv_lines([("日期", "条数", "root", "各链末尾"), *map(_anchor, anchors)], first=True)
    )
    last = f"{anchors[-1].day} {anchors[-1].root.hex()}" if anchors else "还没有"
    at = f"{clock.shanghai(clock.now()):%Y-%m-%d %H:%M}"
    note = NOTE.format(year=year, at=at, by=by, rows=rows, anchors=len(anchors), last=last)
    (folder / "说明.txt").write_text(note, encoding="utf-8-sig")
    path = folder / f"audit-{year}.zip"
    return Made(path, await asyncio.to_thread(_pack, folder, path), rows)


async def _write_rows(csv: Path, xlsx: Path, year: int, named: Mapping[int, Operator]) -> int:
    count = 0
    with csv.open("wb") as out, Sheet(xlsx, f"{year}") as sheet:
        out.write(csv_lines([TITLES], first=True))
        sheet.write([TITLES])
        async for batch in audit_reading.read_year(year):
            async with transaction() as session:
                names = await audit_names.known(session, {row.subject for row in batch})
            lines = await asyncio.to_thread(_lines, batch, named, names)
            out.write(csv_lines(lines))
            await asyncio.to_thread(sheet.write, lines)
            count += len(lines)
    return count


def _lines(
    rows: Sequence[AuditRow], named: Mapping[int, Operator], names: Mapping[str, Sequence[str]]
) -> list[list[Cell]]:
    return [_line(row, named, names) for row in rows]


def _line(row: AuditRow, named: Mapping[int, Operator], names: Mapping[str, Sequence[str]]) -> list[Cell]:
    return [
        row.id, f"{clock.shanghai(row.at):%Y-%m-%d %H:%M:%S}", audit_view.who(row, named, badge_only=True), audit_view.what(row),
        audit_view.about(row, {})[0], audit_view.why(row, names),
        row.stream, row.seq, row.at.astimezone(UTC).isoformat(timespec="microseconds"), row.operator_id, row.what, row.subject,
        "true" if row.has_detail else "false", row.uid.hex, row.content_hash.hex(), row.chain_hash.hex(),
    ]  # fmt: skip


def _anchor(anchor: AuditAnchor) -> list[Cell]:
    return [anchor.day, anchor.rows, anchor.root.hex(), json.dumps(anchor.heads, sort_keys=True)]


def _pack(folder: Path, path: Path) -> str:
    """All files of `folder` and their SHA-256 in one ZIP; its own SHA-256."""
    files = sorted(folder.iterdir())
    sums = "".join(f"{_digest(file)}  {file.name}\n" for file in files)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in files:
            packed.write(file, file.name)
        packed.writestr("SHA256SUMS.txt", sums)
    return _digest(path)


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
