"""An index by which texts that nobody dealt with are found each second."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX ix_messages_unanswered ON messages (at) WHERE direction = 'in' AND answered_by IS NULL")


def downgrade() -> None:
    op.drop_index("ix_messages_unanswered", table_name="messages")
