"""Whether the article an entry names stands in the cited text, where the folder of laws is at hand.

The folder holds one Markdown file a law or document (`<file>.md`); an article begins a line: "第二十三条 …", or in a
document without articles "一、…". What is checked is that it is there, not what it says: that is the editor's work.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from .entry import Entry, Source

CITED_KINDS = ("law", "document")
"""Sources whose text lies in the folder; articles of ours, excerpts and what is recalled do not."""

_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_TENS = {"十": 10, "百": 100, "千": 1000}
_NUMERAL = "零〇一二三四五六七八九十百千"
_HEAD = re.compile(rf"^[#*>\s]*第\s*([{_NUMERAL}]+)\s*条(?:之([一二三四五六七八九]))?", re.MULTILINE)
_ITEM = re.compile(rf"^[#*>\s]*([{_NUMERAL}]+)、", re.MULTILINE)
_NAMED = re.compile(rf"第([\d{_NUMERAL}之、,，—\-至到]+)条(?:之([一二三四五六七八九]))?")
_NAMED_ITEM = re.compile(rf"(?:第)?([{_NUMERAL}]+)(?:、|部分|[（(]|$)")
_SPAN = re.compile(r"(\d+)(?:—|-|至|到)(\d+)")


def numeral(written: str) -> int:
    """The number of a Chinese numeral up to thousands: 二百六十二 is 262, 十 is 10."""
    total, last = 0, 0
    for sign in written:
        if sign in _TENS:
            total += (last or 1) * _TENS[sign]
            last = 0
        else:
            last = _DIGITS[sign]
    return total + last


def articles_in(text: str) -> frozenset[str]:
    """Every article a law's text has: "262", "262之一"; items of a document as "(1)"."""
    heads = {f"{numeral(number)}{'之' + part if part else ''}" for number, part in _HEAD.findall(text)}
    return frozenset(heads | {f"({numeral(number)})" for number in _ITEM.findall(text)})


def articles_named(article: str) -> tuple[str, ...] | None:
    """The articles a source names, in the form of `articles_in`; None where it cannot be read.

    "第23条", "第5、8条", "第260、260之一条", "第262条之一", "第2至4条", "第23条第2款", "一（三）".
    """
    found: list[str] = []
    for numbers, part in _NAMED.findall(article):
        for one in re.split("[、,，]", numbers):
            found += _one(one, part)
    if found:
        return tuple(found)
    item = _NAMED_ITEM.match(article)
    return (f"({numeral(item.group(1))})",) if item else None


def _one(written: str, part: str) -> list[str]:
    if span := _SPAN.fullmatch(written):
        return [str(number) for number in range(int(span.group(1)), int(span.group(2)) + 1)]
    number, _, own = written.partition("之")
    if not number:
        return []
    plain = number if number.isdigit() else str(numeral(number)) if all(sign in _NUMERAL for sign in number) else number
    return [f"{plain}{'之' + (own or part) if own or part else ''}"]


@lru_cache(maxsize=256)
def _articles_of(path: Path) -> frozenset[str] | None:
    try:
        return articles_in(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None


def source_problem(source: Source, laws: Path) -> tuple[str, str] | None:
    """(field, what is wrong) when the cited text is not in `laws` or has no such article."""
    if source.kind not in CITED_KINDS:
        return None
    known = _articles_of(laws / f"{source.file}.md") if re.fullmatch(r"[\w-]+", source.file) else None
    if known is None:
        return "sources.file", f"法规文件夹里没有 {source.file}.md"
    if not source.article:
        return None
    named = articles_named(source.article)
    if named is None:
        return "sources.article", f"看不懂条文号“{source.article}”，写成“第23条”这样"
    missing = [f"第{one}条" if one[0] != "(" else f"第{one[1:-1]}项" for one in named if one not in known]
    return ("sources.article", f"{source.file}.md 里没有{'、'.join(missing)}") if missing else None


def source_problems(entries: Iterable[Entry], laws: Path) -> list[tuple[Entry, str, str]]:
    """(entry, field, what is wrong) for every source that does not hold."""
    checked = ((entry, source_problem(source, laws)) for entry in entries for source in entry.sources)
    return [(entry, *problem) for entry, problem in checked if problem]
