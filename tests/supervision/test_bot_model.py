"""The assistant's model is trained once for the same data, and again when the data changes."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from sms_gateway.supervision import bot_model
from sms_gateway.supervision.places import DataDir

TRAINS = """#!/bin/sh
# Stands in for Rasa's Python: counts its calls and writes the model where it is told to.
echo call >> {calls}
while [ "$1" != "--out" ]; do shift; done
out=$2
while [ "$1" != "--fixed-model-name" ]; do shift; done
sleep 0.2
{end}
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "clone"
    for name in ("bot/data/nlu/greet.yml", "texts/normalise.py", "bot/featurizer.py", "bot/channel.py", "domain.yml"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (root / "config.yml").write_text("pipeline:\n  - name: bot.featurizer.E5Featurizer\n")
    (root / "requirements").mkdir()
    (root / "requirements" / "rasa.txt").write_text("rasa==3.6.21")
    monkeypatch.setattr(bot_model, "ROOT", root)
    monkeypatch.setattr(bot_model.fingerprint, "__defaults__", (root,))
    return root


def pretend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, end: str = 'echo model > "$out/$2.tar.gz"') -> Path:
    calls, python = tmp_path / "calls", tmp_path / "python"
    python.write_text(TRAINS.format(calls=calls, end=end))
    python.chmod(0o755)
    monkeypatch.setattr(bot_model, "RASA_PYTHON", python)
    return calls


def test_the_same_data_is_trained_once(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls, data_dir = pretend(tmp_path, monkeypatch), DataDir.at(tmp_path / "var")
    assert bot_model.find_model(data_dir) is None
    first = bot_model.trained_model(data_dir)
    assert bot_model.trained_model(data_dir) == first == bot_model.find_model(data_dir)
    assert calls.read_text().count("call") == 1


@pytest.mark.parametrize(
    "changed", ["bot/data/nlu/greet.yml", "bot/featurizer.py", "domain.yml", "requirements/rasa.txt"]
)
def test_what_the_model_is_made_from_changes_it(root: Path, changed: str) -> None:
    before = bot_model.fingerprint(root)
    (root / changed).write_text("changed")
    assert bot_model.fingerprint(root) != before


def test_code_that_is_no_part_of_the_pipeline_does_not_change_it(root: Path) -> None:
    before = bot_model.fingerprint(root)
    (root / "bot" / "channel.py").write_text("changed")
    assert bot_model.fingerprint(root) == before


def test_two_that_need_it_at_once_train_one(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls, data_dir = pretend(tmp_path, monkeypatch), DataDir.at(tmp_path / "var")
    both = [threading.Thread(target=bot_model.trained_model, args=(data_dir,)) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert calls.read_text().count("call") == 1


def test_a_training_that_fails_is_one_sentence_and_leaves_no_model(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(tmp_path, monkeypatch, end="exit 3")
    data_dir = DataDir.at(tmp_path / "var")
    with pytest.raises(bot_model.TrainingFailed, match="小助手没有训练成"):
        bot_model.trained_model(data_dir)
    assert bot_model.find_model(data_dir) is None
