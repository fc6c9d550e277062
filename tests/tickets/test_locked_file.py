"""What is locked for the police opens with a program everybody has, and with nothing but the passphrase."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from sms_gateway.tickets.locked_file import COMMAND, lock, new_passphrase

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl on this machine")


def _open(folder: Path, passphrase: str) -> subprocess.CompletedProcess[bytes]:
    """By the very command the page shows."""
    words = COMMAND.format(name="a.zip").split()
    return subprocess.run(
        [*words, "-pass", "stdin"], cwd=folder, input=passphrase.encode(), capture_output=True, check=False
    )


@needs_openssl
@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 100_000])
def test_openssl_opens_it_with_the_passphrase(tmp_path: Path, size: int) -> None:
    content, passphrase = bytes(range(256)) * (size // 256 + 1), new_passphrase()
    (tmp_path / "a.zip.enc").write_bytes(lock(content[:size], passphrase))
    assert _open(tmp_path, passphrase).returncode == 0
    assert (tmp_path / "a.zip").read_bytes() == content[:size]


@needs_openssl
def test_a_wrong_passphrase_gives_nothing_of_it(tmp_path: Path) -> None:
    (tmp_path / "a.zip.enc").write_bytes(lock("孩子的原话".encode() * 100, new_passphrase()))
    _open(tmp_path, new_passphrase())
    opened = tmp_path / "a.zip"
    assert not opened.exists() or "孩子".encode() not in opened.read_bytes()


def test_each_passphrase_and_each_locked_file_is_another() -> None:
    made = {new_passphrase() for _ in range(50)}
    assert len(made) == 50 and all(re.fullmatch(r"(?:[A-HJKMNP-Z2-9]{5}-){5}[A-HJKMNP-Z2-9]{5}", one) for one in made)
    assert lock(b"same", "same") != lock(b"same", "same")
