"""What the pages of figures are made of: a number with its list, a row, a chart, and how values are written. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sms_gateway import regions
from sms_gateway.departments import categories
from sms_gateway.tickets import figures

SENSITIVE_NAME = "敏感事项（合在一起，只计数）"


@dataclass(frozen=True)
class Number:
    """A figure; `href` is empty where it is counted only."""

    value: int | str
    href: str = ""
    alarming: bool = False


@dataclass(frozen=True)
class Row:
    """A line of a table. `share` of the longest bar, 0 to 100."""

    name: str
    numbers: Sequence[Number]
    href: str = ""
    share: int = 0
    late_share: int = 0


@dataclass(frozen=True)
class Chart:
    """What the script draws: `kind` is `stack`, `bars` or `lines`; `links` go with the bars by place."""

    id: str
    title: str
    kind: str
    labels: Sequence[str]
    series: Sequence[tuple[str, Sequence[int]]]
    links: Sequence[Sequence[str]] = ()
    colours: Sequence[str] = ()
    """Of the series; none: the script's own."""

    @property
    def data(self) -> str:
        """As JSON for an attribute; the template escapes it."""
        return json.dumps(
            {
                "title": self.title, "kind": self.kind, "labels": list(self.labels),
                "series": [{"name": name, "data": list(values)} for name, values in self.series],
                "links": [list(each) for each in self.links], "colours": list(self.colours),
            }, ensure_ascii=False,
        )  # fmt: skip


WEEKDAYS = ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日")


def hours(value: float) -> str:
    """3.5 小时, 2.1 天."""
    return f"{value:.1f} 小时" if value < 48 else f"{value / 24:.1f} 天"


def percent(part: int, whole: int) -> str:
    """12%; a dash without a whole."""
    return f"{100 * part / whole:.0f}%" if whole else "—"


def category_name(code: str) -> str:
    """What a category is called; what is not put into one yet, and what is only counted, too."""
    if code == figures.SENSITIVE:
        return SENSITIVE_NAME
    found = categories.load().categories.get(code)
    return found.name if found else "还没分类"


def choices(home: str) -> Iterable[tuple[str, list[regions.Region]]]:
    """The regions a reader may look at, under their prefecture's name."""
    top = regions.get_region(home)
    if top.level == "province":
        yield "全省", [top]
    prefectures = (
        [top] if top.level == "prefecture" else regions.list_regions("prefecture") if top.level == "province" else []
    )
    for prefecture in prefectures:
        yield prefecture.name, [prefecture, *regions.list_regions(parent=prefecture.adcode)]
    if top.level == "county":
        yield top.name, [top]
