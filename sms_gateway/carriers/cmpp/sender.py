"""What waits for a place on the wire: urgent first, no faster than the pace, throttled ones again; and what is said of each."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from itertools import chain, islice
from math import inf

from . import codec, words
from .answers import Accepted, NotSent, Refused, SubmitAnswer, Throttled, Unknown
from .limits import Account, Counts, Limits
from .link import Link
from .owner import Waiting
from .pace import Pace
from .pdus import Deliver, SubmitResp

RETRY_SECONDS = 0.2
"""A throttled text waits so long before it stands in the queue again."""

OnDeliver = Callable[[Deliver], Awaitable[None]]
"""Stores a text or a report. DELIVER_RESP goes out when it returns; if it raises, none does, and the gateway brings it again.

Called for many at once, in the order they came on each connection; up to 64 of a connection are under way.
"""
OnAccepted = Callable[[int, bytes], None]
"""The gateway took the text of that reference, under that Msg_Id: said at once, before whoever waits for it hears so and before any
report that comes behind it is stored. It must be quick and must not raise.
"""
OnLate = Callable[[int, SubmitAnswer], None]
"""An answer after `Unknown("no_answer")`: the reference given to `submit`, and `Accepted` or `Refused`. Not awaited: be quick."""
OnEvent = Callable[..., None]
"""`on_event(name, **ids)`: something for the log; never a text, a number or a secret."""


class Sender:
    """The queue of an account, and what its connections tell (`owner.Owner`). Made by `Session`."""

    def __init__(
        self,
        account: Account,
        limits: Limits,
        *,
        on_deliver: OnDeliver,
        on_late: OnLate | None,
        on_accepted: OnAccepted | None = None,
        on_event: OnEvent | None,
    ) -> None:
        self.account = account
        self.limits = limits
        self.counts = Counts()
        self.links: list[Link] = []
        """Those that are up, and those that are about to be."""
        self.store = on_deliver
        self.login_is_refused = False
        self._on_late = on_late
        self._on_accepted = on_accepted
        self._on_event = on_event
        self._loop = asyncio.get_running_loop()
        self._urgent: deque[Waiting] = deque()
        self._ordinary: deque[Waiting] = deque()
        self._resting: set[Waiting] = set()
        self._closed = False
        self._wake: asyncio.TimerHandle | None = None
        self.pace = Pace(limits.segments_per_second or inf, now=self._loop.time())

    def __len__(self) -> int:
        return len(self._urgent) + len(self._ordinary) + len(self._resting)

    def put(self, many: Iterable[Waiting], *, urgent: bool) -> None:
        """Let them stand in the queue, and write what may go at once."""
        if self._closed:
            for waiting in many:
                waiting.settle(NotSent("closed"))
            return
        (self._urgent if urgent else self._ordinary).extend(many)
        self.has_room()

    def close(self) -> None:
        """Nothing more is written."""
        self._closed = True
        for waiting in chain(self._urgent, self._ordinary, self._resting):
            waiting.settle(NotSent("closed"))
        self._urgent.clear()
        self._ordinary.clear()
        self._resting.clear()
        if self._wake is not None:
            self._wake.cancel()

    def sweep(self, now: float) -> None:
        """Called every so often: whoever waited too long hears so."""
        self._urgent = self._without_overdue(self._urgent, now)
        self._ordinary = self._without_overdue(self._ordinary, now)
        self.has_room()

    # what its connections tell it

    def has_room(self) -> None:
        """Write what may go now, urgent ones first."""
        now = self._loop.time()
        touched: set[Link] = set()
        for queue, urgent in ((self._urgent, True), (self._ordinary, False)):
            while queue:
                link, room = self._roomiest(urgent=urgent)
                if link is None or not self._place_some(queue, link, -(-room // len(self.links)), now):
                    break
                touched.add(link)
        for link in touched:
            link.flush()
        if touched:  # the next ones, while the gateway works on these
            for waiting in islice(self._ordinary, self.limits.window * len(self.links)):
                self._frame_of(waiting)

    def _place_some(self, queue: deque[Waiting], link: Link, most: int, now: float) -> bool:
        """Give up to `most` of them a place on that connection; False: the pace holds the next one back."""
        pace, placed = self.pace, 0
        while queue and placed < most:
            waiting = queue[0]
            frame = (
                waiting.frame if waiting.frame is not None and not waiting.answer.done() else self._frame_of(waiting)
            )
            if frame is None:
                queue.popleft()
                continue
            if not waiting.urgent and (seconds := pace.ready_in(now)) > 0:
                self._wake_in(seconds)
                break
            queue.popleft()
            pace.spend(len(waiting.submit.destinations), now)
            link.place(waiting, frame, now)
            placed += 1
        self.counts.submitted += placed
        return placed > 0 or not queue

    def _frame_of(self, waiting: Waiting) -> bytes | None:
        """Its bytes; None: its caller went away, or hears that it fits no frame."""
        if waiting.answer.done():
            return None
        if waiting.frame is None:
            try:
                waiting.frame = codec.encode(waiting.submit, sequence=0, version=self.account.version)
            except ValueError:
                waiting.settle(NotSent("does_not_fit"))
        return waiting.frame

    def answered(self, waiting: Waiting, resp: SubmitResp) -> None:
        """The gateway's word on a SUBMIT: too many at once is tried again, all else goes to whoever waits."""
        if resp.result == words.OK:
            self.counts.accepted += 1
            if self._on_accepted is not None:
                self._on_accepted(waiting.reference, resp.msg_id)
            waiting.settle(Accepted(resp.msg_id))
        elif resp.result in self.account.throttled:
            self.counts.throttled += 1
            waiting.throttled = resp.result
            self.pace.slow_down(self._loop.time())
            self._resting.add(waiting)
            self._loop.call_later(RETRY_SECONDS, self._again, waiting)
        else:
            self.counts.refused += 1
            waiting.settle(Refused(resp.result))

    def lost(self, waiting: Waiting, why: Unknown) -> None:
        """No word will come."""
        self.counts.unknown += 1
        waiting.settle(why)

    def late(self, reference: int, resp: SubmitResp) -> None:
        """A word after all, on one that was given up. A throttled one is not tried again: whoever waited has gone."""
        self.counts.late += 1
        if self._on_late is not None:
            answer = Accepted(resp.msg_id) if resp.result == words.OK else Refused(resp.result)
            self._loop.call_soon(self._on_late, reference, answer)  # its errors are none of the connection's

    def say(self, event: str, **ids: str | int) -> None:
        """For the log."""
        if self._on_event is not None:
            self._on_event(event, **ids)

    def _roomiest(self, *, urgent: bool) -> tuple[Link | None, int]:
        best, most = None, 0
        for link in self.links:
            room = link.room(urgent=urgent)
            if room > most:
                best, most = link, room
        return best, most

    def _again(self, waiting: Waiting) -> None:
        if waiting not in self._resting:  # the session closed
            return
        self._resting.discard(waiting)
        (self._urgent if waiting.urgent else self._ordinary).appendleft(waiting)
        self.has_room()

    def _wake_in(self, seconds: float) -> None:
        if self._wake is None:
            self._wake = self._loop.call_later(seconds, self._woken)

    def _woken(self) -> None:
        self._wake = None
        self.has_room()

    def _without_overdue(self, queue: deque[Waiting], now: float) -> deque[Waiting]:
        overdue = [waiting for waiting in queue if waiting.deadline <= now]
        for waiting in overdue:
            waiting.settle(self._why_not_sent(waiting))
        return deque(waiting for waiting in queue if waiting.deadline > now) if overdue else queue

    def _why_not_sent(self, waiting: Waiting) -> NotSent | Throttled:
        if waiting.throttled is not None:
            return Throttled(waiting.throttled)
        if any(link.is_up for link in self.links):
            return NotSent("no_room")
        return NotSent("login_refused" if self.login_is_refused else "no_link")
