"""A file locked by a passphrase, as `openssl enc` makes one: the police open it without anything of ours. Pure.

`openssl enc -d -aes-256-cbc -pbkdf2 -iter 600000 -md sha256 -in 调取.zip.enc -out 调取.zip`: "Salted__", 8 bytes of salt, AES-256-CBC;
key and IV from PBKDF2-HMAC-SHA256. The format has no seal of its own: what is changed on the way is found by the file's
SHA-256, which stands on the hand-over's page, and by those inside.
"""

from __future__ import annotations

import os
import secrets

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

ROUNDS = 600_000
"""OWASP, Password Storage Cheat Sheet, for PBKDF2-HMAC-SHA256."""
COMMAND = f"openssl enc -d -aes-256-cbc -pbkdf2 -iter {ROUNDS} -md sha256 -in {{name}}.enc -out {{name}}"
_SIGNS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""None that is taken for another when it is read out or copied by hand."""
_GROUPS, _LONG = 6, 5


def new_passphrase() -> str:
    """Thirty signs in six groups: 148 bits."""
    return "-".join("".join(secrets.choice(_SIGNS) for _ in range(_LONG)) for _ in range(_GROUPS))


def lock(content: bytes, passphrase: str) -> bytes:
    """`content` under `passphrase`."""
    salt = os.urandom(8)
    derived = PBKDF2HMAC(algorithm=SHA256(), length=48, salt=salt, iterations=ROUNDS).derive(passphrase.encode())
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES256(derived[:32]), modes.CBC(derived[32:])).encryptor()
    padded = padder.update(content) + padder.finalize()
    return b"Salted__" + salt + encryptor.update(padded) + encryptor.finalize()
