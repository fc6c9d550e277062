"""From what lexicon and classifier say to one judgement: either may raise, only a strong context may lower."""

from __future__ import annotations

import re
from dataclasses import dataclass

from texts.normalise import ENCODER_LIMIT

from . import features
from .judgement import Harm, Immediacy, Judgement, Lane, Writer
from .lexicon import Finding, Hit
from .replies import reply_key, services_for

Answers = dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Chosen by measurement on the development sets (DECISIONS.md). All are probabilities.

    `red`: the classifier alone says red. `red_heavy`: enough beside a live cue of weight 3.
    `red_sure`: enough beside a live cue that the lexicon calls sure, with nothing near that plays it down.
    `red_lowered`: asked for when strong contexts (game, news, policy question, negation) stand beside every cue.
    `harm`: red or orange together make orange; `harm_cue`: enough beside a live cue of weight 2. `unsure`: from here
    up to red a text is borderline.
    """

    red: float = 0.35
    red_heavy: float = 0.25
    red_sure: float = 0.08
    red_lowered: float = 0.5
    harm: float = 0.5
    harm_cue: float = 0.3
    unsure: float = 0.1
    sexual: float = 0.5
    hurt: float = 0.5
    disaster: float = 0.5


THRESHOLDS = Thresholds()
_OWN_THOUGHT = re.compile(
    r"(?<![说讲发:：“])我(真的|也|就|又|今天|今晚|好|现在|还是|已经|只|有点|其实|老是|总)*"
    r"(不想活|想死|想跳|活不|不想待|撑不|想消失|要走了|想走|割|划|吃了|吞了|站在|写好|要跟|跟她走|跟他走)"
)
"""Whoever writes speaks of themselves, not only of a friend, and gets the wording for themselves."""
_OUT_OF_DOORS = re.compile(
    "(赶|撵|轰|踢|推|丢|扔)(了)?(我|我们)?出(来|门|家|去)|没(有)?地方(去|住|睡)|不知道(去哪|睡哪)|(睡|坐|站|蹲|躲)(在)?"
    "(天桥|桥洞|桥下|车站|街上|路边|公园|网吧|楼道|门口|长椅)"
)
"""A child put out of doors: "lock the door" would be no help."""
_PLAYS_DOWN = frozenset(("joke", "pet", "sport", "over", "quoted", "matter", "hypothetical", "past"))
_NO_ANSWERS: Answers = {
    "lane": {"red": 0.0, "orange": 0.0, "blue": 1.0},
    "type": {},
    "immediacy": {},
    "writer": {},
    "sexual": {},
    "hurt": {},
    "disaster": {},
}
_SAID = {
    Immediacy.NOW: "现在",
    Immediacy.RECENT: "三天内",
    Immediacy.PAST: "以前或说不清何时",
    Immediacy.NONE: "",
}
TYPE_SAID = {
    Harm.VIOLENCE: "暴力",
    Harm.SEXUAL: "性方面的侵害",
    Harm.SELF_HARM: "自伤念头",
    Harm.MISSING: "走失或被带走",
    Harm.CONFINED: "被关、不让走",
    Harm.ALONE: "没人照看",
    Harm.FIRE: "火情",
    Harm.MEDICAL: "伤病",
    Harm.TRAFFIC: "交通事故",
    Harm.DROWNING: "落水",
    Harm.OTHER: "其他危险",
    Harm.NONE: "",
}


def decide(finding: Finding, answers: Answers | None, thresholds: Thresholds = THRESHOLDS) -> Judgement:
    """The judgement of one text; `answers` None means that the encoder failed and the lexicon stands alone."""
    live = [hit for hit in finding.hits if features.is_live(hit)]
    given = answers or _NO_ANSWERS
    p_red, p_orange = given["lane"]["red"], given["lane"]["orange"]
    lane = _lane(finding, live, p_red, p_orange, thresholds) if answers else _lane_by_words(live)
    sexual = _is_sexual(live, given, thresholds)
    if sexual and lane is Lane.BLUE:
        lane = Lane.ORANGE
    if lane is Lane.BLUE:
        writer = _writer(given["writer"])
        unsure = p_red >= thresholds.unsure
        return Judgement(lane, Harm.NONE, (), Immediacy.NONE, p_red, (), writer, None, False, unsure)
    score = max(p_red, thresholds.red) if lane is Lane.RED else p_red
    return _harm(finding, live, given, thresholds, lane=lane, sexual=sexual, score=score)


def _lane(finding: Finding, live: list[Hit], p_red: float, p_orange: float, at: Thresholds) -> Lane:
    lowered = bool(finding.hits) and not live
    heaviest = max((hit.cue.weight for hit in live), default=0)
    needed = at.red_lowered if lowered else at.red
    if any(hit.cue.weight >= 3 and not hit.contexts & _PLAYS_DOWN for hit in live):
        needed = min(needed, at.red_heavy)
    if any(_is_plain(hit) and not hit.contexts & _PLAYS_DOWN for hit in live):
        needed = min(needed, at.red_sure)
    if _unseen(finding, live):
        needed = 0.0
    if p_red >= needed:
        return Lane.RED
    harm = p_red + p_orange
    if harm >= at.harm or (heaviest >= 2 and harm >= at.harm_cue):
        return Lane.ORANGE
    return Lane.BLUE


def _is_plain(hit: Hit) -> bool:
    """Words that say danger by themselves: those the lexicon calls sure, and the heaviest beside "now" (正在, 快)."""
    return hit.cue.sure or (hit.cue.weight >= 3 and "now" in hit.contexts)


def _unseen(finding: Finding, live: list[Hit]) -> bool:
    """True when a heavy cue stands in the middle of a long text, which encoder and characters did not read."""
    half = ENCODER_LIMIT // 2
    middle = range(half, finding.length - half)
    return any(hit.start in middle and hit.cue.weight >= 3 and not hit.contexts & _PLAYS_DOWN for hit in live)


def _lane_by_words(live: list[Hit]) -> Lane:
    heaviest = max((hit.cue.weight for hit in live), default=0)
    if heaviest >= 3 and not any("over" in hit.contexts for hit in live):
        return Lane.RED
    return Lane.ORANGE if live else Lane.BLUE


def _is_sexual(live: list[Hit], answers: Answers, at: Thresholds) -> bool:
    p = answers["sexual"].get("yes", 0.0)
    cue = any(hit.cue.type is Harm.SEXUAL for hit in live)
    return p >= at.sexual or (cue and p >= at.sexual / 2) or (cue and not answers["sexual"])


def _writer(answers: dict[str, float]) -> Writer:
    return Writer(max(answers, key=lambda label: answers[label])) if answers else Writer.UNKNOWN


def _harm(
    finding: Finding, live: list[Hit], answers: Answers, at: Thresholds, *, lane: Lane, sexual: bool, score: float
) -> Judgement:
    harm = _type(finding, live, answers)
    immediacy = _immediacy(finding, lane, answers)
    writer = _writer(answers["writer"])
    disaster = answers["disaster"].get("yes", float(any(hit.cue.services for hit in live))) >= at.disaster
    hurt = answers["hurt"].get("yes", float("hurt" in finding.signals)) >= at.hurt
    red = lane is Lane.RED
    services = services_for(harm, hurt=hurt, disaster=disaster) if red else ()
    key = reply_key(
        harm,
        writer=writer,
        immediacy=immediacy,
        services=services,
        english="english" in finding.signals and not any("\u4e00" <= c <= "\u9fff" for c in finding.view),
        abroad="here_abroad" in finding.signals,
        raging=writer is Writer.PARENT and any(_rages(hit) for hit in finding.hits),
        not_breathing="nobreath" in finding.signals,
        for_another="another" in finding.signals and not _OWN_THOUGHT.search(finding.view),
    )
    if key == "red.alone" and _OUT_OF_DOORS.search(finding.view):
        key = "red.other"
    return Judgement(
        lane=lane,
        type=harm,
        services=services,
        immediacy=immediacy,
        score=score,
        reasons=_reasons(live, harm, immediacy),
        writer=writer,
        reply_key=key if red or key == "parent.rage" else None,
        sexual=sexual or harm is Harm.SEXUAL,
        unsure=not red and score >= at.unsure,
    )


def _rages(hit: Hit) -> bool:
    """A parent's own words that they cannot stop, also where they ask what to do about it ("我停不下来，怎么办")."""
    return hit.cue.name == "parent.rage" and not hit.contexts & {"negation", "fiction", "news", "hypothetical"}


