"""Casework: the loop's clocks, hash-chained events, dispatches, children, duty reports, follow-ups, transfers, files."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("operators", sa.Column("unit", sa.String(length=24), nullable=True))
    _tickets()
    _events()
    for make in (
        _api_keys,
        _children,
        _dashboards,
        _ticket_anchors,
        _accused,
        _dispatches,
        _duty_reports,
        _extensions,
        _follow_ups,
        _inquiries,
        _ticket_children,
        _ticket_links,
        _transfers,
        _attachments,
        _ticket_groups,
        _audit,
    ):
        make()


def _filled(column: str, kind: Any, value: str) -> None:
    """A column that may not be empty; rows of before get `value`."""
    op.add_column("tickets", sa.Column(column, kind, nullable=False, server_default=value))
    op.alter_column("tickets", column, server_default=None)


def _tickets() -> None:
    _filled("place", sa.String(length=6), "530000")
    op.execute("UPDATE tickets SET place = county WHERE county IS NOT NULL")
    _filled("level", sa.String(length=12), "county")
    for column in ("urgent", "sealed"):
        _filled(column, sa.Boolean(), "false")
    _filled("version", sa.BigInteger(), "1")
    for column in ("extensions", "returns", "supervised", "events"):
        _filled(column, sa.BigInteger(), "0")
    for column, kind in (
        ("category", sa.String(length=8)), ("unit", sa.String(length=24)), ("sensitivity", sa.String(length=20)),
        ("next_clock_at", sa.DateTime(timezone=True)), ("paused_at", sa.DateTime(timezone=True)),
        ("paused_from", sa.String(length=16)), ("warned_at", sa.DateTime(timezone=True)), ("merged_into", sa.BigInteger()),
        ("head", sa.LargeBinary()), ("head_seal", sa.LargeBinary()), ("words_sealed", sa.LargeBinary()),
    ):  # fmt: skip
        op.add_column("tickets", sa.Column(column, kind, nullable=True))
    op.execute("UPDATE tickets SET next_clock_at = due_at WHERE closed_at IS NULL")
    for column in ("category", "place", "status"):
        op.create_index(f"ix_tickets_{column}_id", "tickets", [column, "id"])
    op.create_index("ix_tickets_unit", "tickets", ["unit", "id"])
    op.create_index("ix_tickets_thread_id", "tickets", ["thread_id"])
    op.create_index("ix_tickets_received_at", "tickets", ["received_at"])
    op.create_index("ix_tickets_tail", "tickets", [sa.text('"right"(number, 3)')])
    op.create_index(
        "ix_tickets_evaluated", "tickets", ["evaluated", "id"], postgresql_where=sa.text("evaluated IS NOT NULL")
    )
    op.create_index("ix_tickets_level_category", "tickets", ["level", "category"])
    op.create_index("ix_tickets_returned", "tickets", ["id"], postgresql_where=sa.text("returns > 0"))
    op.drop_index("ix_tickets_open", table_name="tickets")
    op.create_index(
        "ix_tickets_open",
        "tickets",
        [sa.text("lane DESC"), "due_at", "id"],
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    for column in ("closed_at", "next_clock_at"):
        op.create_index(f"ix_tickets_{column}", "tickets", [column], postgresql_where=sa.text(f"{column} IS NOT NULL"))
    op.create_foreign_key(op.f("fk_tickets_merged_into"), "tickets", "tickets", ["merged_into"], ["id"])


def _events() -> None:
    op.alter_column("ticket_events", "who", existing_type=sa.VARCHAR(length=24), type_=sa.String(length=40))
    for column, kind in (
        ("seq", sa.BigInteger()), ("from_status", sa.String(length=16)), ("to_status", sa.String(length=16)),
        ("why_sealed", sa.LargeBinary()), ("why_digest", sa.LargeBinary()), ("erased_at", sa.DateTime(timezone=True)),
        ("content_hash", sa.LargeBinary()), ("chain_hash", sa.LargeBinary()), ("uid", sa.Uuid()),
    ):  # fmt: skip
        op.add_column("ticket_events", sa.Column(column, kind, nullable=True))
    _chain_what_is_there()
    for column in ("seq", "content_hash", "chain_hash", "uid"):
        op.alter_column("ticket_events", column, nullable=False)
    op.drop_index("ix_ticket_events_ticket_id_id", table_name="ticket_events")
    op.create_index("ix_ticket_events_at", "ticket_events", ["at"])
    op.create_index(
        "ix_ticket_events_unsolved", "ticket_events", ["ticket_id"],
        postgresql_where=sa.text("what = 'reworked' AND who = 'person'"),
    )  # fmt: skip
    op.create_index(
        "ix_ticket_events_operator", "ticket_events", ["who", "id"],
        postgresql_where=sa.text("who LIKE 'operator:%'"),
    )  # fmt: skip
    op.create_unique_constraint(op.f("uq_ticket_events_ticket_id_seq"), "ticket_events", ["ticket_id", "seq"])
    op.create_unique_constraint(op.f("uq_ticket_events_uid"), "ticket_events", ["uid"])


def _chain_what_is_there() -> None:
    """Events of before get the chain that `tickets/chain.py` makes, as it was on the day of this migration."""
    bind = op.get_bind()
    heads: dict[int, tuple[int, bytes]] = {}
    uids: dict[int, UUID] = {}
    rows = bind.execute(
        sa.text(
            "SELECT e.id, e.ticket_id, e.what, e.who, e.at, e.detail, t.uid FROM ticket_events e"
            " JOIN tickets t ON t.id = e.ticket_id ORDER BY e.ticket_id, e.id"
        )
    ).all()
    for row in rows:
        seq, head = heads.get(row.ticket_id, (0, hashlib.sha256(row.uid.bytes).digest()))
        uid, at = uuid4(), row.at.astimezone(UTC).isoformat(timespec="microseconds")
        content = {
            "uid": uid.hex, "seq": seq + 1, "what": row.what, "who": row.who, "at": at, "from": None, "to": None, "why": None,
            "detail": row.detail,
        }  # fmt: skip
        hashed = hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False, default=str).encode()).digest()
        uids[row.ticket_id] = row.uid
        heads[row.ticket_id] = (seq + 1, hashlib.sha256(head + hashed).digest())
        bind.execute(
            sa.text(
                "UPDATE ticket_events SET seq = :seq, uid = :uid, content_hash = :hashed, chain_hash = :head WHERE id = :id"
            ),
            {"seq": seq + 1, "uid": uid, "hashed": hashed, "head": heads[row.ticket_id][1], "id": row.id},
        )
    for ticket_id, (seq, head) in heads.items():
        bind.execute(
            sa.text("UPDATE tickets SET events = :seq, head = :head, head_seal = :seal WHERE id = :id"),
            {"seq": seq, "head": head, "seal": _head_seal(uids[ticket_id], seq, head), "id": ticket_id},
        )


def _head_seal(ticket_uid: UUID, events: int, head: bytes) -> bytes:
    from sms_gateway.crypto import blind_index  # here: a database without tickets needs no key

    return blind_index(f"{ticket_uid.hex}:{events}:{head.hex()}", "tickets.head")


def _api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.String(length=24), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_keys_token_hash")),
    )


def _children() -> None:
    op.create_table(
        "children",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("county", sa.String(length=6), nullable=True),
        sa.Column("age", sa.BigInteger(), nullable=True),
        sa.Column("sex", sa.String(length=1), nullable=True),
        sa.Column("about_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("name_index", sa.LargeBinary(), nullable=True),
        sa.Column("school_index", sa.LargeBinary(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("merged_into", sa.BigInteger(), nullable=True),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["merged_into"], ["children.id"], name=op.f("fk_children_merged_into")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_children")),
        sa.UniqueConstraint("uid", name=op.f("uq_children_uid")),
    )
    op.create_index("ix_children_county", "children", ["county"], unique=False)
    op.create_index("ix_children_name_index", "children", ["name_index"], unique=False)
    op.create_index("ix_children_school_index", "children", ["school_index"], unique=False)


def _dashboards() -> None:
    op.create_table(
        "dashboards",
        sa.Column("scope", sa.String(length=6), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("figures", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_dashboards")),
    )


def _ticket_anchors() -> None:
    op.create_table(
        "ticket_anchors",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("last_event_id", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_ticket_anchors")),
    )


def _accused() -> None:
    op.create_table(
        "accused",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("child_id", sa.BigInteger(), nullable=True),
        sa.Column("relation", sa.String(length=24), nullable=True),
        sa.Column("lives_with", sa.Boolean(), nullable=True),
        sa.Column("public_post", sa.Boolean(), nullable=True),
        sa.Column("unit", sa.String(length=24), nullable=True),
        sa.Column("about_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("name_index", sa.LargeBinary(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["child_id"], ["children.id"], name=op.f("fk_accused_child_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_accused_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accused")),
        sa.UniqueConstraint("uid", name=op.f("uq_accused_uid")),
    )
    op.create_index("ix_accused_name_index", "accused", ["name_index"], unique=False)
    op.create_index("ix_accused_ticket_id", "accused", ["ticket_id"], unique=False)


def _dispatches() -> None:
    op.create_table(
        "dispatches",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.String(length=24), nullable=False),
        sa.Column("role", sa.String(length=8), nullable=False),
        sa.Column("copy_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("dispatched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sign_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("warned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("supervised", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_dispatches_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispatches")),
        sa.UniqueConstraint("uid", name=op.f("uq_dispatches_uid")),
    )
    op.create_index("ix_dispatches_ticket_id", "dispatches", ["ticket_id"], unique=False)
    op.create_index("ix_dispatches_unit_id", "dispatches", ["unit", "id"], unique=False)
    op.create_index(
        "uq_dispatches_open",
        "dispatches",
        ["ticket_id", "unit"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL AND returned_at IS NULL"),
    )


def _duty_reports() -> None:
    op.create_table(
        "duty_reports",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.String(length=24), nullable=False),
        sa.Column("arose_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reported_by", sa.BigInteger(), nullable=True),
        sa.Column("receipt_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("why_not_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("excused_by", sa.BigInteger(), nullable=True),
        sa.Column("signed_by", sa.BigInteger(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("feedback_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("feedback_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("evidence_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("evidence_from", sa.String(length=8), nullable=True),
        sa.Column("overdue_steps", sa.BigInteger(), nullable=False),
        sa.Column("reporter_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["excused_by"], ["operators.id"], name=op.f("fk_duty_reports_excused_by")),
        sa.ForeignKeyConstraint(["reported_by"], ["operators.id"], name=op.f("fk_duty_reports_reported_by")),
        sa.ForeignKeyConstraint(["signed_by"], ["operators.id"], name=op.f("fk_duty_reports_signed_by")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_duty_reports_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_reports")),
        sa.UniqueConstraint("ticket_id", "body", name=op.f("uq_duty_reports_ticket_id_body")),
        sa.UniqueConstraint("uid", name=op.f("uq_duty_reports_uid")),
    )
    op.create_index(
        "ix_duty_reports_open", "duty_reports", ["due_at"], unique=False, postgresql_where=sa.text("settled_at IS NULL")
    )


def _extensions() -> None:
    op.create_table(
        "extensions",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.String(length=24), nullable=False),
        sa.Column("asked_by", sa.String(length=40), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("approved", sa.Boolean(), nullable=True),
        sa.Column("warned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["decided_by"], ["operators.id"], name=op.f("fk_extensions_decided_by")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_extensions_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extensions")),
        sa.UniqueConstraint("uid", name=op.f("uq_extensions_uid")),
    )
    op.create_index(
        "uq_extensions_open", "extensions", ["ticket_id"], unique=True, postgresql_where=sa.text("decided_at IS NULL")
    )


def _follow_ups() -> None:
    op.create_table(
        "follow_ups",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_follow_ups_contact_id")),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_follow_ups_message_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_follow_ups_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_ups")),
    )
    op.create_index("ix_follow_ups_ticket_id", "follow_ups", ["ticket_id"], unique=False)
    op.create_index("ix_follow_ups_contact_id", "follow_ups", ["contact_id"], unique=False)


def _inquiries() -> None:
    op.create_table(
        "inquiries",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("words_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("asked_by", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("desk_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["asked_by"], ["operators.id"], name=op.f("fk_inquiries_asked_by")),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_inquiries_contact_id")),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_inquiries_message_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_inquiries_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inquiries")),
        sa.UniqueConstraint("uid", name=op.f("uq_inquiries_uid")),
    )
    op.create_index("ix_inquiries_contact_id", "inquiries", ["contact_id"], unique=False)
    op.create_index(
        "uq_inquiries_open", "inquiries", ["ticket_id"], unique=True, postgresql_where=sa.text("settled_at IS NULL")
    )


def _ticket_children() -> None:
    op.create_table(
        "ticket_children",
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("child_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("via", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["via"], ["children.id"], name=op.f("fk_ticket_children_via")),
        sa.ForeignKeyConstraint(["child_id"], ["children.id"], name=op.f("fk_ticket_children_child_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_children_ticket_id")),
        sa.PrimaryKeyConstraint("ticket_id", "child_id", name=op.f("pk_ticket_children")),
    )
    op.create_index(op.f("ix_ticket_children_child_id"), "ticket_children", ["child_id"], unique=False)


def _ticket_links() -> None:
    op.create_table(
        "ticket_links",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("ref", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_links_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_links")),
        sa.UniqueConstraint("ticket_id", "kind", "ref", name=op.f("uq_ticket_links_ticket_id_kind_ref")),
    )
    op.create_index("ix_ticket_links_kind_ref", "ticket_links", ["kind", "ref"], unique=False)


def _transfers() -> None:
    op.create_table(
        "transfers",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("partner", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("words_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("their_number", sa.String(length=40), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_transfers_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfers")),
        sa.UniqueConstraint("partner", "their_number", name=op.f("uq_transfers_partner_their_number")),
        sa.UniqueConstraint("uid", name=op.f("uq_transfers_uid")),
    )
    op.create_index("ix_transfers_ticket_id", "transfers", ["ticket_id"], unique=False)
    op.create_index(
        "ix_transfers_for_operator", "transfers", ["ticket_id"], unique=False,
        postgresql_where=sa.text("state IN ('by_hand', 'refused')"),
    )  # fmt: skip


def _attachments() -> None:
    op.create_table(
        "attachments",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=True),
        sa.Column("who", sa.String(length=40), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["ticket_events.id"], name=op.f("fk_attachments_event_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_attachments_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachments")),
        sa.UniqueConstraint("uid", name=op.f("uq_attachments_uid")),
    )
    op.create_index("ix_attachments_ticket_id", "attachments", ["ticket_id"], unique=False)


def _ticket_groups() -> None:
    op.create_table(
        "ticket_groups",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("looked_at", sa.BigInteger(), nullable=False),
        sa.Column("cut", sa.Boolean(), nullable=False),
        sa.Column("category", sa.String(length=8), nullable=True),
        sa.Column("ticket_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_groups")),
    )


def _audit() -> None:
    op.add_column("audit", sa.Column("detail_sealed", sa.LargeBinary(), nullable=True))
    op.add_column("audit", sa.Column("uid", sa.Uuid(), nullable=False, server_default=sa.text("gen_random_uuid()")))
    op.alter_column("audit", "uid", server_default=None)
    op.create_unique_constraint(op.f("uq_audit_uid"), "audit", ["uid"])


def downgrade() -> None:
    for name in ("tail", "returned", "evaluated", "level_category", "status_id"):
        op.drop_index(f"ix_tickets_{name}", table_name="tickets")
    op.drop_constraint(op.f("uq_audit_uid"), "audit", type_="unique")
    for column in ("uid", "detail_sealed"):
        op.drop_column("audit", column)
    for table in (
        "ticket_groups",
        "attachments",
        "transfers",
        "ticket_links",
        "ticket_children",
        "inquiries",
        "follow_ups",
        "extensions",
        "duty_reports",
        "dispatches",
        "accused",
        "ticket_anchors",
        "dashboards",
        "children",
        "api_keys",
    ):
        op.drop_table(table)
    op.drop_constraint(op.f("uq_ticket_events_uid"), "ticket_events", type_="unique")
    op.drop_constraint(op.f("uq_ticket_events_ticket_id_seq"), "ticket_events", type_="unique")
    op.drop_index("ix_ticket_events_operator", table_name="ticket_events")
    op.drop_index("ix_ticket_events_unsolved", table_name="ticket_events")
    op.drop_index("ix_ticket_events_at", table_name="ticket_events")
    op.create_index("ix_ticket_events_ticket_id_id", "ticket_events", ["ticket_id", "id"])
    for column in (
        "uid",
        "chain_hash",
        "content_hash",
        "erased_at",
        "why_digest",
        "why_sealed",
        "to_status",
        "from_status",
        "seq",
    ):
        op.drop_column("ticket_events", column)
    op.execute("UPDATE ticket_events SET who = left(who, 24)")
    op.alter_column("ticket_events", "who", existing_type=sa.String(length=40), type_=sa.VARCHAR(length=24))
    for column in (
        "words_sealed", "head_seal", "head", "events", "merged_into", "supervised", "warned_at", "returns", "extensions", "paused_from", "paused_at",
        "next_clock_at", "version", "sealed", "sensitivity", "urgent", "unit", "level", "category", "place",
    ):  # fmt: skip
        op.drop_column("tickets", column)
    op.drop_index("ix_tickets_open", table_name="tickets")
    op.create_index("ix_tickets_open", "tickets", ["lane", "due_at"], postgresql_where=sa.text("closed_at IS NULL"))
    op.drop_index("ix_tickets_thread_id", table_name="tickets")
    op.drop_index("ix_tickets_received_at", table_name="tickets")
    op.drop_index("ix_tickets_closed_at", table_name="tickets")
    op.drop_column("operators", "unit")
