"""Operators and the emergency bridge: seats, transfers, whispers, second readings, drills, look-backs, desks, duty books.

Who took danger before this may go on doing so: operators and supervisors of an existing hotline become trained seats.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _operators()
    _escalations()
    _talks()
    _bridge()


def _operators() -> None:
    op.create_table(
        "recusals",
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_recusals_contact_id")),
        sa.ForeignKeyConstraint(["operator_id"], ["operators.id"], name=op.f("fk_recusals_operator_id")),
        sa.PrimaryKeyConstraint("operator_id", "contact_id", name=op.f("pk_recusals")),
    )
    op.create_table(
        "shift_handovers",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("written_by", sa.BigInteger(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("left_open", postgresql.JSONB(), nullable=False),
        sa.Column("taken_by", sa.BigInteger(), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["taken_by"], ["operators.id"], name=op.f("fk_shift_handovers_taken_by")),
        sa.ForeignKeyConstraint(["written_by"], ["operators.id"], name=op.f("fk_shift_handovers_written_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift_handovers")),
        sa.UniqueConstraint("uid", name=op.f("uq_shift_handovers_uid")),
    )
    op.add_column("operators", sa.Column("trained", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("operators", sa.Column("woman", sa.Boolean(), nullable=True))
    op.add_column("operators", sa.Column("phone_sealed", sa.LargeBinary(), nullable=True))
    op.add_column("operators", sa.Column("duty_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("operators", sa.Column("break_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("operators", sa.Column("severe_in_a_row", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("operators", sa.Column("needs_help_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE operators SET trained = true WHERE role IN ('operator', 'supervisor')")
    op.alter_column("operators", "trained", server_default=None)
    op.alter_column("operators", "severe_in_a_row", server_default=None)


def _escalations() -> None:
    op.create_table(
        "duty_notices",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("escalation_id", sa.BigInteger(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(length=4), nullable=False),
        sa.Column("round", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["escalation_id"], ["escalations.id"], name=op.f("fk_duty_notices_escalation_id")),
        sa.ForeignKeyConstraint(["operator_id"], ["operators.id"], name=op.f("fk_duty_notices_operator_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_notices")),
        sa.UniqueConstraint(
            "escalation_id",
            "operator_id",
            "kind",
            "round",
            name=op.f("uq_duty_notices_escalation_id_operator_id_kind_round"),
        ),
    )
    op.create_table(
        "look_backs",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("escalation_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("region", sa.String(length=6), nullable=True),
        sa.Column("mark", sa.String(length=4), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.BigInteger(), nullable=True),
        sa.Column("result", sa.String(length=16), nullable=True),
        sa.Column("words_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_look_backs_contact_id")),
        sa.ForeignKeyConstraint(["done_by"], ["operators.id"], name=op.f("fk_look_backs_done_by")),
        sa.ForeignKeyConstraint(["escalation_id"], ["escalations.id"], name=op.f("fk_look_backs_escalation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_look_backs")),
        sa.UniqueConstraint("escalation_id", "mark", name=op.f("uq_look_backs_escalation_id_mark")),
        sa.UniqueConstraint("uid", name=op.f("uq_look_backs_uid")),
    )
    op.create_index(
        "ix_look_backs_open", "look_backs", ["due_at"], unique=False, postgresql_where=sa.text("done_at IS NULL")
    )
    op.add_column("escalations", sa.Column("signed_off_by", sa.BigInteger(), nullable=True))
    op.add_column("escalations", sa.Column("ring_from", sa.DateTime(timezone=True), nullable=True))
    op.create_foreign_key(op.f("fk_escalations_signed_off_by"), "escalations", "operators", ["signed_off_by"], ["id"])


def _talks() -> None:
    op.add_column("messages", sa.Column("client_token", sa.String(length=36), nullable=True))
    op.create_index(
        "uq_messages_thread_id_client_token",
        "messages",
        ["thread_id", "client_token"],
        unique=True,
        postgresql_where=sa.text("client_token IS NOT NULL"),
    )
    op.create_table(
        "drill_runs",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("planned", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drill_runs")),
    )
    op.create_table(
        "drill_cases",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("thread_id", sa.BigInteger(), nullable=False),
        sa.Column("harm", sa.String(length=24), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rung_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_word_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handed_over_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["drill_runs.id"], name=op.f("fk_drill_cases_run_id")),
        sa.ForeignKeyConstraint(["thread_id"], ["threads.id"], name=op.f("fk_drill_cases_thread_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drill_cases")),
        sa.UniqueConstraint("run_id", "thread_id", name=op.f("uq_drill_cases_run_id_thread_id")),
    )
    op.create_table(
        "talk_transfers",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("thread_id", sa.BigInteger(), nullable=False),
        sa.Column("from_operator", sa.BigInteger(), nullable=False),
        sa.Column("to_operator", sa.BigInteger(), nullable=False),
        sa.Column("mode", sa.String(length=4), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["from_operator"], ["operators.id"], name=op.f("fk_talk_transfers_from_operator")),
        sa.ForeignKeyConstraint(["thread_id"], ["threads.id"], name=op.f("fk_talk_transfers_thread_id")),
        sa.ForeignKeyConstraint(["to_operator"], ["operators.id"], name=op.f("fk_talk_transfers_to_operator")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_talk_transfers")),
        sa.UniqueConstraint("uid", name=op.f("uq_talk_transfers_uid")),
    )
    op.create_index(
        "ix_talk_transfers_to_operator",
        "talk_transfers",
        ["to_operator"],
        unique=False,
        postgresql_where=sa.text("state = 'offered'"),
    )
    op.create_index(
        "uq_talk_transfers_offered",
        "talk_transfers",
        ["thread_id"],
        unique=True,
        postgresql_where=sa.text("state = 'offered'"),
    )
    op.create_table(
        "whispers",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("thread_id", sa.BigInteger(), nullable=False),
        sa.Column("from_operator", sa.BigInteger(), nullable=False),
        sa.Column("to_operator", sa.BigInteger(), nullable=True),
        sa.Column("words_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["from_operator"], ["operators.id"], name=op.f("fk_whispers_from_operator")),
        sa.ForeignKeyConstraint(["thread_id"], ["threads.id"], name=op.f("fk_whispers_thread_id")),
        sa.ForeignKeyConstraint(["to_operator"], ["operators.id"], name=op.f("fk_whispers_to_operator")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_whispers")),
        sa.UniqueConstraint("uid", name=op.f("uq_whispers_uid")),
    )
    op.create_index("ix_whispers_thread_id_id", "whispers", ["thread_id", "id"], unique=False)
    op.create_table(
        "review_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_review_days")),
    )
    op.create_table(
        "reviews",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("escalation_id", sa.BigInteger(), nullable=True),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("thread_id", sa.BigInteger(), nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_by", sa.BigInteger(), nullable=True),
        sa.Column("verdict", sa.String(length=16), nullable=True),
        sa.Column("words_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["escalation_id"], ["escalations.id"], name=op.f("fk_reviews_escalation_id")),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_reviews_message_id")),
        sa.ForeignKeyConstraint(["read_by"], ["operators.id"], name=op.f("fk_reviews_read_by")),
        sa.ForeignKeyConstraint(["thread_id"], ["threads.id"], name=op.f("fk_reviews_thread_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
        sa.UniqueConstraint("escalation_id", name=op.f("uq_reviews_escalation_id")),
        sa.UniqueConstraint("message_id", name=op.f("uq_reviews_message_id")),
        sa.UniqueConstraint("uid", name=op.f("uq_reviews_uid")),
    )
    op.create_index("ix_reviews_unread", "reviews", ["day"], unique=False, postgresql_where=sa.text("read_at IS NULL"))


def _bridge() -> None:
    op.create_table(
        "bridge_heard",
        sa.Column("desk", sa.String(length=16), nullable=False),
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("desk", "message_id", name=op.f("pk_bridge_heard")),
    )
    op.create_table(
        "duty_posts",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("region", sa.String(length=6), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("hours", sa.String(length=40), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["made_by"], ["operators.id"], name=op.f("fk_duty_posts_made_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_posts")),
        sa.UniqueConstraint("uid", name=op.f("uq_duty_posts_uid")),
    )
    op.create_index(
        "ix_duty_posts_region", "duty_posts", ["region"], unique=False, postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_table(
        "duty_tests",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("post_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.BigInteger(), nullable=True),
        sa.Column("result", sa.String(length=12), nullable=False),
        sa.Column("call_reference", sa.String(length=64), nullable=True),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["operators.id"], name=op.f("fk_duty_tests_by")),
        sa.ForeignKeyConstraint(["post_id"], ["duty_posts.id"], name=op.f("fk_duty_tests_post_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_tests")),
        sa.UniqueConstraint("post_id", "call_reference", name=op.f("uq_duty_tests_post_id_call_reference")),
        sa.UniqueConstraint("uid", name=op.f("uq_duty_tests_uid")),
    )
    op.create_index("ix_duty_tests_post_id_id", "duty_tests", ["post_id", "id"], unique=False)
    op.create_table(
        "bridge_calls",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("escalation_id", sa.BigInteger(), nullable=False),
        sa.Column("thread_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=True),
        sa.Column("service", sa.String(length=3), nullable=False),
        sa.Column("desk", sa.String(length=16), nullable=False),
        sa.Column("driver", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requested_by", sa.BigInteger(), nullable=True),
        sa.Column("incident_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.String(length=40), nullable=True),
        sa.Column("alarmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("receipt", sa.String(length=40), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.BigInteger(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["escalation_id"], ["escalations.id"], name=op.f("fk_bridge_calls_escalation_id")),
        sa.ForeignKeyConstraint(["requested_by"], ["operators.id"], name=op.f("fk_bridge_calls_requested_by")),
        sa.ForeignKeyConstraint(["settled_by"], ["operators.id"], name=op.f("fk_bridge_calls_settled_by")),
        sa.ForeignKeyConstraint(["thread_id"], ["threads.id"], name=op.f("fk_bridge_calls_thread_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_bridge_calls_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bridge_calls")),
        sa.UniqueConstraint("uid", name=op.f("uq_bridge_calls_uid")),
    )
    op.create_index(
        "ix_bridge_calls_open",
        "bridge_calls",
        ["state", "requested_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('requested', 'accepted', 'failed')"),
    )
    op.create_index("ix_bridge_calls_thread_id", "bridge_calls", ["thread_id"], unique=False)
    op.create_index(
        "uq_bridge_calls_open",
        "bridge_calls",
        ["escalation_id", "service"],
        unique=True,
        postgresql_where=sa.text("state = 'requested'"),
    )
    op.create_table(
        "bridge_events",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("call_id", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.String(length=32), nullable=False),
        sa.Column("who", sa.String(length=24), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detail", postgresql.JSONB(), nullable=False),
        sa.Column("words_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["bridge_calls.id"], name=op.f("fk_bridge_events_call_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bridge_events")),
        sa.UniqueConstraint("uid", name=op.f("uq_bridge_events_uid")),
    )
    op.create_index("ix_bridge_events_call_id_id", "bridge_events", ["call_id", "id"], unique=False)
    op.create_table(
        "desk_matters",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("desk", sa.String(length=16), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("said_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("thread_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket", sa.String(length=8), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("told", sa.String(length=12), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["thread_id"], ["threads.id"], name=op.f("fk_desk_matters_thread_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_desk_matters_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_matters")),
        sa.UniqueConstraint("desk", "number", name=op.f("uq_desk_matters_desk_number")),
        sa.UniqueConstraint("uid", name=op.f("uq_desk_matters_uid")),
    )
    op.create_index("ix_desk_matters_thread_id", "desk_matters", ["thread_id"], unique=False)
    op.create_index(
        "ix_desk_matters_open", "desk_matters", ["id"], unique=False, postgresql_where=sa.text("ended_at IS NULL")
    )


def downgrade() -> None:

    op.drop_index("ix_desk_matters_open", table_name="desk_matters", postgresql_where=sa.text("ended_at IS NULL"))
    op.drop_index("ix_desk_matters_thread_id", table_name="desk_matters")
    op.drop_table("desk_matters")
    op.drop_index(
        "uq_messages_thread_id_client_token",
        table_name="messages",
        postgresql_where=sa.text("client_token IS NOT NULL"),
    )
    op.drop_column("messages", "client_token")
    op.drop_column("operators", "needs_help_at")
    op.drop_column("operators", "severe_in_a_row")
    op.drop_column("operators", "break_until")
    op.drop_column("operators", "duty_since")
    op.drop_column("operators", "phone_sealed")
    op.drop_column("operators", "woman")
    op.drop_column("operators", "trained")
    op.drop_constraint(op.f("fk_escalations_signed_off_by"), "escalations", type_="foreignkey")
    op.drop_column("escalations", "signed_off_by")
    op.drop_column("escalations", "ring_from")
    op.drop_index("ix_bridge_events_call_id_id", table_name="bridge_events")
    op.drop_table("bridge_events")
    op.drop_index("ix_reviews_unread", table_name="reviews", postgresql_where=sa.text("read_at IS NULL"))
    op.drop_table("reviews")
    op.drop_table("review_days")
    op.drop_index("ix_look_backs_open", table_name="look_backs", postgresql_where=sa.text("done_at IS NULL"))
    op.drop_table("look_backs")
    op.drop_table("duty_notices")
    op.drop_index("uq_bridge_calls_open", table_name="bridge_calls", postgresql_where=sa.text("state = 'requested'"))
    op.drop_index("ix_bridge_calls_thread_id", table_name="bridge_calls")
    op.drop_index(
        "ix_bridge_calls_open",
        table_name="bridge_calls",
        postgresql_where=sa.text("state IN ('requested', 'accepted', 'failed')"),
    )
    op.drop_table("bridge_calls")
    op.drop_index("ix_whispers_thread_id_id", table_name="whispers")
    op.drop_table("whispers")
    op.drop_index(
        "uq_talk_transfers_offered", table_name="talk_transfers", postgresql_where=sa.text("state = 'offered'")
    )
    op.drop_index(
        "ix_talk_transfers_to_operator", table_name="talk_transfers", postgresql_where=sa.text("state = 'offered'")
    )
    op.drop_table("talk_transfers")
    op.drop_index("ix_duty_tests_post_id_id", table_name="duty_tests")
    op.drop_table("duty_tests")
    op.drop_table("drill_cases")
    op.drop_table("shift_handovers")
    op.drop_table("recusals")
    op.drop_index("ix_duty_posts_region", table_name="duty_posts", postgresql_where=sa.text("ended_at IS NULL"))
    op.drop_table("duty_posts")
    op.drop_table("drill_runs")
    op.drop_table("bridge_heard")
