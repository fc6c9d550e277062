"""The assistant's trained model: trained once, kept under the hash of all it was made from."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from sms_gateway.settings import ROOT

from .children import ONE_THREAD
from .places import RASA_PYTHON, DataDir

MADE_FROM = ("bot/data", "texts", "config.yml", "domain.yml", "requirements/rasa.txt")
"""Data, domain and lock, from the clone's root; the pipeline's own components come from config.yml."""
KEPT = 3
"""Older models are removed beyond so many."""


class TrainingFailed(Exception):
    """A Chinese sentence for whoever started it."""


def fingerprint(root: Path = ROOT) -> str:
    """A hash of everything the model is made from."""
    total = hashlib.sha256()
    for path in _sources(root):
        total.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()[:20]


def _sources(root: Path) -> Iterator[Path]:
    components = re.findall(r"name:\s*bot\.(\w+)\.", (root / "config.yml").read_text(encoding="utf-8"))
    for name in (*MADE_FROM, *(f"bot/{component}.py" for component in sorted(set(components)))):
        place = root / name
        found = sorted(place.rglob("*")) if place.is_dir() else [place]
        yield from (path for path in found if path.is_file() and path.suffix not in {".pyc", ".md"})


def find_model(data_dir: DataDir) -> Path | None:
    """The model of the data as it is now; None when it is still to be trained."""
    model = data_dir.models / f"{fingerprint()}.tar.gz"
    return model if model.is_file() else None


def trained_model(data_dir: DataDir) -> Path:
    """The model of the data as it is now, trained when there is none (under a minute). Raises TrainingFailed."""
    with (data_dir.models / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a start and a test at once train one model
        return find_model(data_dir) or _train(data_dir)


def _train(data_dir: DataDir) -> Path:
    name, log = fingerprint(), data_dir.logs / "train.log"
    making = data_dir.models / "making"
    making.mkdir(exist_ok=True)
    command = [
        str(RASA_PYTHON), "-m", "bot", "train", "--config", "config.yml", "--domain", "domain.yml", "--data", "bot/data",
        "--out", str(making), "--fixed-model-name", name,
    ]  # fmt: skip
    environment = {
        **os.environ,
        **ONE_THREAD,
        "RASA_TELEMETRY_ENABLED": "false",
        "RASA_CACHE_DIRECTORY": str(data_dir.models / "cache"),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONHASHSEED": "0",
    }
    with log.open("w", encoding="utf-8") as out:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False
        )
    made = making / f"{name}.tar.gz"
    if done.returncode or not made.is_file():
        raise TrainingFailed(f"小助手没有训练成：原因见 {log}。")
    model = made.rename(data_dir.models / made.name)
    for old in sorted(data_dir.models.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime)[:-KEPT]:
        old.unlink()
    return model
