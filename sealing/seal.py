"""AES-256-GCM over bytes, with the key's version in the value and the value's place bound to it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Mapping, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12
_VERSION = 2


class SealBroken(ValueError):
    """A sealed value does not open: another key, another place, or changed bytes."""


class KeyIsMissing(SealBroken):
    """Sealed with a key this process does not have; another may."""


def _derive(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(key)


class Keyring:
    """Keys by version (1-65535); the highest seals, all of them open.

    A sealed value is `version (2 bytes, big endian) | nonce (12) | ciphertext and tag`. `place` (say
    `b"messages.body"` plus a row's own identity) is associated data: a value moved elsewhere does not open.
    """

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        if not keys or any(len(key) != 32 or not 0 < version < 65536 for version, key in keys.items()):
            raise ValueError("a keyring needs 32-byte keys with versions from 1 to 65535")
        self.current = max(keys)
        self._ciphers = {version: AESGCM(_derive(key, b"hotline seal")) for version, key in keys.items()}
        # The index must stay the same while keys rotate, so it hangs on the oldest key.
        self._index_key = _derive(keys[min(keys)], b"hotline blind index")

    @classmethod
    def from_text(cls, text: str) -> Keyring:
        """Keys as one setting: `base64` for version 1 only, or `1:base64,2:base64`."""
        keys: dict[int, bytes] = {}
        for number, part in enumerate(filter(None, text.replace(" ", "").split(",")), start=1):
            version, _, encoded = part.rpartition(":")
            try:
                keys[int(version) if version else number] = base64.b64decode(encoded, validate=True)
            except ValueError:
                raise ValueError("a data key is base64 of 32 bytes, as `1:…,2:…` when there are several") from None
        return cls(keys)

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
