"""Seeing: the id of everything that comes of one text, what each process weighs, samples of a day, when something was last done."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("trace", sa.String(length=16), nullable=True))
    op.add_column("timers", sa.Column("trace", sa.String(length=16), nullable=True))
    op.add_column("worker_beats", sa.Column("since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("worker_beats", sa.Column("memory_mb", sa.Integer(), nullable=True))
    op.create_table(
        "operation_samples",
        sa.Column("minute", sa.DateTime(timezone=True), nullable=False),
        sa.Column("figures", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("minute", name=op.f("pk_operation_samples")),
    )
    op.create_table(
        "last_done",
        sa.Column("what", sa.String(length=24), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("what", name=op.f("pk_last_done")),
    )
    op.create_index("ix_messages_at", "messages", ["at"], unique=False, postgresql_using="brin")
    op.create_index("ix_escalations_acknowledged_at", "escalations", ["acknowledged_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_escalations_acknowledged_at", table_name="escalations")
    op.drop_index("ix_messages_at", table_name="messages", postgresql_using="brin")
    op.drop_table("last_done")
    op.drop_table("operation_samples")
    op.drop_column("worker_beats", "memory_mb")
    op.drop_column("worker_beats", "since")
    op.drop_column("timers", "trace")
    op.drop_column("messages", "trace")
