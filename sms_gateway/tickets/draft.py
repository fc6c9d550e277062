"""A form that is being filled in: what is known, what is asked next, what is read back (PRACTICE section 6)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum

from sms_gateway import regions
from sms_gateway.wording import say

from .matter import matter_of


class Kind(StrEnum):
    HELP = "help"
    COMPLAINT = "complaint"
    REPORT = "report"
    MANDATED = "mandated"
    """Teachers, doctors, village cadres, hotels, social workers: the short form of those who must report."""


ORDER: Mapping[Kind, tuple[str, ...]] = {
    Kind.HELP: ("danger", "what", "county", "child", "contact"),
    Kind.COMPLAINT: ("what", "county", "still", "wish", "secret"),
    Kind.REPORT: ("danger", "what", "county", "place", "child", "again"),
    Kind.MANDATED: ("with", "what", "police", "reference", "unit", "county"),
}
"""The questions of each form in the order of PRACTICE section 6; `confirm` ends each."""

REQUIRED = ("what", "county")

BESIDE = ("place", "when", "who", "secret")
"""Never asked for in every form, but kept wherever somebody says so."""

OPTIONS: Mapping[str, tuple[str, ...]] = {
    "danger": ("有", "没有", "说不清"),
    "still": ("还在", "没有了", "说不清"),
    "secret": ("要", "不用", "说不清"),
    "contact": ("短信", "打电话", "先别找我"),
    "again": ("能", "不能", "说不清"),
    "police": ("打了", "没有", "说不清"),
    "confirm": ("对，提交", "要改"),
    "fix": ("什么事", "哪个县", "再补一句"),
}
"""What digits 1, 2, 3 stand for; 3 is always "unclear" where the question does not say otherwise (PRACTICE section 5)."""

LABELS: Mapping[str, str] = {
    "danger": "现在有没有危险",
    "what": "什么事",
    "county": "在哪个县",
    "county_said": "地点原话",
    "place": "具体地点",
    "child": "孩子多大、什么人",
    "contact": "怎么联系",
    "still": "现在还这样吗",
    "wish": "想怎么解决",
    "secret": "要不要保密",
    "again": "能不能再问",
    "with": "孩子现在和谁在一起",
    "police": "打110了吗",
    "reference": "警情编号",
    "unit": "单位和职务",
    "when": "什么时候",
    "who": "说到的人",
    "more": "补充",
}
"""What operators read beside each answer."""

PATIENCE = 2
"""Times a question is put before the form goes on without: a child who does not know the county must not be stuck."""


class DraftIsBroken(ValueError):
    """The stored form cannot be read; the message holds nothing of it."""


@dataclass(frozen=True)
class Draft:
    """A form so far. `answers` are by question name, in words people read; `county` and `candidates` are adcodes."""

    kind: Kind
    answers: Mapping[str, str] = field(default_factory=dict)
    county: str | None = None
    skipped: frozenset[str] = frozenset()
    prefecture: str | None = None
    candidates: tuple[str, ...] = ()
    elsewhere: str | None = None
    """Set when the matter is in another province ("广东") or "abroad"."""
    hurry: bool = False
    """The person wants to be done: only what is required is still asked."""
    fixing: str = ""
    """"fix" or "more" while a confirmed text is being changed."""
    tries: int = 0
    """How often the present question was answered in vain."""
    last: str = ""
    """The question answered last: what "选错了" takes back."""

    def to_json(self) -> str:
        """As text, for a Rasa slot."""
        return json.dumps(asdict(self) | {"skipped": sorted(self.skipped)}, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, stored: str) -> Draft:
        """The draft `to_json` wrote. Raises `DraftIsBroken`."""
        try:
            raw = json.loads(stored)
            return cls(**raw | {
                "kind": Kind(raw["kind"]),
                "answers": {str(name): str(answer) for name, answer in raw["answers"].items()},
                "skipped": frozenset(raw["skipped"]),
                "candidates": tuple(raw["candidates"]),
            })  # fmt: skip
        except (ValueError, TypeError, KeyError, AttributeError):
            raise DraftIsBroken("the stored form cannot be read") from None

    def with_answer(self, name: str, answer: str) -> Draft:
        """`answer` under `name`; the question counts as asked."""
        answers = {**self.answers, name: answer}
        return replace(self, answers=answers, skipped=self.skipped - {name}, tries=0, last=name)

    def without_answer(self, name: str) -> Draft:
        """The question `name` is open again."""
        answers = {known: answer for known, answer in self.answers.items() if known != name}
        return replace(self, answers=answers, skipped=self.skipped - {name}, fixing="", tries=0, last="")

    def adding(self, name: str, text: str) -> Draft:
        """`text` behind what is under `name` already, so that nothing said is lost."""
        before = self.answers.get(name)
        if not text or before == text:
            return self
        return replace(self, answers={**self.answers, name: f"{before}；{text}" if before else text})

    def skipping(self, name: str) -> Draft:
        return replace(self, skipped=self.skipped | {name}, tries=0)

    def knows(self, name: str) -> bool:
        """Whether nothing more need be asked here."""
        if name in self.skipped:
            return True
        if name == "county":
            return self.county is not None
        if name == "reference" and self.answers.get("police") != "打了":
            return True  # no call, no number
        return name in self.answers


@dataclass(frozen=True)
class Question:
    """One question of a form: `key` of its wording, the `values` for it, the words its digits stand for."""

    name: str
    key: str
    values: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return say(self.key, **self.values)


def missing(draft: Draft) -> tuple[str, ...]:
    """The required questions that are still open."""
    return tuple(name for name in REQUIRED if not draft.knows(name))


def next_question(draft: Draft) -> Question:
    """What to ask now: `fix` or `more` while changing, the first open question of the form, else `confirm`."""
    if draft.fixing:
        return question(draft, draft.fixing)
    for name in ORDER[draft.kind]:
        if not draft.knows(name) and (not draft.hurry or name in REQUIRED):
            return question(draft, name)
    return question(draft, "confirm")


def question(draft: Draft, name: str) -> Question:
    """The question `name` as it is put to this draft. Raises `KeyError` for a name no form has."""
    if name == "confirm":
        return Question(
            name, "form.confirm", {"place": place_of(draft), "matter": summary_matter(draft)}, OPTIONS[name]
        )
    if name in ("fix", "more"):
        return Question(name, f"form.{name}", options=OPTIONS.get(name, ()))
    if name == "county":
        return _county_question(draft)
    if name not in ORDER[draft.kind]:
        raise KeyError(name)
    if name == "what" and draft.hurry:
        return Question(name, "form.need_what")
    return Question(name, f"form.{draft.kind}.{name}", options=OPTIONS.get(name, ()))


def _county_question(draft: Draft) -> Question:
    names = [regions.get_region(adcode).name for adcode in draft.candidates]
    if len(names) >= 2:
        return Question(
            "county", "form.two_counties", {"first": names[0], "second": names[1]}, (names[0], names[1], "说不清")
        )
    if len(names) == 1:
        return Question("county", "form.ambiguous_county", {"county": names[0]}, (names[0], "别的县"))
    if draft.tries:
        return Question("county", "form.ask_county_again")
    if draft.prefecture:
        return Question("county", "form.county_of", {"prefecture": regions.get_region(draft.prefecture).name})
    if draft.hurry:
        return Question("county", "form.need_county")
    return Question("county", f"form.{draft.kind}.county")


def place_of(draft: Draft) -> str:
    """The place as it is read back: county, else prefecture, else an honest word."""
    if draft.county:
        return regions.full_name(draft.county)
    if draft.elsewhere:
        return "国外" if draft.elsewhere == regions.ABROAD else draft.elsewhere
    if draft.prefecture:
        return regions.full_name(draft.prefecture)
    return "县还不清楚"


def summary_matter(draft: Draft) -> str:
    """The kind of matter in a few words without details: somebody else may read this phone."""
    return matter_of(draft.answers.get("what", ""))


def summary(draft: Draft) -> str:
    """The text of the confirmation: place and kind of matter only."""
    return question(draft, "confirm").text


def lines(draft: Draft) -> list[tuple[str, str]]:
    """(label, answer) for operators, in the order of the form; the county by its full name."""
    shown = []
    for name in dict.fromkeys([*ORDER[draft.kind], *BESIDE, "county_said", "more"]):
        if name == "county" and (draft.county or draft.prefecture or draft.elsewhere):
            shown.append((LABELS[name], place_of(draft)))
        elif name in draft.answers:
            shown.append((LABELS[name], draft.answers[name]))
    return shown
