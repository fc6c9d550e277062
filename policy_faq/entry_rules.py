"""What an entry must be before a person is answered with it: one function a field, each saying how to mend it. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .entry import Entry

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
_YEAR = re.compile(r"(?:19|20)\d\d")
_MONEY = re.compile(r"\d\s*(?:[万亿]\s*)?元")
_FIGURE = re.compile(r"\d\s*(?:[万亿][余多]?\s*)?元|\d\s*[%％]|\d\s*[万亿]")
_PAIRS = {"(": ")", "（": "）", "《": "》", "“": "”", "〔": "〕", "【": "】", "「": "」"}


def units(text: str) -> int:
    """UCS-2 units as a carrier counts them: an emoji beyond the BMP is two."""
    return len(text.encode("utf-16-be", "surrogatepass")) // 2


def problems_of(entry: Entry, path: str) -> list[tuple[str, str]]:
    """(field, what to do) for everything wrong with `entry`; `path` is the file name its id must match."""
    found = (
        ("id", _id_problem(entry, path)),
        ("question", _question_problem(entry)),
        ("variants", _variants_problem(entry)),
        ("short", _short_problem(entry)),
        ("figures_date", _figures_problem(entry)),
        ("review_by", _review_problem(entry)),
        ("sources", None if entry.sources else "至少写一个来源"),
        ("region", None if entry.region in REGIONS else f"只能是 {'、'.join(REGIONS)}"),
        ("topic", None if entry.topic in TOPICS else f"只能是 {'、'.join(TOPICS)}"),
        ("long", _balance_problem(entry.long) if entry.long else "正文（长答案）是空的"),
    )
    return [(field, problem) for field, problem in found if problem]


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


def _review_problem(entry: Entry) -> str | None:
    if entry.review_by is None:
        return None
    if entry.figures_date is not None and entry.review_by <= entry.figures_date:
        return "复核日期要晚于数字的日期（figures_date）"
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
