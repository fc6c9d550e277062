"""What an emergency desk is told: the six facts of PRACTICE section 7 and the approach note. Pure.

Where, what, who is in danger, whether the other has a weapon or drank, how the child can be reached, and what police must
know before they knock. All as short Chinese sentences: a desk reads them aloud, a text of 12110 is made of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

UNKNOWN_PLACE = "地点还不清楚，正在问"
CERTAINTIES = {"said": "来信人自己说的", "operator": "值班员问到的", "guessed": "只知道大概地方", "unknown": "还不知道"}
DO_NOT_RING_BACK = "不要回拨来信号码，不要发短信过去"


@dataclass(frozen=True)
class Incident:
    """One hand-over. `region`: an adcode or empty; `below_county`: whether the place can be found by those who drive there."""

    service: str
    what: str
    place: str
    region: str
    certainty: str
    """A key of `CERTAINTIES`."""
    below_county: bool
    who: str
    weapon: str
    contact: str
    approach: str
    received_at: str
    """ISO 8601 with offset: when the text came."""
    phone: str = ""
    """The person's number, only where life is in danger or they agreed; for the desk's eyes, not to ring back."""
    ticket: str = ""

    def values(self) -> dict[str, Any]:
        """As plain values, for the record and for the wire."""
        return asdict(self)

    @property
    def facts(self) -> list[tuple[str, str]]:
        """The six facts with their names, for pages."""
        place = f"{self.place}（{CERTAINTIES.get(self.certainty, '')}）"
        return [
            ("在哪", place), ("什么事", self.what), ("谁有危险", self.who), ("刀和酒", self.weapon),
            ("怎么联系", self.contact), ("出警提示", self.approach),
        ]  # fmt: skip


def read(values: Mapping[str, Any]) -> Incident:
    """An incident as it was kept."""
    return Incident(**{name: values[name] for name in Incident.__dataclass_fields__ if name in values})
