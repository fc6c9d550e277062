"""Texts from phones: put together where they come in parts, then the path of every text in; acknowledged once they are stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from sealing import SealBroken
from sms_gateway import logs, webhooks
from sms_gateway.carriers.cmpp import ids, numbers
from sms_gateway.carriers.cmpp.pdus import Deliver
from sms_gateway.carriers.cmpp.text import Piece, join, read_piece
from sms_gateway.carriers.incoming import TextIn
from sms_gateway.crypto import blind_index
from sms_gateway.database import in_time, transaction
from sms_gateway.messages import uplink_parts
from sms_gateway.messages.uplink_parts import PartIn

log = logs.get("domestic")

JOIN_WITHIN: Final = timedelta(seconds=3)
"""So long the first part of a text waits for the others: danger in it rings that much later at most."""


class Uplinks:
    """Those of one line."""

    def __init__(self, name: str, *, src_id: str) -> None:
        self._name, self._src_id = name, src_id

    async def put(self, deliver: Deliver) -> None:
        """Return once the text, or its part, is stored. Raises where it cannot be: then the gateway brings it again."""
        piece = read_piece(deliver.content, msg_fmt=deliver.msg_fmt, tp_udhi=deliver.tp_udhi)
        part = PartIn(
            self._name, deliver.msg_id.hex(), ids.plain_number(deliver.src_terminal_id), deliver.dest_id, piece.reference or 0,
            piece.total, piece.number, piece.msg_fmt, piece.data,
        )  # fmt: skip
        if part.total == 1:
            await webhooks.accept(self._text([part]))
            return
        try:
            await in_time(partial(self._put_part, part), within=webhooks.STORED_WITHIN)
        except Exception as error:  # noqa: BLE001 - whatever keeps it out of the database, it must not be lost, nor wait there
            log.warning("part_not_stored", carrier=self._name, error=type(error).__name__)
            await webhooks.accept(self._text([part]))

    async def sweep(self) -> None:
        """Each second: what will not come whole is handed on as it is."""
        async with transaction() as session:
            overdue = await uplink_parts.list_overdue(session, self._name, older_than=JOIN_WITHIN)
        for whole_index in overdue:
            try:
                async with transaction() as session:
                    if parts := await uplink_parts.take(session, whole_index):
                        log.warning("text_is_not_whole", carrier=self._name, parts=len(parts), of=parts[0].total)
                        await self._store(session, parts)
            except SealBroken:  # a key that this machine lacks: the others go on
                log.error("part_does_not_open", carrier=self._name)

    async def _put_part(self, part: PartIn, session: AsyncSession) -> None:
        if parts := await uplink_parts.put(session, part):
            await self._store(session, parts)

    async def _store(self, session: AsyncSession, parts: Sequence[PartIn]) -> None:
        """The text, in the transaction that takes its parts."""
        recorded = await webhooks.store(webhooks.read_inbound(self._text(parts)), session)
        log.info("text_put_together", carrier=self._name, parts=len(parts), message=recorded and recorded.message_id)

    def _text(self, parts: Sequence[PartIn]) -> TextIn:
        first = parts[0]
        body = join([Piece(part.data, part.coding, part.reference, part.total, part.number) for part in parts])
        extension = numbers.read_extension(first.dest_id, self._src_id)
        # Msg_Ids come again after a year, or sooner where a vendor counts its own way: the words tell two texts apart.
        mark = blind_index(f"{first.sender}\n{first.dest_id}\n{body}", "domestic.text").hex()[:12]
        return TextIn(self._name, f"{first.carrier_id}-{mark}", first.sender, body, extension or None)
