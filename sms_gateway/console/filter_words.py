"""What a list is narrowed to, in words: a number of the figures page leads to a list that says which. Pure."""

from __future__ import annotations

from sms_gateway import regions
from sms_gateway.departments import categories
from sms_gateway.tickets.filters import NONE, Filter

from . import words
from .figures_parts import category_name
from .figures_view import AGE_NAMES
from .pages import unit_name


def described(wanted: Filter) -> list[str]:
    """A few words for each thing asked for, beside `show`; empty for a whole list."""
    return [said for said in (*_kinds(wanted), *_places(wanted), *_times(wanted), *_marks(wanted)) if said]


def _kinds(wanted: Filter) -> list[str]:
    branches = categories.load().branches
    category = wanted.category and branches.get(wanted.category, category_name(wanted.category))
    return [
        "、".join(words.STATUSES[one] for one in wanted.status), words.KINDS.get(wanted.kind, ""),
        words.LANES.get(wanted.lane, "") and f"{words.LANES[wanted.lane]}色", category,
    ]  # fmt: skip


def _places(wanted: Filter) -> list[str]:
    place = regions.full_name(wanted.region) if wanted.region else ""
    unit = "还没派单位" if wanted.unit == NONE else unit_name(wanted.unit) if wanted.unit else ""
    exactly = "没说更细地点的" if wanted.exact else ""
    return [place, exactly, unit, words.LEVELS.get(wanted.level, "")]


def _times(wanted: Filter) -> list[str]:
    first, last = wanted.opened_from, wanted.opened_to
    if first and last:
        came = f"{first:%m-%d} 来的" if first == last else f"{first:%m-%d} 到 {last:%m-%d} 来的"
    else:
        came = f"{first:%m-%d} 以来来的" if first else f"{last:%m-%d} 以前来的" if last else ""
    age = f"来了 {AGE_NAMES[wanted.age]}" if wanted.age else ""
    return [came, age, "超时" if wanted.late else ""]


def _marks(wanted: Filter) -> list[str]:
    mark = {"": "", "any": "答了回访", "unsolved": "说没解决"}.get(wanted.marked, f"评了 {wanted.marked} 分")
    return [
        mark, "退过单" if wanted.returned else "", "督办过" if wanted.supervised else "", "要延期" if wanted.extension else "",
        "我经手的" if wanted.by else "", "问了没回" if wanted.unanswered else "", "要人工转" if wanted.by_hand else "", "说的是同一件事" if wanted.group else "",
    ]  # fmt: skip
