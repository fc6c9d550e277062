"""One hash chain for each who writes audit rows, over hashes and not over words: re-sealing a reason breaks nothing. Pure.

A chain a writer (`operator:7`, `key:3`, `terminal`, `system`), not one for all: two operators never wait for each other, and one
person's acts come one after another anyway.

content_hash = SHA-256 of the row's columns in canonical JSON; of the reason only whether there is one (its seal is bound to the row).
chain_hash   = SHA-256 of the chain hash before it and the content hash; before the first stands SHA-256 of the writer's name.
No key is needed for either, so that an auditor works an export out anew. What is keyed are the seal of each chain's end and
the day's anchor: whoever has the database but not our key can make a whole chain, yet neither of those.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

SYSTEM = "system"
TERMINAL = "terminal"
"""Acts from the command line."""

Heads = Mapping[str, tuple[int, bytes]]
"""By writer: the number of its last row, and that row's chain hash."""


def start(stream: str) -> bytes:
    """What stands before a writer's first row."""
    return hashlib.sha256(f"audit:{stream}".encode()).digest()


def content_hash(
    *,
    uid: UUID,
    stream: str,
    seq: int,
    at: datetime,
    operator_id: int | None,
    what: str,
    subject: str,
    has_detail: bool,
) -> bytes:
    """32 bytes that stand for one row."""
    content = {
        "uid": uid.hex, "stream": stream, "seq": seq, "at": at.astimezone(UTC).isoformat(timespec="microseconds"), "operator": operator_id,
        "what": what, "subject": subject, "detail": has_detail,
    }  # fmt: skip
    return hashlib.sha256(_canonical(content)).digest()


def link(before: bytes, content: bytes) -> bytes:
    """The next chain hash."""
    return hashlib.sha256(before + content).digest()


def end_text(stream: str, length: int, head: bytes) -> str:
    """What the keyed seal of a chain's end is made over."""
    return f"{stream}:{length}:{head.hex()}"


def anchor_text(before: bytes, day: str, rows: int, heads: Heads) -> str:
    """What the keyed root of a day is made over: the root before it and where each chain that moved stood."""
    stood = {stream: [seq, head.hex()] for stream, (seq, head) in heads.items()}
    return _canonical({"before": before.hex(), "day": day, "rows": rows, "heads": stood}).decode()


def _canonical(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=False).encode()
