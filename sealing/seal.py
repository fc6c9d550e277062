"""AES-256-GCM over bytes, with the key's version in the value and the value's place bound to it."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .derive import derive, index_key_of
from .setting import read

_NONCE = 12
_VERSION = 2


class SealBroken(ValueError):
    """A sealed value does not open: another key, another place, or changed bytes."""


class KeyIsMissing(SealBroken):
    """Sealed with a key this process does not have; another may."""


def version_of(sealed: bytes) -> int:
    """The version of the key that `sealed` was sealed with; 0 for what is too short to be sealed."""
    return int.from_bytes(sealed[:_VERSION], "big") if len(sealed) >= _VERSION else 0


class Keyring:
    """Keys by version (1-65535); the highest seals, all of them open.

    A sealed value is `version (2 bytes, big endian) | nonce (12) | ciphertext and tag`. `place` (say
    `b"messages.body"` plus a row's own identity) is associated data: a value moved elsewhere does not open.
    Blind indexes must stay the same while keys rotate: they hang on `index_key`, or without it on the oldest key.
    """

    def __init__(self, keys: Mapping[int, bytes], *, index_key: bytes | None = None) -> None:
        if not keys or any(len(key) != 32 or not 0 < version < 65536 for version, key in keys.items()):
            raise ValueError("a keyring needs 32-byte keys with versions from 1 to 65535")
        if index_key is not None and len(index_key) != 32:
            raise ValueError("the key of the indexes has 32 bytes")
        self.versions = tuple(sorted(keys))
        self.current = self.versions[-1]
        self._ciphers = {version: AESGCM(derive(key, b"hotline seal")) for version, key in keys.items()}
        self._index_key = index_key or index_key_of(keys[self.versions[0]])
        self._backup_keys = {version: derive(key, b"hotline backup") for version, key in keys.items()}
        self.marks = {version: derive(key, b"hotline key mark").hex()[:16] for version, key in keys.items()}
        """By version what tells one key from another without telling it."""
        self.index_mark = derive(self._index_key, b"hotline key mark").hex()[:16]

    @classmethod
    def from_text(cls, text: str) -> Keyring:
        """Keys as one setting: see `setting.read`. Raises ValueError."""
        keys, index_key = read(text)
        return cls(keys, index_key=index_key)

    def backup_key(self, version: int) -> bytes:
        """32 bytes that whole backups are sealed with. Raises `KeyIsMissing`."""
        if version not in self._backup_keys:
            raise KeyIsMissing("a backup under a key this process does not have")
        return self._backup_keys[version]

    def seal(self, value: bytes, place: bytes) -> bytes:
        """`value` sealed for `place` under the newest key."""
        nonce = os.urandom(_NONCE)
        head = self.current.to_bytes(_VERSION, "big")
        return head + nonce + self._ciphers[self.current].encrypt(nonce, value, head + place)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """What `seal` was given; raises `SealBroken`."""
        head, nonce = sealed[:_VERSION], sealed[_VERSION : _VERSION + _NONCE]
        cipher = self._ciphers.get(int.from_bytes(head, "big"))
        if cipher is None or len(nonce) != _NONCE:
            raise KeyIsMissing("sealed with a key this process does not have")
        try:
            return cipher.decrypt(nonce, sealed[_VERSION + _NONCE :], head + place)
        except InvalidTag:
            raise SealBroken("a sealed value does not open in this place") from None

    def blind_index(self, value: str, purpose: str) -> bytes:
        """32 bytes by which equal values are found without being readable (HMAC-SHA256, one purpose each)."""
        return hmac.new(self._index_key, f"{purpose}\x00{value}".encode(), hashlib.sha256).digest()

    def seal_all(self, values: Sequence[bytes], places: Sequence[bytes]) -> list[bytes]:
        """`seal` of each value for its place: for millions, as the nonces are drawn together."""
        head, encrypt = self.current.to_bytes(_VERSION, "big"), self._ciphers[self.current].encrypt
        drawn = os.urandom(_NONCE * len(values))
        nonces = [drawn[start : start + _NONCE] for start in range(0, len(drawn), _NONCE)]
        return [
            head + nonce + encrypt(nonce, value, head + place)
            for nonce, value, place in zip(nonces, values, places, strict=True)
        ]

    def index_all(self, values: Sequence[bytes], purpose: str) -> list[bytes]:
        """`blind_index` of each value (UTF-8): the key is worked in once, not for each."""
        begun = hmac.new(self._index_key, f"{purpose}\x00".encode(), hashlib.sha256)
        found = []
        for value in values:
            one = begun.copy()
            one.update(value)
            found.append(one.digest())
        return found