def _type(finding: Finding, live: list[Hit], answers: Answers) -> Harm:
    chances = {label: p for label, p in answers["type"].items() if label != Harm.NONE.value}
    if chances:
        return Harm(max(chances, key=lambda label: chances[label]))
    heaviest = max(live or finding.hits, key=lambda hit: hit.cue.weight, default=None)
    return heaviest.cue.type if heaviest else Harm.OTHER


def _immediacy(finding: Finding, lane: Lane, answers: Answers) -> Immediacy:
    chances = {label: p for label, p in answers["immediacy"].items() if label != Immediacy.NONE.value}
    if chances:
        return Immediacy(max(chances, key=lambda label: chances[label]))
    if "past" in finding.contexts and lane is not Lane.RED:
        return Immediacy.PAST
    return Immediacy.NOW if lane is Lane.RED else Immediacy.PAST


def _reasons(live: list[Hit], harm: Harm, immediacy: Immediacy) -> tuple[str, ...]:
    said: dict[str, str] = {}
    for hit in sorted(live, key=lambda hit: (hit.cue.type is not harm, -hit.cue.weight)):
        said.setdefault(hit.cue.says, hit.words)
    reasons = tuple(f"{says}（{_SAID[immediacy]}）：“{words[:20]}”" for says, words in list(said.items())[:3])
    return reasons or (f"整句读起来像{TYPE_SAID[harm]}（{_SAID[immediacy]}），没有单独的危险词",)
