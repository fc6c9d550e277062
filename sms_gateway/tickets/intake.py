"""Reading what people write into a form: the opening text, then one answer after the other. Pure; nothing said is lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from sms_gateway import regions
from sms_gateway.wording import say
from texts.normalise import clean

from . import phrases
from .asides import says_something, take_aside, take_place, without_opener
from .draft import (
    LABELS,
    OPTIONS,
    ORDER,
    PATIENCE,
    REQUIRED,
    Draft,
    DraftIsBroken,
    Kind,
    Question,
    lines,
    missing,
    next_question,
    question,
    summary,
)  # fmt: skip
from .phrases import looks_like_question

__all__ = [
    "LABELS", "OPTIONS", "ORDER", "REQUIRED", "Draft", "DraftIsBroken", "Kind", "Outcome", "Question", "Reading",
    "lines", "looks_like_question", "missing", "next_question", "next_text", "question", "read_answer", "start", "summary",
]  # fmt: skip


class Outcome(StrEnum):
    ANSWERED = "answered"
    SKIPPED = "skipped"
    SUBMIT = "submit"
    """The person wants to be done: go on with `next_question`, which is the confirmation or what is still required."""
    CONFIRMED = "confirmed"
    """Yes to the confirmation: open the ticket."""
    CANCEL = "cancel"
    PAUSED = "paused"
    """Kept as it is. Without a `note_key` send nothing: somebody is near."""
    UNCLEAR = "unclear"
    CORRECTED = "corrected"
    POLICY_QUESTION = "policy_question"
    """Nothing was read. Answer it, then put the question again; if the handbook abstains, read with `as_answer=True`."""
    DANGER = "danger"
    """Somebody is hurt or in danger now: the form ends, a person is called."""
    ELSEWHERE = "elsewhere"
    """The place is outside Yunnan (`draft.elsewhere`)."""


@dataclass(frozen=True)
class Reading:
    """What a text did to a form. `note_key`: wording to say, before `next_question(draft)` where a question follows."""

    outcome: Outcome
    draft: Draft
    note_key: str | None = None


def start(kind: Kind | str, text: str) -> Draft:
    """A new form with what the opening text already says: what happened, where, and more; "我要投诉" itself is taken off."""
    draft = Draft(Kind(kind))
    told = without_opener(text)
    draft = take_place(draft, told)
    if not says_something(told):
        return draft
    return take_aside(draft.with_answer("what", told), told, opening=True)


def read_answer(draft: Draft, asked: Question | str, text: str, *, as_answer: bool = False) -> Reading:
    """What `text` answers to the question `asked` (or its name). Danger words are judged before, by triage.

    `as_answer`: do not take it for a policy question (the handbook knew nothing).
    """
    asked = asked if isinstance(asked, Question) else question(draft, asked)
    said = clean(text)
    if not phrases.bare(said):
        return Reading(Outcome.UNCLEAR, draft, "form.reask")
    chosen = phrases.read_option(asked.name, asked.options, said) if asked.options else None
    if chosen is None or (asked.name == "confirm" and chosen[0] == 2):
        reading = _read_wish(draft, asked, said) or _read_correction(draft, asked, said)
        if reading is not None:
            return reading
    if chosen is not None:
        return _take_option(draft, asked, *chosen)
    if not as_answer and looks_like_question(said, telling=asked.name in ("what", "more", "wish", "with")):
        return Reading(Outcome.POLICY_QUESTION, draft)
    if phrases.is_skip(said):
        return _skip(draft, asked)
    return _READERS.get(asked.name, _take_words)(draft, asked, said)


def next_text(reading: Reading) -> str:
    """The text to send after a reading that goes on: the note and the next question, one segment together."""
    note = say(reading.note_key) if reading.note_key else ""
    return note + next_question(reading.draft).text


def _read_wish(draft: Draft, asked: Question, said: str) -> Reading | None:
    """Stopping, pausing, submitting: whole texts only."""
    if phrases.is_cancel(said):
        return Reading(Outcome.CANCEL, draft, "form.cancelled")
    if phrases.is_pause(said):
        return Reading(Outcome.PAUSED, draft, None if phrases.is_somebody_near(said) else "form.kept")
    if asked.name != "confirm" and phrases.is_submit(said):
        draft = replace(draft, hurry=True, fixing="")
        if asked.name == "county":
            draft = _county_in_vain(draft)
        return Reading(
            Outcome.SUBMIT, draft, "form.county_later" if asked.name == "county" and draft.knows("county") else None
        )
    return None


def _read_correction(draft: Draft, asked: Question, said: str) -> Reading | None:
    """不对 是威信; 不是打，是骂; a bare 不对 asks what to change."""
    rest = phrases.correction_of(said)
    weak = rest is None and phrases.says_not_but(said)
    if rest is None and not weak:
        return None
    place = regions.recognise(said)
    if place.county is not None and not (weak and asked.name in ("what", "child", "more", "with")):
        corrected = replace(
            draft,
            county=place.county.adcode,
            prefecture=place.county.parent_adcode,
            candidates=(),
            elsewhere=None,
            fixing="",
            tries=0,
        )
        corrected = replace(corrected, skipped=corrected.skipped - {"county"})
        beside = said if says_something(rest or "") else ""
        return Reading(Outcome.CORRECTED, corrected.adding("more", beside), "form.corrected")
    if weak and asked.name != "confirm":
        return None
    if not rest and not weak:
        if asked.name not in ("confirm", "fix"):
            return Reading(Outcome.CORRECTED, replace(draft, fixing="fix"))
        return Reading(Outcome.ANSWERED, replace(draft, fixing="fix"))
    return Reading(Outcome.CORRECTED, replace(draft.adding("more", said), fixing=""), "form.corrected")


def _take_option(draft: Draft, asked: Question, chosen: int, beside: str) -> Reading:
    if asked.name == "confirm":
        return _take_confirmation(draft, chosen, beside)
    if asked.name == "fix":
        return _take_fix(draft, chosen, beside)
    if asked.name == "county":
        return _take_candidate(draft, asked, chosen)
    draft = draft.with_answer(asked.name, asked.options[chosen - 1])
    if beside:
        draft = take_aside(take_place(draft, beside).adding("more", beside), beside)
    if asked.name == "danger" and chosen == 1:
        return Reading(Outcome.DANGER, draft)
    if asked.name == "police" and chosen == 2:
        return Reading(Outcome.ANSWERED, draft, "form.call_110")
    return Reading(Outcome.ANSWERED, draft)


def _take_confirmation(draft: Draft, chosen: int, beside: str) -> Reading:
    if chosen == 1:
        return Reading(Outcome.CONFIRMED, draft.adding("more", beside))
    if beside:
        return Reading(Outcome.CORRECTED, take_place(draft, beside, anew=True).adding("more", beside), "form.corrected")
    return Reading(Outcome.ANSWERED, replace(draft, fixing="fix"))


def _take_fix(draft: Draft, chosen: int, beside: str) -> Reading:
    if beside:
        return _take_more(draft, next_question(draft), beside)
    if chosen == 3:
        return Reading(Outcome.ANSWERED, replace(draft, fixing="more"))
    if chosen == 2:
        opened = replace(
            draft, county=None, prefecture=None, candidates=(), elsewhere=None, skipped=draft.skipped - {"county"}
        )
        return Reading(Outcome.ANSWERED, replace(opened, fixing="", tries=0))
    # What was said first stays for the operator: people correct words, not the fact that they said them.
    kept = draft.adding("more", f"原先说：{draft.answers['what']}" if "what" in draft.answers else "")
    answers = {name: answer for name, answer in kept.answers.items() if name != "what"}
    return Reading(
        Outcome.ANSWERED, replace(kept, answers=answers, skipped=kept.skipped - {"what"}, fixing="", tries=0)
    )


def _take_candidate(draft: Draft, asked: Question, chosen: int) -> Reading:
    if chosen <= len(draft.candidates):
        adcode = draft.candidates[chosen - 1]
        found = replace(
            draft, county=adcode, prefecture=regions.get_region(adcode).parent_adcode, candidates=(), tries=0
        )
        return Reading(Outcome.ANSWERED, found)
    if len(draft.candidates) >= 2:  # neither is known: the two stay on record
        names = "或".join(asked.options[:2])
        return Reading(
            Outcome.SKIPPED,
            replace(draft.adding("county_said", names), candidates=()).skipping("county"),
            "form.county_later",
        )
    return Reading(Outcome.ANSWERED, replace(draft, candidates=(), tries=0))


def _skip(draft: Draft, asked: Question) -> Reading:
    if asked.name == "county":
        draft = _county_in_vain(draft)
        later = draft.knows("county")
        return Reading(Outcome.SKIPPED if later else Outcome.UNCLEAR, draft, "form.county_later" if later else None)
    if asked.name == "what":  # the one thing nobody else can say
        return Reading(Outcome.UNCLEAR, replace(draft, tries=draft.tries + 1), "form.reask")
    if asked.name in ("fix", "more", "confirm"):
        return Reading(Outcome.SKIPPED, replace(draft, fixing=""))
    return Reading(Outcome.SKIPPED, draft.skipping(asked.name))


def _county_in_vain(draft: Draft) -> Draft:
    """One more try without a county; after `PATIENCE` (or with the prefecture known) a person will ask."""
    draft = replace(draft, tries=draft.tries + 1, candidates=())
    return draft.skipping("county") if draft.tries >= PATIENCE or draft.prefecture else draft


def _take_county(draft: Draft, _asked: Question, said: str) -> Reading:
    # A place far away that the story named is forgotten now: only the answer to this question counts.
    found = take_place(replace(draft, elsewhere=None), said, anew=True)
    beside = said if says_something(said) else ""
    if found.county is None and found.prefecture == draft.prefecture and not (found.candidates or found.elsewhere):
        vain = _keep_beside(_county_in_vain(found if beside else found.adding("county_said", said)), beside)
        later = vain.knows("county")
        return Reading(Outcome.ANSWERED if later else Outcome.UNCLEAR, vain, "form.county_later" if later else None)
    if found.county is None and found.elsewhere:
        return Reading(Outcome.ELSEWHERE, _keep_beside(found.adding("county_said", said).skipping("county"), beside))
    if found.county is None:  # a prefecture, or several counties to choose from
        return Reading(Outcome.ANSWERED, replace(_keep_beside(found, beside), tries=0))
    found = _keep_beside(replace(found, tries=0), beside)
    if draft.kind is Kind.REPORT and not found.knows("place"):
        found = found.skipping("place")  # the question asked for it already
    return Reading(Outcome.ANSWERED, found)


def _keep_beside(draft: Draft, said: str) -> Draft:
    """What else stood in the answer about the place: the matter when that is open, the exact place of a report, or more."""
    if not said:
        return draft
    if "what" not in draft.answers:
        return take_aside(draft.with_answer("what", said), said, opening=True)
    if draft.kind is Kind.REPORT and "place" not in draft.answers:
        return take_aside(draft.with_answer("place", said), said)
    return take_aside(draft.adding("more", said), said)


def _take_what(draft: Draft, _asked: Question, said: str) -> Reading:
    draft = take_place(draft.with_answer("what", said), said)
    return Reading(Outcome.ANSWERED, take_aside(draft, said, opening=True))


def _take_more(draft: Draft, _asked: Question, said: str) -> Reading:
    """A change in free words, while changing or in answer to the confirmation."""
    before = draft.county
    changed = replace(take_place(draft, said, anew=True).adding("more", said), fixing="", tries=0)
    if changed.county != before:
        return Reading(Outcome.CORRECTED, changed, "form.corrected")
    return Reading(Outcome.CORRECTED, take_aside(changed, said), "form.noted")


def _take_words(draft: Draft, asked: Question, said: str) -> Reading:
    """A free answer; or words where a digit was asked: kept as they are, unless too short to mean anything."""
    if asked.options:
        short = len(phrases.bare(said)) < 3
        if draft.tries + 1 < PATIENCE and (short or asked.name == "danger"):
            kept = (
                draft
                if short
                else take_place(draft, said).adding("what" if "what" not in draft.answers else "more", said)
            )
            return Reading(Outcome.UNCLEAR, replace(kept, tries=draft.tries + 1), "form.reask")
    draft = take_place(draft.with_answer(asked.name, said), said)
    return Reading(Outcome.ANSWERED, take_aside(draft, said))


_READERS: dict[str, Callable[[Draft, Question, str], Reading]] = {
    "county": _take_county, "what": _take_what, "more": _take_more, "fix": _take_more, "confirm": _take_more,
}  # fmt: skip
