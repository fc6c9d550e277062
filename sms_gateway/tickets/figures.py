"""A region's figures made from counts by place: rolled up to prefecture and province, put into one JSON value each. Pure.

Every figure is a count a list can show again: the page links it to `filters.Filter` with the same bounds. Sensitive kinds are
named with their number where the region is a prefecture or the province, and put together into one number in a county.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sms_gateway import regions
from sms_gateway.departments import categories

from . import surges
from .models import PROVINCE

WEEKS_SHOWN = 12
WINDOW_DAYS = 90
"""Marks, returns, times and units are counted over matters that came within so many days."""
UNITS_SHOWN = 20
SURGES_SHOWN = 12
MOST_OF = 0.6
NONE = "none"
SENSITIVE = "sensitive"


@dataclass(frozen=True)
class OpenCount:
    """Open matters of one place that are alike. `age`: a key of `filters.AGES`."""

    place: str
    status: str
    lane: str
    age: str
    late: bool
    supervised: bool
    returned: bool
    count: int


@dataclass(frozen=True)
class UnitCount:
    """A unit's matters of one place: `open`, `late` now; the rest of those that came within `WINDOW_DAYS`."""

    place: str
    unit: str | None
    open: int = 0
    late: int = 0
    came: int = 0
    returned: int = 0
    unsolved: int = 0
    answered: int = 0
    """Persons who answered the follow-up, with a mark or with 没解决."""
    marks: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0)
    """How often 1 to 5 was given."""


@dataclass(frozen=True)
class Came:
    """Matters that came on one day (Shanghai's) in one place and category."""

    place: str
    category: str | None
    day: date
    count: int


@dataclass(frozen=True)
class Took:
    """Hours something took, per scope: `what` is `sign`, `reply` or `conclude`."""

    scope: str
    what: str
    count: int
    median: float
    p90: float


@dataclass
class Counts:
    """Everything counted at one moment."""

    today: date
    known_since: date | None
    """Day of the first matter there ever was."""
    open: list[OpenCount] = field(default_factory=list)
    units: list[UnitCount] = field(default_factory=list)
    came: list[Came] = field(default_factory=list)
    took: list[Took] = field(default_factory=list)


def scopes_of(place: str) -> tuple[str, ...]:
    """The province, the prefecture and the county a place lies in."""
    prefecture = place[:4] + "00"
    return tuple(dict.fromkeys((PROVINCE, prefecture, place)))


def week_starts(today: date) -> list[date]:
    """Mondays of the weeks shown, the running one last."""
    monday = today - timedelta(days=today.weekday())
    return [monday - timedelta(weeks=n) for n in reversed(range(WEEKS_SHOWN))]


def first_day(today: date) -> date:
    """The earliest day `Counts.came` has to reach back to."""
    return min(week_starts(today)[0], today - timedelta(days=1 + 7 * surges.WEEKS))


def window_from(today: date) -> date:
    """First day of the window of marks, returns and times."""
    return today - timedelta(days=WINDOW_DAYS - 1)


def make(counts: Counts) -> dict[str, dict[str, Any]]:
    """The figures of every region, by adcode; regions without a matter have zeros."""
    opened, units, came = _by_scope(counts.open), _by_scope(counts.units), _by_scope(counts.came)
    took: dict[str, dict[str, Any]] = defaultdict(dict)
    for each in counts.took:
        took[each.scope][each.what] = {"n": each.count, "median": round(each.median, 1), "p90": round(each.p90, 1)}
    rising = {scope: _surges(scope, came[scope], counts) for scope in came}
    made = {}
    for region in regions.list_regions():
        scope = region.adcode
        made[scope] = {
            "today": counts.today.isoformat(), "since": window_from(counts.today).isoformat(),
            "open": _open(opened[scope]), "came": _recent(came[scope], counts.today), "window": _window(units[scope]),
            "regions": _below(scope, opened, units, came, counts.today), "units": _units(units[scope]),
            "weeks": _weeks(came[scope], counts.today, in_county=region.level == "county"),
            "surges": _surges_within(scope, rising), "took": took[scope],
        }  # fmt: skip
    return made


