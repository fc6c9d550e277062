"""Make-believe phones: their texts as the page shows them, in bounds, in this process's memory."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

PREFIX = "+861380000"
"""The numbers of make-believe phones; four digits follow."""

TEXTS_KEPT = 200
PHONES_KEPT = 200


@dataclass
class PhoneText:
    """One text on a phone. `mine`: written on the phone. `state`: sending, sent, failed; out texts: sent, delivered."""

    id: str
    mine: bool
    body: str
    at: str
    state: str

    def shown(self) -> dict[str, Any]:
        """As the page gets it."""
        return asdict(self)


class Phone:
    """A number's texts, and the pages that look at it."""

    def __init__(self, number: str) -> None:
        self.number = number
        self.texts: deque[PhoneText] = deque(maxlen=TEXTS_KEPT)
        self.watchers: set[asyncio.Queue[PhoneText]] = set()

    def show(self, text: PhoneText) -> None:
        """Put a text, or its new state, before everybody who looks."""
        if text not in self.texts:
            self.texts.append(text)
        for watcher in self.watchers:
            watcher.put_nowait(text)

    @contextmanager
    def watched(self) -> Iterator[asyncio.Queue[PhoneText]]:
        """A queue of what happens on this phone."""
        queue: asyncio.Queue[PhoneText] = asyncio.Queue()
        self.watchers.add(queue)
        try:
            yield queue
        finally:
            self.watchers.discard(queue)


class Phones:
    """The phones used last."""

    def __init__(self) -> None:
        self._phones: OrderedDict[str, Phone] = OrderedDict()

    def get(self, number: str) -> Phone:
        """The phone of that number; the one longest unused is forgotten when there are too many."""
        if number not in self._phones:
            self._phones[number] = Phone(number)
            if len(self._phones) > PHONES_KEPT:
                idle = (n for n, phone in self._phones.items() if not phone.watchers and n != number)
                if (oldest := next(idle, None)) is not None:
                    del self._phones[oldest]
        self._phones.move_to_end(number)
        return self._phones[number]

    def list(self) -> list[Phone]:
        """Phones with texts, the last used first."""
        return [phone for phone in reversed(self._phones.values()) if phone.texts]
