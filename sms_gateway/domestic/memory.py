"""What a line's process remembers of texts it handed over: whose an id is, until its last report. Bounded; the database has the rest."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeVar

from sms_gateway import clock
from sms_gateway.carriers.carrier import TextOut

MOST_KNOWN: Final = 100_000
"""Parts whose last report is awaited; reports of older ones are found through the database."""
MOST_ANSWERED: Final = 20_000

Value = TypeVar("Value")
Key = TypeVar("Key")


@dataclass(frozen=True)
class Known:
    """Whose a gateway's id is. `text_id`: the id the whole text goes by; `total`: its parts."""

    carrier_id: str
    reference: int
    text_id: str
    total: int


class Newest(OrderedDict[Key, Value], Generic[Key, Value]):
    """The newest `most` entries."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: Key, value: Value) -> None:
        super().__setitem__(key, value)
        if len(self) > self._most:
            self.popitem(last=False)


def id_of(msg_id: bytes, year: int) -> str:
    """A gateway's id as we keep it: the year before it, since Msg_Ids come again after one. 18 characters."""
    return f"{year % 100:02d}{msg_id.hex()}"


def msg_id_of(own_id: str) -> bytes:
    """The gateway's id again."""
    return bytes.fromhex(own_id[2:])


def this_year(at: datetime | None = None) -> int:
    """The year in China."""
    return clock.shanghai(at or clock.now()).year


class Memory:
    """Of one process; every method returns at once."""

    def __init__(self) -> None:
        self._known: Newest[bytes, Known] = Newest(MOST_KNOWN)
        self._answered: Newest[int, tuple[int, str]] = Newest(MOST_ANSWERED)

    def learn(self, msg_id: bytes, known: Known) -> None:
        """The gateway took a part under that id."""
        self._known[msg_id] = known

    def find(self, msg_id: bytes) -> Known | None:
        """Whose that id is."""
        return self._known.get(msg_id)

    def forget(self, msg_id: bytes) -> None:
        """Its last report is stored."""
        self._known.pop(msg_id, None)

    def answered(self, text: TextOut, text_id: str) -> None:
        """The whole text was taken."""
        self._answered[text.reference] = (_fingerprint(text), text_id)

    def text_id_of(self, reference: int) -> str | None:
        """Under which id the text of that reference was taken, if lately."""
        found = self._answered.get(reference)
        return found[1] if found else None

    def was_taken(self, text: TextOut) -> str | None:
        """The same for this very text: references begin anew with a new database, and then they are of other texts."""
        fingerprint, text_id = self._answered.get(text.reference, (0, ""))
        return text_id if text_id and fingerprint == _fingerprint(text) else None


def _fingerprint(text: TextOut) -> int:
    return hash((text.to, text.body))
