"""Finding what must not be there, in whatever shape it hides."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from urllib.parse import quote


def forms_of(secret: str) -> Iterator[bytes]:
    """Every shape a text takes in a log or a dump: UTF-8, GBK, JSON escapes, percent, hex, base64 at each offset, Python's repr of bytes."""
    raw = secret.encode()
    yield raw
    yield secret.encode("gb18030")
    escaped = json.dumps(secret)[1:-1]
    if escaped != secret:
        yield escaped.encode()
        yield escaped.upper().replace("\\U", "\\u").encode()
        yield repr(raw)[2:-1].encode()
    if quote(secret) != secret:
        yield quote(secret).encode()
        yield quote(secret).lower().encode()
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    for offset in range(3):
        whole = base64.b64encode(b"\0" * offset + raw).decode().rstrip("=")
        inner = whole[2 if offset else 0 : -2]
        if len(inner) >= 8:
            yield inner[2:].encode() if offset else inner.encode()


def find_leaks(data: bytes, secrets: tuple[str, ...]) -> list[str]:
    """Which of them are in it, in any shape."""
    return [secret for secret in secrets if any(shape in data for shape in forms_of(secret))]
