"""Who may see a matter: one table, read by `sight_of` for one ticket and compiled to SQL for lists. Pure; deny by default.

Sources: DESIGN section 1 (full data by duty at the same level, sensitive matters to handler and police only), PRACTICE
section 9 (handlers see what handling needs, the lead body everything without reporters, the rest numbers).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import lru_cache

from . import categories
from .units import Level, Unit, UnitCodeMalformed, UnitNotFound, get_unit, lead_of

POLICE = "police"
HARM_LANES = ("red", "orange")


class Sight(StrEnum):
    NONE = "none"
    COUNTS = "counts"
    """Only within totals."""
    WITHOUT_REPORTER = "without_reporter"
    FULL = "full"
    """What handling needs; the reporter only where the reporter allowed it."""

    @property
    def rank(self) -> int:
        return _RANK.index(self)

    def reaches(self, least: Sight) -> bool:
        return self.rank >= least.rank


_RANK = [Sight.NONE, Sight.COUNTS, Sight.WITHOUT_REPORTER, Sight.FULL]


class Standing(StrEnum):
    """What a unit is to a matter; it may be several things at once, and sees what the best of them allows."""

    HANDLING = "handling"
    """Main or co of a dispatch that was not returned."""
    COPIED = "copied"
    LEAD = "lead"
    """The lead body of its place."""
    POLICE = "police"
    DUTY = "duty"
    """Its department is main or co of the category."""
    OTHER = "other"
    """Any unit."""


class Reach(StrEnum):
    """Where a unit stands to the matter's place and level."""

    SAME = "same"
    """Same level, and the place lies in its region."""
    ABOVE = "above"
    """A higher level, and the place lies in its region."""
    ELSEWHERE = "elsewhere"
    """Everywhere else, units below the matter's level among them."""


class Secrecy(IntEnum):
    ORDINARY = 0
    SENSITIVE = 1


_N, _C, _W, _F = Sight.NONE, Sight.COUNTS, Sight.WITHOUT_REPORTER, Sight.FULL
_O, _S = Secrecy.ORDINARY, Secrecy.SENSITIVE

TABLE: Mapping[tuple[Standing, Reach, Secrecy], Sight] = {
    # who                                  ordinary                                   sensitive
    (Standing.HANDLING, Reach.SAME, _O): _F,      (Standing.HANDLING, Reach.SAME, _S): _F,
    (Standing.HANDLING, Reach.ABOVE, _O): _F,     (Standing.HANDLING, Reach.ABOVE, _S): _F,
    (Standing.HANDLING, Reach.ELSEWHERE, _O): _F, (Standing.HANDLING, Reach.ELSEWHERE, _S): _F,
    (Standing.COPIED, Reach.SAME, _O): _W,        (Standing.COPIED, Reach.SAME, _S): _C,
    (Standing.COPIED, Reach.ABOVE, _O): _W,       (Standing.COPIED, Reach.ABOVE, _S): _C,
    (Standing.COPIED, Reach.ELSEWHERE, _O): _W,   (Standing.COPIED, Reach.ELSEWHERE, _S): _C,
    (Standing.LEAD, Reach.SAME, _O): _W,          (Standing.LEAD, Reach.SAME, _S): _C,
    (Standing.LEAD, Reach.ABOVE, _O): _C,         (Standing.LEAD, Reach.ABOVE, _S): _C,
    (Standing.LEAD, Reach.ELSEWHERE, _O): _N,     (Standing.LEAD, Reach.ELSEWHERE, _S): _N,
    (Standing.POLICE, Reach.SAME, _O): _N,        (Standing.POLICE, Reach.SAME, _S): _W,
    (Standing.POLICE, Reach.ABOVE, _O): _N,       (Standing.POLICE, Reach.ABOVE, _S): _C,
    (Standing.POLICE, Reach.ELSEWHERE, _O): _N,   (Standing.POLICE, Reach.ELSEWHERE, _S): _N,
    (Standing.DUTY, Reach.SAME, _O): _W,          (Standing.DUTY, Reach.SAME, _S): _N,
    (Standing.DUTY, Reach.ABOVE, _O): _C,         (Standing.DUTY, Reach.ABOVE, _S): _N,
    (Standing.DUTY, Reach.ELSEWHERE, _O): _N,     (Standing.DUTY, Reach.ELSEWHERE, _S): _N,
    (Standing.OTHER, Reach.SAME, _O): _C,         (Standing.OTHER, Reach.SAME, _S): _N,
    (Standing.OTHER, Reach.ABOVE, _O): _N,        (Standing.OTHER, Reach.ABOVE, _S): _N,
    (Standing.OTHER, Reach.ELSEWHERE, _O): _N,    (Standing.OTHER, Reach.ELSEWHERE, _S): _N,
}  # fmt: skip
"""A cell that is not here would be `Sight.NONE`. A unit complained of never comes to the table: it sees nothing."""


