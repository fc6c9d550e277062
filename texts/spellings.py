"""The table `spellings.tsv`: how things are typed, what they mean and, where a third column says so, in what company.

The third column holds conditions with blanks between, `_` standing for what was typed: `被_` after 被, `_我` before 我,
`^_$` alone (nothing but signs around it), `想_了` between the two. One of them must hold; none of those that begin with `!` may.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

Row = tuple[str, re.Pattern[str], str]
_TABLE = Path(__file__).parent / "spellings.tsv"


class SpellingsAreBroken(ValueError):
    """A line of the table cannot be read; the message gives its number."""


def in_plain_words(text: str) -> str:
    """`text` (normalised) with every spelling of the table replaced by what it means, the longest first."""
    rows, by_first = _spellings()
    for rank in sorted(rank for first in set(text) for rank in by_first.get(first, ())):
        typed, pattern, meant = rows[rank]
        if typed in text:
            text = pattern.sub(meant, text)
    return text


@lru_cache(maxsize=1)
def _spellings() -> tuple[list[Row], dict[str, list[int]]]:
    """The rows, the longest first, and by first character the places of those that begin with it."""
    rows: list[Row] = []
    for number, line in enumerate(_TABLE.read_text(encoding="utf-8").splitlines(), start=1):
        if not line or line.startswith("#"):
            continue
        columns = line.split("\t")
        if len(columns) not in (2, 3) or not columns[0]:
            raise SpellingsAreBroken(f"spellings.tsv, line {number}: two or three columns with a tab between")
        conditions = columns[2].split() if len(columns) == 3 else []
        if any(condition.count("_") != 1 for condition in conditions):
            raise SpellingsAreBroken(f"spellings.tsv, line {number}: each condition has one _")
        rows.append((columns[0], _pattern(columns[0], conditions), columns[1]))
    rows.sort(key=lambda row: -len(row[0]))
    by_first: dict[str, list[int]] = {}
    for rank, (typed, _pattern_of, _meant) in enumerate(rows):
        by_first.setdefault(typed[0], []).append(rank)
    return rows, by_first


def _pattern(typed: str, conditions: list[str]) -> re.Pattern[str]:
    word = _whole(typed)
    wanted = [_in_company(word, condition) for condition in conditions if not condition.startswith("!")]
    unwanted = [f"(?!{_in_company(word, condition[1:])})" for condition in conditions if condition.startswith("!")]
    return re.compile("".join(unwanted) + (f"(?:{'|'.join(wanted)})" if wanted else word))


def _in_company(word: str, condition: str) -> str:
    before, after = condition.split("_")
    behind = r"(?<!\w)" if before == "^" else f"(?<={re.escape(before)})" if before else ""
    ahead = r"(?!\w)" if after == "$" else f"(?={re.escape(after)})" if after else ""
    return f"{behind}{word}{ahead}"


def _whole(typed: str) -> str:
    """The word as a pattern; where it begins or ends in a letter or digit it is no part of a word, number, plate or address."""
    before = r"(?<![a-z0-9])(?<![./@_=&?#·-])" if _is_latin(typed[0]) else ""
    after = r"(?![a-z0-9])(?![./@_=&-][a-z0-9])" if _is_latin(typed[-1]) else ""
    return before + re.escape(typed) + after


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalnum()
