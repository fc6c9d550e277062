"""A text on its way to a carrier: what it says to this person, and what handing it over gave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sealing import KeyIsMissing, SealBroken
from sms_gateway import logs
from sms_gateway.carriers.carrier import (
    Carrier,
    CarrierDidNotAnswer,
    CarrierIsBusy,
    CarrierRefused,
    CarrierRefusesUs,
    SendError,
    TextOut,
)

from . import addresses, ledger, references
from .recipients import State
from .running import Running
from .taking import Recipient

log = logs.get("broadcasts")
UNREADABLE = "unreadable"
"""The error of a number that does not open with our keys."""
_opened: set[int] = set()
"""Broadcasts of which this process has opened a number."""


@dataclass(frozen=True)
class Result:
    """What handing over one number gave: the carrier's id, or an error, or neither: it was not tried."""

    row: Recipient
    carrier_id: str | None
    error: SendError | None

    @property
    def stayed(self) -> bool:
        """Whether it surely did not leave and may be tried again."""
        return self.carrier_id is None and (self.error is None or surely_stayed(self.error))

    def outcome(self) -> ledger.Outcome | None:
        """For the ledger; None when it stayed."""
        if self.carrier_id is not None:
            return ledger.Outcome(self.row.number, State.SENT, self.carrier_id)
        if self.error is None or surely_stayed(self.error):
            return None
        state = State.UNKNOWN if self.error.state == "unknown" else State.FAILED
        return ledger.Outcome(self.row.number, state, error=(self.error.code or type(self.error).__name__)[:40])


def surely_stayed(error: SendError) -> bool:
    """Whether nothing left, through no fault of the number or the text: it keeps its turn."""
    return error.retryable or isinstance(error, CarrierRefusesUs)


def result_of(row: Recipient, answer: str | SendError) -> Result:
    """A carrier's answer for one of many."""
    return Result(row, None, answer) if isinstance(answer, SendError) else Result(row, answer, None)


def text_for(one: Running, row: Recipient, now: datetime) -> TextOut | None:
    """The text as this person gets it; None outside the allowed hours of their region. Raises `sealing.SealBroken`."""
    validity = one.validity(row.region, now)
    if validity is None:
        return None
    number = addresses.open_sealed(row.address_sealed, row.address_index)
    return TextOut(number, one.text(row.region), references.reference_of(one.id, row.number), validity)


def readied(one: Running, row: Recipient, now: datetime) -> TextOut | Result:
    """The text to hand over; or what became of it already: not now, or never, since its number does not open."""
    try:
        text = text_for(one, row, now)
    except SealBroken as broken:
        log.error("outreach_number_does_not_open", broadcast=one.id, number=row.number)
        return Result(row, None, CarrierRefused(UNREADABLE) if is_broken(one.id, broken) else CarrierIsBusy("no_key"))
    _opened.add(one.id)
    return text or Result(row, None, None)


def is_broken(broadcast_id: int, broken: SealBroken) -> bool:
    """Whether it is the row that is broken. A process that opened none of that broadcast may itself have a wrong key: a machine
    that was set up by itself must not fail the numbers of all."""
    return broadcast_id in _opened and not isinstance(broken, KeyIsMissing)


async def hand_over(edge: Carrier, one: Running, row: Recipient, now: datetime) -> Result:
    """Give one text to the carrier. Raises nothing: whatever goes wrong with one text is no matter of the others in hand."""
    text = readied(one, row, now)
    if isinstance(text, Result):
        return text
    try:
        made = await edge.send(to=text.to, body=text.body, reference=text.reference, validity=text.validity)
    except SendError as error:
        return Result(row, None, error)
    except Exception as error:  # noqa: BLE001 - it may have left: to be looked up
        log.error("outreach_carrier_broke", broadcast=one.id, error=type(error).__name__)
        return Result(row, None, CarrierDidNotAnswer("broke"))
    return Result(row, made, None)
