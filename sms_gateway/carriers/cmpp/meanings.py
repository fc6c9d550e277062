"""What a gateway's words mean for a text: its answers to SUBMIT, and the seven letters of a status report. Pure.

Source: CMPP 3.0 (QB-GF-028-2003) for the seven words and the two-letter classes. What vendors write beside them
contradicts from list to list, so an account's own meanings go before these (`HOTLINE_CMPP_WORDS`), and the raw word is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sms_gateway.carriers.carrier import (
    CarrierDidNotAnswer,
    CarrierIsBusy,
    CarrierRefused,
    CarrierRefusesUs,
    SendError,
)

from .answers import Accepted, NotSent, Refused, SubmitAnswer, Throttled, Unknown
from .words import REFUSES_US

STATES: Final[dict[str, str]] = {
    "DELIVRD": "delivered",
    "EXPIRED": "undelivered",
    "UNDELIV": "undelivered",
    "DELETED": "failed",
    "REJECTD": "blocked",
    "UNKNOWN": "sent",
    "ACCEPTD": "sent",
    "KEYWORD": "blocked",
    "BLOCKED": "blocked",
    "BLACK": "blocked",
    "MBBLACK": "blocked",
    "DBBLACK": "blocked",
    "TDBLACK": "blocked",
    "TSBLACK": "blocked",
    "SIGNBLO": "blocked",
    "SIGFAIL": "blocked",
    "ID:0076": "blocked",
    "MK:0014": "blocked",
    "MK:0115": "blocked",
    "CJ:0007": "blocked",
    "MA:0001": "blocked",
    "MA:0002": "blocked",
    "HD:0001": "blocked",
    "DB:0144": "blocked",
    "MK:0000": "undelivered",
    "MK:0001": "undelivered",
    "MK:0005": "undelivered",
    "MK:0010": "undelivered",
    "MK:0023": "undelivered",
    "MI:0024": "undelivered",
    "MI:0054": "undelivered",
    "MI:0059": "undelivered",
}
"""Words in our states (`carriers.incoming.ReceiptIn.state`). Blocked: stopped for its content, its signature or by a list of numbers;
undelivered: the phone is off, empty or out of reach; sent: the gateway has had it and says no more (ACCEPTD: not yet, UNKNOWN: never);
all others, known or not, are `failed`."""


def state_of(word: str, own: Mapping[str, str]) -> str:
    """The state a report's word means, by the account's `own` meanings first."""
    word = word.strip("\x00 ").upper()
    return own.get(word) or STATES.get(word, "failed")


def error_of(word: str) -> str:
    """The word as it is kept beside the state: printable ASCII, at most seven characters."""
    return "".join(one for one in word.strip("\x00 ") if one.isascii() and one.isprintable())[:7] or "empty"


def error_for(answer: SubmitAnswer) -> SendError | None:
    """What the gateway's answer for a text of one part means for it; None: it was accepted."""
    match answer:
        case Accepted():
            return None
        case Refused(result):
            return (CarrierRefusesUs if result in REFUSES_US else CarrierRefused)(str(result))
        case Throttled(result):
            return CarrierIsBusy(str(result))
        case NotSent("login_refused"):
            return CarrierRefusesUs("login_refused")
        case NotSent("does_not_fit"):
            return CarrierRefused("does_not_fit")
        case NotSent(why):
            return CarrierIsBusy(why)
        case Unknown(why):
            return CarrierDidNotAnswer(why)
