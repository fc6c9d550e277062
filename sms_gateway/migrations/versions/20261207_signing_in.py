"""Wrong tries by browser and address, second factors, sessions that wait for a step; the lock of whole accounts is gone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = depends_on = None


def upgrade() -> None:
    op.create_table(
        "sign_in_tries",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("failed", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sign_in_tries")),
    )
    op.create_table(
        "second_factors",
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operators.id"], name=op.f("fk_second_factors_operator_id_operators")
        ),
        sa.PrimaryKeyConstraint("operator_id", name=op.f("pk_second_factors")),
        sa.UniqueConstraint("uid", name=op.f("uq_second_factors_uid")),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operators.id"], name=op.f("fk_recovery_codes_operator_id_operators")
        ),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_recovery_codes")),
    )
    op.create_index(op.f("ix_recovery_codes_operator_id"), "recovery_codes", ["operator_id"])
    op.create_table(
        "talk_openings",
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("thread_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["operator_id"], ["operators.id"], name=op.f("fk_talk_openings_operator_id_operators")),
        sa.ForeignKeyConstraint(["thread_id"], ["threads.id"], name=op.f("fk_talk_openings_thread_id_threads")),
        sa.PrimaryKeyConstraint("operator_id", "thread_id", name=op.f("pk_talk_openings")),
    )
    op.add_column("operator_sessions", sa.Column("role", sa.String(length=16), nullable=True))
    op.execute("UPDATE operator_sessions SET role = operators.role FROM operators WHERE operators.id = operator_id")
    op.alter_column("operator_sessions", "role", nullable=False)
    op.add_column("operator_sessions", sa.Column("how", sa.String(length=8), nullable=False, server_default="password"))
    op.alter_column("operator_sessions", "how", server_default=None)
    op.add_column("operator_sessions", sa.Column("waits_for", sa.String(length=8), nullable=True))
    op.add_column(
        "operators", sa.Column("must_change_password", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.alter_column("operators", "must_change_password", server_default=None)
    op.drop_column("operators", "locked_until")
    op.drop_column("operators", "failed_sign_ins")


def downgrade() -> None:
    op.add_column("operators", sa.Column("failed_sign_ins", sa.BigInteger(), nullable=False, server_default="0"))
    op.alter_column("operators", "failed_sign_ins", server_default=None)
    op.add_column("operators", sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True))
    op.drop_column("operators", "must_change_password")
    op.execute("DELETE FROM operator_sessions WHERE waits_for IS NOT NULL")  # half a sign-in would be a whole one
    for column in ("waits_for", "how", "role"):
        op.drop_column("operator_sessions", column)
    op.drop_index(op.f("ix_recovery_codes_operator_id"), table_name="recovery_codes")
    op.drop_table("talk_openings")
    op.drop_table("recovery_codes")
    op.drop_table("second_factors")
    op.drop_table("sign_in_tries")
