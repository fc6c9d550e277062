"""One hash chain a ticket, over its events' hashes and not their contents: erasing words breaks nothing. Pure.

content_hash = SHA-256 of the event's columns in canonical JSON, with `why` as its keyed digest only.
chain_hash   = SHA-256 of the chain hash before it and the content hash; before the first stands SHA-256 of the ticket's uid.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID


def start(ticket_uid: UUID) -> bytes:
    """What stands before the first event."""
    return hashlib.sha256(ticket_uid.bytes).digest()


def content_hash(
    *, uid: UUID, seq: int, what: str, who: str, at: datetime, from_status: str | None, to_status: str | None,
    why_digest: bytes | None, detail: Mapping[str, Any],
) -> bytes:  # fmt: skip
    """32 bytes that stand for one event."""
    content = {
        "uid": uid.hex, "seq": seq, "what": what, "who": who, "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "from": from_status, "to": to_status, "why": why_digest.hex() if why_digest else None, "detail": detail,
    }  # fmt: skip
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False, default=str).encode()).digest()


def link(before: bytes, content: bytes) -> bytes:
    """The next chain hash."""
    return hashlib.sha256(before + content).digest()


def root(before: bytes, heads: Iterable[bytes]) -> bytes:
    """A day's anchor: over the anchor before it and every chain hash of the day, in the order of the events' ids."""
    digest = hashlib.sha256(before)
    for head in heads:
        digest.update(head)
    return digest.digest()
