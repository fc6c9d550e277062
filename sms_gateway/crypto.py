"""Personal values are sealed in the database: the column type over `sealing`, and this process's keyring.

A sealed column is bytes; its plain value is an `Encrypted` attribute beside it. What binds a value to its place is
the table, the column and the row's own `uid`, made before the first insert, so a value copied to another row or
column does not open.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, Generic, TypeVar, overload
from uuid import UUID, uuid4

from sqlalchemy import Uuid
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from sealing import Keyring

from .settings import get_settings

T = TypeVar("T")


@lru_cache(maxsize=1)
def keyring() -> Keyring:
    """The keys of `HOTLINE_DATA_KEY`."""
    key = get_settings().data_key
    if key is None:
        raise SystemExit("没有 HOTLINE_DATA_KEY：用 make run 启动会自动生成，或按 .env.example 设置。")
    return Keyring.from_text(key.get_secret_value())


def blind_index(value: str, purpose: str) -> bytes:
    """32 bytes to find `value` by, without storing it."""
    return keyring().blind_index(value, purpose)


def place_of(table: str, column: str, uid: UUID) -> bytes:
    """The associated data of one cell."""
    return f"{table}.{column}:{uid.hex}".encode()


def sealed_for(table: str, column: str, uid: UUID, value: object) -> bytes:
    """`value` sealed for one cell without a row object: the doors' and importers' fast path."""
    return keyring().seal(_encode(value), place_of(table, column, uid))


def opened_from(table: str, column: str, uid: UUID, sealed: bytes) -> Any:
    """The value of one sealed cell without a row object. Raises what `Keyring.open` raises."""
    return _decode(keyring().open(sealed, place_of(table, column, uid)))


def _encode(value: object) -> bytes:
    return b"b" + value if isinstance(value, bytes) else b"j" + json.dumps(value, ensure_ascii=False).encode()


def _decode(opened: bytes) -> Any:
    return opened[1:] if opened[:1] == b"b" else json.loads(opened[1:])


class SealedRow:
    """A row with sealed columns: its `uid` is part of every seal and never changes."""

    __tablename__: str

    def __init__(self, **values: Any) -> None:
        # First, so that the sealed attributes among `values` find it.
        self.uid = values.pop("uid", None) or uuid4()
        super().__init__(**values)

    @declared_attr
    def uid(cls) -> Mapped[UUID]:  # noqa: N805 - a declared_attr is given the class
        return mapped_column(Uuid, unique=True, nullable=False)


class Encrypted(Generic[T]):
    """The plain value of the sealed column `<name>_sealed` of the same row; any JSON value, or bytes."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._column = f"{name}_sealed"

    @overload
    def __get__(self, row: None, owner: type) -> Encrypted[T]: ...
    @overload
    def __get__(self, row: SealedRow, owner: type) -> T: ...
    def __get__(self, row: SealedRow | None, owner: type) -> Encrypted[T] | T:
        if row is None:
            return self
        sealed: bytes | None = getattr(row, self._column)
        if sealed is None:
            return None  # type: ignore[return-value]  # T is Optional where the column is
        value: T = opened_from(row.__tablename__, self._column, row.uid, sealed)
        return value

    def __set__(self, row: SealedRow, value: T) -> None:
        sealed = None
        if value is not None:
            sealed = sealed_for(row.__tablename__, self._column, row.uid, value)
        setattr(row, self._column, sealed)
