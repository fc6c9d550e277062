"""Evidence: the audit in hash chains with daily anchors (rows from before in their order); sealed pictures; what the police asked for."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

BATCH = 5_000


def upgrade() -> None:
    _audit_tables()
    _chain_old_rows()
    op.execute("UPDATE audit SET has_detail = detail_sealed IS NOT NULL")
    for column in ("has_detail", "stream", "seq", "content_hash", "chain_hash"):
        op.alter_column("audit", column, nullable=False)
    op.create_unique_constraint(op.f("uq_audit_stream_seq"), "audit", ["stream", "seq"])
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_index("ix_audit_subject", "audit", ["subject"])
    _append_only()
    _sealed_images()
    _police_requests()


def _audit_tables() -> None:
    op.create_table(
        "audit_streams",
        sa.Column("stream", sa.String(length=32), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("stream", name=op.f("pk_audit_streams")),
    )
    op.create_table(
        "audit_anchors",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("heads", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_audit_anchors")),
    )
    op.add_column("audit", sa.Column("has_detail", sa.Boolean(), nullable=True))
    op.add_column("audit", sa.Column("stream", sa.String(length=32), nullable=True))
    op.add_column("audit", sa.Column("seq", sa.BigInteger(), nullable=True))
    op.add_column("audit", sa.Column("content_hash", sa.LargeBinary(), nullable=True))
    op.add_column("audit", sa.Column("chain_hash", sa.LargeBinary(), nullable=True))
    op.drop_constraint(op.f("fk_audit_operator_id"), "audit", type_="foreignkey")


def _sealed_images() -> None:
    op.add_column("attachments", sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=True))
    op.alter_column("attachments", "content_sealed", nullable=True)
    op.create_table(
        "sealed_images",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("attachment_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("why", sa.String(length=8), nullable=False),
        sa.Column("who", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["attachment_id"], ["attachments.id"], name=op.f("fk_sealed_images_attachment_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_sealed_images_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sealed_images")),
        sa.UniqueConstraint("attachment_id", name=op.f("uq_sealed_images_attachment_id")),
        sa.UniqueConstraint("uid", name=op.f("uq_sealed_images_uid")),
    )
    op.create_index("ix_sealed_images_ticket_id", "sealed_images", ["ticket_id"])
    op.create_table(
        "image_openings",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("image_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("asked_by", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["image_id"], ["sealed_images.id"], name=op.f("fk_image_openings_image_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_image_openings_ticket_id")),
        sa.ForeignKeyConstraint(["asked_by"], ["operators.id"], name=op.f("fk_image_openings_asked_by")),
        sa.ForeignKeyConstraint(["decided_by"], ["operators.id"], name=op.f("fk_image_openings_decided_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_image_openings")),
        sa.UniqueConstraint("uid", name=op.f("uq_image_openings_uid")),
    )
    op.create_index("ix_image_openings_image_id", "image_openings", ["image_id"])
    op.create_index("ix_image_openings_expires_at", "image_openings", ["expires_at"])


def _police_requests() -> None:
    op.create_table(
        "police_requests",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("letter_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("unit_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("officers_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("scope", sa.String(length=8), nullable=False),
        sa.Column("ref", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("asked_by", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("inner_digest", sa.String(length=64), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("file", sa.LargeBinary(), nullable=True),
        sa.Column("file_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["asked_by"], ["operators.id"], name=op.f("fk_police_requests_asked_by")),
        sa.ForeignKeyConstraint(["decided_by"], ["operators.id"], name=op.f("fk_police_requests_decided_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_police_requests")),
        sa.UniqueConstraint("uid", name=op.f("uq_police_requests_uid")),
    )


def _append_only() -> None:
    """Against our own slips; whoever owns the database can switch it off, and then the chain tells."""
    op.execute(
        """
        CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' AND current_setting('hotline.audit_drop', true) = 'on' THEN
                RETURN OLD;
            END IF;
            IF TG_OP = 'UPDATE' AND (to_jsonb(NEW) - 'detail_sealed') = (to_jsonb(OLD) - 'detail_sealed') AND (
                (NEW.detail_sealed IS NULL) = (OLD.detail_sealed IS NULL)  -- sealed anew under another key
                OR (NEW.detail_sealed IS NULL AND current_setting('hotline.audit_drop', true) = 'on')
            ) THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'audit is append-only';
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit"
        " FOR EACH ROW EXECUTE FUNCTION audit_is_append_only()"
    )


