"""The handbook's wordings as vectors, embedded once and kept in one file between starts.

The file holds a vector for each text by its hash (whole numbers of a byte with one scale a row: half the size of
float16, cosine 0.9999), so a changed entry costs only its own wordings. It is
written beside itself and moved into place: two processes may do it at once, and a reader never sees half a file.
A file that is missing, torn or of another engine is the same as none.
"""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from texts.embedding import DIMENSIONS, embed
from texts.normalise import for_encoder
from texts.tuned import engine, key

from .entry import Entry
from .ranking import BODY
from .ranking import Vectors as BookVectors

Vectors = NDArray[np.float32]

SHIPPED = Path(__file__).parent / "passages.npz"
"""Vectors of the entries in the repo, made by `python -m policy_faq`; a first start need not embed them."""


def _key(text: str) -> bytes:
    return bytes.fromhex(key(for_encoder(text)))


def engine_name() -> str:
    """What made the vectors: those of another engine are worth nothing."""
    return engine()


def texts_of(entry: Entry) -> tuple[str, ...]:
    """Every text of an entry that is embedded."""
    return (*entry.wordings, entry.question + entry.short, entry.long[:BODY])


def vectors(texts: Sequence[str], cache: Path | None = None, given: Mapping[str, Vectors] | None = None) -> Vectors:
    """Unit vectors, shape (n, 384) float32, in the engine's query form: a question is compared with questions.

    `given`: vectors of this engine the caller has, by text. What these, `cache` and the shipped file lack is embedded
    (about 15 ms a wording) and written to `cache`.
    """
    keys = [_key(text) for text in texts]
    known = _read(SHIPPED)
    if cache is not None:
        known = known | _read(cache)
    known |= {_key(text): vector for text, vector in (given or {}).items()}
    missing = {place: text for place, text in zip(keys, texts, strict=True) if place not in known}
    for place, text in missing.items():
        known[place] = embed(text)
    if missing and cache is not None:
        _write(cache, {key: known[key] for key in keys})
    if not keys:
        return np.zeros((0, DIMENSIONS), np.float32)
    # every row goes through the stored form, so that a first start ranks exactly as the next ones do
    found = np.stack([_unpacked(*_packed(known[key])) for key in keys])
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), dtype=np.float32)


def write_shipped(entries: Sequence[Entry], outside: Sequence[str]) -> int:
    """Write the shipped file anew; returns how many vectors it holds."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / SHIPPED.name
        book_vectors(entries, outside, fresh)
        rows = _read(SHIPPED) | _read(fresh)
    texts = [text for entry in entries for text in texts_of(entry)]
    keys = {_key(text) for text in (*texts, *outside)}
    _write(SHIPPED, {key: rows[key] for key in keys})
    SHIPPED.chmod(0o644)
    return len(keys)


def book_vectors(
    entries: Sequence[Entry],
    outside: Sequence[str],
    cache: Path | None = None,
    given: Mapping[str, Vectors] | None = None,
) -> BookVectors:
    """The vectors a ranking of these entries is built from."""
    wordings = [wording for entry in entries for wording in entry.wordings]
    answers = [entry.question + entry.short for entry in entries]
    bodies = [entry.long[:BODY] for entry in entries]
    rows = vectors([*wordings, *answers, *bodies, *outside], cache, given)
    ends = np.cumsum([len(wordings), len(answers), len(bodies)])
    return BookVectors(*np.split(rows, ends))


def _packed(row: Vectors) -> tuple[NDArray[np.int8], np.float32]:
    scale = np.float32(np.abs(row).max() / 127 or 1.0)
    return np.rint(row / scale).astype(np.int8), scale


def _unpacked(row: NDArray[np.int8], scale: np.float32) -> Vectors:
    return np.asarray(row.astype(np.float32) * scale, dtype=np.float32)


def _read(path: Path) -> dict[bytes, Vectors]:
    try:
        with np.load(path, allow_pickle=False) as stored:
            keys, rows, scales = stored["keys"], stored["vectors"], stored["scales"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return {}
    shapes = keys.shape, rows.shape, scales.shape
    if rows.dtype != np.int8 or shapes != ((len(rows), 16), (len(rows), DIMENSIONS), (len(rows),)):
        return {}
    return {bytes(key): _unpacked(row, scale) for key, row, scale in zip(keys, rows, scales, strict=True)}


def _write(path: Path, rows: dict[bytes, Vectors]) -> None:
    order = sorted(rows)
    keys = np.frombuffer(b"".join(order), dtype=np.uint8).reshape(len(order), 16)
    packed, scales = zip(*(_packed(rows[key]) for key in order), strict=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, keys=keys, vectors=np.stack(packed), scales=np.asarray(scales, dtype=np.float32))
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
