"""An account's connections to a gateway: kept up, filled up to their windows, slowed down when the gateway asks for it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

from sms_gateway.errors import HotlineError

from . import words
from .answers import SubmitAnswer
from .limits import Account, Counts, Limits, State
from .link import Link
from .owner import Waiting
from .pdus import Cancel, CancelResp, Query, QueryResp, Submit
from .sender import OnAccepted, OnDeliver, OnEvent, OnLate, Sender

__all__ = ["Account", "Counts", "Limits", "OnAccepted", "OnDeliver", "OnEvent", "OnLate", "Session", "State"]

STEADY_SECONDS = 5.0
"""A connection that lived so long was a good one: the next is tried soon."""


class Session:
    """Sends and receives for one account. Build it in a running event loop, `start()` it, `close()` it."""

    def __init__(
        self,
        account: Account,
        limits: Limits | None = None,
        *,
        on_deliver: OnDeliver,
        on_late: OnLate | None = None,
        on_accepted: OnAccepted | None = None,
        on_event: OnEvent | None = None,
    ) -> None:
        self.account = account
        self.limits = limits or Limits()
        self._sender = Sender(
            account, self.limits, on_deliver=on_deliver, on_late=on_late, on_accepted=on_accepted, on_event=on_event
        )
        self.counts: Counts = self._sender.counts
        self._links = self._sender.links
        self._loop = asyncio.get_running_loop()
        self._tasks: list[asyncio.Task[None]] = []
        self._troubles: dict[int, HotlineError] = {}
        self._some_up = asyncio.Event()
        self._closing = False

    async def start(self) -> None:
        """Begin to keep the connections up; returns at once, whether or not the gateway is there."""
        self._tasks = [self._loop.create_task(self._keep(number)) for number in range(self.limits.connections)]
        self._tasks.append(self._loop.create_task(self._watch()))

    async def wait_until_up(self, *, within: float) -> bool:
        """Whether at least one connection is logged in, within so many seconds."""
        try:
            await asyncio.wait_for(self._some_up.wait(), within)
        except TimeoutError:
            return False
        return True

    async def close(self, *, within: float = 10.0) -> None:
        """Wait for answers that are due, say TERMINATE on each connection, close. What waits for a place is `NotSent`."""
        self._closing = True
        self._sender.close()
        await asyncio.gather(*(link.leave(within=within) for link in self._links))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def make_way(self, seconds: float) -> None:
        """Nothing but urgent texts for so long: somebody has written, and this machine is to have its hands free for them."""
        self._sender.pace.rest(seconds, self._loop.time())

    def state(self) -> State:
        """How it stands now."""
        return State(
            up=sum(link.is_up for link in self._links),
            wanted=self.limits.connections,
            in_flight=sum(len(link.pending) for link in self._links),
            waiting=len(self._sender),
            rate=self._sender.pace.rate,
            trouble=next((error.sentence for error in self._troubles.values()), None),
        )

    async def submit(
        self, submit: Submit, *, reference: int = 0, urgent: bool = False, within: float = 30.0
    ) -> SubmitAnswer:
        """Hand one text or part over and wait for what the gateway says; raises nothing for the text's sake.

        `within`: seconds it may wait for a place on the wire, throttling included (a throttled one is tried again until
        then); after that come up to `answer_seconds` for the answer. `urgent` goes before all others, past the pace, and
        into places of the window that others leave free. A cancelled call may have sent it: treat it as `Unknown`.
        """
        return (await self.submit_many([submit], references=[reference], urgent=urgent, within=within))[0]

    async def submit_many(
        self, submits: Sequence[Submit], *, references: Sequence[int] = (), urgent: bool = False, within: float = 30.0
    ) -> list[SubmitAnswer]:
        """The same for many, through the windows of all connections at once; answers in order. Much cheaper than so many tasks."""
        deadline = self._loop.time() + within
        asked = [
            Waiting(submit, reference, urgent, deadline, self._loop.create_future())
            for submit, reference in zip(submits, references or [0] * len(submits), strict=True)
        ]
        self._sender.put(asked, urgent=urgent)
        try:
            return [await each.answer for each in asked]
        finally:
            for each in asked:
                each.answer.cancel()  # nothing where it is answered; where not, it must not go out any more

    async def ask(self, pdu: Query | Cancel, *, tries: int = 1) -> QueryResp | CancelResp:
        """The day's totals, or take a text back; many gateways answer neither. Raises `words.GatewayIsAway`."""
        link = next((link for link in self._links if link.is_up), None)
        if link is None:
            raise words.GatewayIsAway
        answer = await link.ask(pdu, tries=tries)
        if not isinstance(answer, QueryResp | CancelResp):
            raise words.GatewayIsAway
        return answer

    async def _watch(self) -> None:
        limits = self.limits
        tick = max(0.01, min(0.25, limits.answer_seconds / 4, limits.idle_seconds / 4, limits.doubt_seconds / 4))
        while True:
            await asyncio.sleep(tick)
            now = self._loop.time()
            for link in list(self._links):
                link.sweep(now)
            self._sender.sweep(now)

    async def _keep(self, number: int) -> None:
        """One connection, until the session closes: made anew after longer and longer waits while it does not hold."""
        wait = self.limits.reconnect_least
        while not self._closing:
            link = Link(self._sender, number, first_sequence=random.randrange(1, 2**24))
            began = self._loop.time()
            try:
                await self._connect(link)
            except Exception as error:  # noqa: BLE001  # whatever it is: there is a next time, or this connection is none for ever
                self._note(number, error)
                if isinstance(error, words.LoginRefused):
                    wait = max(wait, self.limits.reconnect_most / 4)  # an account that knocks too often is locked
            else:
                await self._live(link)
            if self._loop.time() - began >= STEADY_SECONDS:
                wait = self.limits.reconnect_least
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))
            wait = min(wait * 2, self.limits.reconnect_most)

    def _note(self, number: int, error: Exception | None) -> None:
        """What keeps a connection from being up; None: nothing."""
        self._troubles.pop(number, None)
        if error is not None:
            known = error if isinstance(error, HotlineError) else words.GatewayIsAway()
            self._troubles[number] = known
            self._sender.say("cmpp_not_connected", link=number, error=type(known).__name__)
        refused = [each for each in self._troubles.values() if isinstance(each, words.LoginRefused)]
        self._sender.login_is_refused = bool(refused)

    async def _connect(self, link: Link) -> None:
        async with asyncio.timeout(self.limits.connect_seconds):
            await self._loop.create_connection(lambda: link, self.account.host, self.account.port)
        self._links.append(link)
        try:
            await link.log_in()
        except BaseException:
            self._links.remove(link)
            link.close()
            raise

    async def _live(self, link: Link) -> None:
        self.counts.connected += 1
        self._note(link.number, None)
        self._sender.say("cmpp_connected", link=link.number)
        self._some_up.set()
        self._sender.has_room()
        try:
            await link.closed.wait()
        finally:
            self._links.remove(link)
            if not any(each.is_up for each in self._links):
                self._some_up.clear()
        self.counts.lost += 1
        self._note(link.number, words.GatewayIsAway())
