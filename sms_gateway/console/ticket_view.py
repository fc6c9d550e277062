"""A ticket as the desk's page shows it: what may be done, to whom it could go, what happened, in words. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from sms_gateway import regions
from sms_gateway.departments import categories, routing, suggesting, units
from sms_gateway.departments.units import Unit
from sms_gateway.errors import HotlineError
from sms_gateway.operators.models import Operator
from sms_gateway.operators.reach import region_of
from sms_gateway.tickets import lifecycle, scope
from sms_gateway.tickets.draft import LABELS, ORDER
from sms_gateway.tickets.lifecycle import Status
from sms_gateway.tickets.models import Accused, Attachment, Dispatch, Extension, Ticket, TicketEvent

from . import words
from .pages import unit_name
from .rules import Act
from .seat import Seat
from .ticket_list import grouped
from .ticket_room import actor_of

WORTH_SAYING = 4.0
"""Score of a suggestion below which the words only brush a category (half of `classing.CLEAR`)."""


@dataclass(frozen=True)
class Line:
    """One event on the page."""

    event: TicketEvent
    who: str
    what: str
    words: str = ""
    files: Sequence[Attachment] = ()
    ticket: int | None = None
    """The other ticket of a merge."""


@dataclass(frozen=True)
class TicketView:
    """What the template asks. `copy`: what would be dispatched now; `numbers`: of other tickets that events name."""

    ticket: Ticket
    seat: Seat
    events: Sequence[TicketEvent]
    others: Sequence[Ticket] = ()
    named: Mapping[int, Operator] = field(default_factory=dict)
    hands: Sequence[Dispatch] = ()
    accused: Sequence[Accused] = ()
    files: Sequence[Attachment] = ()
    extension: Extension | None = None
    returned: TicketEvent | None = None
    copy: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[int, str] = field(default_factory=dict)
    near: Sequence[tuple[str, str]] = ()
    """Of self-harm in red: whom the desk may say it told."""
    calls: Sequence[tuple[int, str]] = ()
    """(talk, words) of escalations and further talks it is linked to."""

    # ---- what may be done ----

    @cached_property
    def may(self) -> frozenset[Status]:
        """Where this seat may move it now."""
        moves = lifecycle.may(self.ticket.status, actor_of(self.seat).who, paused_from=self.ticket.paused_from)
        if not lifecycle.may_withdraw(self.ticket.kind, self.ticket.lane):
            moves -= {Status.WITHDRAWN}
        return moves if self.seat.may(Act.MOVE_TICKETS) else frozenset()

    def can(self, to: str) -> bool:
        return Status(to) in self.may

    @property
    def is_returned(self) -> bool:
        return self.ticket.status == Status.RETURNED

    @property
    def may_dispatch(self) -> bool:
        """A returned one is the lead's to rule on."""
        return self.can("dispatched") and (not self.is_returned or self.seat.may(Act.RULE_TICKETS))

    @property
    def may_resume(self) -> bool:
        return self.ticket.status == Status.CLARIFYING and bool(
            self.ticket.paused_from and Status(self.ticket.paused_from) in self.may
        )

    @property
    def may_send_back(self) -> bool:
        return self.ticket.status == Status.REPLIED and self.can("handling")

    @property
    def needs_meeting(self) -> bool:
        return self.is_returned and self.ticket.returns >= lifecycle.RETURNS_UNTIL_MEETING

    @property
    def may_tell_unit(self) -> bool:
        return bool(self.hands) and self.ticket.closed_at is None

    # ---- what it is, where ----

    @property
    def category(self) -> categories.Category | None:
        return categories.load().categories.get(self.ticket.category or "")

    @cached_property
    def suggestions(self) -> list[suggesting.Suggestion]:
        """Likely categories, without the one it has and without what only sounds a little like it."""
        found = suggesting.suggest(self.said, limit=4)
        return [one for one in found if one.category != self.ticket.category and one.score >= WORTH_SAYING]

    @property
    def said(self) -> str:
        """What the person told, as one text: to choose categories and units by."""
        answers = self.ticket.answers or {}
        return "。".join(answers[name] for name in ("what", "who", "place", "wish") if answers.get(name))

    @property
    def lines(self) -> list[tuple[str, str]]:
        """(label, answer) in the form's order."""
        return labelled(self.ticket.answers or {})

    @property
    def copy_lines(self) -> list[tuple[str, str]]:
        return labelled(self.copy)

    @property
    def tree(self) -> dict[str, list[categories.Category]]:
        """Every category, by branch."""
        return categories.tree()

    @cached_property
    def places(self) -> dict[str, list[regions.Region]]:
        region = region_of(self.seat.operator.unit)
        return grouped(one for one in regions.list_regions() if scope.lies_in(one.adcode, region))

    # ---- to whom ----

    @cached_property
    def route(self) -> routing.Route | None:
        """Who should handle it; None where nobody can be named (`route_trouble` says why)."""
        return self._routed if isinstance(self._routed, routing.Route) else None

    @property
    def route_trouble(self) -> str:
        return self._routed.sentence if isinstance(self._routed, HotlineError) else ""

    @cached_property
    def _routed(self) -> routing.Route | HotlineError:
        ticket = self.ticket
        try:
            return routing.route(
                ticket.category, ticket.place, lane=ticket.lane, words=self.said, sensitivity=ticket.sensitivity,
                complained_of=[one.unit for one in self.accused if one.unit], bodies=bodies_of(self.accused),
            )  # fmt: skip
        except HotlineError as error:
            return error

    @cached_property
    def units(self) -> dict[str, list[Unit]]:
        """Who else it could go to, nearest level first; never who is complained of."""
        return units_around(self.ticket.place, but={one.unit for one in self.accused if one.unit})

    @property
    def main_hand(self) -> Dispatch | None:
        return next((hand for hand in self.hands if hand.role == "main"), None)

    # ---- what happened ----

    @cached_property
    def timeline(self) -> list[Line]:
        """Newest last, as a story is read."""
        return [self._line(event) for event in self.events]

    def _line(self, event: TicketEvent) -> Line:
        other = event.detail.get("into") or event.detail.get("ticket")
        return Line(
            event, self.who(event.who), says(event), event.why or "",
            [one for one in self.files if one.event_id == event.id], other if isinstance(other, int) else None,
        )  # fmt: skip

    def who(self, who: str) -> str:
        """`operator:3` as 07 张三, a unit by its name, `assistant` as 小助手."""
        if who.startswith("operator:"):
            found = self.named.get(int(who[9:]))
            return f"{found.badge} {found.name}" if found else "值班员"
        if who.startswith("unit:"):
            return unit_name(who.split(":")[1])
        return words.WHO.get(who, who)

    @property
    def question(self) -> TicketEvent | None:
        """What the person was asked, while it waits for the answer."""
        if self.ticket.status != Status.CLARIFYING:
            return None
        return next((event for event in reversed(self.events) if event.to_status == Status.CLARIFYING), None)

    @property
    def reply(self) -> TicketEvent | None:
        """The newest reply of a unit."""
        return next((event for event in reversed(self.events) if event.what == Status.REPLIED), None)


