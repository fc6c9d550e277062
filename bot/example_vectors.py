"""The vectors of the NLU examples: embedded once, on all cores, and kept beside Rasa's own training cache.

Thousands of examples take minutes, so those of the repo come with it (`example_vectors.npz`, a byte a number, written by
`make train` with `python -m bot.example_vectors`); only what was added since is embedded. Examples are ours and in the
repo, so nothing here is anybody's.
"""

from __future__ import annotations

import os
import zipfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from texts.embedding import embed
from texts.normalise import for_encoder
from texts.tuned import key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from texts.embedding import Vector

_FILE = "example-vectors.npz"
SHIPPED = Path(__file__).parent / "example_vectors.npz"
_ONE_PROCESS_IS_ENOUGH = 200
_CHUNK = 50


def vectors_of(texts: Sequence[str]) -> dict[str, Vector]:
    """The vector of each different text, float16 precision as in a turn's metadata."""
    kept = _shipped() | _read()
    missing = [text for text in dict.fromkeys(texts) if _key(text) not in kept]
    if missing:
        kept.update(zip(map(_key, missing), _embed_all(missing), strict=True))
        _write({key: kept[key] for key in map(_key, dict.fromkeys(texts))})
    return {text: kept[_key(text)].astype(np.float32) for text in dict.fromkeys(texts)}


def write_shipped(texts: Sequence[str]) -> int:
    """Write the shipped file anew for these examples; how many it holds. What is known is not embedded again."""
    rows = {_key(text): vector for text, vector in vectors_of(texts).items()}
    table = np.stack(list(rows.values()))
    scales = np.abs(table).max(axis=1, keepdims=True).astype(np.float32) / 127
    np.savez_compressed(
        SHIPPED, keys=np.array(list(rows)), vectors=np.rint(table / scales).astype(np.int8), scales=scales
    )
    return len(rows)


def _shipped() -> dict[str, Vector]:
    try:
        with np.load(SHIPPED, allow_pickle=False) as stored:
            rows = (stored["vectors"] * stored["scales"]).astype(np.float16)
            return dict(zip(stored["keys"].tolist(), rows, strict=True))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return {}


def _embed_all(texts: Sequence[str]) -> list[Vector]:
    if len(texts) < _ONE_PROCESS_IS_ENOUGH:
        return [_half(text) for text in texts]
    # Processes, not threads: one thread each is the only way the encoder stays fast on a busy machine.
    with ProcessPoolExecutor(max_workers=min(8, os.cpu_count() or 1), mp_context=get_context("spawn")) as pool:
        return list(pool.map(_half, texts, chunksize=_CHUNK))


def _half(text: str) -> Vector:
    return embed(text).astype(np.float16)


def _key(text: str) -> str:
    return key(for_encoder(text))


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


def main() -> None:
    """Write the shipped file for every example under `bot/data/nlu`."""
    from rasa.shared.importers.utils import training_data_from_paths

    folder = Path(__file__).parent / "data" / "nlu"
    examples = training_data_from_paths([str(path) for path in sorted(folder.glob("*.yml"))], "zh").training_examples
    print(write_shipped([message.get("text") for message in examples]))


if __name__ == "__main__":
    main()
