"""Keys as one line of a setting: `base64` for one key, `1:base64,2:base64` for several, `index:base64` beside them."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping

from .derive import index_key_of

INDEX = "index"


def read(text: str) -> tuple[dict[int, bytes], bytes | None]:
    """Keys by version, and the key of the blind indexes where it is written. Raises ValueError, which repeats no key."""
    keys: dict[int, bytes] = {}
    index_key: bytes | None = None
    for part in filter(None, "".join(text.split()).split(",")):
        name, _, encoded = part.rpartition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
            version = 0 if name == INDEX else int(name or len(keys) + 1)
        except ValueError:
            raise ValueError("a data key is base64 of 32 bytes, as `1:…,2:…` when there are several") from None
        if (index_key is not None) if version == 0 and name == INDEX else version in keys:
            raise ValueError("two data keys of one version")
        if name == INDEX:
            index_key = key
        else:
            keys[version] = key
    return keys, index_key


def write(keys: Mapping[int, bytes], index_key: bytes) -> str:
    """`read` gives it back."""
    parts = [(INDEX, index_key), *((str(version), keys[version]) for version in sorted(keys))]
    return ",".join(f"{name}:{base64.b64encode(key).decode()}" for name, key in parts)


def with_new_key(text: str) -> str:
    """The setting with a fresh key of the next version. The key of the indexes is written out, so that the oldest key may go
    one day: it is drawn from that key one way, so whoever has the line of the indexes opens nothing with it.
    """
    keys, index_key = read(text)
    return write({**keys, max(keys) + 1: os.urandom(32)}, index_key or index_key_of(keys[min(keys)]))


def without_keys_before(text: str, version: int) -> str:
    """The setting without the keys older than `version`. Raises ValueError where none is left, or no key of the indexes stands."""
    keys, index_key = read(text)
    left = {each: key for each, key in keys.items() if each >= version}
    if not left or index_key is None:
        raise ValueError("an old key may go only when the key of the indexes is written out and a newer key is there")
    return write(left, index_key)
