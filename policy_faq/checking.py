"""Everything `hotline handbook check` looks at, as findings that name the file, the field and what to do. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .entry import Entry, HandbookError, list_problems, parse_entry
from .likeness import likenesses
from .passages import vectors
from .reading_level import reading_problems
from .statutes import source_problems


@dataclass(frozen=True)
class Finding:
    """`serious`: the handbook must not go out so; else something an editor should look at when there is time."""

    path: str
    field: str
    problem: str
    serious: bool = True

    def __str__(self) -> str:
        return f"{self.path}: {self.field}: {self.problem}"


def read_files(folder: Path) -> tuple[list[Entry], list[Finding]]:
    """The entries that can be read, and what is wrong with each file that cannot (every fault of it, not the first)."""
    entries: list[Entry] = []
    found: list[Finding] = []
    for path in sorted(folder.glob("*.md")):
        try:
            entries.append(parse_entry(path.read_bytes(), path.name, checked=False))
        except HandbookError as error:
            found.append(_finding(error))
    if not entries and not found:
        found.append(Finding(folder.name, "entries", "这个文件夹里没有问答（*.md）"))
    found += [_finding(error) for entry in entries for error in list_problems(entry, _path(entry))]
    return entries, found


def check_entries(
    entries: Sequence[Entry], *, today: datetime.date, laws: Path | None, cache: Path | None = None
) -> list[Finding]:
    """What is wrong between and around readable entries: wordings used twice, doubles by meaning, reading level,
    sources (only where `laws` is a folder), figures past their review date (not serious)."""
    found = _shared_wordings(entries)
    found += [Finding(_path(entry), "short", problem) for entry in entries for problem in reading_problems(entry.short)]
    if laws is not None:
        found += [Finding(_path(entry), field, problem) for entry, field, problem in source_problems(entries, laws)]
    found += _doubles(entries, cache)
    return found + list_past_review(entries, today)


def list_past_review(entries: Iterable[Entry], today: datetime.date) -> list[Finding]:
    """Entries whose figures somebody should look at again."""
    return [
        Finding(
            _path(entry), "review_by",
            f"{entry.review_date} 就该复核（数字截至 {entry.figures_date or '未写'}）；复核前照答，会说明日期和“最新规定为准”",
            serious=False,
        )
        for entry in entries
        if entry.is_past_review(today)
    ]  # fmt: skip


def _shared_wordings(entries: Sequence[Entry]) -> list[Finding]:
    owner: dict[str, str] = {}
    worded = [(entry, wording) for entry in entries for wording in entry.wordings]
    return [
        Finding(_path(entry), "variants", f"“{wording}”已在 {owner[wording]} 里")
        for entry, wording in worded
        if owner.setdefault(wording, entry.id) != entry.id
    ]


def _doubles(entries: Sequence[Entry], cache: Path | None) -> list[Finding]:
    rows = vectors([wording for entry in entries for wording in entry.wordings], cache)
    found = []
    for double in likenesses(entries, rows):
        other = f"{double.second.id}（{double.second.question}）"
        if double.wordings is None:
            problem = f"和 {other} 说的像是一件事（{double.nearness:.2f}），合成一条或把问法分清"
            found.append(Finding(_path(double.first), "question", problem))
        else:
            mine, theirs = double.wordings
            problem = f"“{mine}”和 {double.second.id} 的“{theirs}”意思几乎一样（{double.nearness:.2f}），只留一处"
            found.append(Finding(_path(double.first), "variants", problem))
    return found


def _finding(error: HandbookError) -> Finding:
    return Finding(error.path, error.field, error.problem)


def _path(entry: Entry) -> str:
    return f"{entry.id}.md"
