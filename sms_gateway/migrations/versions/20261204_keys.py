"""What colleagues call things is sealed too: rolls, groups, segments, templates, broadcasts, posts of the duty book, why one was sent back."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ROWS = ("outreach_rolls", "outreach_segments", "outreach_templates", "broadcasts", "broadcast_events")
"""Get a `uid` to be sealed for."""
WORDS = (
    ("outreach_rolls", "title", False), ("outreach_segments", "title", False), ("outreach_templates", "title", False),
    ("outreach_templates", "note", True), ("broadcasts", "title", False), ("duty_posts", "name", False),
    ("duty_posts", "hours", False),
)  # fmt: skip
"""Table, column, whether it may be empty."""
LENGTHS = {("outreach_templates", "note"): 200, ("duty_posts", "hours"): 40}
"""The others held 80 signs."""


def upgrade() -> None:
    for table in ROWS:
        op.add_column(table, sa.Column("uid", sa.Uuid(), nullable=True))
    _give_uids()
    for table in ROWS:
        op.alter_column(table, "uid", nullable=False)
        op.create_unique_constraint(f"uq_{table}_uid", table, ["uid"])
    for table, column, may_be_empty in WORDS:
        _seal(table, column, may_be_empty)
    op.add_column("outreach_segments", sa.Column("title_index", sa.LargeBinary(), nullable=True))
    _index_titles()
    op.alter_column("outreach_segments", "title_index", nullable=False)
    op.drop_constraint("uq_outreach_segments_title", "outreach_segments", type_="unique")
    op.create_unique_constraint("uq_outreach_segments_title_index", "outreach_segments", ["title_index"])
    for table, column, _ in WORDS:
        op.drop_column(table, column)
    _hide_groups()
    _hide_reasons()


def downgrade() -> None:
    _show_reasons()
    _show_groups()
    for table, column, may_be_empty in WORDS:
        _open(table, column, may_be_empty)
    op.drop_constraint("uq_outreach_segments_title_index", "outreach_segments", type_="unique")
    op.create_unique_constraint("uq_outreach_segments_title", "outreach_segments", ["title"])
    op.drop_column("outreach_segments", "title_index")
    for table in ROWS:
        op.drop_constraint(f"uq_{table}_uid", table, type_="unique")
        op.drop_column(table, "uid")


def _give_uids() -> None:
    for table in ROWS:
        for (row,) in _rows(f"SELECT id FROM {table}"):  # noqa: S608 - names of this file
            _do(f"UPDATE {table} SET uid = :uid WHERE id = :id", uid=uuid4(), id=row)  # noqa: S608


def _seal(table: str, column: str, may_be_empty: bool) -> None:
    op.add_column(table, sa.Column(f"{column}_sealed", sa.LargeBinary(), nullable=True))
    found = _rows(f"SELECT id, uid, {column} FROM {table} WHERE {column} IS NOT NULL")  # noqa: S608
    for row, uid, words in found:
        _keep(table, f"{column}_sealed", row, uid, words)
    if not may_be_empty:
        op.alter_column(table, f"{column}_sealed", nullable=False)


def _open(table: str, column: str, may_be_empty: bool) -> None:
    length = LENGTHS.get((table, column), 80)
    op.add_column(table, sa.Column(column, sa.String(length), nullable=True))
    found = _rows(f"SELECT id, uid, {column}_sealed FROM {table} WHERE {column}_sealed IS NOT NULL")  # noqa: S608
    for row, uid, sealed in found:
        words = _opened(table, f"{column}_sealed", uid, sealed)
        _do(f"UPDATE {table} SET {column} = :words WHERE id = :id", words=words, id=row)  # noqa: S608
    if not may_be_empty:
        op.alter_column(table, column, nullable=False)
    op.drop_column(table, f"{column}_sealed")


def _index_titles() -> None:
    for row, uid, sealed in _rows("SELECT id, uid, title_sealed FROM outreach_segments"):
        index = _crypto().blind_index(
            _opened("outreach_segments", "title_sealed", uid, sealed), "outreach_segments.title"
        )
        _do("UPDATE outreach_segments SET title_index = :index WHERE id = :id", index=index, id=row)


def _hide_groups() -> None:
    """Beside each number the key of its group; the names stay with the roll, sealed."""
    op.add_column("outreach_rolls", sa.Column("groups_sealed", sa.LargeBinary(), nullable=True))
    for row, uid, groups in _rows("SELECT id, uid, groups FROM outreach_rolls"):
        _keep("outreach_rolls", "groups_sealed", row, uid, groups)
    op.drop_column("outreach_rolls", "groups")
    for (name,) in _rows('SELECT DISTINCT "group" FROM outreach_roll_numbers WHERE "group" <> \'\''):
        _do('UPDATE outreach_roll_numbers SET "group" = :key WHERE "group" = :name', key=_key(name), name=name)
    _reword_choices(_key)


def _show_groups() -> None:
    op.add_column("outreach_rolls", sa.Column("groups", postgresql.JSONB(), nullable=True))
    names: dict[str, str] = {}
    for row, uid, sealed in _rows("SELECT id, uid, groups_sealed FROM outreach_rolls"):
        groups = _opened("outreach_rolls", "groups_sealed", uid, sealed) if sealed is not None else {}
        names |= {_key(name): name for name in groups}
        _do("UPDATE outreach_rolls SET groups = CAST(:groups AS jsonb) WHERE id = :id", groups=_json(groups), id=row)
    op.alter_column("outreach_rolls", "groups", nullable=False)
    op.drop_column("outreach_rolls", "groups_sealed")
    for key, name in names.items():
        _do(
            'UPDATE outreach_roll_numbers SET "group" = :name WHERE "group" = :key AND :key <> \'\'', name=name, key=key
        )
    _reword_choices(lambda key: names.get(key, key))


def _hide_reasons() -> None:
    """Why a broadcast was sent back."""
    op.add_column("broadcast_events", sa.Column("words_sealed", sa.LargeBinary(), nullable=True))
    for row, uid, detail in _rows("SELECT id, uid, detail FROM broadcast_events WHERE what = 'sent_back'"):
        if words := detail.pop("reason", None):
            _keep("broadcast_events", "words_sealed", row, uid, words)
        _do("UPDATE broadcast_events SET detail = CAST(:detail AS jsonb) WHERE id = :id", detail=_json(detail), id=row)


def _show_reasons() -> None:
    for row, uid, sealed in _rows("SELECT id, uid, words_sealed FROM broadcast_events WHERE words_sealed IS NOT NULL"):
        detail = _json({"reason": _opened("broadcast_events", "words_sealed", uid, sealed)})
        _do(
            "UPDATE broadcast_events SET detail = detail || CAST(:detail AS jsonb) WHERE id = :id",
            detail=detail,
            id=row,
        )
    op.drop_column("broadcast_events", "words_sealed")


def _reword_choices(word: Callable[[str], str]) -> None:
    """The groups chosen in broadcasts and saved segments."""
    for table, column in (("broadcasts", "audience"), ("outreach_segments", "chosen")):
        for row, chosen in _rows(f"SELECT id, {column} FROM {table}"):  # noqa: S608
            if chosen.get("groups"):
                chosen["groups"] = sorted(word(name) for name in chosen["groups"])
                statement = f"UPDATE {table} SET {column} = CAST(:chosen AS jsonb) WHERE id = :id"  # noqa: S608
                _do(statement, chosen=_json(chosen), id=row)


def _keep(table: str, column: str, row: int, uid: UUID, value: object) -> None:
    sealed = _crypto().sealed_for(table, column, uid, value)
    _do(f"UPDATE {table} SET {column} = :sealed WHERE id = :id", sealed=sealed, id=row)  # noqa: S608


def _opened(table: str, column: str, uid: UUID, sealed: bytes) -> Any:
    return _crypto().opened_from(table, column, uid, bytes(sealed))


def _key(name: str) -> str:
    return _crypto().blind_index(name, "outreach.group").hex()[:32] if name else ""


def _crypto() -> Any:
    from sms_gateway import crypto  # here: a database without such rows needs no key

    return crypto


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _rows(statement: str) -> list[Any]:
    return list(op.get_bind().execute(sa.text(statement)).all())


def _do(statement: str, **values: object) -> None:
    op.get_bind().execute(sa.text(statement), values)
