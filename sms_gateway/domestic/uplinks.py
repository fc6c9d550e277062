"""Texts from phones: put together where they come in parts, then the path of every text in; acknowledged once they are stored."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from sms_gateway import logs
from sms_gateway.carriers.cmpp import ids, numbers
from sms_gateway.carriers.cmpp.joining import Joiner, Part
from sms_gateway.carriers.cmpp.pdus import Deliver
from sms_gateway.carriers.cmpp.text import join, read_piece
from sms_gateway.carriers.incoming import TextIn
from sms_gateway.crypto import blind_index

log = logs.get("domestic")

JOIN_SECONDS: Final = 3.0
"""So long the first part of a text waits for the others: danger in it rings that much later at most."""


class Uplinks:
    """Those of one line. `accept` stores a text and raises where it cannot: then the gateway brings it again."""

    def __init__(self, name: str, *, src_id: str, accept: Callable[[TextIn], Awaitable[None]], join_seconds: float = JOIN_SECONDS) -> None:  # fmt: skip
        self._name, self._src_id, self._accept = name, src_id, accept
        self._joiner = Joiner(self._store, within=join_seconds)

    async def put(self, deliver: Deliver) -> None:
        """Return once the text is stored; a part, once the text it belongs to is."""
        piece = read_piece(deliver.content, msg_fmt=deliver.msg_fmt, tp_udhi=deliver.tp_udhi)
        await self._joiner.put(
            Part(deliver.msg_id.hex(), ids.plain_number(deliver.src_terminal_id), deliver.dest_id, piece)
        )

    async def _store(self, parts: Sequence[Part]) -> None:
        first, body = parts[0], join([part.piece for part in parts])
        if len(parts) < first.piece.total:
            log.warning("text_is_not_whole", carrier=self._name, parts=len(parts), of=first.piece.total)
        extension = numbers.read_extension(first.dest_id, self._src_id)
        # Msg_Ids come again after a year, or sooner where a vendor counts its own way: the words tell two texts apart.
        mark = blind_index(f"{first.sender}\n{first.dest_id}\n{body}", "domestic.text").hex()[:12]
        await self._accept(TextIn(self._name, f"{first.carrier_id}-{mark}", first.sender, body, extension or None))
