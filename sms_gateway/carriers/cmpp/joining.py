"""Long texts that come in parts: put together in any order, handed on with what is there when a part stays away.

A part is acknowledged once the text it belongs to is stored, so nothing is lost with this process: what was not acknowledged
comes again. A gateway that sends the next part only after the acknowledgement of this one costs `within` seconds, no text.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from .text import Piece

MOST_AT_ONCE: Final = 2000
"""Long texts being put together; a part beyond them is handed on by itself."""
REMEMBERED: Final = 2000
"""Texts handed on lately: of these a part that comes again is known, and one that comes late is handed on alone."""


@dataclass(frozen=True)
class Part:
    """A piece with whose it is: the DELIVER's id, the phone as the gateway wrote it, the number that was written to."""

    carrier_id: str
    sender: str
    dest_id: str
    piece: Piece


HandOn = Callable[[Sequence[Part]], Awaitable[None]]
"""Stores the text that these parts are, in their order (some may be missing). Raises when it cannot be kept."""
_Key = tuple[str, str, int, int]


@dataclass
class _Text:
    parts: dict[int, Part]
    whole: asyncio.Event = field(default_factory=asyncio.Event)
    stored: asyncio.Task[None] | None = None


class Joiner:
    """One a process: parts of one text may come over different connections."""

    def __init__(self, hand_on: HandOn, *, within: float) -> None:
        self._hand_on, self._within = hand_on, within
        self._texts: dict[_Key, _Text] = {}
        self._done: OrderedDict[_Key, dict[int, bytes]] = OrderedDict()

    async def put(self, part: Part) -> None:
        """Return once the text this part belongs to is stored, at the latest `within` seconds after its first part. Raises what storing raises."""
        piece = part.piece
        if piece.reference is None:
            await self._hand_on([part])
            return
        key = (part.sender, part.dest_id, piece.reference, piece.total)
        if (done := self._done.get(key)) is not None and await self._is_late(key, done, part):
            return
        text = self._texts.get(key)
        if text is not None and text.parts.get(piece.number, part).piece.data != piece.data:
            text.whole.set()  # the same reference again for another text: what is there is all that comes
            self._texts.pop(key)
            text = None
        if text is None:
            if len(self._texts) >= MOST_AT_ONCE:
                await self._hand_on([part])
                return
            text = self._texts[key] = _Text({})
            text.stored = asyncio.create_task(self._store(key, text))
        text.parts[piece.number] = part
        if len(text.parts) == piece.total:
            text.whole.set()
        assert text.stored is not None
        await asyncio.shield(text.stored)

    async def _is_late(self, key: _Key, done: dict[int, bytes], part: Part) -> bool:
        """Whether `part` is of a text that was handed on: known already, or the one that had stayed away."""
        piece = part.piece
        if done.get(piece.number) == piece.data:
            return True
        if piece.number in done:
            del self._done[key]  # a new text under an old reference
            return False
        if len(done) == piece.total:
            return False
        await self._hand_on([part])
        done[piece.number] = piece.data
        return True

    async def _store(self, key: _Key, text: _Text) -> None:
        try:
            async with asyncio.timeout(self._within):
                await text.whole.wait()
        except TimeoutError:
            pass
        if self._texts.get(key) is text:
            del self._texts[key]
        parts = [text.parts[number] for number in sorted(text.parts)]
        await self._hand_on(parts)
        self._done[key] = {part.piece.number: part.piece.data for part in parts}
        while len(self._done) > REMEMBERED:
            self._done.popitem(last=False)
