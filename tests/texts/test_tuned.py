"""The tuned encoder is the wheel's file with the committed values in it, and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from texts import tuned
from texts.packed import BLOCK, layout

WHEEL = tuned._wheel_file()


def test_the_learned_values_stand_in_the_assembled_file() -> None:
    data = WHEEL.read_bytes()
    made = tuned.assembled(data)
    tensor = layout(data).tensors["l11.fo.w"]
    there = np.frombuffer(made, BLOCK, tensor.size // BLOCK.itemsize, tensor.offset)
    before = np.frombuffer(data, BLOCK, tensor.size // BLOCK.itemsize, tensor.offset)
    with np.load(tuned.CHANGES) as learned:
        assert (there["scale"] == learned["l11.fo.w"].reshape(-1)).all()
    assert (there["nibbles"] == before["nibbles"]).all()
    assert (there["scale"] != before["scale"]).any()
    assert len(made) == len(data)


def test_another_model_in_the_wheel_is_refused() -> None:
    data = bytearray(WHEEL.read_bytes())
    data[-1] ^= 1
    with pytest.raises(tuned.EncoderIsBroken, match="make train"):
        tuned.assembled(bytes(data))


def test_a_changed_file_of_values_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torn = tmp_path / "tuned.npz"
    torn.write_bytes(tuned.CHANGES.read_bytes()[:-1] + b"!")
    monkeypatch.setattr(tuned, "CHANGES", torn)
    with pytest.raises(tuned.EncoderIsBroken, match="SHA-256"):
        tuned.assembled(WHEEL.read_bytes())


def test_it_is_put_together_once_and_again_when_torn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))
    path = tuned.model_path()
    made = path.stat().st_mtime_ns
    assert tuned.model_path() == path
    assert path.stat().st_mtime_ns == made
    path.write_bytes(path.read_bytes()[:1000])
    assert tuned.model_path().stat().st_size == WHEEL.stat().st_size


def test_keys_of_kept_vectors_name_text_and_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    first = tuned.key("救命")
    assert first != tuned.key("救我")
    monkeypatch.setattr(tuned, "engine", lambda: "another")
    assert tuned.key("救命") != first
