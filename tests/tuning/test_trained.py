"""What was trained is what is committed: every learned file has its SHA-256 beside it."""

from __future__ import annotations

import hashlib
import subprocess

from sms_gateway.settings import ROOT

SUMS = ROOT / "tuning" / "trained.sha256"


def test_every_learned_file_is_the_one_that_was_summed() -> None:
    lines = [line.split(maxsplit=1) for line in SUMS.read_text(encoding="ascii").splitlines()]
    for digest, name in lines:
        content = (ROOT / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest, f"{name}: after training, make train writes {SUMS.name}"
    kept = subprocess.run(["git", "ls-files", "*.npz"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    assert {name for _digest, name in lines} == set(kept.split()) or not kept
