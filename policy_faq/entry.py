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

ENTRIES = Path(__file__).parent / "entries"

SHORT_LIMIT = 125
"""UCS-2 units of a short answer: two segments hold 134, the signature 【云南12345】 takes 9."""

QUESTION_LIMIT = 30
"""UCS-2 units of a question, so that a clarifying reply with two of them stays within `SHORT_LIMIT`."""

MINIMUM_VARIANTS = 8
REGIONS = ("national", "yunnan", "kunming", "baoshan", "lijiang", "chuxiong")
TOPICS = (
    "hotline", "orphans", "unattended", "assistance", "left-behind", "guardianship", "adoption", "violence",
    "reporting", "sexual-abuse", "school", "online", "street", "legal-aid", "education", "medical", "offending",
    "labour", "registration", "mental-health", "missing", "safety", "privacy", "places", "institutions",
)  # fmt: skip

RECALLED_WORDING = "以当地民政部门最新规定为准"
"""Said with every benefit's amount and with everything that no opened text confirms (sources of `kind: recalled`)."""

AMOUNT_WORDING = "最新规定为准"
"""The least said beside any sum of money, fines and limits set by law among them."""

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_VERSION = re.compile(r"(?:19|20)\d\d(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?")
_YEAR = re.compile(r"(?:19|20)\d\d")
_MONEY = re.compile(r"\d\s*(?:[万亿]\s*)?元")
_FIGURE = re.compile(r"\d\s*(?:[万亿][余多]?\s*)?元|\d\s*[%%]|\d\s*[万亿]")
_PAIRS = {"(": ")", "（": "）", "《": "》", "“": "”", "〔": "〕", "【": "】", "「": "」"}
_REQUIRED = ("id", "question", "variants", "short", "sources", "region", "topic")
_KEYS = frozenset((*_REQUIRED, "figures_date", "facts"))
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
    facts: tuple[str, ...] = ()

    @property
    def wordings(self) -> tuple[str, ...]:
        """All ways of asking this: the question first, then the variants."""
        return (self.question, *self.variants)


def units(text: str) -> int:
    """UCS-2 units as a carrier counts them: an emoji beyond the BMP is two."""
    return len(text.encode("utf-16-be", "surrogatepass")) // 2


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


def parse_entry(content: bytes | str, path: str) -> Entry:
    """The entry written in one file. `path` is the file name errors carry. Raises HandbookError."""
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
        figures_date=_date(head["figures_date"], "figures_date", path) if head.get("figures_date") else None,
        facts=_texts(head, "facts", path) if head.get("facts") else (),
    )
    check(entry, path)
    return entry


def check(entry: Entry, path: str) -> None:
    """Refuse an entry a person should not be answered with; also used for drafts that never were files."""
    problems = (
        ("id", _id_problem(entry, path)),
        ("question", _question_problem(entry)),
        ("variants", _variants_problem(entry)),
        ("short", _short_problem(entry)),
        ("figures_date", _figures_problem(entry)),
        ("sources", None if entry.sources else "至少写一个来源"),
        ("region", None if entry.region in REGIONS else f"只能是 {'、'.join(REGIONS)}"),
        ("topic", None if entry.topic in TOPICS else f"只能是 {'、'.join(TOPICS)}"),
        ("long", _balance_problem(entry.long) if entry.long else "正文（长答案）是空的"),
    )
    for field, problem in problems:
        if problem:
            raise HandbookError(path, field, problem)


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


def _id_problem(entry: Entry, path: str) -> str | None:
    if not _ID.fullmatch(entry.id):
        return "只用小写字母、数字和短横"
    return None if path == f"{entry.id}.md" else f"要和文件名一样：{entry.id}.md"


def _question_problem(entry: Entry) -> str | None:
    if units(entry.question) > QUESTION_LIMIT:
        return f"最多 {QUESTION_LIMIT} 个字，现在 {units(entry.question)} 个"
    return None


def _variants_problem(entry: Entry) -> str | None:
    if len(set(entry.wordings)) < len(entry.wordings):
        return "有两行一样"
    if len(entry.variants) < MINIMUM_VARIANTS:
        return f"至少写 {MINIMUM_VARIANTS} 种不同的问法，现在 {len(entry.variants)} 种"
    return None


def _short_problem(entry: Entry) -> str | None:
    if units(entry.short) > SHORT_LIMIT:
        return f"最多 {SHORT_LIMIT} 个字（含来源和日期），现在 {units(entry.short)} 个"
    if "\n" in entry.short:
        return "要写成一行"
    if not _YEAR.search(entry.short):
        return "要写明来源的年份或日期"
    if _MONEY.search(entry.short) and AMOUNT_WORDING not in entry.short:
        return f"有金额，要写“{AMOUNT_WORDING}”"
    recalled = any(source.kind == "recalled" for source in entry.sources)
    if recalled and RECALLED_WORDING not in entry.short:
        return f"来源没有原文（recalled），要写“{RECALLED_WORDING}”"
    return _balance_problem(entry.short)


def _figures_problem(entry: Entry) -> str | None:
    if _FIGURE.search(entry.short) and entry.figures_date is None:
        return "答案里有金额或数字，要写数字截至哪天"
    return None


def _balance_problem(text: str) -> str | None:
    """What is wrong with the brackets and quotation marks of a text, if anything."""
    open_: list[str] = []
    closing = set(_PAIRS.values())
    for character in text:
        if character in _PAIRS:
            open_.append(_PAIRS[character])
        elif character in closing and (not open_ or open_.pop() != character):
            return f"括号或引号不成对：{character}"
    return f"括号或引号不成对：缺 {open_[-1]}" if open_ else None
