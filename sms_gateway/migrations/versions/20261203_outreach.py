"""Outreach: rolls, broadcasts and their ledger; when somebody was last texted is read from the ledger, not from the contact."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "broadcast_recipients",
        sa.Column("broadcast_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("wave", sa.SmallInteger(), nullable=False),
        sa.Column("region", sa.String(length=6), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("why", sa.String(length=10), nullable=True),
        sa.Column("address_index", sa.LargeBinary(), nullable=False),
        sa.Column("address_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("carrier", sa.String(length=16), nullable=True),
        sa.Column("carrier_id", sa.String(length=64), nullable=True),
        sa.Column("error", sa.String(length=40), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("broadcast_id", "number", name=op.f("pk_broadcast_recipients")),
        sa.UniqueConstraint(
            "broadcast_id", "address_index", name=op.f("uq_broadcast_recipients_broadcast_id_address_index")
        ),
        postgresql_partition_by="LIST (broadcast_id)",
    )
    op.create_table(
        "broadcast_tallies",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("broadcast_id", sa.BigInteger(), nullable=False),
        sa.Column("region", sa.String(length=6), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcast_tallies")),
    )
    op.create_index("ix_broadcast_tallies_broadcast_id", "broadcast_tallies", ["broadcast_id"], unique=False)
    op.create_table(
        "broadcast_unknowns",
        sa.Column("broadcast_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("look_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("broadcast_id", "number", name=op.f("pk_broadcast_unknowns")),
    )
    op.create_index("ix_broadcast_unknowns_look_up_at", "broadcast_unknowns", ["look_up_at"], unique=False)
    op.create_table(
        "outreach_carrier_references",
        sa.Column("carrier", sa.String(length=16), nullable=False),
        sa.Column("carrier_id", sa.String(length=64), nullable=False),
        sa.Column("reference", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("carrier", "carrier_id", name=op.f("pk_outreach_carrier_references")),
    )
    op.create_table(
        "outreach_early_receipts",
        sa.Column("carrier", sa.String(length=16), nullable=False),
        sa.Column("carrier_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("error", sa.String(length=40), nullable=True),
        sa.Column("person_refuses", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("carrier", "carrier_id", "state", name=op.f("pk_outreach_early_receipts")),
    )
    op.create_table(
        "outreach_pace",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("tokens", sa.Float(), nullable=False),
        sa.Column("given", sa.Float(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_outreach_pace")),
    )
    op.create_table(
        "outreach_roll_numbers",
        sa.Column("roll_id", sa.BigInteger(), nullable=False),
        sa.Column("address_index", sa.LargeBinary(), nullable=False),
        sa.Column("address_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("region", sa.String(length=6), nullable=False),
        sa.Column("group", sa.String(length=40), nullable=False),
        sa.Column("consented", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("roll_id", "address_index", name=op.f("pk_outreach_roll_numbers")),
        postgresql_partition_by="LIST (roll_id)",
    )
    op.create_table(
        "outreach_rolls",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("file_size", sa.BigInteger(), nullable=True),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.Column("taken", sa.BigInteger(), nullable=False),
        sa.Column("refused", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("regions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("groups", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("consented", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.String(length=200), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["operators.id"], name=op.f("fk_outreach_rolls_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outreach_rolls")),
    )
    op.create_table(
        "outreach_segments",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("chosen", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["operators.id"], name=op.f("fk_outreach_segments_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outreach_segments")),
        sa.UniqueConstraint("title", name=op.f("uq_outreach_segments_title")),
    )
    op.create_table(
        "outreach_templates",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("registered_as", sa.String(length=40), nullable=True),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("changed_by", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["changed_by"], ["operators.id"], name=op.f("fk_outreach_templates_changed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outreach_templates")),
    )
    op.create_table(
        "broadcasts",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("template_id", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("authors", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("approved_by", sa.BigInteger(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("audience", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("prepared", sa.String(length=12), nullable=False),
        sa.Column("prepared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("duplicates", sa.BigInteger(), nullable=False),
        sa.Column("scheduled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hours_start", sa.Time(), nullable=False),
        sa.Column("hours_end", sa.Time(), nullable=False),
        sa.Column("region_hours", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("pilot", sa.Integer(), nullable=False),
        sa.Column("first_county", sa.String(length=6), nullable=True),
        sa.Column("wave", sa.SmallInteger(), nullable=False),
        sa.Column("waves", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("carrier_segments", sa.Float(), nullable=False),
        sa.Column("reply_share", sa.Float(), nullable=False),
        sa.Column("quiet_days", sa.Float(), nullable=False),
        sa.Column("waiting_seconds", sa.Float(), nullable=False),
        sa.Column("danger_replies", sa.Integer(), nullable=False),
        sa.Column("error_share", sa.Float(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pause_reason", sa.String(length=12), nullable=True),
        sa.Column("danger_seen", sa.BigInteger(), nullable=False),
        sa.Column("resumed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rate", sa.Float(), nullable=False),
        sa.Column("held_by", sa.String(length=12), nullable=True),
        sa.Column("measured", sa.Float(), nullable=False),
        sa.Column("measured_left", sa.BigInteger(), nullable=False),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["approved_by"], ["operators.id"], name=op.f("fk_broadcasts_approved_by")),
        sa.ForeignKeyConstraint(["created_by"], ["operators.id"], name=op.f("fk_broadcasts_created_by")),
        sa.ForeignKeyConstraint(["template_id"], ["outreach_templates.id"], name=op.f("fk_broadcasts_template_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcasts")),
    )
    op.create_table(
        "outreach_roll_parts",
        sa.Column("roll_id", sa.BigInteger(), nullable=False),
        sa.Column("part", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["roll_id"], ["outreach_rolls.id"], name=op.f("fk_outreach_roll_parts_roll_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("roll_id", "part", name=op.f("pk_outreach_roll_parts")),
    )
    op.create_table(
        "outreach_roll_refusals",
        sa.Column("roll_id", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["roll_id"], ["outreach_rolls.id"], name=op.f("fk_outreach_roll_refusals_roll_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("roll_id", "line", name=op.f("pk_outreach_roll_refusals")),
    )
    op.create_table(
        "broadcast_chunks",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("broadcast_id", sa.BigInteger(), nullable=False),
        sa.Column("wave", sa.SmallInteger(), nullable=False),
        sa.Column("region", sa.String(length=6), nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=80), nullable=True),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["broadcast_id"], ["broadcasts.id"], name=op.f("fk_broadcast_chunks_broadcast_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcast_chunks")),
    )
    op.create_index("ix_broadcast_chunks_broadcast_id", "broadcast_chunks", ["broadcast_id"], unique=False)
    op.create_table(
        "broadcast_counts",
        sa.Column("broadcast_id", sa.BigInteger(), nullable=False),
        sa.Column("region", sa.String(length=6), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["broadcast_id"], ["broadcasts.id"], name=op.f("fk_broadcast_counts_broadcast_id")),
        sa.PrimaryKeyConstraint("broadcast_id", "region", "state", name=op.f("pk_broadcast_counts")),
    )
    op.create_table(
        "broadcast_events",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("broadcast_id", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.String(length=24), nullable=False),
        sa.Column("who", sa.String(length=24), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["broadcast_id"], ["broadcasts.id"], name=op.f("fk_broadcast_events_broadcast_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcast_events")),
    )
    op.create_index("ix_broadcast_events_broadcast_id_id", "broadcast_events", ["broadcast_id", "id"], unique=False)
    op.create_table(
        "broadcast_lanes",
        sa.Column("broadcast_id", sa.BigInteger(), nullable=False),
        sa.Column("wave", sa.SmallInteger(), nullable=False),
        sa.Column("region", sa.String(length=6), nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.Column("next", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["broadcast_id"], ["broadcasts.id"], name=op.f("fk_broadcast_lanes_broadcast_id")),
        sa.PrimaryKeyConstraint("broadcast_id", "wave", "region", name=op.f("pk_broadcast_lanes")),
    )
    op.create_table(
        "broadcast_minutes",
        sa.Column("broadcast_id", sa.BigInteger(), nullable=False),
        sa.Column("minute", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["broadcast_id"], ["broadcasts.id"], name=op.f("fk_broadcast_minutes_broadcast_id")),
        sa.PrimaryKeyConstraint("broadcast_id", "minute", "what", name=op.f("pk_broadcast_minutes")),
    )
    op.create_table(
        "broadcast_replies",
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("broadcast_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("thread_id", sa.BigInteger(), nullable=False),
        sa.Column("lane", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["broadcast_id"], ["broadcasts.id"], name=op.f("fk_broadcast_replies_broadcast_id")),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_broadcast_replies_message_id")),
        sa.ForeignKeyConstraint(["thread_id"], ["threads.id"], name=op.f("fk_broadcast_replies_thread_id")),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_broadcast_replies")),
    )
    op.create_index("ix_broadcast_replies_broadcast_id_at", "broadcast_replies", ["broadcast_id", "at"], unique=False)
    op.create_index(op.f("ix_broadcast_replies_thread_id"), "broadcast_replies", ["thread_id"], unique=False)
    op.create_index(
        "ix_broadcast_replies_danger", "broadcast_replies", ["broadcast_id"], unique=False,
        postgresql_where=sa.text("lane IN ('red', 'orange')"),
    )  # fmt: skip
    op.create_index(
        "ix_broadcast_replies_people", "broadcast_replies", ["broadcast_id"], unique=False,
        postgresql_where=sa.text("kind NOT IN ('opt_out', 'thanks', 'doubt', 'not_mine')"),
    )  # fmt: skip
    op.drop_column("contacts", "last_outreach_at")
    op.create_index(
        "ix_tickets_merged_into", "tickets", ["merged_into"], unique=False,
        postgresql_where=sa.text("merged_into IS NOT NULL"),
    )  # fmt: skip
    # Until now the flag was lowered with the talk, also where its ticket of harm stayed open.
    op.execute(
        "UPDATE contacts SET open_case = true WHERE NOT open_case AND ("
        " id IN (SELECT contact_id FROM tickets WHERE closed_at IS NULL AND lane IN ('red', 'orange'))"
        " OR id IN (SELECT contact_id FROM escalations WHERE closed_at IS NULL AND lane IN ('red', 'orange')))"
    )


def downgrade() -> None:
    op.add_column(
        "contacts",
        sa.Column("last_outreach_at", postgresql.TIMESTAMP(timezone=True), autoincrement=False, nullable=True),
    )
    op.drop_index("ix_tickets_merged_into", table_name="tickets")
    op.drop_index("ix_broadcast_replies_people", table_name="broadcast_replies")
    op.drop_index("ix_broadcast_replies_danger", table_name="broadcast_replies")
    op.drop_index(op.f("ix_broadcast_replies_thread_id"), table_name="broadcast_replies")
    op.drop_index("ix_broadcast_replies_broadcast_id_at", table_name="broadcast_replies")
    op.drop_table("broadcast_replies")
    op.drop_table("broadcast_minutes")
    op.drop_table("broadcast_lanes")
    op.drop_index("ix_broadcast_events_broadcast_id_id", table_name="broadcast_events")
    op.drop_table("broadcast_events")
    op.drop_table("broadcast_counts")
    op.drop_index("ix_broadcast_chunks_broadcast_id", table_name="broadcast_chunks")
    op.drop_table("broadcast_chunks")
    op.drop_table("outreach_roll_refusals")
    op.drop_table("outreach_roll_parts")
    op.drop_table("broadcasts")
    op.drop_table("outreach_templates")
    op.drop_table("outreach_segments")
    op.drop_table("outreach_rolls")
    op.drop_table("outreach_roll_numbers")
    op.drop_table("outreach_pace")
    op.drop_table("outreach_early_receipts")
    op.drop_table("outreach_carrier_references")
    op.drop_index("ix_broadcast_unknowns_look_up_at", table_name="broadcast_unknowns")
    op.drop_table("broadcast_unknowns")
    op.drop_index("ix_broadcast_tallies_broadcast_id", table_name="broadcast_tallies")
    op.drop_table("broadcast_tallies")
    op.drop_table("broadcast_recipients")
