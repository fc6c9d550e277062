"""The supervisors' page of figures: one row of the database for each region, with what several people say the same beside it."""

from __future__ import annotations

from fastapi import APIRouter, Response

from sms_gateway import regions
from sms_gateway.conversations import recusing
from sms_gateway.database import transaction
from sms_gateway.operators import presence
from sms_gateway.operators.reach import region_of
from sms_gateway.regions import RegionNotFound
from sms_gateway.tickets import dashboards, filters, groups, scope
from sms_gateway.tickets.models import PROVINCE, Ticket

from . import pages
from .figures_parts import choices
from .figures_view import Page
from .seat import SeeingFigures

router = APIRouter()

LONGEST_EXAMPLE = 60


@router.get("/figures")
async def show_figures(seat: SeeingFigures, region: str = "") -> Response:
    """The figures of the seat's region, or of one inside it; any other is answered like one that does not exist."""
    home = region_of(seat.operator.unit)
    code = region or home or PROVINCE
    if not scope.lies_in(regions.get_region(code).adcode, home):
        raise RegionNotFound
    async with transaction() as session:
        row = await dashboards.load(session, code)
    return pages.render(
        "figures.html", seat=seat, code=code, row=row, view=Page(code, row.figures) if row is not None else None,
        choices=list(choices(home or PROVINCE)), above=_above(code, home),
    )  # fmt: skip


def _above(code: str, home: str | None) -> list[regions.Region]:
    """The regions around it that this seat may see, the largest first."""
    found: list[regions.Region] = []
    at = regions.get_region(code)
    while at.parent_adcode and scope.lies_in(at.parent_adcode, home):
        at = regions.get_region(at.parent_adcode)
        found.insert(0, at)
    return found


@router.get("/figures/common")
async def show_common(seat: SeeingFigures) -> Response:
    """普遍性诉求 among the tickets this seat may open. It shows people's words, so the audit knows."""
    async with transaction() as session:
        within = filters.reach(seat.operator.role, seat.operator.unit) & recusing.tickets_open_to(seat.operator.id)
        found = await groups.overview(session, within=within)
        if found.groups:
            await presence.note(session, operator_id=seat.operator.id, what="open_groups", subject="tickets")
    return pages.render("figures_common.html", seat=seat, found=found, said=said_of, days=groups.DAYS, most=groups.MOST, least=groups.LEAST)  # fmt: skip


def said_of(ticket: Ticket) -> str:
    """The first words of what was said."""
    said = str((ticket.answers or {}).get("what") or "")
    return said[:LONGEST_EXAMPLE] + ("…" if len(said) > LONGEST_EXAMPLE else "")
