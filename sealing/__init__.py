"""Sealing bytes: AES-GCM values that carry their key's version, and blind indexes.

Python 3.10 syntax, imports nothing of ours: `sms_gateway/crypto.py` is the column type over it, the Rasa side's
tracker store uses it directly.
"""

from .seal import KeyIsMissing, Keyring, SealBroken

__all__ = ["KeyIsMissing", "Keyring", "SealBroken"]
