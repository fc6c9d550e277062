"""Many lines of the duty book at once, from a supervisor's table: what can be read goes in, the rest is told line by line."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import regions
from sms_gateway.errors import BadInput, HotlineError

from . import duty_book
from .duty_rules import KINDS

LARGEST = 200 * 1024
"""Bytes; a county's whole book takes a tenth of it."""
MOST_LINES = 2_000
COLUMNS = ("县（名称或六位代码）", "类别", "名称", "电话", "时段")


class TableCannotBeRead(BadInput):
    sentence = "这个表读不出来：请另存为 CSV（UTF-8 或 GBK），每行依次是县、类别、名称、电话、时段。"


class TableIsTooLong(BadInput):
    sentence = f"一次最多 {MOST_LINES} 行、{LARGEST // 1024} KB，请分几次导入。"


class PlaceIsNotYours(BadInput):
    sentence = "这个县不归你管。"


class CountyIsUnclear(BadInput):
    sentence = "没认出是哪个县。"


@dataclass(frozen=True)
class Refused:
    """A line that was not taken, by its number in the table (from 1), and why; the line's own words are not repeated."""

    line: int
    why: str


@dataclass(frozen=True)
class Report:
    added: int
    refused: tuple[Refused, ...]


def read_table(content: bytes) -> list[list[str]]:
    """The cells, UTF-8 (with or without a mark) or GBK. Raises `TableCannotBeRead`, `TableIsTooLong`."""
    if len(content) > LARGEST:
        raise TableIsTooLong
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            words = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        break
    else:
        raise TableCannotBeRead
    if "\0" in words:
        raise TableCannotBeRead
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(words))]
    except csv.Error:
        raise TableCannotBeRead from None
    if len(rows) > MOST_LINES:
        raise TableIsTooLong
    return rows


async def take_in(
    session: AsyncSession, content: bytes, *, by: int, may_keep: Callable[[str], bool] = lambda _adcode: True
) -> Report:
    """Add every line that is right. A line is refused for the same reasons as in the form, or when `may_keep` says no."""
    kinds = {name: key for key, name in KINDS.items()} | {key: key for key in KINDS}
    added, refused = 0, []
    for number, row in enumerate(read_table(content), start=1):
        if not any(row) or (number == 1 and _is_head(row)):
            continue
        place, kind, name, phone, hours = [*row, "", "", "", "", ""][:5]
        try:
            adcode = _county(place)
            if not may_keep(adcode):
                raise PlaceIsNotYours
            await duty_book.add(
                session, region=adcode, kind=kinds.get(kind, kind), name=name, phone=phone, hours=hours, by=by
            )
        except HotlineError as error:
            refused.append(Refused(number, error.sentence))
        else:
            added += 1
    return Report(added, tuple(refused))


def _is_head(row: list[str]) -> bool:
    return any("电话" in cell for cell in row)


def _county(words: str) -> str:
    if words.isascii() and words.isdigit():
        return regions.get_region(words).adcode
    for place in regions.list_regions():
        if words in (place.name, regions.full_name(place.adcode)):
            return place.adcode
    found = regions.recognise(words)
    if found.county is None:
        raise CountyIsUnclear
    return found.county.adcode
