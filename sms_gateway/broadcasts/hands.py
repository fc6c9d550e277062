"""A fixed number of hands for everything a process hands over one by one: whoever is free takes the next piece, in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

Piece = TypeVar("Piece")
Made = TypeVar("Made")


@dataclass
class _Work:
    """Pieces of one caller: what is done with each, what came of it, and when all of it is there."""

    do: Callable[[Any], Awaitable[Any]]
    pieces: int
    done: asyncio.Future[list[Any]]
    made: list[Any] = field(default_factory=list)


class Hands:
    """At most `count` pieces at once, over all callers. A task and a lock for each piece would cost more than the piece."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._waiting: deque[tuple[Any, _Work]] = deque()
        self._busy = 0
        """Hands that will still look for a next piece."""
        self._tasks: set[asyncio.Task[None]] = set()

    async def each(self, pieces: Sequence[Piece], do: Callable[[Piece], Awaitable[Made]]) -> list[Made]:
        """What `do` gave for each piece, in the order they were done. Raises what one of them raised, once all are done."""
        if not pieces:
            return []
        work = _Work(do, len(pieces), asyncio.get_running_loop().create_future())
        self._waiting.extend((piece, work) for piece in pieces)
        for _ in range(min(len(pieces), self._count - self._busy)):
            self._busy += 1
            hand = asyncio.create_task(self._hand())
            self._tasks.add(hand)
            hand.add_done_callback(self._tasks.discard)
        made: list[Any] = await work.done
        errors = [one for one in made if isinstance(one, BaseException)]
        if errors:
            raise errors[0]
        return made

    async def _hand(self) -> None:
        while self._waiting:
            piece, work = self._waiting.popleft()
            try:
                made: Any = await work.do(piece)
            except BaseException as error:  # noqa: BLE001 - it is the caller's, whatever it is
                made = error
            work.made.append(made)
            if len(work.made) == work.pieces and not work.done.done():
                work.done.set_result(work.made)
        self._busy -= 1  # here, not when the task is seen to be done: whoever comes in between would count on this hand
