"""A long stream sealed piece by piece: the STREAM construction over AES-256-GCM, so that 10 GB need no memory.

Each piece is sealed under a key of its own file (HKDF over a random salt) with a nonce that counts the pieces and marks the
last one, so a piece that was changed, moved, left out or cut off at the end is refused (Hoang, Reyhanitabar, Rogaway, Vizár,
"Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", CRYPTO 2015; as in age and Tink). No library that
we have offers it: `cryptography` knows single messages only.
"""

from __future__ import annotations

import hmac
import io
import os
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .derive import derive

PIECE = 1 << 20
_SALT = 32
_MARK = 16
_TAG = 16


class StreamBroken(ValueError):
    """The stream was changed or cut, or is none of ours. `wrong_key`: it was sealed with another key."""

    def __init__(self, *, wrong_key: bool = False) -> None:
        super().__init__("sealed with another key" if wrong_key else "the stream was changed or cut")
        self.wrong_key = wrong_key


def _keys(key: bytes, salt: bytes, head: bytes) -> tuple[AESGCM, bytes]:
    """The file's cipher, and a mark by which a wrong key is told from changed bytes."""
    both = derive(key, b"hotline stream" + head, salt=salt, length=32 + _MARK)
    return AESGCM(both[:32]), both[32:]


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


class SealedWriter(io.RawIOBase):
    """Writes to `out` the `head` in the clear, bound to the rest, and then what it is given, sealed under the 32-byte `key`.

    Only `finish` writes the last piece: a stream whose writer was merely closed, or died, is refused.
    """

    def __init__(self, out: BinaryIO, *, key: bytes, head: bytes) -> None:
        salt = os.urandom(_SALT)
        self._out, self._number, self._waiting = out, 0, bytearray()
        self._cipher, mark = _keys(key, salt, head)
        out.write(head + salt + mark)

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        """Takes all of `data`."""
        self._waiting += data
        while len(self._waiting) > PIECE:  # a full piece waits for the next byte: it may be the last
            self._put(bytes(self._waiting[:PIECE]), last=False)
            del self._waiting[:PIECE]
        return len(data)

    def finish(self) -> None:
        """The stream is whole."""
        self._put(bytes(self._waiting), last=True)
        self._waiting.clear()

    def _put(self, piece: bytes, *, last: bool) -> None:
        self._out.write(self._cipher.encrypt(_nonce(self._number, last=last), piece, None))
        self._number += 1


class OpenedReader(io.RawIOBase):
    """Reads what a `SealedWriter` was given; `source` stands behind `head`. Raises `StreamBroken`.

    A piece is whole and in its place when it comes; that the stream is whole is known at the end only.
    """

    def __init__(self, source: BinaryIO, *, key: bytes, head: bytes) -> None:
        salt, said = source.read(_SALT), source.read(_MARK)
        if len(said) != _MARK:
            raise StreamBroken
        self._source, self._number, self._piece = source, 0, b""
        self._cipher, mark = _keys(key, salt, head)
        if not hmac.compare_digest(mark, said):
            raise StreamBroken(wrong_key=True)
        self._following: bytes | None = source.read(PIECE + _TAG)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._piece:
            if self._following is None:
                return 0
            self._piece = self._next()
        part = self._piece[: len(buffer)]
        buffer[: len(part)] = part
        self._piece = self._piece[len(part) :]
        return len(part)

    def _next(self) -> bytes:
        sealed, following = self._following, self._source.read(PIECE + _TAG)
        assert sealed is not None
        try:
            piece = self._cipher.decrypt(_nonce(self._number, last=not following), sealed, None)
        except InvalidTag:
            raise StreamBroken from None
        self._number, self._following = self._number + 1, following or None
        return piece
