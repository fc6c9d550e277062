"""A key for one purpose from a key for all of them (HKDF-SHA256): one way, so that none leads back or to another."""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def derive(key: bytes, purpose: bytes, *, salt: bytes | None = None, length: int = 32) -> bytes:
    """`length` bytes for `purpose`."""
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=purpose).derive(key)


def index_key_of(oldest: bytes) -> bytes:
    """The key of the blind indexes where none of its own is given. `oldest` cannot be had from it."""
    return derive(oldest, b"hotline blind index")
