"""Whose a report is: by its parts, by the ids we noted, or, of a text whose answer was lost, by what fits it and no other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import logs
from sms_gateway.broadcasts import receipts, unknowns
from sms_gateway.broadcasts.receipts import Told
from sms_gateway.messages import carrier_parts, unclaimed
from sms_gateway.messages.carrier_parts import PartOut, PartTold
from sms_gateway.messages.unclaimed import Report

from .memory import Known

log = logs.get("domestic")


@dataclass(frozen=True)
class Heard:
    """A report, and whose it is where this process knows."""

    report: Report
    known: Known | None


def told(report: Report, reference: int | None, *, carrier_id: str | None = None) -> Told:
    """The report as a receipt of that text."""
    return Told(report.carrier, carrier_id or report.carrier_id, report.state, report.error, reference)


async def of_parts(session: AsyncSession, carrier: str, heard: Sequence[Heard]) -> tuple[list[Told], set[str]]:
    """What the reports of parts among these say of their texts, and which of them are of parts."""
    may_be = [one for one in heard if one.known is None or one.known.total > 1]
    if not may_be:
        return [], set()
    ours = {one.known.carrier_id: one.known for one in may_be if one.known is not None}
    await carrier_parts.note(
        session, carrier, [PartOut(one.carrier_id, one.text_id, one.reference, one.total) for one in ours.values()]
    )
    reports = [PartTold(one.report.carrier_id, one.report.state, one.report.error) for one in may_be]
    parts, verdicts = await carrier_parts.apply(session, carrier, reports)
    final = [one for one in verdicts if one.state is not None]
    return [Told(carrier, one.carrier_id, one.state or "", one.error, one.reference) for one in final], parts


async def name_them(session: AsyncSession, carrier: str, reports: Sequence[Report]) -> tuple[list[Told], list[Report]]:
    """Reports this process knows nothing of, with the texts they are of; and those nobody claims yet."""
    if not reports:
        return [], []
    ids = [one.carrier_id for one in reports]
    references = await receipts.find_references(session, carrier, ids)
    talks = await unclaimed.find_of_talks(session, carrier, ids)
    named: list[Told] = []
    left: list[Report] = []
    for report in reports:
        if report.carrier_id in references:
            named.append(told(report, references[report.carrier_id]))
        elif report.carrier_id in talks:
            named.append(told(report, None))
        elif (found := await _find_lost(session, report)) is not None:
            named.append(found)
        else:
            left.append(report)
    return named, left


async def _find_lost(session: AsyncSession, report: Report) -> Told | None:
    """The one text whose answer was lost and that fits; None where none does, several do, or one's answer may still come.

    Where a gateway wrote our bare number, a broadcast's extension may have been stripped: then everything counts.
    """
    between = unclaimed.window(report)
    if between is None:
        return None
    carrier, index = report.carrier, report.address_index
    fitting = await unknowns.list_lost(
        session, carrier=carrier, address_index=index, handed_over=between, extension=report.extension
    )
    if report.extension is None:
        fitting += await unclaimed.list_lost(session, carrier=carrier, address_index=index, handed_over=between)
    if len(fitting) > 1:
        log.warning("report_fits_several", carrier=carrier, texts=len(fitting))
    if len(fitting) != 1 or fitting[0].in_flight:
        return None
    (one,) = fitting
    log.info("lost_text_found", carrier=carrier, reference=one.reference)
    only_a_part = not one.whole and report.state == "delivered"  # then no more is known than that it left
    return Told(carrier, report.carrier_id, "sent" if only_a_part else report.state, report.error, one.reference)
