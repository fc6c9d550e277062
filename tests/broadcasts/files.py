"""Audience files for tests: good ones, and what people upload by mistake or in bad faith. Numbers are 1380000xxxx only."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Sequence

import pyarrow as arrow
import pyarrow.parquet as parquet
import xlsxwriter


def phone(number: int) -> str:
    return f"1380000{number:04d}" if number < 10_000 else f"138{number:08d}"


def csv_bytes(rows: Iterable[Sequence[str]], *, encoding: str = "utf-8", sign: str = ",", end: str = "\r\n") -> bytes:
    return "".join(sign.join(row) + end for row in rows).encode(encoding)


def xlsx_bytes(rows: Iterable[Sequence[object]], *, sheets: int = 1) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "constant_memory": False}) as book:
        listed = list(rows)
        for _ in range(sheets):
            sheet = book.add_worksheet()
            for number, row in enumerate(listed):
                for column, cell in enumerate(row):
                    if isinstance(cell, str) and cell.startswith("="):
                        sheet.write_formula(number, column, cell, value="13800000009")
                    elif isinstance(cell, str):
                        sheet.write_string(number, column, cell)
                    else:
                        sheet.write(number, column, cell)
    return out.getvalue()


def parquet_bytes(columns: dict[str, list[object]]) -> bytes:
    out = io.BytesIO()
    parquet.write_table(arrow.table(columns), out)
    return out.getvalue()


def far_corner_xlsx() -> bytes:
    """A sheet of two cells, in opposite corners: 17 milliard cells for whoever takes the whole rectangle."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_string(0, 0, "手机号")
        sheet.write_string(1_048_575, 16_383, "13800000001")
    return out.getvalue()


def bomb_xlsx() -> bytes:
    """A package that says it unpacks to a gigabyte and a half."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/workbook.xml", "<workbook/>")
        with package.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            for _ in range(1500):
                part.write(b" " * (1 << 20))
    return out.getvalue()
