"""Whose account it is, how much at once, how long is waited, and how it went: the values a session is built from and tells."""

from __future__ import annotations

from dataclasses import dataclass, field

from .pdus import Version
from .words import THROTTLED


@dataclass(frozen=True)
class Account:
    """Where the gateway is and who we are there. `shared_secret` is never logged."""

    host: str
    port: int
    source_addr: str
    shared_secret: str = field(repr=False)
    version: Version = Version.V3
    checks_gateway: bool = False
    """Refuse a gateway whose AuthenticatorISMG is not what ours gives; else it is only said, since vendors differ in it."""
    throttled: frozenset[int] = THROTTLED
    """SUBMIT results that mean "too many at once": 8, and a vendor's own."""


@dataclass(frozen=True)
class Limits:
    """How much at once, and how long is waited. Seconds; time-outs and tries after the standard (T = 60, N = 3, W = 16)."""

    connections: int = 1
    window: int = 16
    """Requests without an answer, on each connection; one in 16 is left to urgent ones."""
    segments_per_second: float = 0.0
    """Over all connections; 0: as many as the gateway takes."""
    answer_seconds: float = 60.0
    tries: int = 3
    """Of ACTIVE_TEST and CONNECT; a SUBMIT is sent once."""
    idle_seconds: float = 60.0
    """Nothing heard for so long: ACTIVE_TEST."""
    doubt_seconds: float = 5.0
    """Something unanswered and nothing heard for so long: ACTIVE_TEST, and no more texts on that connection until something is."""
    connect_seconds: float = 10.0
    reconnect_least: float = 0.5
    reconnect_most: float = 60.0


@dataclass
class Counts:
    """Since the session began. `late`: answers to what was given up as unknown; `strays`: frames that nobody expected."""

    submitted: int = 0
    accepted: int = 0
    refused: int = 0
    throttled: int = 0
    unknown: int = 0
    late: int = 0
    delivered: int = 0
    deliver_failed: int = 0
    strays: int = 0
    connected: int = 0
    lost: int = 0


@dataclass(frozen=True)
class State:
    """How the session stands. `trouble`: a Chinese sentence for the operations page, None while all is well."""

    up: int
    wanted: int
    in_flight: int
    waiting: int
    rate: float
    """Segments a second it allows itself now; infinite without a limit."""
    trouble: str | None
