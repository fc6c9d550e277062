"""A region's figures as the page shows them: every number with the list behind it, every chart with its table's numbers. No I/O.

A chart is drawn from `Chart.data`, which a script reads from an attribute; without scripts the tables say the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from sms_gateway import regions
from sms_gateway.departments import categories
from sms_gateway.tickets import figures
from sms_gateway.tickets.filters import AGES, Filter
from sms_gateway.tickets.lifecycle import CLOSED, Status
from sms_gateway.tickets.models import PROVINCE

from . import words
from .figures_parts import WEEKDAYS, Chart, Number, Row, category_name, hours, percent
from .pages import unit_name

AGE_NAMES = {
    "0-1": "1 天内", "1-3": "1–3 天", "3-7": "3–7 天", "7-15": "7–15 天", "15-30": "15–30 天", "30-": "30 天以上",
}  # fmt: skip
TOOK_NAMES = {"sign": "派单到签收", "reply": "派单到答复", "conclude": "来信到办结"}
SETTLED = ("concluded", "followed_up", "evaluated")
OTHER_BRANCH = "未分类"
CATEGORIES_SHOWN = 15


@dataclass(frozen=True)
class Page:
    """The figures of one region, as counted."""

    scope: str
    figures: Mapping[str, Any]
    here: Filter = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "here", Filter() if self.scope == PROVINCE else Filter(region=self.scope))

    def behind(self, **changes: object) -> str:
        """The address of the list behind a number of this region."""
        return self.here.href(**changes)

    @property
    def since(self) -> date:
        return date.fromisoformat(self.figures["since"])

    @property
    def today(self) -> date:
        return date.fromisoformat(self.figures["today"])

    # ---- open now ----

    @property
    def tiles(self) -> list[tuple[str, Number]]:
        now, came = self.figures["open"], self.figures["came"]
        yesterday = self.today - timedelta(days=1)
        return [
            ("在办", Number(now["total"], self.behind())),
            ("超时", Number(now["late"], self.behind(show="late"), alarming=now["late"] > 0)),
            ("红色、橙色在办", Number(now["lanes"].get("red", 0) + now["lanes"].get("orange", 0), self.behind(show="danger"))),
            ("督办中", Number(now["supervised"], self.behind(supervised=True))),
            ("退过单还在办", Number(now["returned"], self.behind(returned=True))),
            ("今天来的", Number(came["today"], self._days(self.today, self.today))),
            ("昨天来的", Number(came["yesterday"], self._days(yesterday, yesterday))),
            ("近 7 天来的", Number(came["week"], self._days(self.today - timedelta(days=6), self.today))),
        ]  # fmt: skip

    def _days(self, first: date, last: date, **more: object) -> str:
        return self.behind(show="all", opened_from=first, opened_to=last, **more)

    @cached_property
    def stages(self) -> list[Row]:
        """One line for each open state, in the order of the loop: total, late, then by age."""
        found = []
        counted = self.figures["open"]["stages"]
        for status in Status:
            if status in CLOSED or status.value not in counted:
                continue
            stage, one = counted[status.value], (status.value,)
            ages = [Number(stage["ages"].get(age, 0), self.behind(status=one, age=age)) for age in AGES]
            late = Number(stage["late"], self.behind(status=one, show="late"), alarming=stage["late"] > 0)
            found.append(Row(words.STATUSES[status.value], [Number(stage["n"], self.behind(status=one)), late, *ages]))
        return found

    @property
    def stage_chart(self) -> Chart:
        ages = list(AGE_NAMES.values())
        values = [(name, [int(row.numbers[2 + place].value) for row in self.stages]) for place, name in enumerate(ages)]
        links = [[row.numbers[2 + place].href for row in self.stages] for place in range(len(ages))]
        return Chart("stages", "在办工单在哪一步、来了多久", "stack", [row.name for row in self.stages], values, links)

    # ---- where ----

    @cached_property
    def places(self) -> list[Row]:
        rows = self.figures["regions"]
        most = max((row["open"] for row in rows), default=0) or 1
        found = []
        for row in rows:
            code, exact = row["region"], row["region"] == self.scope
            here = Filter(region=code, exact=exact)
            week = here.href(show="all", opened_from=self.today - timedelta(days=6), opened_to=self.today)
            told = here.href(show="all", opened_from=self.since, marked="any")
            unsolved = here.href(show="all", opened_from=self.since, marked="unsolved")
            found.append(
                Row(
                    self._place(code, exact=exact),
                    [
                        Number(row["open"], here.href()), Number(row["late"], here.href(show="late"), alarming=row["late"] > 0),
                        Number(row["week"], week), Number(row["answered"], told), Number(row["unsolved"], unsolved),
                        Number(percent(row["unsolved"], row["answered"]), unsolved),
                    ],
                    "" if exact else f"/figures?region={code}", round(100 * row["open"] / most), round(100 * row["late"] / most),
                )
            )  # fmt: skip
        return found

    def _place(self, code: str, *, exact: bool) -> str:
        if exact:
            return "没说哪个州市" if code == PROVINCE else "没说哪个县"
        return regions.get_region(code).name

    @property
    def region_chart(self) -> Chart:
        named = [row for row in self.places if row.numbers[0].value]
        in_time = [int(row.numbers[0].value) - int(row.numbers[1].value) for row in named]
        late = [int(row.numbers[1].value) for row in named]
        links = [[row.numbers[0].href for row in named], [row.numbers[1].href for row in named]]
        return Chart(
            "regions", "各地在办", "bars", [row.name for row in named], [("没超时", in_time), ("超时", late)], links
        )

    @cached_property
    def handlers(self) -> list[Row]:
        found = []
        for row in self.figures["units"]:
            here = Filter(region=self.here.region, unit=row["unit"])
            mean = f"{row['marks'] / row['marked']:.1f}" if row.get("marked") else "—"
            found.append(
                Row(
                    unit_name(row["unit"]),
                    [
                        Number(row["open"], here.href()), Number(row["late"], here.href(show="late"), alarming=row["late"] > 0),
                        Number(row["came"], here.href(show="all", opened_from=self.since)), Number(row["returned"], here.href(show="all", opened_from=self.since, returned=True)),
                        Number(mean, here.href(show="all", opened_from=self.since, marked="any")), Number(row["unsolved"], here.href(show="all", opened_from=self.since, marked="unsolved")),
                        Number(percent(row["unsolved"], row["answered"]), here.href(show="all", opened_from=self.since, marked="any")),
                    ], here.href(),
                )
            )  # fmt: skip
        return found

    # ---- what ----

    @property
    def surges(self) -> list[tuple[str, Number, str]]:
        """(where and what, how many, against what)."""
        return [self._surge(each) for each in self.figures["surges"]]

    def _surge(self, each: Mapping[str, Any]) -> tuple[str, Number, str]:
        day, category = date.fromisoformat(each["day"]), each["category"]
        place = "全省" if each["region"] == PROVINCE else regions.full_name(each["region"])
        when = "今天到现在" if day == self.today else "昨天"
        behind = Filter(
            show="all",
            region="" if each["region"] == PROVINCE else each["region"],
            category=category,
            opened_from=day,
            opened_to=day,
        )
        href = "" if figures.is_sensitive(category) else behind.href()
        usual = f"平常{WEEKDAYS[day.weekday()]} {each['usual']:g} 件"
        return (
            f"{place} · {category_name(category) if category else '全部事项'} · {when}",
            Number(each["count"], href),
            usual,
        )

    @cached_property
    def weeks(self) -> list[Row]:
        """Categories, those with most this week and last first: this week, last, mean of the four before, all twelve."""
        counted = self.figures["weeks"]["categories"]
        order = sorted(counted, key=lambda code: (-sum(counted[code][-2:]), -sum(counted[code]), code))
        return [self._week_row(code, counted[code]) for code in order[:CATEGORIES_SHOWN]]

    def _week_row(self, code: str, counts: Sequence[int]) -> Row:
        starts = [date.fromisoformat(start) for start in self.figures["weeks"]["starts"]]

        def between(first: int, last: int) -> str:
            if code == figures.SENSITIVE or figures.is_sensitive(code):
                return ""
            return self._days(starts[first], starts[last] + timedelta(days=6), category=code)

        end = len(counts) - 1
        before = sum(counts[end - 5 : end - 1]) / 4
        return Row(
            category_name(code),
            [
                Number(counts[end], between(end, end)), Number(counts[end - 1], between(end - 1, end - 1)),
                Number(f"{before:.1f}".removesuffix(".0"), between(end - 5, end - 2)), Number(sum(counts), between(0, end)),
            ],
        )  # fmt: skip

    @property
    def week_chart(self) -> Chart:
        tree, counted = categories.load(), self.figures["weeks"]
        starts = [date.fromisoformat(start) for start in counted["starts"]]
        branches = [code for code in [*tree.branches, figures.NONE] if code in counted["branches"]]
        names = [tree.branches.get(code, OTHER_BRANCH) for code in branches]
        values = [(name, counted["branches"][code]) for name, code in zip(names, branches, strict=True)]
        links = [[self._days(start, start + timedelta(days=6), category=code) for start in starts] for code in branches]
        return Chart(
            "weeks",
            "每周来的，按六大保护",
            "lines",
            [*(f"{start:%m-%d}" for start in starts[:-1]), "本周"],
            values,
            links,
        )

    # ---- how well ----

    @property
    def marks(self) -> list[tuple[str, Number]]:
        """5 best … 1 worst, and 没解决 as a share of who answered."""
        window = self.figures["window"]
        given = [
            (f"{mark} 分", Number(window["marks"][mark - 1], self._window(marked=str(mark))))
            for mark in range(5, 0, -1)
        ]
        share = percent(window["unsolved"], window["answered"])
        return [
            *given, ("回答回访的", Number(window["answered"], self._window(marked="any"))),
            ("说没解决的", Number(window["unsolved"], self._window(marked="unsolved"))),
            ("没解决占比", Number(share, self._window(marked="unsolved"))),
            ("退过单的", Number(window["returned"], self._window(returned=True))),
        ]  # fmt: skip

    def _window(self, **more: object) -> str:
        return self.behind(show="all", opened_from=self.since, **more)

    @property
    def took(self) -> list[Row]:
        found = []
        for what, name in TOOK_NAMES.items():
            each = self.figures["took"].get(what)
            behind = self._window(status=SETTLED) if what == "conclude" else self._window()
            shown: list[int | str] = [each["n"], hours(each["median"]), hours(each["p90"])] if each else [0, "—", "—"]
            found.append(Row(name, [Number(value, behind) for value in shown]))
        return found
