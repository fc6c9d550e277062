"""Rasa's own checks: the data hold together, and the conversation tests are predicted as written."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    from rasa.__main__ import main

    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["rasa", *words])
    main()


def test_the_training_data_hold_together(monkeypatch: pytest.MonkeyPatch) -> None:
    run(monkeypatch, "data", "validate", "--domain", "domain.yml", "--config", "config.yml", "--data", "bot/data")


def test_every_conversation_goes_as_written(monkeypatch: pytest.MonkeyPatch, model: str, tmp_path: Path) -> None:
    stories = Path(__file__).with_name("test_stories.yml")
    run(
        monkeypatch, "test", "core", "--model", model, "--stories", str(stories), "--out", str(tmp_path),
        "--e2e", "--no-plot", "--no-warnings",
    )  # fmt: skip
    report = json.loads((tmp_path / "story_report.json").read_text())
    assert report["conversation_accuracy"]["total"] >= 16
    failed = (tmp_path / "failed_test_stories.yml").read_text()
    assert report["conversation_accuracy"]["with_warnings"] == 0
    assert report["conversation_accuracy"]["correct"] == report["conversation_accuracy"]["total"], failed
