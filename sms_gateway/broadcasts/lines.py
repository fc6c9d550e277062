"""The rows of a CSV file, streamed: encodings may change from line to line, and no line holds the memory up.

Each line is strict UTF-8, else GB18030 (which contains GBK), else unreadable: files glued together from several offices
mix both. Rows are numbered by the line they begin on, as an editor sees them in a text editor.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import BinaryIO

BLOCK = 1 << 18
LONGEST_LINE = 1 << 16
"""Bytes; a longer line is unreadable, and read over without being held."""
MOST_JOINED = 20
"""Lines that one quoted cell may run over; a quote that is still open then is an ordinary sign."""
LONGEST_JOINED = 100_000
"""Characters of them; the csv module refuses a cell of 131,072."""

_ESCAPED = re.compile("[\udc80-\udcff]")
"""What no UTF-8 was, as `surrogateescape` keeps it."""

Row = tuple[int, list[str] | None]
"""The line it begins on, from 1, and its cells; None: unreadable."""
Numbered = tuple[int, str | None]


def read_rows(file: BinaryIO, delimiter: str) -> Iterator[list[Row]]:
    """Every row that is not blank, some thousands at a time."""
    waiting: list[Numbered] = []  # lines of a quoted cell that is still open
    for first, block in _blocks(file):
        if not waiting and not any(line is None or '"' in line for line in block):
            reader = csv.reader(block, delimiter=delimiter, quoting=csv.QUOTE_NONE)  # type: ignore[arg-type]
            yield [(number, row) for number, row in enumerate(reader, first) if row]
            continue
        found: list[Row] = []
        for number, line in enumerate(block, first):
            waiting.append((number, line))
            found += _settled(waiting, delimiter)
        yield found
    while waiting:
        yield list(_alone(waiting.pop(0), delimiter))


def _settled(waiting: list[Numbered], delimiter: str) -> Iterator[Row]:
    """The rows of `waiting`, once its quotes are closed or nobody will close them; what is left stays waiting."""
    while waiting:
        words = [line for _, line in waiting if line is not None]
        whole = len(words) == len(waiting) and sum(map(len, words)) < LONGEST_JOINED
        if whole and sum(line.count('"') for line in words) % 2 == 0:
            yield from _together(waiting, delimiter)
            waiting.clear()
        elif whole and len(waiting) < MOST_JOINED:
            return
        else:
            yield from _alone(waiting.pop(0), delimiter)


def _together(lines: list[Numbered], delimiter: str) -> Iterator[Row]:
    reader = csv.reader([f"{line}\n" for _, line in lines], delimiter=delimiter)
    start = 0
    for row in reader:
        if row:
            yield lines[start][0], row
        start = reader.line_num


def _alone(line: Numbered, delimiter: str) -> Iterator[Row]:
    number, words = line
    if words is None:
        yield number, None
        return
    row = next(csv.reader([words], delimiter=delimiter), [])
    if row:
        yield number, row


def _blocks(file: BinaryIO) -> Iterator[tuple[int, list[str | None]]]:
    """Whole lines, decoded, with the number of the first of them."""
    number, rest = 1, b""
    skipping = False  # inside a line that is too long
    while True:
        piece = file.read(BLOCK)
        data = rest + piece
        end = _last_end(data) if piece else len(data)
        if end == 0 and piece:
            if len(data) > LONGEST_LINE:
                skipping, data = True, b""
            rest = data
            continue
        block, rest = data[:end], data[end:]
        lines = _decoded(block)
        if skipping:
            lines, skipping = [None, *lines[1:]], False
        if lines:
            yield number, lines
        number += len(lines)
        if not piece:
            return


def _last_end(data: bytes) -> int:
    """Behind the last end of a line; 0: there is none. A return at the very end may be half of one."""
    end = data.rfind(b"\n") + 1
    return end or data.rfind(b"\r", 0, len(data) - 1) + 1


def _decoded(block: bytes) -> list[str | None]:
    block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    lines = block.split(b"\n")
    if not lines[-1]:
        lines.pop()
    if max(map(len, lines), default=0) <= LONGEST_LINE:
        try:
            return [*block.decode().removesuffix("\n").split("\n")] if lines else []
        except UnicodeDecodeError:
            pass
        try:
            return _of_both(block)
        except UnicodeDecodeError:
            pass
    return [decode(line) for line in lines]


def _of_both(block: bytes) -> list[str | None]:
    """The same as `decode` for each line, at once: neither encoding has the end of a line within a sign."""
    chinese = block.decode("gb18030").removesuffix("\n").split("\n")
    unicode = block.decode("utf-8", "surrogateescape").removesuffix("\n").split("\n")
    return [other if _ESCAPED.search(line) else line for line, other in zip(unicode, chinese, strict=True)]


def decode(line: bytes) -> str | None:
    """The words of a line; None: neither UTF-8 nor GB18030, or too long."""
    if len(line) > LONGEST_LINE:
        return None
    for encoding in ("utf-8", "gb18030"):
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None