def _chain_old_rows() -> None:
    """As `operators/audit_chain.py` did it then: a migration keeps its own copy of what it writes."""
    connection = op.get_bind()
    ends: dict[str, tuple[int, bytes]] = {}
    after = 0
    while True:
        rows = connection.execute(_OLD, {"after": after, "batch": BATCH}).all()
        if not rows:
            break
        after = rows[-1].id
        made: dict[str, list[Any]] = {name: [] for name in ("ids", "streams", "seqs", "contents", "heads")}
        for row in rows:
            stream = f"operator:{row.operator_id}" if row.operator_id is not None else "system"
            seq, head = ends.get(stream, (0, hashlib.sha256(f"audit:{stream}".encode()).digest()))
            content = _content(row, stream, seq + 1)
            ends[stream] = (seq + 1, hashlib.sha256(head + content).digest())
            for name, value in zip(made, (row.id, stream, seq + 1, content, ends[stream][1]), strict=True):
                made[name].append(value)
        connection.execute(_WRITE, made)
    if ends:
        _seal_ends(ends)


def _seal_ends(ends: dict[str, tuple[int, bytes]]) -> None:
    from sms_gateway.crypto import blind_index  # only where there is something to seal: an empty database needs no key

    rows = [
        {
            "stream": stream,
            "length": seq,
            "head": head,
            "seal": blind_index(f"{stream}:{seq}:{head.hex()}", "audit.end"),
        }
        for stream, (seq, head) in ends.items()
    ]
    columns: list[sa.ColumnClause[Any]] = [sa.column(name) for name in ("stream", "length", "head", "seal")]
    op.get_bind().execute(sa.insert(sa.table("audit_streams", *columns)), rows)


def _content(row: Any, stream: str, seq: int) -> bytes:
    content = {
        "uid": row.uid.hex, "stream": stream, "seq": seq, "at": row.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "operator": row.operator_id, "what": row.what, "subject": row.subject, "detail": row.has_detail,
    }  # fmt: skip
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).digest()


_OLD = sa.text(
    "SELECT id, uid, at, operator_id, what, subject, detail_sealed IS NOT NULL AS has_detail FROM audit"
    " WHERE id > :after ORDER BY id LIMIT :batch"
)
_WRITE = sa.text(
    "UPDATE audit SET stream = new.stream, seq = new.seq, content_hash = new.content, chain_hash = new.head FROM unnest("
    "CAST(:ids AS bigint[]), CAST(:streams AS text[]), CAST(:seqs AS bigint[]), CAST(:contents AS bytea[]), CAST(:heads AS bytea[])"
    ") AS new(id, stream, seq, content, head) WHERE audit.id = new.id"
)


def downgrade() -> None:
    op.drop_table("police_requests")
    op.drop_table("image_openings")
    _no_sealed_images()
    op.execute("DROP TRIGGER audit_append_only ON audit")
    op.execute("DROP FUNCTION audit_is_append_only()")
    op.drop_index("ix_audit_subject", table_name="audit")
    op.drop_index("ix_audit_at", table_name="audit")
    op.drop_constraint(op.f("uq_audit_stream_seq"), "audit", type_="unique")
    for column in ("chain_hash", "content_hash", "seq", "stream", "has_detail"):
        op.drop_column("audit", column)
    op.create_foreign_key(op.f("fk_audit_operator_id"), "audit", "operators", ["operator_id"], ["id"])
    op.drop_table("audit_anchors")
    op.drop_table("audit_streams")


def _no_sealed_images() -> None:
    """The older version knows no sealed store: the bytes go back to where it looks for them. Evidence is never lost by going back,
    but that version hands such pictures out to the desk again.
    """
    connection = op.get_bind()
    for row in connection.execute(_KEPT).all():
        from sms_gateway.crypto import opened_from, sealed_for

        content = opened_from("sealed_images", "content_sealed", row.sealed_uid, bytes(row.content_sealed))
        sealed = sealed_for("attachments", "content_sealed", row.uid, content)
        back = sa.text("UPDATE attachments SET content_sealed = :sealed WHERE id = :id")
        connection.execute(back, {"sealed": sealed, "id": row.id})
    op.drop_table("sealed_images")
    op.alter_column("attachments", "content_sealed", nullable=False)
    op.drop_column("attachments", "sealed_at")


_KEPT = sa.text(
    "SELECT s.uid AS sealed_uid, a.id, a.uid, s.content_sealed FROM sealed_images s JOIN attachments a ON a.id = s.attachment_id"
)
