"""Retention: evidence holds, runs of the purge, people's requests; what is erased says so."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
MARKED = ("messages", "tickets", "attachments", "contacts")
INDEXES = (
    ("ix_messages_kept", "messages", ["contact_id", "at"], "erased_at IS NULL"),
    ("ix_contacts_keep_until", "contacts", ["keep_until"], "keep_until IS NOT NULL"),
    ("ix_contacts_not_looked_at", "contacts", ["created_at"], "keep_until IS NULL AND erased_at IS NULL"),
    ("ix_children_merged_into", "children", ["merged_into"], "merged_into IS NOT NULL"),
    ("ix_escalations_thread_id", "escalations", ["thread_id"], None),
    ("ix_talk_transfers_thread_id", "talk_transfers", ["thread_id"], None),
    ("ix_reviews_thread_id", "reviews", ["thread_id"], None),
    ("ix_look_backs_contact_id", "look_backs", ["contact_id"], None),
)


def upgrade() -> None:
    for table in MARKED:
        op.add_column(table, sa.Column("erased_at", WHEN, nullable=True))
    op.add_column("contacts", sa.Column("keep_until", WHEN, nullable=True))
    op.add_column("broadcasts", sa.Column("figures_kept", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    for name, table, columns, only in INDEXES:
        op.create_index(name, table, columns, postgresql_where=sa.text(only) if only else None)
    _holds()
    op.create_table(
        "retention_runs",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("started_at", WHEN, nullable=False),
        sa.Column("ended_at", WHEN, nullable=True),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("cut", sa.Boolean(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_retention_runs")),
    )
    _requests()


def _holds() -> None:
    people = ("set_by", "lift_asked_by", "lifted_by")
    op.create_table(
        "evidence_holds",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=True),
        sa.Column("thread_id", sa.BigInteger(), nullable=True),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("letter_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("set_by", sa.BigInteger(), nullable=False),
        sa.Column("set_at", WHEN, nullable=False),
        sa.Column("lift_reason_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("lift_asked_by", sa.BigInteger(), nullable=True),
        sa.Column("lift_asked_at", WHEN, nullable=True),
        sa.Column("lifted_by", sa.BigInteger(), nullable=True),
        sa.Column("lifted_at", WHEN, nullable=True),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_evidence_holds_contact_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_evidence_holds_ticket_id")),
        sa.ForeignKeyConstraint(["thread_id"], ["threads.id"], name=op.f("fk_evidence_holds_thread_id")),
        *(sa.ForeignKeyConstraint([by], ["operators.id"], name=op.f(f"fk_evidence_holds_{by}")) for by in people),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_holds")),
        sa.UniqueConstraint("uid", name=op.f("uq_evidence_holds_uid")),
    )
    op.create_index(
        "ix_evidence_holds_contact_id", "evidence_holds", ["contact_id"], postgresql_where=sa.text("lifted_at IS NULL")
    )
    op.create_index("ix_evidence_holds_lifted_at", "evidence_holds", ["lifted_at"])


def _requests() -> None:
    people = ("recorded_by", "done_by")
    op.create_table(
        "subject_requests",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("wants", sa.String(length=8), nullable=False),
        sa.Column("asker", sa.String(length=12), nullable=False),
        sa.Column("checked", sa.String(length=12), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("words_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("recorded_by", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", WHEN, nullable=False),
        sa.Column("done_by", sa.BigInteger(), nullable=True),
        sa.Column("done_at", WHEN, nullable=True),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_subject_requests_contact_id")),
        *(sa.ForeignKeyConstraint([by], ["operators.id"], name=op.f(f"fk_subject_requests_{by}")) for by in people),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subject_requests")),
        sa.UniqueConstraint("uid", name=op.f("uq_subject_requests_uid")),
    )
    op.create_index("ix_subject_requests_open", "subject_requests", ["id"], postgresql_where=sa.text("done_at IS NULL"))


def downgrade() -> None:
    for table in ("subject_requests", "retention_runs", "evidence_holds"):
        op.drop_table(table)
    for name, table, _columns, _only in reversed(INDEXES):
        op.drop_index(name, table_name=table)
    op.drop_column("contacts", "keep_until")
    op.drop_column("broadcasts", "figures_kept")
    for table in MARKED:
        op.drop_column(table, "erased_at")
