"""A text on its way, and what a connection needs of the session it belongs to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from .answers import SubmitAnswer, Unknown
from .limits import Account, Counts, Limits
from .pdus import Deliver, Submit, SubmitResp


@dataclass(slots=True, eq=False)
class Waiting:
    """A SUBMIT on its way. `frame`: its bytes, without a sequence yet, once they are made; times are the loop's."""

    submit: Submit = field(repr=False)
    reference: int
    urgent: bool
    deadline: float
    answer: asyncio.Future[SubmitAnswer]
    written_at: float = 0.0
    throttled: int | None = None
    frame: bytes | None = field(default=None, repr=False)

    def settle(self, answer: SubmitAnswer) -> None:
        """Whoever waits hears `answer`; the first one counts."""
        if not self.answer.done():
            self.answer.set_result(answer)


class Owner(Protocol):
    """What a connection needs of its session."""

    account: Account
    limits: Limits
    counts: Counts
    store: Callable[[Deliver], Awaitable[None]]
    """Keeps what a phone or the gateway says."""

    def answered(self, waiting: Waiting, resp: SubmitResp) -> None:
        """The gateway's word on a SUBMIT."""
        ...

    def lost(self, waiting: Waiting, why: Unknown) -> None:
        """No word will come."""
        ...

    def late(self, reference: int, resp: SubmitResp) -> None:
        """A word after all, on one that was given up."""
        ...

    def has_room(self) -> None:
        """Something was heard: texts may go that could not before."""
        ...

    def say(self, event: str, **ids: str | int) -> None:
        """For the log."""
        ...
