"""Taking back what was said in a form: another place, another digit, other words. Pure; nothing said is lost."""

from __future__ import annotations

from dataclasses import replace

from sms_gateway import regions

from . import phrases
from .asides import says_something, take_aside, take_place
from .draft import OPTIONS, Draft, Question, next_question
from .outcome import Outcome, Reading

_TOLD = ("what", "child", "more", "with")
"""Questions whose answers are stories: "不是打，是骂" there is part of the story."""


def read_correction(draft: Draft, asked: Question, said: str) -> Reading | None:
    """不对 是威信; 选错了 是2; 不是打，是骂; a bare 不对 asks what to change. None: the text corrects nothing."""
    rest = phrases.correction_of(said)
    swapped = phrases.says_not_but(said)
    if rest is None and swapped is None:
        return None
    if rest is not None and (chosen := _other_choice(draft, asked, said, rest)) is not None:
        return chosen
    weak = rest is None
    place = regions.recognise(swapped[1] if swapped is not None else rest or "")
    if place.county is not None and not (weak and asked.name in _TOLD):
        return Reading(Outcome.CORRECTED, _moved_to(draft, place.county, said, rest), "form.corrected")
    if weak and asked.name != "confirm":
        return None
    if not rest and not weak:
        outcome = Outcome.ANSWERED if asked.name in ("confirm", "fix") else Outcome.CORRECTED
        return Reading(outcome, replace(draft, fixing="fix"))
    return _other_words(draft, said, rest or said)


def _other_choice(draft: Draft, asked: Question, said: str, rest: str) -> Reading | None:
    """ "选错了" puts the last question again; "选错了 应该是1" answers it."""
    name = draft.last if draft.last in OPTIONS else asked.name
    options = OPTIONS.get(name, ())
    if not options or name in ("confirm", "fix") or not phrases.chose_wrong(said):
        return None
    chosen = phrases.read_option(name, options, rest) if rest else None
    if chosen is None:
        return Reading(Outcome.CORRECTED, draft.without_answer(name))
    changed = draft.with_answer(name, options[chosen[0] - 1])
    if name == "danger" and chosen[0] == 1:
        return Reading(Outcome.DANGER, changed)
    return Reading(Outcome.CORRECTED, changed, "form.corrected")


def _moved_to(draft: Draft, county: regions.Region, said: str, rest: str | None) -> Draft:
    moved = replace(
        draft, county=county.adcode, prefecture=county.parent_adcode, candidates=(), elsewhere=None, fixing="", tries=0
    )
    moved = replace(moved, skipped=moved.skipped - {"county"})
    return moved.adding("more", said if says_something(rest or "") else "")


def _other_words(draft: Draft, said: str, rest: str) -> Reading:
    """A new age, time or wish takes the old one's place; the words themselves are kept too."""
    changed = take_aside(draft, rest, anew=True).adding("more", said)
    return Reading(Outcome.CORRECTED, replace(changed, fixing=""), "form.corrected")


def take_fix(draft: Draft, chosen: int, beside: str) -> Reading:
    if beside:
        return take_more(draft, next_question(draft), beside)
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


def take_more(draft: Draft, _asked: Question, said: str) -> Reading:
    """A change in free words, while changing or in answer to the confirmation."""
    before = draft.county
    changed = replace(take_place(draft, said, anew=True).adding("more", said), fixing="", tries=0)
    if changed.county != before:
        return Reading(Outcome.CORRECTED, changed, "form.corrected")
    return Reading(Outcome.CORRECTED, take_aside(changed, said), "form.noted")
