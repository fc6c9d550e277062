"""What became of a SUBMIT, told apart by what may be done next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Accepted:
    """The gateway has it, under `msg_id`: 8 opaque bytes, keep them as they are or as 16 hex digits (`msg_id.hex()`)."""

    msg_id: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """The gateway will not have it: nothing was sent. `result`: `words.SUBMIT_RESULTS`."""

    result: int


@dataclass(frozen=True, slots=True)
class Throttled:
    """Too many at once, still so when `within` was over: nothing was sent, later it may be."""

    result: int


@dataclass(frozen=True, slots=True)
class NotSent:
    """It never reached the wire: nothing was sent, later it may be.

    `login_refused`: no later time helps until our account is mended; `does_not_fit`: a value is too long for its field, never.
    """

    why: Literal["no_link", "no_room", "login_refused", "closed", "does_not_fit"]


@dataclass(frozen=True, slots=True)
class Unknown:
    """It was written to the wire and nobody said what became of it: it must not be sent again.

    `no_answer`: within the time an answer may take; `link_broken`: the connection ended first; `unreadable`: an answer that says nothing.
    """

    why: Literal["no_answer", "link_broken", "unreadable"]


SubmitAnswer = Accepted | Refused | Throttled | NotSent | Unknown
