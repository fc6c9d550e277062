"""Reseal under the newest key whatever lies under an older one, while the hotline runs.

A cell is read, sealed anew and written only where its bytes are still those that were read; rows that somebody holds are
left for the next round, so nothing ever waits for a row and no deadlock is possible. Each batch commits alone and nothing
is remembered beside the cells themselves: their first two bytes name the key, so after a kill at any moment the next run
goes on with what is left.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from sealing import Keyring, SealBroken, version_of

from .sealed_cells import SealedColumn, sealed_columns

AT_ONCE = 500
"""Cells of a batch, and so rows locked for its few milliseconds."""
BYTES_AT_ONCE = 8 << 20
ROUNDS = 30
PAUSE_SECONDS = 0.5
"""Between rounds: rows that were held are looked at again."""
HELD_BACK = """
SELECT (SELECT count(*) FROM outreach_rolls WHERE state = 'importing') + (SELECT count(*) FROM broadcasts WHERE prepared = 'preparing')
"""


@dataclass
class Standing:
    """Cells by the version they are sealed with. `held_back`: lists being read or prepared just now, whose numbers nobody sees yet."""

    by_version: Counter[int] = field(default_factory=Counter)
    old_by_column: Counter[str] = field(default_factory=Counter)
    held_back: int = 0

    def older_than(self, version: int) -> int:
        return sum(count for each, count in self.by_version.items() if each < version)


@dataclass
class Done:
    """`broken`: cells that open in no way, by column; they are left as they are."""

    cells: int = 0
    broken: Counter[str] = field(default_factory=Counter)


Tell = Callable[[str, int], None]
"""Hears the column and how many more cells are done."""


def standing(connection: psycopg.Connection[Any], ring: Keyring) -> Standing:
    """What is sealed with which key. Reads two bytes of each cell."""
    found = Standing()
    for column in sealed_columns():
        for table in _tables(connection, column):
            counted = sql.SQL("SELECT substring({c} from 1 for 2), count(*) FROM {t} WHERE {c} IS NOT NULL GROUP BY 1")
            for head, count in connection.execute(counted.format(c=sql.Identifier(column.column), t=table)):
                found.by_version[version_of(head)] += count
                if version_of(head) != ring.current:
                    found.old_by_column[column.name] += count
    row = connection.execute(HELD_BACK).fetchone()
    found.held_back = int(row[0]) if row else 0
    return found


def reseal(connection: psycopg.Connection[Any], ring: Keyring, tell: Tell = lambda _column, _cells: None) -> Done:
    """Everything, in rounds until a round finds nothing that can be done. `connection` is in autocommit."""
    done = Done()
    for _ in range(ROUNDS):
        broken: Counter[str] = Counter()
        changed = left = 0
        for column in sealed_columns():
            for table in _tables(connection, column):
                for batch in _batches(connection, table, column, ring):
                    written, unreadable = _reseal_batch(connection, table, column, ring, batch)
                    changed += written
                    left += len(batch) - written - unreadable
                    broken[column.name] += unreadable
                    tell(column.name, written)
        done.cells += changed
        done.broken = +broken
        if not left and not changed:
            break
        time.sleep(PAUSE_SECONDS if left else 0)
    return done


def _tables(connection: psycopg.Connection[Any], column: SealedColumn) -> list[sql.Composable]:
    """The table, or its partitions and those that are to become some (a roll being read); none where an older schema lacks it."""
    found = connection.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema()"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = %(column)s"
        " WHERE c.relkind = 'r' AND (c.relname = %(name)s OR c.relname ~ ('^' || %(name)s || '_[0-9]+$')) ORDER BY c.oid",
        {"name": column.table, "column": column.column},
    )
    return [sql.Identifier(name) for (name,) in found]


def _old_versions(ring: Keyring) -> list[bytes]:
    return [version.to_bytes(2, "big") for version in ring.versions if version != ring.current]


def _batches(
    connection: psycopg.Connection[Any], table: sql.Composable, column: SealedColumn, ring: Keyring
) -> Iterator[list[tuple[Any, ...]]]:
    """Rows of (key …, place …, sealed) under an old key, by primary key; large cells in smaller batches."""
    after: Sequence[Any] | None = None
    while True:
        values = {"old": _old_versions(ring), "limit": AT_ONCE, "bytes": BYTES_AT_ONCE}
        values |= {f"k{number}": value for number, value in enumerate(after or ())}
        rows = connection.execute(_next_batch(table, column, first=after is None), values).fetchall()
        if not rows:
            return
        yield rows
        after = rows[-1][: len(column.key)]


def _next_batch(table: sql.Composable, column: SealedColumn, *, first: bool) -> sql.Composed:
    keys = [sql.Identifier(name) for name, _ in column.key]
    after = sql.SQL("") if first else sql.SQL(" AND ({keys}) > ({values})").format(
        keys=sql.SQL(", ").join(keys),
        values=sql.SQL(", ").join(
            sql.SQL("{}::{}").format(sql.Placeholder(f"k{n}"), _type(kind)) for n, (_, kind) in enumerate(column.key)
        ),
    )  # fmt: skip
    return sql.SQL(
        "WITH next AS MATERIALIZED (SELECT {keys}, octet_length({c}) AS size FROM {t}"
        " WHERE {c} IS NOT NULL AND substring({c} from 1 for 2) = ANY(%(old)s::bytea[]){after} ORDER BY {keys} LIMIT %(limit)s),"
        " fit AS (SELECT *, sum(size) OVER (ORDER BY {keys}) - size AS before FROM next)"
        " SELECT {keys}, {place}, {c} FROM fit JOIN {t} USING ({keys}) WHERE before < %(bytes)s ORDER BY {keys}"
    ).format(
        keys=sql.SQL(", ").join(keys), c=sql.Identifier(column.column), t=table, after=after,
        place=sql.SQL(", ").join(
            sql.SQL("{}.{} AS {}").format(table, sql.Identifier(name), sql.Identifier(f"p{number}"))
            for number, name in enumerate(column.place_from)
        ),
    )  # fmt: skip


def _reseal_batch(
    connection: psycopg.Connection[Any], table: sql.Composable, column: SealedColumn, ring: Keyring, rows: list[tuple[Any, ...]]
) -> tuple[int, int]:  # fmt: skip
    """How many were written, and how many do not open."""
    keys, width = len(column.key), len(column.key) + len(column.place_from)
    fit: list[tuple[Any, ...]] = []
    plain: list[bytes] = []
    places: list[bytes] = []
    for row in rows:
        place = column.place(row[keys:width])
        try:
            value = ring.open(bytes(row[width]), place)
        except SealBroken:
            continue
        fit.append(row)
        plain.append(value)
        places.append(place)
    if not fit:
        return 0, len(rows)
    fresh = ring.seal_all(plain, places)
    arrays: dict[str, Any] = {f"k{n}": [row[n] for row in fit] for n in range(keys)}
    arrays |= {"was": [row[width] for row in fit], "fresh": fresh}
    return connection.execute(_write(table, column), arrays).rowcount, len(rows) - len(fit)


def _write(table: sql.Composable, column: SealedColumn) -> sql.Composed:
    """Compare and set, over rows nobody holds; what was changed meanwhile keeps its change."""
    names = [sql.Identifier(f"k{n}") for n in range(len(column.key))]
    unnested = [
        sql.SQL("{}::{}[]").format(sql.Placeholder(f"k{n}", "b" if kind == "BYTEA" else "s"), _type(kind))
        for n, (_, kind) in enumerate(column.key)
    ]
    same = sql.SQL(" AND ").join(
        sql.SQL("t.{} = n.{}").format(sql.Identifier(name), given)
        for (name, _), given in zip(column.key, names, strict=True)
    )
    return sql.SQL(
        "WITH n AS MATERIALIZED (SELECT * FROM unnest({unnested}, %(was)b::bytea[], %(fresh)b::bytea[]) AS n ({names}, was, fresh)),"
        " free AS MATERIALIZED (SELECT n.* FROM {t} t JOIN n ON {same} WHERE t.{c} = n.was FOR NO KEY UPDATE OF t SKIP LOCKED)"
        " UPDATE {t} t SET {c} = n.fresh FROM free n WHERE {same} AND t.{c} = n.was"
    ).format(
        unnested=sql.SQL(", ").join(unnested), names=sql.SQL(", ").join(names), same=same, t=table,
        c=sql.Identifier(column.column),
    )  # fmt: skip


def _type(kind: str) -> sql.SQL:
    """A column's type without its length: `VARCHAR(64)` is `VARCHAR`."""
    return sql.SQL(kind.partition("(")[0])
