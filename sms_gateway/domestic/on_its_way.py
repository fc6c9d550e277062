"""A text in parts and what the gateway said of each: which part goes next, and what is to be told of the whole. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from sms_gateway.carriers.carrier import CarrierDidNotAnswer, CarrierRefused, SendError, TextOut
from sms_gateway.carriers.cmpp import meanings
from sms_gateway.carriers.cmpp.answers import Accepted, NotSent, SubmitAnswer, Throttled, Unknown
from sms_gateway.carriers.cmpp.text import Part

from .memory import Known

MORE_TRIES: Final = 3
"""Of a part whose text has begun to leave: the rest must not stay behind for a moment's throttling."""


@dataclass
class OnItsWay:
    """A text on its way, a part after the other."""

    text: TextOut
    parts: list[Part]
    answers: list[SubmitAnswer] = field(default_factory=list)
    taken: list[Known] = field(default_factory=list)
    """What the gateway took, as it said so."""
    tries: int = 0

    @property
    def total(self) -> int:
        return self.parts[0].total

    @property
    def open(self) -> bool:
        return len(self.answers) < len(self.parts)

    def note(self, answer: SubmitAnswer) -> None:
        """One that surely stayed ends the text where it is the first; a later one is tried again, and then left out."""
        begun = any(isinstance(one, Accepted | Unknown) for one in self.answers)
        self.tries += 1
        if begun and isinstance(answer, NotSent | Throttled) and self.tries < MORE_TRIES:
            return
        self.answers.append(answer)
        self.tries = 0
        if isinstance(answer, Accepted | Unknown):
            return
        if begun:  # the person has a piece of it: nothing after the gap makes it whole
            self.answers += [answer] * (len(self.parts) - len(self.answers))
        else:
            self.parts = self.parts[: len(self.answers)]

    def outcome(self) -> str | SendError:
        """The id the text goes by, or what went wrong."""
        text_id = self.taken[0].text_id if self.taken else None
        if all(isinstance(one, Accepted) for one in self.answers) and text_id is not None:
            return text_id
        if any(isinstance(one, Unknown) for one in self.answers):
            return CarrierDidNotAnswer("no_answer")
        if text_id is not None:
            return CarrierRefused("partly_sent")
        error = meanings.error_for(self.answers[0])
        assert error is not None
        return error
