"""An audience file, streamed: what kind it is (by content, never by name), its columns, and one line after the other.

Memory does not grow with the file but for XLSX, which calamine holds as a whole: `apart.py` limits it.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain
from typing import BinaryIO

from sms_gateway.errors import BadInput

from . import columns as headers
from . import sheets
from .columns import Columns
from .lines import LONGEST_LINE, Row, decode, read_rows

MOST_LINES = 100_000_000
"""Twice the phones of the province; a file of more is a trap (a Parquet of a few KB may say so)."""
DELIMITERS = ",;\t，；"
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


class FileIsEmpty(BadInput):
    sentence = "这个文件是空的。"


class FileIsUtf16(BadInput):
    sentence = "这个文件是 UTF-16（“Unicode 文本”）编码。请另存为“CSV UTF-8”再上传。"


class FileIsBinary(BadInput):
    sentence = "这不是名单文件。请上传 CSV、.xlsx 或 Parquet。"


class FirstLineIsTooLong(BadInput):
    sentence = "第一行太长，读不出表头。请检查文件有没有换行。"


class TooManyLines(BadInput):
    sentence = "这份名册超过一亿行，请分成几份。"


class Kind(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"


@dataclass
class Batch:
    """Lines of the file, column by column. `cells`: the number's, None where the line is unreadable; the others are None
    where the file has no such column. `done`: the share of the file that is read, 0 to 1.
    """

    lines: list[int] = field(default_factory=list)
    cells: list[str | None] = field(default_factory=list)
    regions: list[str] | None = None
    groups: list[str] | None = None
    consents: list[str] | None = None
    done: float = 0.0


def kind_of(file: BinaryIO) -> tuple[Kind, int]:
    """The kind, and the size in bytes. Raises `BadInput` with a sentence for what is no audience file."""
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(4096)
    file.seek(0)
    if size <= len(head) and not head.strip(b"\xef\xbb\xbf \r\n\t"):
        raise FileIsEmpty
    if head[:4] == b"PAR1":
        return Kind.PARQUET, size
    if head[:2] == b"PK":
        return Kind.XLSX, size
    if head[:4] == b"\xd0\xcf\x11\xe0":
        raise sheets.SheetIsLocked
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or _every_other_is_nul(head):
        raise FileIsUtf16
    if head[:4] in (b"%PDF", b"\x89PNG", b"Rar!", b"7z\xbc\xaf") or head[:2] == b"\x1f\x8b" or _is_binary(head):
        raise FileIsBinary
    return Kind.CSV, size


def _every_other_is_nul(head: bytes) -> bool:
    return len(head) >= 8 and any(head[start::2].count(0) * 4 > len(head) for start in (0, 1))


def _is_binary(head: bytes) -> bool:
    """A few stray control signs happen in exports; many of them, or text in no encoding, do not."""
    if len(_CONTROL.findall(head)) > max(10, len(head) // 30):
        return True
    lines = [line for line in head.replace(b"\r", b"\n").split(b"\n") if line]
    if len(head) == 4096:
        lines = lines[:-1] or lines  # the last may be cut within a sign
    return len(head) < LONGEST_LINE and len(lines) > 1 and all(decode(line) is None for line in lines)


def read(file: BinaryIO) -> Iterator[Batch]:
    """The lines of the file in batches, header left out. Raises `BadInput` with a sentence, at once or in the middle."""
    kind, size = kind_of(file)
    done: Callable[[Batch], float] | None = None
    match kind:
        case Kind.CSV:
            rows, columns = _csv(file)
            done = _by_place(file, size)
        case Kind.XLSX:
            sheets.check_package(file, size)
            rows, columns = _with_columns(sheets.read_sheet(file))
        case Kind.PARQUET:
            rows, columns, total = _parquet(file)
            done = _by_line(total)
    lines = 0
    for chunk in filter(None, rows):
        batch = _batch(chunk, columns)
        lines += len(batch.lines)
        if lines > MOST_LINES:
            raise TooManyLines
        batch.done = done(batch) if done else 0.0
        yield batch


def _by_place(file: BinaryIO, size: int) -> Callable[[Batch], float]:
    return lambda _: file.tell() / max(1, size)


def _by_line(total: int) -> Callable[[Batch], float]:
    return lambda batch: batch.lines[-1] / max(1, total)


def _csv(file: BinaryIO) -> tuple[Iterable[list[Row]], Columns]:
    start = 3 if file.read(3) == codecs.BOM_UTF8 else 0
    file.seek(start)
    delimiter = _delimiter(file)
    file.seek(start)
    return _with_columns(read_rows(file, delimiter))


def _delimiter(file: BinaryIO) -> str:
    """What stands most in the first lines; a comma where nothing does."""
    head = file.read(LONGEST_LINE + 1).replace(b"\r", b"\n")
    lines = [line for line in head.split(b"\n")[:5] if line.strip()]
    if lines and len(lines[0]) > LONGEST_LINE:
        raise FirstLineIsTooLong
    words = "".join(filter(None, map(decode, lines)))
    return max(DELIMITERS, key=lambda sign: (words.count(sign), -DELIMITERS.index(sign)))


def _with_columns(rows: Iterator[list[Row]]) -> tuple[Iterable[list[Row]], Columns]:
    """The rows below the header, and what stands where."""
    top: list[Row] = []
    while len(top) < headers.SAMPLE and (chunk := next(rows, None)) is not None:
        top += chunk
    readable = [(index, row) for index, (_, row) in enumerate(top[: headers.SAMPLE]) if row is not None]
    if not top:
        raise FileIsEmpty
    columns = headers.find([row for _, row in readable])
    below = readable[columns.header - 1][0] + 1 if columns.header else 0
    return chain([top[below:]], rows), columns


def _parquet(file: BinaryIO) -> tuple[Iterable[list[Row]], Columns, int]:
    names, sample, total = sheets.parquet_columns(file)
    if not total:
        raise FileIsEmpty
    if total > MOST_LINES:
        raise TooManyLines
    found = headers.find([names, *sample])
    if not found.header:  # the names say nothing: what is below them was looked at
        found = headers.find(sample)
    wanted = [index for index in (found.number, found.region, found.group, found.consent) if index is not None]
    place: dict[int | None, int] = {index: wanted.index(index) for index in wanted}
    columns = Columns(0, region=place.get(found.region), group=place.get(found.group), consent=place.get(found.consent))
    file.seek(0)
    return sheets.read_parquet(file, [names[index] for index in wanted]), columns, total


def _batch(rows: list[Row], columns: Columns) -> Batch:
    whole = [row or [] for _, row in rows]
    found = Batch([line for line, _ in rows])
    number = columns.number
    found.cells = [None if row is None else (row[number] if number < len(row) else "") for _, row in rows]
    found.regions, found.groups, found.consents = (
        None if index is None else [row[index] if index < len(row) else "" for row in whole]
        for index in (columns.region, columns.group, columns.consent)
    )
    return found
