"""To whom a matter goes: by category, place and level, never to whom it is about. Pure; says why, in Chinese, to the operator."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from sms_gateway import regions
from sms_gateway.errors import BadInput, Conflict

from .categories import SUPERIOR, Category, get_category, is_sensitive
from .units import Level, Unit, at_level, directory, get_unit, lead_of, level_of, unit_at

POLICE, CIVIL, SCHOOLS, WATCHDOG = "police", "civil", "edu", "discipline"
HARM_LANES = ("red", "orange")
_TOP_DOWN = list(Level)
_LEVEL_NAMES = {Level.PROVINCE: "省级", Level.PREFECTURE: "州市", Level.COUNTY: "县区"}


class LevelUnknown(BadInput):
    sentence = "办理层级只有 province（省）、prefecture（州市）、county（县区）。"


class NobodyLeft(Conflict):
    sentence = "能办的单位都是被反映的一方，请值班长报省领导小组研究。"


class Body(StrEnum):
    """Who is complained of, where it is no unit with a code of its own."""

    SCHOOL = "school"
    POLICE = "police"
    GUARDIAN = "guardian"
    INSTITUTION = "institution"
    """A welfare home, rescue station or protection centre."""


@dataclass(frozen=True)
class Route:
    """`co` are sent it together with `main`; `choices` could be main instead (one may also be in `co`); `optional` are added one by one when needed."""

    main: Unit
    co: tuple[Unit, ...]
    level: Level
    choices: tuple[Unit, ...]
    optional: tuple[Unit, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class _Plan:
    """Departments, before they become units; "" is the lead body, which differs from place to place."""

    main: str
    co: tuple[str, ...]
    choices: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Case:
    """What is asked, and the reasons found on the way."""

    known: Category | None
    harm: bool
    red: bool
    sensitive: bool
    words: str
    accused: list[Unit]
    about: frozenset[Body]
    reasons: list[str] = field(default_factory=list)

    def say(self, reason: str) -> None:
        if reason not in self.reasons:
            self.reasons.append(reason)


def route(
    category: str | None, place: str, *, level: str | None = None, lane: str = "blue", words: str = "",
    sensitivity: str | None = None, complained_of: Iterable[str] = (), bodies: Iterable[str] = (),
) -> Route:  # fmt: skip
    """Who handles a matter of `category` (None: nobody knows yet) at `place` (adcode of any level).

    `level`: where it is to be handled at least; None for the lowest that is known. `words` choose among several main
    departments of one category. `complained_of`: unit codes; `bodies`: values of `Body`. Raises `CategoryNotFound`,
    `RegionNotFound`, `UnitNotFound`, `LevelUnknown`, `NobodyLeft`, and ValueError for a body that is none.
    """
    case = _Case(
        known=get_category(category) if category is not None else None,
        harm=lane in HARM_LANES,
        red=lane == "red",
        sensitive=is_sensitive(category, sensitivity),
        words=words,
        accused=[get_unit(code) for code in complained_of],
        about=frozenset(Body(body) for body in bodies),
    )
    spot = _spot(case, place, level)
    plan = _kept_close(case, _with_rescue(case, _by_duty(case)))
    _notes(case)
    return _placed(case, plan, spot)


def _spot(case: _Case, place: str, level: str | None) -> str:
    """The adcode at which it is handled: the lowest known, and always above a body that it is about."""
    here = level_of(place)
    try:
        wanted = here if level is None else Level(level)
    except ValueError:
        raise LevelUnknown from None
    nearest = spot = at_level(place, wanted)
    involved = [unit for unit in case.accused if at_level(place, unit.level) == unit.adcode]
    if Body.POLICE in case.about and not any(unit.dept == POLICE for unit in case.accused):
        involved.append(unit_at(POLICE, spot))
    for unit in sorted(involved, key=lambda unit: _TOP_DOWN.index(unit.level), reverse=True):
        spot = _above(case, spot, unit)
    if here is not Level.COUNTY:
        case.say(f"具体县区还不清楚，先派{_LEVEL_NAMES[level_of(spot)]}，由它转派；请补问在哪个县。")
    elif spot == nearest:
        case.say(f"地点在{regions.full_name(place)}，由{_LEVEL_NAMES[level_of(spot)]}办。")
    return spot


def _above(case: _Case, spot: str, unit: Unit) -> str:
    """One level above a body complained of; neither it nor a colleague of its level handles the matter."""
    if _TOP_DOWN.index(level_of(spot)) < _TOP_DOWN.index(unit.level):
        return spot
    parent = regions.get_region(unit.adcode).parent_adcode
    if not parent:
        case.say(f"被反映的是{unit.name}，省里没有更高一级：在省级办，不派给它，也不派给它的下级。")
        return unit.adcode
    case.say(f"被反映的是{unit.name}，不派给它和同级单位，上提到{_LEVEL_NAMES[level_of(parent)]}。")
    return parent


def _by_duty(case: _Case) -> _Plan:
    known = case.known
    if known is None:
        if not case.harm:
            case.say("职责一时分不清，派牵头单位统筹，民政协办。")
        return _Plan("", (CIVIL,))
    if SUPERIOR in known.main:
        main = _supervising(case)
        case.say(
            f"“{known.name}”由被反映单位的上级主管部门办。" + ("" if main else "还不知道是哪个单位，先派牵头单位。")
        )
        return _Plan(main, known.co)
    main = next(
        (dept for dept, said in known.choose.items() if any(word in case.words for word in said)), known.main[0]
    )
    others = tuple(dept for dept in known.main if dept != main)
    name = directory().departments[main].short
    case.say(f"“{known.name}”由{name}主办（依据：{known.basis}；分工建议，可改派）。")
    return _Plan(main, known.co, choices=others) if known.choose else _Plan(main, (*others, *known.co))


def _supervising(case: _Case) -> str:
    """The department that stands above the body complained of; "" for the lead body."""
    if case.accused:
        return case.accused[0].dept
    for body, dept in ((Body.POLICE, POLICE), (Body.SCHOOL, SCHOOLS), (Body.INSTITUTION, CIVIL)):
        if body in case.about:
            return dept
    return ""


def _with_rescue(case: _Case, plan: _Plan) -> _Plan:
    """Where a child is hurt or may be, police and civil affairs are told, whoever else has the duty (DESIGN section 5)."""
    if case.known is None and case.harm:
        case.say("涉及人身危险或疑似侵害，还没分类：公安主办，民政协办；牵头单位分清职责后再加。")
        return _Plan(POLICE, (CIVIL,), optional=("",))
    if case.red:
        case.say("涉及人身危险，公安主办，民政协办管监护；同时按紧急程序转 110，不等工单。")
        return _Plan(POLICE, (CIVIL, plan.main, *plan.co), plan.choices)
    if case.harm:
        case.say("橙色事项，两小时内要告知公安和民政，都列入。")
        return _Plan(plan.main, (POLICE, CIVIL, *plan.co), plan.choices)
    return plan


def _kept_close(case: _Case, plan: _Plan) -> _Plan:
    """A sensitive matter goes to who handles it and the police (DESIGN section 1); to civil affairs where a child is hurt."""
    if not case.sensitive:
        return plan
    case.say("敏感事项，默认只给主办和公安；其他协办确有需要时由值班员逐个加。")
    allowed = {POLICE, CIVIL} if case.harm else {POLICE}
    kept = [dept for dept in plan.co if dept in allowed]
    if POLICE not in (plan.main, *kept):
        kept.append(POLICE)
    return _Plan(
        plan.main, tuple(kept), plan.choices, (*plan.optional, *(dept for dept in plan.co if dept not in allowed))
    )


def _notes(case: _Case) -> None:
    spared = {"school" if Body.SCHOOL in case.about else "", "shelter" if Body.INSTITUTION in case.about else ""}
    told = [directory().below[code] for code in (case.known.below if case.known else ()) if code not in spared]
    if told and not case.sensitive and not case.harm:  # a village knows who talked
        case.say(f"当地先找{'、'.join(below.name for below in told)}，工单派给它的主管部门。")
    if Body.SCHOOL in case.about:
        case.say("被反映的是学校：派教育体育部门，不派学校，也不把原话转给学校。")
    if Body.INSTITUTION in case.about:
        case.say("被反映的是机构：派它的主管部门，不派机构本身。")
    if Body.POLICE in case.about or any(unit.dept == POLICE for unit in case.accused):
        case.say("反映民警违纪违法的，同时告知可以打 12389。")
    if Body.GUARDIAN in case.about:
        case.say("被反映的是监护人：不通过监护人核实，工单对监护人不可见。")


def _placed(case: _Case, plan: _Plan, spot: str) -> Route:
    """The plan's departments as units of the place; whoever is complained of is left out."""

    def unit_of(dept: str) -> Unit:
        return unit_at(dept, spot) if dept else lead_of(spot)

    def units_of(departments: Iterable[str], *besides: Unit) -> tuple[Unit, ...]:
        units = dict.fromkeys(unit_of(dept) for dept in departments)
        return tuple(unit for unit in units if unit not in case.accused and unit not in besides)

    main = _first_not_accused(case, unit_of, plan)
    if main.level is not level_of(spot):
        case.say(f"{_LEVEL_NAMES[level_of(spot)]}没有单设这个单位，派{main.name}。")
    co = units_of(plan.co, main)
    choices = units_of(plan.choices, main)
    optional = units_of(plan.optional, main, *co)
    return Route(main, co, level_of(spot), choices, optional, tuple(case.reasons))


def _first_not_accused(case: _Case, unit_of: Callable[[str], Unit], plan: _Plan) -> Unit:
    """The main department, else the lead body, else the supervisory commission: at the province nobody stands above."""
    wanted = unit_of(plan.main)
    for unit in (wanted, unit_of(""), unit_of(WATCHDOG)):
        if unit not in case.accused:
            if unit != wanted:
                case.say(f"主办单位正是被反映的一方，改派{unit.name}。")
            return unit
    raise NobodyLeft
