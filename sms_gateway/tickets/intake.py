"""Reading what people write into a form: the opening text, then one answer after the other. Pure; nothing said is lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sms_gateway import regions
from sms_gateway.wording import say
from texts.normalise import clean

from . import phrases
from .asides import only_asides, says_something, take_aside, take_place, without_opener
from .corrections import read_correction, take_fix, take_more
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
from .outcome import Outcome, Reading
from .phrases import looks_like_question

__all__ = [
    "LABELS", "OPTIONS", "ORDER", "REQUIRED", "Draft", "DraftIsBroken", "Kind", "Outcome", "Question", "Reading",
    "lines", "looks_like_question", "missing", "next_question", "next_text", "question", "read_answer", "start", "summary",
]  # fmt: skip


def start(kind: Kind | str, text: str) -> Draft:
    """A new form with what the opening text already says: what happened, where, and more; "我要投诉" itself is taken off."""
    draft = Draft(Kind(kind))
    told = without_opener(text)
    draft = take_place(draft, told)
    if not says_something(told):
        return draft
    return take_aside(draft.with_answer("what", told), told)


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
        reading = _read_wish(draft, asked, said) or read_correction(draft, asked, said)
        if reading is not None:
            return reading
    if chosen is not None:
        return _take_option(draft, asked, *chosen)
    if not as_answer and _asks_back(asked, said):
        return Reading(Outcome.POLICY_QUESTION, draft)
    if phrases.is_skip(said):
        return _skip(draft, asked)
    if phrases.is_filler(said):
        return Reading(Outcome.UNCLEAR, draft)
    if asked.name in _IN_WORDS and only_asides(said, asked.name) and (aside := _take_only_asides(draft, said)):
        return aside
    return _READERS.get(asked.name, _take_words)(draft, asked, said)


_IN_WORDS = ("what", "wish", "child", "with", "unit", "reference", "place")
_STORIES = ("what", "more", "with")
"""Answers that may hold anything: only outright asking is a question there."""


def is_free(asked: str) -> bool:
    """Whether the question is answered in any words at all, so that a question in return may be the answer itself."""
    return asked in _STORIES


def _asks_back(asked: Question, said: str) -> bool:
    if is_free(asked.name):
        return looks_like_question(said, telling=True)
    if asked.name == "wish":
        return phrases.is_asking(said) and not phrases.is_wishing(said)
    if looks_like_question(said):
        return True
    place = regions.recognise(said)
    names_place = asked.name == "county" and (place.county or place.prefecture or place.candidates or place.elsewhere)
    return asked.name not in ("confirm", "fix") and phrases.is_asking(said) and not names_place


def _gained(before: Draft, after: Draft) -> bool:
    """Whether a question is answered now that was not."""
    return bool(after.answers.keys() - before.answers.keys() - {"more"}) or before.county != after.county


def _take_only_asides(draft: Draft, said: str) -> Reading | None:
    """The text answers other questions than the one put: keep that, and put it again."""
    changed = take_aside(take_place(draft, said), said)
    return Reading(Outcome.ANSWERED, changed, "form.noted") if _gained(draft, changed) else None


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


def _take_option(draft: Draft, asked: Question, chosen: int, beside: str) -> Reading:
    if asked.name == "confirm":
        return _take_confirmation(draft, chosen, beside)
    if asked.name == "fix":
        return take_fix(draft, chosen, beside)
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
        later = replace(draft, candidates=()).skipping("county")  # who does not know is not asked twice
        return Reading(Outcome.SKIPPED, later, "form.county_later")
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
        aside = take_aside(_keep_beside(found, beside), said)
        if _gained(draft, aside):
            return Reading(Outcome.ANSWERED, aside, "form.noted")
        vain = _keep_beside(_county_in_vain(found if beside else found.adding("county_said", said)), beside)
        later = vain.knows("county")
        return Reading(Outcome.ANSWERED if later else Outcome.UNCLEAR, vain, "form.county_later" if later else None)
    if found.county is None and found.elsewhere:
        return Reading(Outcome.ELSEWHERE, _keep_beside(found.adding("county_said", said).skipping("county"), beside))
    if found.county is None:  # a prefecture, or several counties to choose from
        return Reading(Outcome.ANSWERED, replace(_keep_beside(found, beside), tries=0))
    found = take_aside(_keep_beside(replace(found, tries=0), beside), said)
    if draft.kind is Kind.REPORT and not found.knows("place"):
        found = found.skipping("place")  # the question asked for it already
    return Reading(Outcome.ANSWERED, found)


def _keep_beside(draft: Draft, said: str) -> Draft:
    """What else stood in the answer about the place: the matter when that is open, the exact place of a report, or more."""
    if not said:
        return draft
    if "what" not in draft.answers:
        return take_aside(draft.with_answer("what", said), said)
    if draft.kind is Kind.REPORT and "place" not in draft.answers:
        return take_aside(draft.with_answer("place", said), said)
    return take_aside(draft.adding("more", said), said)


def _take_what(draft: Draft, _asked: Question, said: str) -> Reading:
    if not without_opener(said):  # "我要投诉" once more
        return Reading(Outcome.UNCLEAR, draft)
    draft = take_place(draft.with_answer("what", said), said)
    return Reading(Outcome.ANSWERED, take_aside(draft, said))


def _take_words(draft: Draft, asked: Question, said: str) -> Reading:
    """A free answer; or words where a digit was asked: kept as they are, unless too short to mean anything."""
    if asked.options:
        aside = _take_only_asides(draft, said)
        if aside is not None:
            kept = aside.draft.adding("more", said) if says_something(said) else aside.draft
            return Reading(Outcome.ANSWERED, kept, "form.noted")
        short = len(phrases.bare(said)) < 3
        if draft.tries + 1 < PATIENCE and (short or asked.name == "danger"):
            kept = (
                draft
                if short
                else take_place(draft, said).adding("what" if "what" not in draft.answers else "more", said)
            )
            note = "form.reask" if short else "form.noted"
            return Reading(Outcome.UNCLEAR, replace(kept, tries=draft.tries + 1), note)
    draft = take_place(draft.with_answer(asked.name, said), said)
    return Reading(Outcome.ANSWERED, take_aside(draft, said, asked=asked.name))


_READERS: dict[str, Callable[[Draft, Question, str], Reading]] = {
    "county": _take_county, "what": _take_what, "more": take_more, "fix": take_more, "confirm": take_more,
}  # fmt: skip
