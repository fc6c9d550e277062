"""One handbook entry: what is in its file, and what is refused when it is loaded.

An entry is a Markdown file: YAML between two `---` lines, then the long answer. Every error names the file and the
field, so that an editor who is not a programmer can mend it.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .entry_rules import problems_of

ENTRIES = Path(__file__).parent / "entries"

REVIEW_YEARS = 2
"""A figure is looked at again this many years after its day: benefits' standards are set anew about yearly, and every
province's reports lag behind one year (our choice; an entry may name its own day in `review_by`)."""

_VERSION = re.compile(r"(?:19|20)\d\d(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?")
_REQUIRED = ("id", "question", "variants", "short", "sources", "region", "topic")
_KEYS = frozenset((*_REQUIRED, "figures_date", "review_by", "facts"))
_SOURCE_KEYS = frozenset(("name", "file", "article", "date", "kind"))
_SOURCE_KINDS = ("law", "document", "article", "excerpt", "recalled")


class HandbookError(ValueError):
    """An entry file that cannot be used. `path` and `field` say where, the message says what to do."""

    def __init__(self, path: str, field: str, problem: str) -> None:
        super().__init__(f"{path}: {field}: {problem}")
        self.path = path
        self.field = field
        self.problem = problem


@dataclass(frozen=True)
class Source:
    """Where an answer comes from. `file` names the text it was read in (a law's file name, `S` for the article the
    project starts from, `W12` for an excerpt of a public page), `article` the part of it, `date` its version: a day, a month or,
    where the text read says no more, a year (`2021-09-04`, `2022-05`, `2019`)."""

    name: str
    date: str
    kind: str
    file: str = ""
    article: str = ""


@dataclass(frozen=True)
class Entry:
    """One question with its answer. `short` is the whole text message without the signature, `long` is Markdown."""

    id: str
    question: str
    variants: tuple[str, ...]
    short: str
    long: str
    sources: tuple[Source, ...]
    region: str
    topic: str
    figures_date: datetime.date | None = None
    review_by: datetime.date | None = None
    """Until when somebody should have looked whether the figures still hold, where the file says so itself."""
    facts: tuple[str, ...] = ()

    @property
    def wordings(self) -> tuple[str, ...]:
        """All ways of asking this: the question first, then the variants."""
        return (self.question, *self.variants)

    @property
    def review_date(self) -> datetime.date | None:
        """`review_by`, else two years after the day of the figures; None for an entry without figures."""
        if self.review_by is not None or self.figures_date is None:
            return self.review_by
        return two_years_after(self.figures_date)

    def is_past_review(self, today: datetime.date) -> bool:
        """Whether its figures must be said with their date and “最新规定为准” until somebody has looked again."""
        return self.review_date is not None and self.review_date < today


def two_years_after(day: datetime.date) -> datetime.date:
    """The same day two years later; 29 February becomes 28 February."""
    try:
        return day.replace(year=day.year + REVIEW_YEARS)
    except ValueError:
        return day.replace(year=day.year + REVIEW_YEARS, day=28)


def load_entries(folder: Path | None = None) -> tuple[Entry, ...]:
    """All entries of a folder, by file name. Raises HandbookError for the first file that cannot be used."""
    folder = folder or ENTRIES
    entries = tuple(parse_entry(path.read_bytes(), path.name) for path in sorted(folder.glob("*.md")))
    if not entries:
        raise HandbookError(folder.name, "entries", "这个文件夹里没有问答（*.md）")
    check_together(entries)
    return entries


def check_together(entries: Sequence[Entry]) -> None:
    """Refuse two entries with one id, or one wording that stands in two entries (no search could tell them apart)."""
    owner: dict[str, str] = {}
    ids: set[str] = set()
    for entry in entries:
        if entry.id in ids:
            raise HandbookError(f"{entry.id}.md", "id", "这个编号已被另一条用了")
        ids.add(entry.id)
        for wording in entry.wordings:
            if owner.setdefault(wording, entry.id) != entry.id:
                raise HandbookError(f"{entry.id}.md", "variants", f"“{wording}”已在 {owner[wording]} 里")


def parse_entry(content: bytes | str, path: str, *, checked: bool = True) -> Entry:
    """The entry written in one file. `path` is the file name errors carry. Raises HandbookError.

    `checked=False` reads also an entry that `list_problems` would find fault with.
    """
    head, long = _split(content, path)
    unknown = sorted(set(head) - _KEYS)
    if unknown:
        raise HandbookError(path, str(unknown[0]), "不认识这个字段")
    for field in _REQUIRED:
        if head.get(field) in (None, "", []):
            raise HandbookError(path, field, "缺这个字段")
    entry = Entry(
        id=_text(head, "id", path),
        question=_text(head, "question", path),
        variants=_texts(head, "variants", path),
        short=_text(head, "short", path),
        long=long,
        sources=tuple(_source(item, path) for item in _list(head, "sources", path)),
        region=_text(head, "region", path),
        topic=_text(head, "topic", path),
        figures_date=_optional_date(head, "figures_date", path),
        review_by=_optional_date(head, "review_by", path),
        facts=_texts(head, "facts", path) if head.get("facts") else (),
    )
    if checked:
        check(entry, path)
    return entry


