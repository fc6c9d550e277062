"""Looking for tickets: by number or its end, by everything a list is narrowed to, and by words. Words are posted, never in an address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import logs
from sms_gateway.conversations import recusing
from sms_gateway.database import transaction
from sms_gateway.departments import categories
from sms_gateway.operators import presence
from sms_gateway.operators.models import Role
from sms_gateway.operators.reach import region_of
from sms_gateway.tickets import filters, search
from sms_gateway.tickets.filters import Filter
from sms_gateway.tickets.models import PROVINCE
from sms_gateway.tickets.search import Found, Query

from . import pages, words
from .figures_parts import choices
from .seat import SearchingTickets, Seat

log = logs.get("console")
router = APIRouter()

EVERYTHING = Filter(show="all")


@router.get("/tickets/search")
async def show_search(request: Request, seat: SearchingTickets) -> Response:
    """The form, filled with what the list it was opened from is narrowed to."""
    wanted = Filter.from_query(request.query_params)
    return _page(seat, wanted if "show" in request.query_params else replace(wanted, show="all"), {})


@router.post("/tickets/search")
async def look(request: Request, seat: SearchingTickets) -> Response:
    """What was found. That somebody looked is written into the audit, the words are not."""
    form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    wanted = Filter.from_query({"show": "all", **form})
    query = Query.read(wanted, number=form.get("number", ""), words=form.get("words", ""))
    if query.is_empty:
        return _page(seat, wanted, form)
    unit = seat.operator.unit if seat.operator.role == Role.DEPARTMENT else None
    async with transaction() as session:
        within = filters.reach(seat.operator.role, seat.operator.unit) & recusing.tickets_open_to(seat.operator.id)
        found = await search.search(session, query, within=within, unit=unit)
        said = await _said(session, found, unit)
        what = "search_words" if query.words else "search_tickets"
        await presence.note(session, operator_id=seat.operator.id, what=what, subject="tickets")
    log.info("tickets_searched", operator=seat.operator.id, looked_at=found.looked_at, hits=len(found.rows))
    return _page(seat, wanted, form, found=found, said=said, query=query)


async def _said(session: AsyncSession, found: Found, unit: str | None) -> dict[int, str]:
    """The first words of each ticket: what was said to the desk, for a unit what its own copy says."""
    if unit is None:
        return {row.id: str((row.answers or {}).get("what") or "") for row in found.rows}
    copies = await search.copies_of(session, [row.id for row in found.rows], unit)
    return {ticket: str((hands[-1].copy or {}).get("what") or "") for ticket, hands in copies.items()}


def _page(
    seat: Seat, wanted: Filter, form: Mapping[str, str], *, found: Found | None = None, said: Mapping[int, str] | None = None,
    query: Query | None = None,
) -> Response:  # fmt: skip
    at = "/work" if seat.operator.role == Role.DEPARTMENT else "/tickets"
    return pages.render(
        "ticket_search.html", seat=seat, wanted=wanted, form=form, found=found, said=said or {}, query=query, at=at,
        most=search.most_for(seat.operator.unit if at == "/work" else None), enough=search.ENOUGH, longest=search.LONGEST_WORDS, **_choices(seat),
    )  # fmt: skip


def _choices(seat: Seat) -> dict[str, Any]:
    home = PROVINCE if seat.operator.role == Role.DEPARTMENT else region_of(seat.operator.unit) or PROVINCE
    return {
        "places": list(choices(home)), "categories": categories.tree(), "statuses": words.STATUSES, "kinds": words.KINDS,
    }  # fmt: skip
