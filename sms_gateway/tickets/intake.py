"""Reading what people write into a form: the opening text, then one answer after the other. Pure; nothing said is lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from sms_gateway import regions
from sms_gateway.wording import say
from texts.normalise import clean, normalise

from . import phrases
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


_OPENER = re.compile(
    r"^(?:(?:你们?好|您好|喂|在吗|老师好?|阿姨|叔叔|12345|请问)[\s,，。.!！~]*)*"
    r"(?:我们?)?(?:要|想要|想|来|需要|是来|今天)?\s*(?:向你们)?(?:匿名|实名)?(?:求助|投诉|举报|报告|"
    r"反映|反应|告发|检举|帮助|帮忙|控告|告状)"
    r"(?:一下|下|一个|一件|个|件|点)?(?:情况|问题|事情|事儿?)?[\s:：,，。.!！~]*"
)
_HOLLOW = re.compile(
    r"我们?|你们?|要|想|求求?|帮帮?|的|了|吗|呢|啊|吧|好|您|一下|事情?|个|件|有|点|说|讲|在|是|情况|"
    r"问题|投诉|举报|求助|反映|家|那边|这边|就|里|娃|孩子|[^\u4e00-\u9fffa-z0-9]"
)
_NAMED_PLACE = re.compile(
    r"[\u4e00-\u9fff]{2,10}?(?:中学|小学|幼儿园|[一二三四五六七八九十]中|[一二三四五六七八九]小|网吧|"
    r"酒吧|ktv|小区|村委会|[^农]村|镇上?|乡|街道|宾馆|酒店|超市)"
)
_SECRET = re.compile(
    "(?:不要|别|不能|莫)(?:说|讲|提|透露|告诉.{0,4}|暴露)(?:是)?(?:我|出我|我的?名字)|保密|匿名|不留名|(?:不要|别)(?:透露|暴露)"
)
_NO_CALL = re.compile("(?:别|不要|莫|不能|不方便)(?:给我)?(?:打|接)(?:我)?电话|只能发?短信|发短信就行")
_LEAVE_ME = re.compile("(?:先)?(?:别|不要)(?:来)?(?:找我|联系我)")
_WISH = re.compile(r"(?:希望|要求|请求|强烈要求|我想让|想请)([^。!！?？]{3,60})")
_AGE = re.compile(
    r"(?:\d{1,2}|[一二两三四五六七八九十]{1,3})\s*(?:周?岁|个月大)|[一二三四五六七八九初高]年级|初[一二三]|高[一二三]"
)
_WHOSE = re.compile(
    "我(?:今年|是|自己|才|也)?\\s*(?:\\d|[一二三四五六七八九十])|我(?:家)?(?:的)?(?:娃|儿|女|姑娘|"
    "孙|弟|妹|孩子|侄|外甥|同学|学生|邻居|朋友)|邻居|学生|孤儿"
)
_UNIT = re.compile(
    r"我(?:们)?(?:是|在)([^,，。!！\s]{2,24}?(?:老师|班主任|校长|医生|护士|大夫|村干部|支书|村主任|儿童主任|"
    r"前台|经理|社工|村医|保育员|园长|民警|辅警|网格员))"
)


def start(kind: Kind | str, text: str) -> Draft:
    """A new form with what the opening text already says: what happened, where, and more; "我要投诉" itself is taken off."""
    draft = Draft(Kind(kind))
    told = _OPENER.sub("", clean(text), count=1).strip()
    draft = _take_place(draft, told)
    if not _says_something(told):
        return draft
    return _take_aside(draft.with_answer("what", told), told, opening=True)


def _says_something(text: str) -> bool:
    """Whether there is a matter in it beside greetings, wishes to complain and a place."""
    return len(_HOLLOW.sub("", regions.without_places(text))) >= 3


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
        beside = said if _says_something(rest or "") else ""
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
        draft = _take_aside(_take_place(draft, beside).adding("more", beside), beside)
    if asked.name == "danger" and chosen == 1:
        return Reading(Outcome.DANGER, draft)
    if asked.name == "police" and chosen == 2:
        return Reading(Outcome.ANSWERED, draft, "form.call_110")
    return Reading(Outcome.ANSWERED, draft)


def _take_confirmation(draft: Draft, chosen: int, beside: str) -> Reading:
    if chosen == 1:
        return Reading(Outcome.CONFIRMED, draft.adding("more", beside))
    if beside:
        return Reading(
            Outcome.CORRECTED, _take_place(draft, beside, anew=True).adding("more", beside), "form.corrected"
        )
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


def _take_place(draft: Draft, said: str, *, anew: bool = False) -> Draft:
    """`draft` with the place `said` speaks of, when it is new to it (or `anew`: in place of the old one)."""
    if draft.county is not None and not anew:
        return draft
    place = regions.recognise(said)
    if place.county is not None:
        found = replace(
            draft, county=place.county.adcode, prefecture=place.county.parent_adcode, candidates=(), elsewhere=None
        )
        return replace(found, skipped=found.skipped - {"county"})
    if anew and draft.county is not None:
        return draft
    if place.prefecture is not None or place.candidates:
        prefecture = place.prefecture.adcode if place.prefecture else draft.prefecture
        return replace(draft, prefecture=prefecture, candidates=tuple(region.adcode for region in place.candidates))
    if place.elsewhere and draft.prefecture is None:
        return replace(draft, elsewhere=place.elsewhere)
    return draft


def _take_aside(draft: Draft, said: str, *, opening: bool = False) -> Draft:
    """What a text says beside its main point, put under questions that are still open; the text itself is kept elsewhere."""
    words = normalise(said)
    found: list[tuple[str, str]] = []
    if _SECRET.search(words):
        found.append(("secret", "要"))
    if _LEAVE_ME.search(words):
        found.append(("contact", "先别找我"))
    elif _NO_CALL.search(words):
        found.append(("contact", "短信"))
    if opening:
        age, wish, place, unit = (
            _AGE.search(words),
            _WISH.search(words),
            _NAMED_PLACE.search(words),
            _UNIT.search(words),
        )
        if age and (draft.kind is Kind.REPORT or _WHOSE.search(words)):
            found.append(("child", said))
        if wish:
            found.append(("wish", wish.group(0)))
        if place and draft.county is not None:
            found.append(("place", place.group(0)))
        if unit:
            found.append(("unit", unit.group(1)))
    for name, answer in found:
        if name in ORDER[draft.kind] and not draft.knows(name):
            draft = replace(draft, answers={**draft.answers, name: answer})
    return draft


def _take_county(draft: Draft, _asked: Question, said: str) -> Reading:
    found = _take_place(draft, said, anew=True)
    beside = said if _says_something(said) else ""
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
        return _take_aside(draft.with_answer("what", said), said, opening=True)
    if draft.kind is Kind.REPORT and "place" not in draft.answers:
        return _take_aside(draft.with_answer("place", said), said)
    return _take_aside(draft.adding("more", said), said)


def _take_what(draft: Draft, _asked: Question, said: str) -> Reading:
    draft = _take_place(draft.with_answer("what", said), said)
    return Reading(Outcome.ANSWERED, _take_aside(draft, said, opening=True))


def _take_more(draft: Draft, _asked: Question, said: str) -> Reading:
    """A change in free words, while changing or in answer to the confirmation."""
    before = draft.county
    changed = replace(_take_place(draft, said, anew=True).adding("more", said), fixing="", tries=0)
    if changed.county != before:
        return Reading(Outcome.CORRECTED, changed, "form.corrected")
    return Reading(Outcome.CORRECTED, _take_aside(changed, said), "form.noted")


def _take_words(draft: Draft, asked: Question, said: str) -> Reading:
    """A free answer; or words where a digit was asked: kept as they are, unless too short to mean anything."""
    if asked.options:
        short = len(phrases.bare(said)) < 3
        if draft.tries + 1 < PATIENCE and (short or asked.name == "danger"):
            kept = (
                draft
                if short
                else _take_place(draft, said).adding("what" if "what" not in draft.answers else "more", said)
            )
            return Reading(Outcome.UNCLEAR, replace(kept, tries=draft.tries + 1), "form.reask")
    draft = _take_place(draft.with_answer(asked.name, said), said)
    return Reading(Outcome.ANSWERED, _take_aside(draft, said))


_READERS: dict[str, Callable[[Draft, Question, str], Reading]] = {
    "county": _take_county, "what": _take_what, "more": _take_more, "fix": _take_more, "confirm": _take_more,
}  # fmt: skip
