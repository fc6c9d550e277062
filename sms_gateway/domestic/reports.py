"""Status reports: found their text by id, by its parts, or, where the answer was lost, by what fits no other; then applied as any receipt.

Each is stored before it is acknowledged. What nobody claims yet is kept and tried again (`messages.unclaimed`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, logs
from sms_gateway.broadcasts import receipts
from sms_gateway.broadcasts.addresses import index_of
from sms_gateway.broadcasts.receipt_batches import Collector
from sms_gateway.broadcasts.references import is_outreach
from sms_gateway.carriers.cmpp import ids, meanings, numbers
from sms_gateway.carriers.cmpp import pdus as cmpp
from sms_gateway.cmpp_settings import CmppSettings
from sms_gateway.contacts.phone import NotAPhoneNumber, parse
from sms_gateway.database import transaction
from sms_gateway.messages import outbox, unclaimed
from sms_gateway.messages.unclaimed import Report

from . import matching
from .matching import Heard
from .memory import Known, Memory, id_of, msg_id_of, this_year

log = logs.get("domestic")

MINUTE = "%y%m%d%H%M"


class Reports:
    """Those of one line."""

    def __init__(self, name: str, settings: CmppSettings, memory: Memory) -> None:
        self._name, self._settings, self._memory = name, settings, memory
        self._batches: Collector[Heard] = Collector(self._write)
        self._waits_until = 0.0

    async def put(self, deliver: cmpp.Deliver) -> None:
        """Return once a DELIVER's report is stored. Raises `DatabaseIsAway`, `TooManyReceipts`: the gateway brings it again."""
        told = deliver.report
        if told is None:
            log.warning("report_cannot_be_read", carrier=self._name, bytes=len(deliver.content))
            return
        known = self._memory.find(told.msg_id)
        report = self._read(deliver, told, known)
        await self._batches.put(Heard(report, known))
        if known is not None and report.state != "sent":  # one that comes again is found by what is noted
            self._memory.forget(told.msg_id)

    def make_way(self, seconds: float) -> None:
        """Nothing is written down for so long: the gateway brings no more meanwhile, since we answer for none."""
        self._waits_until = asyncio.get_running_loop().time() + seconds

    async def note_taken(self, known: Known) -> None:
        """The gateway took a text after we had given up waiting for its answer."""
        report = Report(self._name, known.carrier_id, "sent", None, b"", None, None)
        await self._batches.put(Heard(report, known))

    async def sweep(self) -> None:
        """Each second: reports that nobody has claimed yet are tried again."""
        async with transaction() as session:
            due = await unclaimed.take_due(session, self._name)
            if due:
                await self._apply(session, [Heard(one, self._memory.find(msg_id_of(one.carrier_id))) for one in due])

    async def aclose(self) -> None:
        """Write down what is waiting."""
        await self._batches.aclose()

    def _read(self, deliver: cmpp.Deliver, told: cmpp.Report, known: Known | None) -> Report:
        submitted_at = read_minute(told.submit_time)
        own_id = known.carrier_id if known else id_of(told.msg_id, this_year(submitted_at))
        state = meanings.state_of(told.stat, self._settings.words)
        error = None if state in ("delivered", "sent") else meanings.error_of(told.stat)
        number = ids.plain_number(told.dest_terminal_id or deliver.src_terminal_id)
        extension = numbers.read_extension(deliver.dest_id, self._settings.src_id)
        index = index_of(_as_e164(number)) if known is None else b""
        return Report(self._name, own_id, state, error, index, extension or None, submitted_at)

    async def _write(self, heard: Sequence[Heard]) -> None:
        await asyncio.sleep(self._waits_until - asyncio.get_running_loop().time())
        async with transaction() as session:
            await self._apply(session, heard)

    async def _apply(self, session: AsyncSession, heard: Sequence[Heard]) -> None:
        """A batch in one transaction: talks before outreach, each in the order of ids, so that two of these never wait crosswise."""
        told, parts = await matching.of_parts(session, self._name, heard)
        rest = [one for one in heard if one.report.carrier_id not in parts]
        told += [matching.told(one.report, one.known.reference) for one in rest if one.known is not None]
        named, left = await matching.name_them(session, self._name, [one.report for one in rest if one.known is None])
        told += named
        talks = sorted(
            (one for one in told if not is_outreach(one.reference)), key=lambda one: (one.carrier_id, one.state)
        )
        for one in talks:
            await outbox.apply_receipt(
                session, carrier=one.carrier, carrier_id=one.carrier_id, state=one.state, error=one.error, reference=one.reference
            )  # fmt: skip
        done = await receipts.apply(session, [one for one in told if is_outreach(one.reference)])
        await unclaimed.keep(session, left)
        claimed = {one.report.carrier_id for one in heard} - {one.carrier_id for one in left}
        await unclaimed.drop(session, self._name, sorted(claimed))
        log.info(
            "reports",
            carrier=self._name,
            reports=len(heard),
            talks=len(talks),
            outreach=done.moved,
            unclaimed=len(left),
        )


@lru_cache(maxsize=4096)  # thousands of reports name the same minute
def read_minute(written: str) -> datetime | None:
    """The beginning of the minute a gateway wrote (YYMMDDHHMM, China time); None for what is none."""
    try:
        return datetime.strptime(written, MINUTE).replace(tzinfo=clock.SHANGHAI)
    except ValueError:
        return None


def _as_e164(number: str) -> str:
    try:
        return str(parse(number))
    except NotAPhoneNumber:
        return number
