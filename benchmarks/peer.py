"""The peer of the turn measure: Rasa's default recipe (DIET + TED), trained on our data and our domain, kept by hash."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import yaml

from sms_gateway.settings import ROOT
from sms_gateway.supervision.children import ONE_THREAD
from sms_gateway.supervision.places import RASA_PYTHON, DataDir

CONFIG = Path(__file__).with_name("peer.yml")


class PeerDidNotTrain(Exception):
    """A sentence that names the log."""


def peer_model(data_dir: DataDir) -> Path:
    """The peer's model for the data as it is now, trained when there is none (some minutes). Raises PeerDidNotTrain."""
    model = data_dir.models / f"bench-{_fingerprint()}.tar.gz"
    with (data_dir.models / "bench-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not model.is_file():
            _train(data_dir, model)
    return model


def _fingerprint() -> str:
    """A hash of the data, the domain, the recipe and Rasa's lock."""
    total = hashlib.sha256()
    for place in (
        CONFIG,
        ROOT / "domain.yml",
        ROOT / "requirements" / "rasa.txt",
        *sorted((ROOT / "bot" / "data").rglob("*.yml")),
    ):
        total.update(place.name.encode() + b"\0" + place.read_bytes() + b"\0")
    return total.hexdigest()[:16]


def stories(rules: dict[str, Any]) -> dict[str, Any]:
    """Our rules as stories, two at a time: TED learns from stories only, and without any it would stand idle."""
    simple = [rule["steps"] for rule in rules["rules"] if _is_simple(rule)]
    pairs = [
        {"story": f"{index}", "steps": [*first, *second]}
        for index, (first, second) in enumerate(zip(simple, simple[1:] + simple[:1], strict=True))
    ]
    return {"version": rules["version"], "stories": pairs}


def _is_simple(rule: dict[str, Any]) -> bool:
    return "condition" not in rule and all(set(step) <= {"intent", "action"} for step in rule["steps"])


def _train(data_dir: DataDir, model: Path) -> None:
    log = data_dir.logs / "bench-train.log"
    with tempfile.TemporaryDirectory(prefix="hotline-bench-") as place, log.open("w", encoding="utf-8") as out:
        data, made = Path(place) / "data", Path(place) / "made"
        shutil.copytree(ROOT / "bot" / "data", data)
        rules = yaml.safe_load((data / "rules.yml").read_text(encoding="utf-8"))
        (data / "stories.yml").write_text(yaml.safe_dump(stories(rules), allow_unicode=True), encoding="utf-8")
        command = [
            str(RASA_PYTHON), "-m", "bot", "train", "--config", str(CONFIG), "--domain", "domain.yml", "--data", str(data),
            "--out", str(made), "--fixed-model-name", "peer", "--augmentation", "0",
        ]  # fmt: skip
        cache = {"RASA_CACHE_DIRECTORY": str(data_dir.models / "bench-cache"), "PYTHONHASHSEED": "0"}
        environment = {**os.environ, **ONE_THREAD, **cache}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False
        )
        if done.returncode or not (made / "peer.tar.gz").is_file():
            raise PeerDidNotTrain(f"Rasa 的默认配置没有训练成：原因见 {log}。")
        for old in data_dir.models.glob("bench-*.tar.gz"):
            old.unlink()
        shutil.move(made / "peer.tar.gz", model)