def check(entry: Entry, path: str) -> None:
    """Refuse an entry a person should not be answered with; also used for drafts that never were files."""
    for problem in list_problems(entry, path):
        raise problem


def list_problems(entry: Entry, path: str) -> list[HandbookError]:
    """Everything that is wrong with an entry, in the order of its fields; none for a good one."""
    return [HandbookError(path, field, problem) for field, problem in problems_of(entry, path)]


def _split(content: bytes | str, path: str) -> tuple[Mapping[str, Any], str]:
    if isinstance(content, bytes):
        try:
            content = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise HandbookError(path, "file", "不是 UTF-8 文本") from None
    parts = re.split(r"^---[ \t]*\r?$", content, maxsplit=2, flags=re.MULTILINE)
    if len(parts) != 3 or parts[0].strip():
        raise HandbookError(path, "file", "开头要有用两行 --- 夹住的字段")
    try:
        head = yaml.load(parts[1], Loader=_StrictLoader)  # noqa: S506  (a SafeLoader, only stricter)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"第 {mark.line + 1} 行" if mark else "字段"
        raise HandbookError(path, "file", f"{line}格式不对：{getattr(error, 'problem', '') or 'YAML'}") from None
    if not isinstance(head, Mapping):
        raise HandbookError(path, "file", "两行 --- 之间要写成“字段: 内容”")
    return head, parts[2].strip()


_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C one reads the whole book in a tenth of the time


class _StrictLoader(_Loader):  # type: ignore[misc]  # its base is chosen above
    """YAML that refuses a key written twice, where the last one would silently win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value} 写了两次", key.start_mark)
            seen.add(str(key.value))
        return dict(super().construct_mapping(node, deep))


def _text(head: Mapping[str, Any], field: str, path: str) -> str:
    value = head[field]
    if not isinstance(value, str):
        raise HandbookError(path, field, "要写成一段文字；有冒号或纯数字时用引号括起来")
    if "\x00" in value or "\ufffd" in value:
        raise HandbookError(path, field, "有乱码")
    return value.strip()


def _list(head: Mapping[str, Any], field: str, path: str) -> list[Any]:
    value = head[field]
    if not isinstance(value, list):
        raise HandbookError(path, field, "要写成列表，每行以“- ”开头")
    return value


def _texts(head: Mapping[str, Any], field: str, path: str) -> tuple[str, ...]:
    items = _list(head, field, path)
    if not all(isinstance(item, str) and item.strip() for item in items):
        raise HandbookError(path, field, "每一行都要是文字；纯数字用引号括起来")
    return tuple(item.strip() for item in items)


def _date(value: Any, field: str, path: str) -> datetime.date:
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value
    raise HandbookError(path, field, "日期要写成 2021-09-04 这样")


def _optional_date(head: Mapping[str, Any], field: str, path: str) -> datetime.date | None:
    return _date(head[field], field, path) if head.get(field) else None


def _version(value: Any, path: str) -> str:
    written = str(value)
    if not _VERSION.fullmatch(written):
        raise HandbookError(path, "sources.date", "日期要写成 2021-09-04、2022-05 或 2019 这样")
    return written


def _source(item: Any, path: str) -> Source:
    if not isinstance(item, Mapping):
        raise HandbookError(path, "sources", "每个来源要有 name、date、kind")
    unknown = sorted(set(item) - _SOURCE_KEYS)
    if unknown:
        raise HandbookError(path, f"sources.{unknown[0]}", "不认识这个字段")
    for field in ("name", "date", "kind"):
        if not item.get(field):
            raise HandbookError(path, f"sources.{field}", "缺这个字段")
    if item["kind"] not in _SOURCE_KINDS:
        raise HandbookError(path, "sources.kind", f"只能是 {'、'.join(_SOURCE_KINDS)}")
    if item["kind"] in ("law", "document", "excerpt") and not item.get("file"):
        raise HandbookError(path, "sources.file", "写明在哪个文件或摘录里读到")
    return Source(
        name=str(item["name"]).strip(),
        date=_version(item["date"], path),
        kind=item["kind"],
        file=str(item.get("file") or "").strip(),
        article=str(item.get("article") or "").strip(),
    )