@dataclass(frozen=True)
class Facts:
    """What decides about a matter. `units` handle it (main or co, not returned), `copied` were sent a copy; all unit codes.

    `place`: adcode of any level; `sensitivity`: None for the category's default, "none" where a person said it is not.
    """

    category: str | None
    place: str
    level: str
    lane: str
    sensitivity: str | None
    units: frozenset[str]
    complained_of: frozenset[str]
    sealed: bool = False
    copied: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Term:
    """What a matter must be for a reader: of this standing, at one of these reaches, and, unless None, of this secrecy."""

    standing: Standing
    reaches: frozenset[Reach]
    secrecy: Secrecy | None


@dataclass(frozen=True)
class View:
    """What is fixed about one reader, whatever the matter: the declarative form a list filter is compiled from."""

    unit: Unit
    standings: frozenset[Standing]
    """Those it has by what it is; `HANDLING`, `COPIED` and `DUTY` depend on the matter and are always possible."""
    duties: frozenset[str]
    place_prefix: str
    """Places of its region begin with this: "53", "5306", "530627"."""
    levels: Mapping[Reach, tuple[Level, ...]]
    """Levels a matter in its region may have, by reach; `ELSEWHERE` is what is left."""

    def terms(self, least: Sight) -> list[Term]:
        """The cells of `TABLE` that let this reader see at least `least`, put together: it sees what fits any of them."""
        terms = []
        for standing in sorted(self.standings):
            reaches = {
                secrecy: frozenset(
                    reach for reach in self.reaches if TABLE.get((standing, reach, secrecy), Sight.NONE).reaches(least)
                )
                for secrecy in Secrecy
            }
            if reaches[Secrecy.ORDINARY] == reaches[Secrecy.SENSITIVE]:
                terms.append(Term(standing, reaches[Secrecy.ORDINARY], None))
            else:
                terms += [Term(standing, allowed, secrecy) for secrecy, allowed in reaches.items()]
        return [term for term in terms if term.reaches]

    @property
    def reaches(self) -> frozenset[Reach]:
        """Those a matter can have for this reader: nothing lies below a county."""
        return frozenset({Reach.ELSEWHERE, *(reach for reach, levels in self.levels.items() if levels)})


_PREFIX = {Level.PROVINCE: 2, Level.PREFECTURE: 4, Level.COUNTY: 6}
_FROM_TOP = list(Level)


@lru_cache(maxsize=4096)
def view_of(code: str) -> View | None:
    """None for a code that is no unit: it sees nothing."""
    try:
        unit = get_unit(code)
    except (UnitNotFound, UnitCodeMalformed):
        return None
    held = {Standing.HANDLING, Standing.COPIED, Standing.DUTY, Standing.OTHER}
    if unit == lead_of(unit.adcode):
        held.add(Standing.LEAD)
    if unit.dept == POLICE:
        held.add(Standing.POLICE)
    below = tuple(_FROM_TOP[_FROM_TOP.index(unit.level) + 1 :])
    return View(
        unit=unit,
        standings=frozenset(held),
        duties=categories.duties_of(unit.dept, unit.level),
        place_prefix=unit.adcode[: _PREFIX[unit.level]],
        levels={Reach.SAME: (unit.level,), Reach.ABOVE: below},
    )


def is_sensitive(facts: Facts) -> bool:
    """Sealed; of a sensitive kind, or an unknown one; or harm that nobody has put into a category yet."""
    unsorted_harm = facts.category is None and facts.sensitivity is None and facts.lane in HARM_LANES
    return facts.sealed or unsorted_harm or categories.is_sensitive(facts.category, facts.sensitivity)


def sight_of(unit: str, facts: Facts) -> Sight:
    """How much of a matter a unit may see; `NONE` for a code that is no unit. Never raises."""
    view = view_of(unit)
    if view is None or unit in facts.complained_of:
        return Sight.NONE
    reach, secrecy = _reach(view, facts), Secrecy(is_sensitive(facts))
    seen = [TABLE.get((standing, reach, secrecy), Sight.NONE) for standing in _standings(view, facts)]
    return max(seen, key=lambda sight: sight.rank, default=Sight.NONE)


def _standings(view: View, facts: Facts) -> set[Standing]:
    code = view.unit.code
    depends = {
        Standing.HANDLING: code in facts.units,
        Standing.COPIED: code in facts.copied,
        Standing.DUTY: facts.category in view.duties,
    }
    return {standing for standing in view.standings if depends.get(standing, True)}


def _reach(view: View, facts: Facts) -> Reach:
    if facts.place.startswith(view.place_prefix):
        for reach, levels in view.levels.items():
            if facts.level in levels:
                return reach
    return Reach.ELSEWHERE
