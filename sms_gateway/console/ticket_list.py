"""The desk's list of tickets: what waits, what is late, what came back; every filter is in the address."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import regions
from sms_gateway.conversations import recusing
from sms_gateway.database import transaction
from sms_gateway.departments import categories, units
from sms_gateway.operators.reach import region_of
from sms_gateway.tickets import filters, listing, scope
from sms_gateway.tickets import overview as tickets
from sms_gateway.tickets.filters import Filter
from sms_gateway.tickets.numbers import find_number

from . import pages, words
from .filter_words import described
from .seat import Seat, SeeingTickets

router = APIRouter()

TABS = {"open": "在办", "danger": "红和橙", "late": "超时", "closed": "已结"}
"""What the list may show, by its word in the address."""
LONGEST_MARK = 80


def chips(seat: Seat) -> dict[str, Filter]:
    """Narrower lists with one click, by name: what waits for the desk."""
    return {
        "等派单": Filter(status=("accepted",)), "被退回": Filter(status=("returned",)), "待补充": Filter(status=("clarifying",)),
        "已答复，等办结": Filter(status=("replied",)), "重办": Filter(status=("reworked",)), "问了没回": Filter(unanswered=True), "要人工转": Filter(by_hand=True), "要延期": Filter(extension=True),
        "督办中": Filter(supervised=True), "我经手的": Filter(by=seat.operator.id),
    }  # fmt: skip


@router.get("/tickets")
async def show_tickets(request: Request, seat: SeeingTickets, number: str = "", after: str = "") -> Response:
    """The list; a number leads to its ticket."""
    within = filters.reach(seat.operator.role, seat.operator.unit) & recusing.tickets_open_to(seat.operator.id)
    wanted = Filter.from_query(request.query_params)
    async with transaction() as session:
        if (found := await _find(session, seat, number)) is not None:
            return RedirectResponse(f"/tickets/{found}", status_code=303)
        page = await listing.list_page(session, wanted, within=within, after=after[:LONGEST_MARK])
        tabs = await _counted(session, ((name, Filter(show=key)) for key, name in TABS.items()), within)
        narrower = await _counted(session, chips(seat).items(), within)
    return pages.render(
        "tickets.html", seat=seat, page=page, wanted=wanted, tabs=tabs, chips=narrower, after=after, choices=choices(seat, wanted),
        missing=number.strip()[:20] if number.strip() else "", next_page=_next(wanted, page.after), by_term=listing.is_by_term(wanted),
        described=described(wanted),
    )  # fmt: skip


async def _find(session: AsyncSession, seat: Seat, number: str) -> int | None:
    """The id of the ticket with the number somebody wrote, where this seat may open it."""
    written = find_number(number) if number else None
    found = await tickets.find_by_number(session, written) if written else None
    if found is None or not scope.lies_in(found.place, region_of(seat.operator.unit)):
        return None
    return found.id


async def _counted(
    session: AsyncSession, lists: Iterable[tuple[str, Filter]], within: Any
) -> list[tuple[str, Filter, str]]:
    """(name, filter, how many in words) of each list."""
    return [(name, one, _said(await listing.count(session, one, within=within))) for name, one in lists]


def _said(count: int) -> str:
    return f"{listing.COUNT_TO}+" if count > listing.COUNT_TO else str(count)


def _next(wanted: Filter, after: str) -> str:
    if not after:
        return ""
    address = wanted.href()
    return f"{address}{'&' if '?' in address else '?'}after={after}"


def choices(seat: Seat, wanted: Filter) -> dict[str, Any]:
    """What the filters' boxes offer; a region's desk chooses among its own places."""
    region = region_of(seat.operator.unit)
    places = [one for one in regions.list_regions() if scope.lies_in(one.adcode, region)]
    return {
        "places": grouped(places), "categories": categories.tree(), "branches": categories.load().branches,
        "units": units.list_units(wanted.region or region or units.PROVINCE), "statuses": words.STATUSES, "kinds": words.KINDS,
    }  # fmt: skip


def grouped(places: Iterable[regions.Region]) -> dict[str, list[regions.Region]]:
    """Places under the name of their prefecture, itself first; the province under its own."""
    named: dict[str, list[regions.Region]] = {}
    for place in places:
        parent = place.adcode if place.level != "county" else place.parent_adcode
        named.setdefault(regions.full_name(parent), []).append(place)
    return named
