"""A unit's list: what it has to sign for, what it works on, what falls due; and the same act for several at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Response
from pydantic import BaseModel
from sqlalchemy import ColumnElement, and_, not_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, logs
from sms_gateway.database import transaction
from sms_gateway.departments.visibility import Sight
from sms_gateway.errors import BadInput, HotlineError
from sms_gateway.tickets import dispatching, handling, lifecycle, listing, visible
from sms_gateway.tickets.filters import Filter
from sms_gateway.tickets.lifecycle import Status
from sms_gateway.tickets.models import Dispatch, Ticket

from . import pages
from .pages import unit_name
from .seat import Seat, Working
from .ticket_acts import LONGEST_WORDS, said
from .ticket_list import LONGEST_MARK
from .work_room import lock_work, note, unit_of, worker

log = logs.get("console")
router = APIRouter(prefix="/work")

SOON = timedelta(hours=24)
BULK = 50
"""How many one form may name."""


@dataclass(frozen=True)
class Tab:
    """One of the unit's lists. `condition`: within what the unit has in hand (`own`), else within all it may see."""

    name: str
    show: str
    condition: Callable[[], ColumnElement[bool] | None]
    own: bool = True


def _in(*states: Status) -> Callable[[], ColumnElement[bool]]:
    return lambda: Ticket.status.in_([state.value for state in states])


DOING = (Status.SIGNED_FOR, Status.HANDLING, Status.EXTENDED, Status.CLARIFYING, Status.REWORKED)
TABS: Mapping[str, Tab] = {
    "sign": Tab("待签收", "open", _in(Status.DISPATCHED)),
    "doing": Tab("在办", "open", _in(*DOING)),
    "soon": Tab("快到期", "open", lambda: and_(Ticket.due_at < clock.now() + SOON, Ticket.status != Status.REPLIED.value)),
    "replied": Tab("已答复", "open", _in(Status.REPLIED)),
    "closed": Tab("已结", "closed", lambda: None),
    "seen": Tab("同级知晓", "open", lambda: None, own=False),
}  # fmt: skip
"""The last: open matters of the unit's duty and region that others handle, to read only; ended ones are found by searching.
It is counted only where it is looked at: no index knows what a unit may see of others' matters."""


def within(unit: str, tab: Tab) -> ColumnElement[bool]:
    """The one rule of what a unit may see (`departments.visibility`), narrowed to the tab."""
    mine = visible.where(unit, Sight.FULL)
    reach = mine if tab.own else and_(visible.where(unit), not_(mine))
    condition = tab.condition()
    return reach if condition is None else and_(reach, condition)


@router.get("")
async def show_work(seat: Working, show: str = "", after: str = "") -> Response:
    """The list; looking at it is written into the audit."""
    async with transaction() as session:
        return await _page(session, seat, show, after)


async def _page(
    session: AsyncSession, seat: Seat, show: str, after: str = "", results: Sequence[Result] = ()
) -> Response:
    unit = unit_of(seat)
    counts = {}
    for key, tab in TABS.items():
        if not tab.own and key != show:
            continue
        counts[key] = await listing.count(session, Filter(show=tab.show), within=within(unit, tab))
    show = show if show in TABS else next((key for key in ("sign", "doing") if counts[key]), "sign")
    tab = TABS[show]
    page = await listing.list_page(session, Filter(show=tab.show), within=within(unit, tab), after=after[:LONGEST_MARK])
    held = await _held(session, unit, [row.id for row in page.rows])
    await note(session, seat, "list_work", f"operator:{seat.operator.id}")
    return pages.render(
        "work.html", seat=seat, page=page, show=show, tabs=TABS, held=held, unit=unit_name(unit), after=after, results=results,
        counts={key: f"{listing.COUNT_TO}+" if count > listing.COUNT_TO else str(count) for key, count in counts.items()},
        acts=_acts_in(show), by_term=tab.show == "open",
    )  # fmt: skip


async def _held(session: AsyncSession, unit: str, ids: Sequence[int]) -> dict[int, Dispatch]:
    """The unit's newest dispatch of each ticket: its copy is all a list shows of what was said."""
    wanted = select(Dispatch).where(Dispatch.ticket_id.in_(ids), Dispatch.unit == unit).order_by(Dispatch.id)
    return {row.ticket_id: row for row in await session.scalars(wanted)}


# ---- several at once ----


@dataclass(frozen=True)
class Result:
    """What became of one row."""

    ticket_id: int
    number: str
    done: bool
    sentence: str


class Bulk(BaseModel):
    """`pick`: `id-version` of each row that was ticked."""

    act: str = ""
    pick: list[str] = []
    words: str = ""
    show: str = "sign"


Do = Callable[[AsyncSession, Ticket], Awaitable[object]]
ACTS: Mapping[str, str] = {"sign": "签收", "begin": "开始办理", "reply": "同样答复"}


def _acts_in(show: str) -> dict[str, str]:
    wanted = {"sign": ("sign",), "doing": ("begin", "reply"), "soon": ("sign", "begin", "reply")}.get(show, ())
    return {act: ACTS[act] for act in wanted}


@router.post("/bulk")
async def do_several(seat: Working, sent: Annotated[Bulk, Form()]) -> Response:
    """Each row in a transaction of its own: what one cannot do does not hold the others up; every row's end is shown."""
    picked = list(dict.fromkeys(sent.pick))
    words = said(sent.words)
    if sent.act not in ACTS or not 0 < len(picked) <= BULK:
        raise BadInput(f"请勾选 1 到 {BULK} 单，再选做什么。")
    if sent.act == "reply" and not 0 < len(words) <= LONGEST_WORDS:
        raise lifecycle.EvidenceIsMissing({lifecycle.Evidence.WORDS})
    actor = worker(seat)
    acts: Mapping[str, Do] = {
        "sign": lambda session, ticket: dispatching.sign(session, ticket, actor=actor),
        "begin": lambda session, ticket: handling.begin(session, ticket, actor=actor),
        "reply": lambda session, ticket: handling.reply(session, ticket, actor=actor, words=words),
    }
    results = [await _do_one(seat, one, acts[sent.act]) for one in picked]
    log.info("bulk_done", act=sent.act, rows=len(results), operator=seat.operator.id)
    async with transaction() as session:
        return await _page(session, seat, sent.show, results=results)


async def _do_one(seat: Seat, pick: str, act: Do) -> Result:
    key, _, version = pick.partition("-")
    if not (key + version).isascii() or not (key.isdigit() and version.isdigit()) or len(pick) > 38:
        raise BadInput
    number = ""
    try:
        async with transaction() as session:
            ticket = await lock_work(session, seat, int(key), int(version))
            number = ticket.number
            await act(session, ticket)
    except HotlineError as error:
        return Result(int(key), number or await _number(seat, int(key)), False, error.sentence)
    return Result(int(key), number, True, "好了")


async def _number(seat: Seat, ticket_id: int) -> str:
    """The number of a row that could not be moved, where the unit may still see it."""
    async with transaction() as session:
        wanted = select(Ticket.number).where(Ticket.id == ticket_id, visible.where(unit_of(seat)))
        return await session.scalar(wanted) or ""
