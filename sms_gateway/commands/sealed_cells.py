"""Every sealed column of the database, with what its values are sealed for: the one list that rotation and its test go by.

Rows of a `SealedRow` need no entry: a `…_sealed` column of theirs is found by itself. What is sealed for another place is
named here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import dialect

from sms_gateway.bot_trackers import BotTracker
from sms_gateway.broadcasts import addresses
from sms_gateway.broadcasts.models import BroadcastRecipient
from sms_gateway.broadcasts.roll_models import RollNumber, RollPart
from sms_gateway.broadcasts.sources import place_of_part
from sms_gateway.crypto import SealedRow, place_of
from sms_gateway.database import Base
from sms_gateway.migrations.models import metadata

ENDING = "_sealed"
_POSTGRES = dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy left it bare


@dataclass(frozen=True)
class SealedColumn:
    """`key`: the table's primary key, by name and PostgreSQL type. `place`: what a cell is sealed for, from the columns `place_from`."""

    table: str
    column: str
    key: tuple[tuple[str, str], ...]
    place_from: tuple[str, ...]
    place: Callable[[Sequence[Any]], bytes]

    @property
    def name(self) -> str:
        return f"{self.table}.{self.column}"


@lru_cache(maxsize=1)
def sealed_columns() -> tuple[SealedColumn, ...]:
    """All of them, rolls before the ledgers that are filled from them."""
    metadata()
    rows: list[Any] = [mapper.class_ for mapper in Base.registry.mappers if issubclass(mapper.class_, SealedRow)]
    rows.sort(key=lambda row: row.__table__.name)
    found = [_of_row(row.__table__, column.name) for row in rows for column in row.__table__.columns if column.name.endswith(ENDING)]  # fmt: skip
    found += [
        _column(RollPart.__table__, "sealed", ("roll_id", "part"), lambda row: place_of_part(row[0], row[1])),
        _column(RollNumber.__table__, "address_sealed", ("address_index",), lambda row: addresses.place(row[0])),
        _column(BotTracker.__table__, "sealed", ("sender",), lambda row: b"bot_trackers.sealed:" + row[0].encode()),
        _column(BroadcastRecipient.__table__, "address_sealed", ("address_index",), lambda row: addresses.place(row[0])),
    ]  # fmt: skip
    return tuple(found)


def _of_row(table: Any, column: str) -> SealedColumn:
    return _column(table, column, ("uid",), lambda row: place_of(table.name, column, row[0]))


def _column(
    table: Any, column: str, place_from: tuple[str, ...], place: Callable[[Sequence[Any]], bytes]
) -> SealedColumn:
    assert isinstance(table, Table)
    key = tuple((each.name, each.type.compile(dialect=_POSTGRES)) for each in table.primary_key.columns)
    return SealedColumn(table.name, column, key, place_from, place)
