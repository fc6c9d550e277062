"""Sealing bytes: AES-GCM values that carry their key's version, and blind indexes.

Python 3.10 syntax, imports nothing of ours: `sms_gateway/crypto.py` is the column type over it, the Rasa side's
tracker store uses it directly.
"""

from .derive import index_key_of
from .seal import KeyIsMissing, Keyring, SealBroken, version_of
from .setting import read, with_new_key, without_keys_before
from .stream import OpenedReader, SealedWriter, StreamBroken

__all__ = [
    "KeyIsMissing", "Keyring", "OpenedReader", "SealBroken", "SealedWriter", "StreamBroken", "index_key_of", "read", "version_of",
    "with_new_key", "without_keys_before",
]  # fmt: skip
