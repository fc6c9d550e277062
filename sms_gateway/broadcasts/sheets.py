"""The rows of a spreadsheet or a Parquet file. Read apart (`apart.py`): both libraries are native and a file may be hostile.

A formula is never calculated: calamine gives the value that Excel stored beside it, which is what the editor saw; a formula
without a stored value is an empty cell.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, BinaryIO

from sms_gateway.errors import BadInput

from .columns import SAMPLE
from .lines import Row

SHEET_BYTES = 64 << 20
"""Of an XLSX file; it is read as a whole."""
UNPACKED_BYTES = 600 << 20
"""A sheet of a million people unpacks to a sixth of that; what unpacks to more is a trap."""
AT_A_TIME = 5000


class SheetIsUnreadable(BadInput):
    sentence = "这个表格打不开，可能坏了。请用 Excel 或 WPS 打开后另存为 .xlsx 或 CSV 再上传。"


class SheetIsTooLarge(BadInput):
    sentence = "这个表格太大，一次读不下。请另存为 CSV 再上传，CSV 多大都行。"


class SheetIsLocked(BadInput):
    sentence = "这是旧的 .xls，或者加了密码。请去掉密码，另存为 .xlsx 或 CSV 再上传。"


class NoSheet(BadInput):
    sentence = "这是压缩包或别的文件，里面没有工作表。请上传 .xlsx、CSV 或 Parquet。"


class SeveralSheets(BadInput):
    sentence = "这个文件有几张有内容的工作表。请把名单放在一张表里，其余的删掉，免得漏了谁。"


def as_text(value: Any) -> str:
    """A cell as its editor sees it: 13800000001.0 is a whole number."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)


def check_package(file: BinaryIO, size: int) -> None:
    """Raises `NoSheet`, `SheetIsTooLarge`, `SheetIsUnreadable` before anything is unpacked."""
    if size > SHEET_BYTES:
        raise SheetIsTooLarge
    try:
        with zipfile.ZipFile(file) as package:
            parts = package.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError):
        raise SheetIsUnreadable from None
    if not any(part.filename.lower().startswith("xl/workbook") for part in parts):
        raise NoSheet
    if sum(part.file_size for part in parts) > UNPACKED_BYTES:
        raise SheetIsTooLarge
    file.seek(0)


def read_sheet(file: BinaryIO) -> Iterator[list[Row]]:
    """The rows of the one visible sheet that has any. Raises what `check_package` raises, and `SeveralSheets`."""
    import python_calamine as calamine

    try:
        book = calamine.CalamineWorkbook.from_filelike(file)
        shown = [
            index for index, sheet in enumerate(book.sheets_metadata)
            if sheet.visible == calamine.SheetVisibleEnum.Visible and sheet.typ == calamine.SheetTypeEnum.WorkSheet
        ]  # fmt: skip
        filled = [index for index in shown if book.get_sheet_by_index(index).height]
        if len(filled) > 1:
            raise SeveralSheets
        if not filled:
            return
        sheet = book.get_sheet_by_index(filled[0])
        rows = ((number, list(map(as_text, row))) for number, row in enumerate(sheet.iter_rows(), 1))
        while found := list(islice(rows, AT_A_TIME)):
            yield [(number, row) for number, row in found if any(row)]
    except calamine.PasswordError:
        raise SheetIsLocked from None
    except calamine.CalamineError:
        raise SheetIsUnreadable from None


def parquet_columns(file: BinaryIO) -> tuple[list[str], list[list[str]], int]:
    """The names of the flat columns, the first rows of them, and how many rows there are."""
    import pyarrow as arrow
    from pyarrow import parquet

    try:
        whole = parquet.ParquetFile(file)
        names = [
            name for name in whole.schema_arrow.names if not arrow.types.is_nested(whole.schema_arrow.field(name).type)
        ]
        rows: list[list[str]] = []
        for batch in whole.iter_batches(SAMPLE, columns=names[:200], use_threads=False):
            rows = _as_rows(batch)
            break
        return names[:200], rows, whole.metadata.num_rows
    except (arrow.ArrowException, OSError, ValueError):
        raise SheetIsUnreadable from None


def read_parquet(file: BinaryIO, names: list[str]) -> Iterator[list[Row]]:
    """The rows, of those columns only."""
    import pyarrow as arrow
    from pyarrow import parquet

    try:
        whole = parquet.ParquetFile(file, buffer_size=1 << 16, pre_buffer=False)
        number = 1
        for batch in whole.iter_batches(AT_A_TIME, columns=names, use_threads=False):
            rows = _as_rows(batch.select(names))
            yield [(line, row) for line, row in enumerate(rows, number) if any(row)]
            number += len(rows)
    except (arrow.ArrowException, OSError, ValueError):
        raise SheetIsUnreadable from None


def _as_rows(batch: Any) -> list[list[str]]:
    columns: Iterable[list[str]] = ([as_text(value) for value in column.to_pylist()] for column in batch.columns)
    return [list(row) for row in zip(*columns, strict=True)]
