"""The handbook of one process: files with approved entries over them, built anew and swapped whole when told."""

from __future__ import annotations

import asyncio
from pathlib import Path

from policy_faq.entry import Entry, load_entries
from policy_faq.handbook import Handbook
from sms_gateway import logs
from sms_gateway.database import transaction
from sms_gateway.listening import subscribe

from . import published
from .overlay import lay_over
from .published import CHANNEL, Live, Stamp

__all__ = ["Handbook", "LiveHandbook"]

log = logs.get("handbook")

LOOK_AGAIN_SECONDS = 60.0
"""How often a process looks by itself, should a notice ever be lost."""
AFTER_FAILURE_SECONDS = 2.0
NOTHING_APPROVED: Stamp = (0, 0, 0)
"""Before anything was: the handbook of the files alone is already the right one."""


class LiveHandbook:
    """`book` is always a whole handbook: who has taken it finishes with it, the next one gets the new."""

    def __init__(self, cache: Path | None = None, folder: Path | None = None) -> None:
        """Nothing is loaded yet. `cache`: where vectors of files that are not shipped are kept between starts."""
        self._cache = cache
        self._folder = folder
        self._files: tuple[Entry, ...] = ()
        self._book: Handbook | None = None
        self._stamp: Stamp = NOTHING_APPROVED
        self._building = asyncio.Lock()

    @property
    def book(self) -> Handbook:
        """The handbook as it is now; that of the files alone, loaded on the spot, before the first `refresh`."""
        if self._book is None:
            self._book = Handbook(self.files, cache=self._cache)
        return self._book

    @property
    def files(self) -> tuple[Entry, ...]:
        """The entries of the repo's files."""
        if not self._files:
            self._files = load_entries(self._folder)
        return self._files

    async def refresh(self) -> bool:
        """Look whether anything approved has changed, and if so swap; whether it did. Raises what the database raises."""
        async with self._building:
            async with transaction() as session:
                if self._book is not None and await published.stamp(session) == self._stamp:
                    return False
                live = await published.read_live(session)
            self._book = await asyncio.to_thread(self._build, live)
            self._stamp = live.stamp
        log.info("handbook_swapped", approved=len(live.entries), entries=len(self._book.entries))
        return True

    def _build(self, live: Live) -> Handbook:
        entries = lay_over(self.files, live.entries, live.withdrawn)
        return Handbook(entries, cache=self._cache, known=live.vectors)

    async def follow(self) -> None:
        """Swap whenever something is approved or retired, for ever; a failure is logged and tried again."""
        async with subscribe(CHANNEL) as heard:
            while True:
                try:
                    await self.refresh()
                except Exception as error:  # noqa: BLE001 - whatever it is, the old handbook goes on answering
                    log.warning("handbook_not_refreshed", error=type(error).__name__)
                    await asyncio.sleep(AFTER_FAILURE_SECONDS)
                    continue
                await heard.wait(within=LOOK_AGAIN_SECONDS)
