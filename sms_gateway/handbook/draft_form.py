"""A draft as its form holds it, and the entry it would be. Pure.

The form keeps what was typed, right or not: `{"id", "question", "variants", "short", "long", "figures_date",
"review_by", "region", "topic", "sources": [{"name", "kind", "file", "article", "date"}], "facts"}`, all plain text;
`variants` one a line.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from policy_faq.entry import Entry, HandbookError, Source, list_problems, parse_entry
from policy_faq.reading_level import reading_problems

PLAIN = ("id", "question", "variants", "short", "long", "figures_date", "review_by", "region", "topic")
SOURCE_FIELDS = ("name", "kind", "file", "article", "date")
NEEDED = ("question", "variants", "short", "long", "region", "topic", "sources")
LONGEST = {"question": 200, "variants": 6000, "short": 600, "long": 8000}
"""Characters the form takes at all; what an entry may have is less."""
MOST_SOURCES = 8
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_FILLED = {"question": "？", "long": "。", "region": "national", "topic": "hotline"}
"""What stands in for an empty field while the others are looked at."""

Form = dict[str, Any]


def blank(entry_id: str, *, wordings: Sequence[str] = ()) -> Form:
    """A new form for questions asked as in `wordings`; the first, where short enough, is its question."""
    return {
        **dict.fromkeys(PLAIN, ""),
        "id": entry_id, "question": next((each for each in wordings if len(each) <= 30), ""),
        "variants": "\n".join(wordings), "region": "yunnan", "sources": [], "facts": [],
    }  # fmt: skip


def of_entry(entry: Entry, *, more_variants: Iterable[str] = ()) -> Form:
    """The form of an entry that is there, with further ways of asking for it."""
    more = [wording for wording in dict.fromkeys(more_variants) if wording not in entry.wordings]
    return {
        "id": entry.id, "question": entry.question, "variants": "\n".join((*entry.variants, *more)), "short": entry.short,
        "long": entry.long, "figures_date": str(entry.figures_date or ""), "review_by": str(entry.review_by or ""),
        "region": entry.region, "topic": entry.topic, "facts": list(entry.facts),
        "sources": [{name: getattr(source, name) for name in SOURCE_FIELDS} for source in entry.sources],
    }  # fmt: skip


def typed(values: Mapping[str, Any], rows: Mapping[str, Sequence[str]], *, before: Form) -> Form:
    """The form as the page sent it; `rows`: the columns of the sources' table. The id and facts stay as they were."""
    said = {name: _tidy(str(values.get(name, "")))[: LONGEST.get(name, 200)] for name in PLAIN if name != "id"}
    columns = [list(rows.get(name, ())) for name in SOURCE_FIELDS]
    sources = [
        {name: _tidy(cell)[:300] for name, cell in zip(SOURCE_FIELDS, row, strict=True)}
        for row in zip(*columns, strict=False)
    ]
    written = [row for row in sources if any(row[name] for name in SOURCE_FIELDS if name != "kind")]
    return {**before, **said, "sources": written[:MOST_SOURCES]}


def _tidy(text: str) -> str:
    kept = "".join(sign for sign in text.replace("\r\n", "\n") if sign.isprintable() or sign == "\n")
    return kept.strip()


def variants_of(form: Form) -> list[str]:
    """The ways of asking, one a line, each once, without the question itself."""
    lines = dict.fromkeys(line.strip() for line in form["variants"].splitlines() if line.strip())
    return [line for line in lines if line != form["question"]]


def written(form: Form) -> str:
    """The entry's file: YAML between two lines of dashes, then the long answer."""
    head = {
        "id": form["id"], "question": form["question"], "variants": variants_of(form), "short": form["short"],
        "sources": [_source(row) for row in form["sources"]], "region": form["region"], "topic": form["topic"],
    }  # fmt: skip
    head |= {name: _as_date(form[name]) for name in ("figures_date", "review_by") if form[name]}
    if form["facts"]:
        head["facts"] = form["facts"]
    body = yaml.safe_dump(head, allow_unicode=True, sort_keys=False, width=1000)
    return f"---\n{body}---\n{form['long']}\n"


def _source(row: Mapping[str, str]) -> dict[str, Any]:
    return {name: row[name] for name in SOURCE_FIELDS if row[name]}


def _as_date(said: str) -> object:
    try:
        return datetime.date.fromisoformat(said) if _DATE.fullmatch(said) else said
    except ValueError:
        return said


def entry_of(form: Form) -> Entry:
    """The entry that is written. Raises `HandbookError` for the first thing that is wrong."""
    return parse_entry(written(form), f"{form['id']}.md")


def problems_of(form: Form) -> dict[str, list[str]]:
    """What is still to be done, by field; empty for a form that may be proposed. Never raises."""
    found: dict[str, list[str]] = {}
    for field in NEEDED:
        if not form[field]:
            found[field] = ["还没写" if field not in ("region", "topic") else "还没选"]
    stand_in = {name: form[name] or filler for name, filler in _FILLED.items()}
    tried = {**form, **stand_in, "variants": form["variants"] or "？？", "short": form["short"] or "2020"}
    tried["sources"] = form["sources"] or [{"name": "？", "kind": "article", "file": "", "article": "", "date": "2020"}]
    try:
        entry = parse_entry(written(tried), f"{form['id']}.md", checked=False)
    except HandbookError as error:
        found.setdefault(error.field.partition(".")[0], []).append(error.problem)
        return found
    for problem in list_problems(entry, f"{form['id']}.md"):
        if problem.field not in found:
            found[problem.field] = [problem.problem]
    if form["short"]:
        found.setdefault("short", []).extend(reading_problems(form["short"]))
    return {field: said for field, said in found.items() if said}


def source_of(row: Mapping[str, str]) -> Source:
    """A row of the sources' table."""
    return Source(**{name: row[name] for name in SOURCE_FIELDS})