def _by_scope(rows: Iterable[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        for scope in scopes_of(row.place):
            found[scope].append(row)
    return found


def _open(rows: Iterable[OpenCount]) -> dict[str, Any]:
    stages: dict[str, dict[str, Any]] = {}
    lanes: Counter[str] = Counter()
    total, late, supervised, returned = 0, 0, 0, 0
    for row in rows:
        stage = stages.setdefault(row.status, {"n": 0, "late": 0, "ages": Counter()})
        stage["n"] += row.count
        stage["ages"][row.age] += row.count
        lanes[row.lane] += row.count
        total += row.count
        if row.late:
            stage["late"] += row.count
            late += row.count
        supervised += row.count if row.supervised else 0
        returned += row.count if row.returned else 0
    return {
        "total": total,
        "late": late,
        "supervised": supervised,
        "returned": returned,
        "lanes": lanes,
        "stages": stages,
    }


def _recent(rows: Iterable[Came], today: date) -> dict[str, int]:
    days = Counter[int]()
    for row in rows:
        days[(today - row.day).days] += row.count
    return {"today": days[0], "yesterday": days[1], "week": sum(days[n] for n in range(7))}


def _window(rows: Iterable[UnitCount]) -> dict[str, Any]:
    rows = list(rows)
    sums = {name: sum(getattr(row, name) for row in rows) for name in ("came", "returned", "unsolved", "answered")}
    return sums | {"marks": [sum(row.marks[n] for row in rows) for n in range(5)]}


def _below(
    scope: str, opened: Mapping[str, list[OpenCount]], units: Mapping[str, list[UnitCount]], came: Mapping[str, list[Came]],
    today: date,
) -> list[dict[str, Any]]:  # fmt: skip
    """One row for each region below, and one for what names no place below; the most open ones first."""
    below = [region.adcode for region in regions.list_regions(parent=scope)]
    if not below:
        return []
    found = []
    for code in [*below, scope]:
        here = [row for row in opened.get(code, ()) if code != scope or row.place == scope]
        told = [row for row in units.get(code, ()) if code != scope or row.place == scope]
        fresh = [row for row in came.get(code, ()) if code != scope or row.place == scope]
        found.append(
            {
                "region": code, "open": sum(row.count for row in here), "late": sum(row.count for row in here if row.late),
                "week": _recent(fresh, today)["week"], "answered": sum(row.answered for row in told),
                "unsolved": sum(row.unsolved for row in told),
            }
        )  # fmt: skip
    return sorted(found, key=lambda row: (-row["open"], row["region"]))


def _units(rows: Iterable[UnitCount]) -> list[dict[str, Any]]:
    """The units with most in hand; `late` first among equals."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row.unit is None:
            continue
        unit = found.setdefault(
            row.unit, dict.fromkeys(("open", "late", "came", "returned", "answered", "unsolved", "marks"), 0)
        )
        for name in ("open", "late", "came", "returned", "answered", "unsolved"):
            unit[name] += getattr(row, name)
        unit["marks"] += sum(count * (place + 1) for place, count in enumerate(row.marks))
        unit["marked"] = unit.get("marked", 0) + sum(row.marks)
    listed = [{"unit": code, **unit} for code, unit in found.items()]
    listed.sort(key=lambda unit: (-unit["late"], -unit["open"], -unit["came"], unit["unit"]))
    return listed[:UNITS_SHOWN]


def _weeks(rows: Iterable[Came], today: date, *, in_county: bool) -> dict[str, Any]:
    starts = week_starts(today)
    every = [0] * WEEKS_SHOWN
    by_category: dict[str, list[int]] = {}
    by_branch: dict[str, list[int]] = {}
    tree = categories.load()
    for row in rows:
        place = (row.day - starts[0]).days // 7
        if not 0 <= place < WEEKS_SHOWN:
            continue
        leaf = tree.categories.get(row.category or "")
        branch = leaf.branch if leaf else NONE
        for counts in (
            every,
            by_branch.setdefault(branch, [0] * WEEKS_SHOWN),
            by_category.setdefault(_shown_as(row.category, in_county=in_county), [0] * WEEKS_SHOWN),
        ):
            counts[place] += row.count
    return {
        "starts": [start.isoformat() for start in starts],
        "all": every,
        "branches": by_branch,
        "categories": by_category,
    }


def _shown_as(category: str | None, *, in_county: bool) -> str:
    if category is None:
        return NONE
    return SENSITIVE if in_county and is_sensitive(category) else category


def is_sensitive(category: str | None) -> bool:
    """Whether a category goes to the handling unit and the police only: its matters are counted, never listed by it."""
    return bool(category) and category != NONE and category not in categories.ordinary_codes()


def _surges(scope: str, rows: Iterable[Came], counts: Counts) -> list[dict[str, Any]]:
    """Today so far and yesterday, against the same weekdays before, by category and for all together."""
    if counts.known_since is None:
        return []
    by_day: dict[str, Counter[date]] = defaultdict(Counter)
    for row in rows:
        by_day[""][row.day] += row.count
        by_day[row.category or NONE][row.day] += row.count
    found = []
    for day in (counts.today, counts.today - timedelta(days=1)):
        same = [day - timedelta(weeks=n) for n in range(1, surges.WEEKS + 1)]
        known = [one for one in same if one >= counts.known_since]
        for category, days in by_day.items():
            surge = surges.find(days[day], [days[one] for one in known])
            if surge is not None:
                found.append(
                    {
                        "region": scope, "category": category, "day": day.isoformat(), "count": surge.count, "usual": surge.usual,
                        "unlikely": surge.unlikely,
                    }
                )  # fmt: skip
    return found


def _surges_within(scope: str, rising: Mapping[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Its own and those of the regions below, the least likely first; one that another explains is left out."""
    below = [each for region, found in rising.items() if scope in scopes_of(region) for each in found]
    kept = [each for each in below if not any(_explains(other, each) for other in below)]
    return sorted(kept, key=lambda each: (each["unlikely"], each["region"], each["category"]))[:SURGES_SHOWN]


def _explains(other: Mapping[str, Any], each: Mapping[str, Any]) -> bool:
    """Whether `other` is what `each` consists of: the same day, a part of its region or one of all categories, most of its count."""
    if other["day"] != each["day"] or other is each:
        return False
    narrower = each["region"] in scopes_of(other["region"]) and each["category"] in ("", other["category"])
    return narrower and other["count"] >= MOST_OF * each["count"]
