"""What somebody's words say about the children a matter is about: ages, sexes, school, where and with whom now. Pure.

Only what is said is taken; what is about somebody else (who does it, a grown-up, how old the child was then) is left.
In doubt less: an operator adds by hand what is missing. Linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from sms_gateway.departments.speakers import SURNAME
from texts.normalise import reading

from . import child_words as w

LONGEST_READ = 2000
MOST_CHILDREN = 6
LONGEST_VALUE = 80
LARGEST_OPTION = 3
"""A bare 1, 2 or 3 rather chooses an answer than tells an age."""
KINDS = frozenset({"help", "complaint", "report", "mandated", "disclosure", "callback"})
"""Tickets that are about particular children."""
_NAME = re.compile(f"{w.NAME_BEFORE}(?P<name>{SURNAME}(?!老师|某|医生|警官)[\u4e00-\u9fff]{{1,2}}?){w.NAME_AFTER}")


@dataclass(frozen=True)
class ChildSaid:
    """One child as somebody's words show it. `ages`: the lowest and highest it may be, 0-17; `age_said`: a school year,
    "小学" or another way of saying it that is no number of years.
    """

    ages: tuple[int, int] | None = None
    age_said: str = ""
    sex: str | None = None
    name: str = ""
    school: str = ""
    where_now: str = ""
    with_whom: str = ""
    siblings: str = ""

    @property
    def age(self) -> int | None:
        """The lowest age it may be: where the law draws a line (14 years), the younger child is protected more."""
        return self.ages[0] if self.ages else None

    def about(self) -> dict[str, str]:
        """What is known in words, by the keys of `Child.about`."""
        names = ("name", "age_said", "school", "where_now", "with_whom", "siblings")
        return {name: value for name in names if (value := getattr(self, name))}


@dataclass(frozen=True)
class _Mention:
    """An age or a word for a child, where it stands."""

    start: int
    end: int
    ages: tuple[int, int] | None = None
    said: str = ""
    sex: str | None = None


def read_children(answers: Mapping[str, str], *, kind: str, today: date | None = None) -> list[ChildSaid]:
    """The children of a matter by its form's answers (question name to words), at most `MOST_CHILDREN`; never raises.

    `today` (Shanghai's date) turns a year of birth into an age. Nothing for kinds that are about no particular child.
    """
    if kind not in KINDS:
        return []
    asked = reading(answers.get("child", "")[:LONGEST_READ])
    story = "，".join(reading(answers[name][:LONGEST_READ]) for name in ("what", "more") if answers.get(name))
    siblings = _siblings(asked) or _siblings(story)
    found = _individuals(asked, asked=True, today=today) or _individuals(story, asked=False, today=today)
    every = f"{asked}，{story}，{reading(answers.get('place', '')[:LONGEST_READ])}"
    first = found[0] if found else ChildSaid()
    first = replace(
        first,
        name=_name(every) if len(found) <= 1 else "",
        school=_school(every),
        where_now=_cut(_group(w.WHERE_NOW, every, "where")),
        with_whom=_cut(answers.get("with", "").strip() or _group(w.WITH_WHOM, every, "a", "b", "c")),
        siblings=siblings,
    )
    return [first, *found[1:]] if first != ChildSaid() or len(found) > 1 else []


def _cut(words: str) -> str:
    return words[:LONGEST_VALUE]


def _group(pattern: re.Pattern[str], words: str, *names: str) -> str:
    match = pattern.search(words)
    return next((match.group(name) for name in names if match.group(name)), "") if match else ""


def _siblings(words: str) -> str:
    match = w.SIBLINGS.search(words)
    return _cut(match.group()) if match else ""


def _name(words: str) -> str:
    match = _NAME.search(words)
    return match.group("name") if match else ""


def _school(words: str) -> str:
    match = w.SCHOOL.search(words)
    return match.group() if match and len(match.group()) > 2 else ""


def _number(words: str) -> int:
    """12 for "12" and "十二"."""
    if words.isascii():
        return int(words)
    return 10 + w.DIGITS.get(words[1:], 0) if words.startswith("十") else w.DIGITS[words]


def _individuals(words: str, *, asked: bool, today: date | None) -> list[ChildSaid]:
    """The children of a text, in its order. `asked`: it answers how old the child is and whose."""
    if not words:
        return []
    read = w.PAIR.sub("。。。", w.SIBLINGS.sub(lambda match: "。" * len(match.group()), words))
    found: list[ChildSaid] = []
    last: _Mention | None = None
    for mention in sorted(_mentions(read, asked=asked, today=today), key=lambda mention: mention.start):
        between = read[last.end : mention.start] if last else ""
        if found and (merged := _same(found[-1], mention, between)) is not None:
            found[-1] = merged
        elif len(found) < MOST_CHILDREN:
            found.append(ChildSaid(mention.ages, mention.said, mention.sex))
        last = mention
    if asked and found and found[0].sex is None and len(found) == 1 and (alone := w.SEX_ALONE.search(read)):
        found[0] = replace(found[0], sex="f" if alone.group("sex") == "女" else "m")
    if not asked and w.COUNT.search(read) is None:
        found = _most_told(found)
    return _counted(words, found, asked=asked)


def _same(child: ChildSaid, mention: _Mention, between: str) -> ChildSaid | None:
    """`child` with what `mention` adds, or None where it speaks of another one."""
    apart = w.AND.search(between) is not None
    if mention.ages or mention.said:
        if child.ages is None:
            return replace(
                child, ages=mention.ages, age_said=mention.said or child.age_said, sex=child.sex or mention.sex
            )
        near = (
            mention.ages is not None and mention.ages[0] - 1 <= child.ages[1] and child.ages[0] <= mention.ages[1] + 1
        )
        if (mention.ages is None or near) and (mention.said or child.age_said or not apart):
            return replace(
                child, ages=child.ages if not child.age_said else mention.ages, age_said=child.age_said or mention.said
            )
        return None
    if mention.sex and child.sex and (mention.sex != child.sex or (child.ages and apart)):
        return None
    if mention.sex and child.ages and between in ("、", "和", "跟"):
        return None  # "5岁、女儿8岁"
    return replace(child, sex=child.sex or mention.sex)


def _most_told(found: list[ChildSaid]) -> list[ChildSaid]:
    """A story names children beside the one it is about: those with an age, or else the first."""
    told = [child for child in found if child.ages or child.age_said]
    return told or found[:1]


def _counted(words: str, found: list[ChildSaid], *, asked: bool) -> list[ChildSaid]:
    """As many children as the words count."""
    match = w.COUNT.search(words) or (w.COUNT_ALONE.search(words) if asked else None)
    if match is None:
        return found
    groups = match.groupdict()
    if pair := groups.get("pair"):
        sexes = w.PAIRS[pair if pair in w.PAIRS else pair[:2]]
        other = replace(found[0], sex=None) if found and pair.startswith("双") else ChildSaid()
        pairs = zip((*found, other, other)[:2], sexes, strict=True)
        return [replace(child, sex=child.sex or sex) for child, sex in pairs]
    said = groups["n"]
    number = min(int(said) if said.isascii() else w.DIGITS[said], MOST_CHILDREN)
    sex = "f" if groups.get("f") else "m" if groups.get("m") else None
    return [*found, *(ChildSaid(sex=sex) for _ in range(number - len(found)))]


def _mentions(words: str, *, asked: bool, today: date | None) -> Iterator[_Mention]:
    ages = list(_ages(words, asked=asked, today=today))
    yield from ages
    for match in w.KIN.finditer(words):
        sex = "f" if match.group("f") else "m" if match.group("m") else None
        elsewhere = w.BY.search(words[max(0, match.start() - 10) : match.start()])
        does_it = not asked and w.DOES_IT.match(words[match.end() : match.end() + 10])
        if not elsewhere and not does_it:
            yield _Mention(match.start(), match.end(), sex=sex)
    yield from (_Mention(match.start(), match.end()) for match in w.SELF.finditer(words))


def _ages(words: str, *, asked: bool, today: date | None) -> Iterator[_Mention]:
    """Every age that is a child's, now; a stretch of text is read once."""
    taken: list[tuple[int, int]] = []
    for match, ages, said in _all_ages(words, asked=asked, today=today):
        if any(start < match.end() and match.start() < end for start, end in taken):
            continue
        taken.append((match.start(), match.end()))
        if _is_a_childs_now(words, match, ages):
            yield _Mention(match.start(), match.end(), ages, said)


def _is_a_childs_now(words: str, match: re.Match[str], ages: tuple[int, int] | None) -> bool:
    before, after = (
        words[max(0, match.start() - 12) : match.start()],
        words[match.end() : match.end() + 4].removeprefix("岁"),
    )
    if ages is not None and not 0 <= ages[0] < w.ADULT:
        return False
    if w.NOT_NOW.match(after) or w.FROM_THEN.search(before) or w.GROWN.search(before):
        return False
    return not (w.BY.search(before) and w.STRANGER.match(after))


Found = tuple[re.Match[str], tuple[int, int] | None, str]
"""Where, the ages, and how it was said if not in years."""


def _all_ages(words: str, *, asked: bool, today: date | None) -> Iterator[Found]:
    for match in w.SPAN.finditer(words):
        yield match, _span(match), ""
    for match in w.YEARS.finditer(words):
        age = _number(match.group("years")) - (1 if match.group("nominal") else 0)
        yield match, (age, age), ""
    for match in w.YEARS_OF_SELF.finditer(words):
        age = _number(match.group("years"))
        yield match, (age, age), ""
    for match in w.MONTHS.finditer(words):
        yield match, (0, 0), ""
    for match in w.BORN.finditer(words):
        if today is not None:
            age = today.year - int(match.group("born"))
            yield match, (max(0, age - 1), age), match.group()
    for match in w.YEAR_OF_SCHOOL.finditer(words):
        year = _year_of_school(match)
        yield match, (year + 5, year + 6), match.group()
    for match in w.KINDERGARTEN_YEAR.finditer(words):
        age = w.KINDERGARTEN[match.group()]
        yield match, (age, age + 1), match.group()
    if asked:
        yield from _short_ages(words)


def _short_ages(words: str) -> Iterator[Found]:
    """What is an age only where one was asked for."""
    for match in w.YEARS_ONLY.finditer(words):
        age = _number(match.group("years"))
        if match.group() != words or age > LARGEST_OPTION:
            yield match, (age, age), ""
    for match in w.STAGE.finditer(words):
        yield match, None, match.group()


def _span(match: re.Match[str]) -> tuple[int, int]:
    if teen := match.group("teen"):
        low, high = 10 + w.DIGITS[teen], 10 + w.DIGITS[match.group("teen_to")]
    elif one := match.group("one"):
        low, high = w.DIGITS[one], w.DIGITS[match.group("one_to")]
    else:
        low, high = _number(match.group("low")), _number(match.group("high"))
    return min(low, high), min(max(low, high), w.ADULT - 1)


def _year_of_school(match: re.Match[str]) -> int:
    """1 to 12: years of primary, junior and senior school on end."""
    groups = match.groupdict()
    stage, first = next((name, base) for name, base in (("grade", 0), ("junior", 6), ("senior", 9)) if groups[name])
    return first + _number(groups[stage])
