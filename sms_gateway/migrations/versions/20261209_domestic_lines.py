"""Domestic lines: parts of long texts, reports nobody claims yet, the number a text was sent to, how each line stands."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("extension", sa.String(length=12), nullable=True))
    op.create_table(
        "carrier_parts",
        sa.Column("carrier", sa.String(length=16), nullable=False),
        sa.Column("part_id", sa.String(length=64), nullable=False),
        sa.Column("carrier_id", sa.String(length=64), nullable=False),
        sa.Column("reference", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=True),
        sa.Column("error", sa.String(length=40), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("carrier", "part_id", name=op.f("pk_carrier_parts")),
    )
    op.create_index("ix_carrier_parts_carrier_carrier_id", "carrier_parts", ["carrier", "carrier_id"], unique=False)
    op.create_table(
        "uplink_parts",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("carrier", sa.String(length=16), nullable=False),
        sa.Column("part_index", sa.LargeBinary(), nullable=False),
        sa.Column("whole_index", sa.LargeBinary(), nullable=False),
        sa.Column("reference", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("part_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uplink_parts")),
        sa.UniqueConstraint("part_index", name=op.f("uq_uplink_parts_part_index")),
        sa.UniqueConstraint("uid", name=op.f("uq_uplink_parts_uid")),
    )
    op.create_index("ix_uplink_parts_whole_index", "uplink_parts", ["whole_index"], unique=False)
    op.create_index(
        "ix_uplink_parts_waiting", "uplink_parts", ["at"], unique=False, postgresql_where=sa.text("taken_at IS NULL")
    )
    op.create_table(
        "carrier_unclaimed_reports",
        sa.Column("carrier", sa.String(length=16), nullable=False),
        sa.Column("carrier_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("error", sa.String(length=40), nullable=True),
        sa.Column("address_index", sa.LargeBinary(), nullable=False),
        sa.Column("extension", sa.String(length=12), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("try_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("carrier", "carrier_id", "state", name=op.f("pk_carrier_unclaimed_reports")),
    )
    op.create_index("ix_carrier_unclaimed_reports_try_at", "carrier_unclaimed_reports", ["try_at"], unique=False)
    op.create_table(
        "carrier_links",
        sa.Column("carrier", sa.String(length=16), nullable=False),
        sa.Column("worker", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("up", sa.SmallInteger(), nullable=False),
        sa.Column("wanted", sa.SmallInteger(), nullable=False),
        sa.Column("in_flight", sa.Integer(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("rate", sa.Float(), nullable=True),
        sa.Column("submitted", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.BigInteger(), nullable=False),
        sa.Column("throttled", sa.BigInteger(), nullable=False),
        sa.Column("unknown", sa.BigInteger(), nullable=False),
        sa.Column("delivered", sa.BigInteger(), nullable=False),
        sa.Column("trouble", sa.String(length=120), nullable=True),
        sa.PrimaryKeyConstraint("carrier", "worker", name=op.f("pk_carrier_links")),
    )


def downgrade() -> None:
    op.drop_table("carrier_links")
    op.drop_table("carrier_unclaimed_reports")
    op.drop_table("uplink_parts")
    op.drop_table("carrier_parts")
    op.drop_column("messages", "extension")
