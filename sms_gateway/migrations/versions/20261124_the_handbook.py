"""What was asked of the handbook, drafts, and approved entries with their versions."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

GAP = "settled_at IS NULL AND (outcome <> 'answered' OR verdict IN ('useless', 'not_this', 'handed_over'))"


def _operator(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["operators.id"], name=op.f(f"fk_{table}_{column}"))


def _moment(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    _drafts()
    _entries()
    op.create_table(
        "handbook_asked",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("thread_id", sa.BigInteger(), nullable=False),
        _moment("at"),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("entry_id", sa.String(length=80), nullable=True),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("verdict", sa.String(length=16), nullable=True),
        sa.Column("verdict_message_id", sa.BigInteger(), nullable=True),
        _moment("settled_at", nullable=True),
        sa.Column("settled_by", sa.BigInteger(), nullable=True),
        sa.Column("draft_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_handbook_asked_message_id")),
        sa.ForeignKeyConstraint(
            ["verdict_message_id"], ["messages.id"], name=op.f("fk_handbook_asked_verdict_message_id")
        ),
        sa.ForeignKeyConstraint(["thread_id"], ["threads.id"], name=op.f("fk_handbook_asked_thread_id")),
        sa.ForeignKeyConstraint(["draft_id"], ["handbook_drafts.id"], name=op.f("fk_handbook_asked_draft_id")),
        _operator("handbook_asked", "settled_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handbook_asked")),
        sa.UniqueConstraint("message_id", name=op.f("uq_handbook_asked_message_id")),
    )
    op.create_index("ix_handbook_asked_gap", "handbook_asked", ["id"], postgresql_where=sa.text(GAP))
    op.create_index("ix_handbook_asked_thread_id_id", "handbook_asked", ["thread_id", "id"])


def _drafts() -> None:
    op.create_table(
        "handbook_drafts",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("replaces", sa.String(length=80), nullable=True),
        sa.Column("author_id", sa.BigInteger(), nullable=False),
        sa.Column("writers", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("proposed_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        _moment("created_at"),
        _moment("changed_at"),
        sa.Column("uid", sa.Uuid(), nullable=False),
        *(_operator("handbook_drafts", column) for column in ("author_id", "proposed_by", "decided_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handbook_drafts")),
        sa.UniqueConstraint("uid", name=op.f("uq_handbook_drafts_uid")),
    )
    op.create_index("ix_handbook_drafts_state", "handbook_drafts", ["state"])
    op.create_table(
        "handbook_draft_events",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("draft_id", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.String(length=24), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        _moment("at"),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["draft_id"], ["handbook_drafts.id"], name=op.f("fk_handbook_draft_events_draft_id")),
        _operator("handbook_draft_events", "operator_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handbook_draft_events")),
    )
    op.create_index("ix_handbook_draft_events_draft_id_id", "handbook_draft_events", ["draft_id", "id"])


def _entries() -> None:
    op.create_table(
        "handbook_entries",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.String(length=80), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("draft_id", sa.BigInteger(), nullable=True),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("vectors_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("engine", sa.String(length=80), nullable=True),
        sa.Column("approved_by", sa.BigInteger(), nullable=False),
        _moment("approved_at"),
        _moment("retired_at", nullable=True),
        sa.Column("retired_by", sa.BigInteger(), nullable=True),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["draft_id"], ["handbook_drafts.id"], name=op.f("fk_handbook_entries_draft_id")),
        *(_operator("handbook_entries", column) for column in ("approved_by", "retired_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handbook_entries")),
        sa.UniqueConstraint("entry_id", "version", name=op.f("uq_handbook_entries_entry_id_version")),
        sa.UniqueConstraint("uid", name=op.f("uq_handbook_entries_uid")),
    )
    op.create_index(
        "uq_handbook_entries_live", "handbook_entries", ["entry_id"], unique=True,
        postgresql_where=sa.text("retired_at IS NULL"),
    )  # fmt: skip


def downgrade() -> None:
    for table in ("handbook_asked", "handbook_entries", "handbook_draft_events", "handbook_drafts"):
        op.drop_table(table)
