"""What departments get in real time: events, subscriptions, deliveries."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _moment(name: str, *, nullable: bool = True) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "hotline_events",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("type", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.String(length=24), nullable=False),
        _moment("at", nullable=False),
        sa.Column("ref", sa.BigInteger(), nullable=True),
        sa.Column("facts", postgresql.JSONB(), nullable=True),
        sa.Column("data_sealed", sa.LargeBinary(), nullable=True),
        _moment("fanned_out_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hotline_events")),
        sa.UniqueConstraint("uid", name=op.f("uq_hotline_events_uid")),
        sa.UniqueConstraint("position", name=op.f("uq_hotline_events_position")),
    )
    op.create_index("ix_hotline_events_new", "hotline_events", ["id"], postgresql_where=sa.text("position IS NULL"))
    op.create_index("ix_hotline_events_subject_id", "hotline_events", ["subject", "id"])
    _subscriptions()
    _deliveries()


def _subscriptions() -> None:
    op.create_table(
        "event_subscriptions",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("unit", sa.String(length=24), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("categories", postgresql.ARRAY(sa.String(length=40)), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("paused_reason", sa.String(length=16), nullable=True),
        _moment("created_at", nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("delivered_position", sa.BigInteger(), nullable=False),
        _moment("last_delivered_at"),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("last_status", sa.String(length=16), nullable=True),
        _moment("next_at"),
        sa.Column("leased_by", sa.Uuid(), nullable=True),
        _moment("leased_until"),
        sa.ForeignKeyConstraint(["created_by"], ["operators.id"], name=op.f("fk_event_subscriptions_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_subscriptions")),
        sa.UniqueConstraint("uid", name=op.f("uq_event_subscriptions_uid")),
        sa.UniqueConstraint("unit", "url", name=op.f("uq_event_subscriptions_unit_url")),
    )


def _deliveries() -> None:
    op.create_table(
        "event_deliveries",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("subscription_id", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("sight", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        _moment("first_tried_at"),
        sa.Column("last_status", sa.String(length=16), nullable=True),
        _moment("delivered_at"),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["event_subscriptions.id"], name=op.f("fk_event_deliveries_subscription_id")
        ),
        sa.ForeignKeyConstraint(["event_id"], ["hotline_events.id"], name=op.f("fk_event_deliveries_event_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_deliveries")),
        sa.UniqueConstraint("subscription_id", "event_id", name=op.f("uq_event_deliveries_subscription_id_event_id")),
    )
    waiting = sa.text("state IN ('pending', 'replayed')")
    columns: list[str | sa.TextClause] = ["subscription_id", sa.text("state DESC"), "position"]
    op.create_index("ix_event_deliveries_waiting", "event_deliveries", columns, postgresql_where=waiting)
    op.create_index("ix_event_deliveries_dead", "event_deliveries", ["id"], postgresql_where=sa.text("state = 'dead'"))


def downgrade() -> None:
    op.drop_table("event_deliveries")
    op.drop_table("event_subscriptions")
    op.drop_table("hotline_events")
