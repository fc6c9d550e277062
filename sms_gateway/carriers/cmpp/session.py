"""An account's connections to a gateway: kept up, filled up to their windows, slowed down when the gateway asks for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from .answers import SubmitAnswer
from .pdus import Deliver, Submit, Version

OnDeliver = Callable[[Deliver], Awaitable[None]]
"""Stores a text or a report. DELIVER_RESP goes out when it returns; if it raises, none does, and the gateway brings it again."""
OnLate = Callable[[int, SubmitAnswer], Awaitable[None]]
"""An answer that came after `submit` had said `Unknown("no_answer")`: the reference given to `submit`, and what it says."""


@dataclass(frozen=True)
class Account:
    """Where the gateway is and who we are there. `shared_secret` is never logged."""

    host: str
    port: int
    source_addr: str
    shared_secret: str = field(repr=False)
    version: Version = Version.V3
    checks_gateway: bool = False
    """Refuse a gateway whose AuthenticatorISMG is not what ours gives; else it is only logged, since vendors differ in it."""


@dataclass(frozen=True)
class Limits:
    """How much at once, and how long is waited. Seconds; time-outs and tries after the standard (T = 60, N = 3, W = 16)."""

    connections: int = 1
    window: int = 16
    """Requests without an answer, on each connection."""
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
    """Since the session began. `latency_…` is the time from the wire to its answer."""

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


class Session:
    """Sends and receives for one account. Build it, `start()` it, `close()` it; all in one event loop."""

    def __init__(
        self, account: Account, limits: Limits, *, on_deliver: OnDeliver, on_late: OnLate | None = None
    ) -> None:
        self.account = account
        self.limits = limits
        self.counts = Counts()
        self._on_deliver = on_deliver
        self._on_late = on_late

    async def start(self) -> None:
        """Begin to keep the connections up; returns at once, whether or not the gateway is there."""
        raise NotImplementedError

    async def wait_until_up(self, *, within: float) -> bool:
        """Whether at least one connection is logged in, within so many seconds."""
        raise NotImplementedError

    async def submit(
        self, submit: Submit, *, reference: int = 0, urgent: bool = False, within: float = 30.0
    ) -> SubmitAnswer:
        """Hand one text or part over and wait for what the gateway says; never raises for the text's sake.

        `within`: seconds it may wait for a place on the wire, throttling included (a throttled one is tried again until
        then); after that come up to `answer_seconds` for the answer. `urgent` goes before all others, past the rate, and
        into places of the window that others leave free. A cancelled call may have sent it: treat it as `Unknown`.
        """
        raise NotImplementedError

    async def submit_many(
        self, submits: Sequence[Submit], *, references: Sequence[int] = (), urgent: bool = False, within: float = 30.0
    ) -> list[SubmitAnswer]:
        """The same for many, through the windows of all connections at once; answers in order. Much cheaper than so many tasks."""
        raise NotImplementedError

    def state(self) -> State:
        """How it stands now."""
        raise NotImplementedError

    async def close(self, *, within: float = 10.0) -> None:
        """Wait for answers that are due, say TERMINATE on each connection, close. What waits for a place is `NotSent`."""
        raise NotImplementedError