def labelled(answers: Mapping[str, str]) -> list[tuple[str, str]]:
    """(label, answer) in the form's order; what no form asked comes last, the county stands elsewhere."""
    order = [name for form in ORDER.values() for name in form]
    known = sorted(answers, key=lambda name: order.index(name) if name in order else len(order))
    return [(LABELS.get(name, name), answers[name]) for name in known if name != "county"]


def units_around(place: str, *, but: set[str] | frozenset[str] = frozenset()) -> dict[str, list[Unit]]:
    """Every unit of a place and of the levels above it, by the place's name, nearest first."""
    found: dict[str, list[Unit]] = {}
    adcode = place
    while adcode:
        found[regions.full_name(adcode)] = [unit for unit in units.list_units(adcode) if unit.code not in but]
        adcode = regions.get_region(adcode).parent_adcode
    return found


def bodies_of(accused: Sequence[Accused]) -> list[str]:
    """Who is complained of, as routing asks: the guardian, a school."""
    found = {"guardian" for one in accused if one.relation in ("guardian", "relative") and one.lives_with is not False}
    found |= {"school" for one in accused if one.relation == "teacher"}
    return sorted(found)


def says(event: TicketEvent) -> str:
    """The event in words, with what its detail adds."""
    base = words.TICKET_EVENTS.get(event.what, event.what)
    added = _ADDED.get(event.what)
    more = added(event.detail) if added else ""
    return f"{base}{more}"


def _dispatched(detail: Mapping[str, object]) -> str:
    co = detail.get("co")
    helpers = "、".join(unit_name(str(code)) for code in co) if isinstance(co, list) else ""
    return f"给{unit_name(str(detail.get('unit') or ''))}" + (f"，协办：{helpers}" if helpers else "")


def _returned(detail: Mapping[str, object]) -> str:
    return f"，说应归{unit_name(str(detail.get('duty') or ''))}" + (
        "；第二次退单，要上会" if detail.get("meeting") else ""
    )


def _named_category(detail: Mapping[str, object]) -> str:
    found = categories.load().categories.get(str(detail.get("category")))
    return f"：{found.name}" if found else ""


def _named_place(detail: Mapping[str, object]) -> str:
    try:
        return f"：{regions.full_name(str(detail.get('place')))}"
    except regions.RegionNotFound:
        return ""


_ADDED: Mapping[str, Callable[[Mapping[str, object]], str]] = {
    "dispatched": _dispatched,
    "returned": _returned,
    "lane": lambda detail: f"到{words.LANES.get(str(detail.get('lane')), '')}色",
    "evaluated": lambda detail: f"：{detail['stars']} 分" if detail.get("stars") else "",
    "reworked": lambda detail: f"（评了 {detail['stars']} 分）" if detail.get("stars") else "",
    "ruled": lambda detail: "：退单成立，改派" if detail.get("stands") else "：退单不成立，还由原单位办",
    "category_set": _named_category,
    "place_set": _named_place,
    "urgent_set": lambda detail: "：紧急" if detail.get("urgent") else "：不紧急",
    "sealed_set": lambda detail: "：保密" if detail.get("sealed") else "：不保密",
    "sensitivity_set": lambda detail: f"：{words.SENSITIVITIES.get(str(detail.get('sensitivity') or ''), '按分类')}",
}
