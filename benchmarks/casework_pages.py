"""Every list page, search and dashboard of the console over 100,000 tickets, against the same page over 1,000.

Two real console processes on one scratch PostgreSQL, one for each database; the same requests to both, turn and turn about, one
at a time, over one kept connection each. A page's round is the median of a few requests.
"""

from __future__ import annotations

import asyncio
import base64
import os
import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median
from unittest import mock

import httpx
from rich.console import Console
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, crypto, database, settings
from sms_gateway.database import transaction
from sms_gateway.migrations import upgrade
from sms_gateway.operators import accounts, signin
from sms_gateway.operators.models import Role
from sms_gateway.supervision.scratch import ScratchPostgres, scratch_hotline, scratch_postgres
from sms_gateway.tickets import dashboards, listing, search
from sms_gateway.tickets.filters import Filter
from sms_gateway.tickets.models import Dispatch, Ticket, TicketGroup

from .casework_data import fill
from .results import Row, row

AREA = "casework"
FEW, MANY = 1_000, 100_000
TIMES = 3.0
RARE = "月亮湾小学后门的台阶"


@dataclass(frozen=True)
class Ask:
    """One request. `form`: posted, with the page's token; `who`: `desk` or `unit`."""

    name: str
    kind: str
    """`list`, `search` or `figures`."""
    path: str
    form: Mapping[str, str] | None = None
    who: str = "desk"


@dataclass
class Side:
    """One console and who sits at it. `facts`: a ticket's number, id and unit that are there on this side."""

    tickets: int
    port: int
    facts: Mapping[str, str]
    clients: dict[str, httpx.AsyncClient] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    async def sit(self, who: str, stack: AsyncExitStack) -> None:
        base = f"http://127.0.0.1:{self.port}"
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=base, timeout=60, follow_redirects=True))
        answer = await client.post(f"/sign-in/{self.facts[f'link of {who}']}")
        found = re.search(r'data-csrf="([^"]+)"', answer.text)
        assert found, f"{who} could not sign in"
        self.clients[who], self.tokens[who] = client, found.group(1)

    async def ask(self, ask: Ask) -> float:
        """Milliseconds to the whole answer. Raises AssertionError for anything but a page."""
        client, path = self.clients[ask.who], ask.path.format(**self.facts)
        began = time.perf_counter()
        if ask.form is None:
            answer = await client.get(path, headers={"Accept": "text/html"})
        else:
            form = {name: value.format(**self.facts) for name, value in ask.form.items()}
            answer = await client.post(path, data={**form, "csrf": self.tokens[ask.who]})
        taken = (time.perf_counter() - began) * 1000
        assert answer.status_code == 200, f"{ask.name}: {answer.status_code}"
        return taken


def asks() -> list[Ask]:
    """What is measured: every list by every filter, every way to search, every page of figures."""
    since = (clock.shanghai(clock.now()) - timedelta(days=90)).date().isoformat()
    lists = {
        "open": "", "danger": "show=danger", "late": "show=late", "closed": "show=closed", "all": "show=all", "second page": "after={after}",
        "second page of all": "show=all&after={middle}", "a status": "status=returned", "a frequent status": "status=handling",
        "lane": "lane=orange", "kind": "kind=complaint", "prefecture": "region=530600", "county": "region=530627",
        "county, all": "show=all&region=530627", "category": "category=D33", "category, all": "show=all&category=D33",
        "branch, all": "show=all&category=school", "no category": "show=all&category=none", "unit": "unit={unit}",
        "unit, all": "show=all&unit={unit}", "level": "level=province", "level, all": "show=all&level=province", "age": "age=30-",
        "three months": f"show=all&opened_from={since}", "marked 1": f"show=all&marked=1&opened_from={since}",
        "marked 1, ever": "show=all&marked=1", "answered": f"show=all&marked=any&opened_from={since}",
        "not solved": f"show=all&marked=unsolved&opened_from={since}", "returned": f"show=all&returned=1&opened_from={since}",
        "returned, ever": "show=all&returned=1", "supervised": "supervised=1", "more time asked for": "extension=1", "mine": "by=1",
        "place, category and status": "show=all&region=530627&category=D33&status=evaluated",
        "place and mark": "show=all&region=530627&marked=2", "a group": "show=all&group={group}",
    }  # fmt: skip
    found = [Ask(f"list: {name}", "list", f"/tickets?{query}") for name, query in lists.items()]
    found += [Ask(f"unit's list: {tab}", "list", f"/work?show={tab}", who="unit") for tab in ("sign", "doing", "soon", "replied", "closed", "seen")]  # fmt: skip
    found += [Ask("a ticket", "list", "/tickets/{id}"), Ask("export form", "list", "/tickets/export?show=all")]
    searches: dict[str, dict[str, str]] = {
        "number": {"number": "{number}"}, "end of number": {"number": "{tail}"}, "longer end": {"number": "{end}"},
        "place and category": {"region": "530600", "category": "D33"}, "place, state, time": {"region": "530100", "status": "evaluated", "opened_from": since},
        "unit": {"unit": "{unit}"}, "common word": {"words": "校车"}, "rare word": {"words": RARE}, "absent word": {"words": "没有人写过的话"},
        "rare word in a place": {"words": RARE, "region": "530600"}, "absent word, open only": {"words": "没有人写过的话", "show": "open"},
    }  # fmt: skip
    found += [Ask(f"search: {name}", "search", "/tickets/search", form) for name, form in searches.items()]
    found.append(Ask("unit's search: absent word", "search", "/tickets/search", {"words": "没有人写过的话"}, "unit"))
    found += [
        Ask(f"figures: {name}", "figures", path)
        for name, path in {
            "province": "/figures", "prefecture": "/figures?region=530600", "county": "/figures?region=530627", "common": "/figures/common",
        }.items()
    ]  # fmt: skip
    return found


@asynccontextmanager
async def _own(url: str, key: str) -> AsyncIterator[None]:
    """This process's pool on that database, as a door has it."""
    with mock.patch.dict(
        os.environ, {"HOTLINE_DATABASE_URL": url, "HOTLINE_DATA_KEY": key, "HOTLINE_ENV_FILE": os.devnull}
    ):
        _forget()
        try:
            yield
        finally:
            await database.dispose()
    _forget()


def _forget() -> None:
    """Settings and keys of another database, which another measure of this run may have used."""
    settings.get_settings.cache_clear()
    crypto.keyring.cache_clear()


async def _furnish(url: str, key: str, tickets: int) -> tuple[dict[str, str], list[float]]:
    """Tickets, accounts, a rare word, a group, figures; returns the facts of this side and the seconds counting took."""
    async with _own(url, key):
        await fill(url, tickets)
        async with transaction() as session:
            held = select(Dispatch.unit).where(Dispatch.closed_at.is_(None)).group_by(Dispatch.unit)
            unit = await session.scalar(held.order_by(func.count().desc(), Dispatch.unit).limit(1)) or "edu@530102"
            await accounts.add(session, login="desk", name="测量", role=Role.SUPERVISOR, password=None, trained=True)
            await accounts.add(session, login="unit", name="单位", role=Role.DEPARTMENT, password=None, unit=unit)
            facts = await _mark(session, unit)
            facts |= {f"link of {who}": await signin.one_time_link(session, login=who) for who in ("desk", "unit")}
        counted = []
        for _ in range(3):
            began = time.perf_counter()
            async with transaction() as session:
                await dashboards.count_all(session)
            counted.append(time.perf_counter() - began)
        async with transaction() as session:
            await session.execute(select(func.count()).select_from(Ticket))
    return facts, counted


async def _mark(session: AsyncSession, unit: str) -> dict[str, str]:
    """Some returned, supervised and rare ones among the rest, the same number on both sides."""
    newest = list(await session.scalars(select(Ticket.id).order_by(Ticket.id.desc()).limit(900)))
    await session.execute(update(Ticket).where(Ticket.id.in_(newest[::9])).values(returns=1))
    await session.execute(
        update(Ticket).where(Ticket.id.in_(newest[::9]), Ticket.closed_at.is_(None)).values(supervised=1)
    )
    for ticket in await session.scalars(select(Ticket).where(Ticket.id.in_(newest[5:800:200]))):
        ticket.answers = {"what": f"孩子在{RARE}摔了"}
    now = clock.now()
    for members in ([], newest[:12]):
        session.add(TicketGroup(found_at=now, since=now, looked_at=900, cut=False, category="D33", ticket_ids=members))
    await session.flush()
    one = (await session.scalars(select(Ticket).where(Ticket.id == newest[300]))).one()
    open_ones = select(Ticket).where(Ticket.closed_at.is_(None)).order_by(Ticket.lane.desc(), Ticket.due_at, Ticket.id)
    fiftieth = (await session.scalars(open_ones.offset(49).limit(1))).one()
    group = await session.scalar(select(func.max(TicketGroup.id)))
    return {
        "number": one.number, "tail": one.number[-3:], "end": one.number[-6:], "id": str(one.id), "unit": unit, "group": str(group),
        "after": listing.mark_of(fiftieth, Filter()), "middle": str(newest[len(newest) // 2]),
    }  # fmt: skip


@asynccontextmanager
async def both_sides(console: Console, few: int, many: int) -> AsyncIterator[tuple[Side, Side, list[float]]]:
    """The same console over few and over many tickets, signed in."""
    key = base64.b64encode(os.urandom(32)).decode()
    with scratch_postgres() as server:
        async with AsyncExitStack() as stack:
            sides, counted = [], []
            for tickets in (few, many):
                side, seconds = await _start(server, stack, key, tickets)
                console.print(f"casework pages: {tickets:,} tickets, all figures counted in {median(seconds):.2f} s")
                sides.append(side)
                counted = seconds
            yield sides[0], sides[1], counted


async def _start(server: ScratchPostgres, stack: AsyncExitStack, key: str, tickets: int) -> tuple[Side, list[float]]:
    url = server.create(f"pages_{tickets}")
    upgrade(url)
    facts, counted = await _furnish(url, key, tickets)
    hotline = await stack.enter_async_context(
        scratch_hotline(
            server.folder / f"data-{tickets}", "console", database_url=url, settings={"HOTLINE_DATA_KEY": key}
        )
    )
    side = Side(tickets, int(hotline.environment["HOTLINE_CONSOLE_PORT"]), facts)
    for who in ("desk", "unit"):
        await side.sit(who, stack)
    return side, counted


@dataclass
class Taken:
    """Milliseconds of one page by round, on both sides."""

    ask: Ask
    few: list[float] = field(default_factory=list)
    many: list[float] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        return [many / few for few, many in zip(self.few, self.many, strict=True)]


async def _round(taken: Taken, few: Side, many: Side, *, requests: int) -> None:
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(requests):
        for place, side in enumerate((few, many)):
            times[place].append(await side.ask(taken.ask))
    taken.few.append(median(times[0]))
    taken.many.append(median(times[1]))


async def measure(
    console: Console, *, rounds: int = 5, requests: int = 3, few: int = FEW, many: int = MANY
) -> list[Row]:
    """The worst page of each kind, and how long counting all figures takes."""
    pages = [Taken(ask) for ask in asks()]
    async with both_sides(console, few, many) as (small, large, counted):
        for page in pages:  # everything warm, also what PostgreSQL has to read once
            for _ in range(6):
                await small.ask(page.ask)
                await large.ask(page.ask)
        for _ in range(rounds):
            for page in pages:
                await _round(page, small, large, requests=requests)
    for page in sorted(pages, key=lambda each: -median(each.ratios)):
        console.print(
            f"  {median(page.ratios):5.2f} times  {median(page.few):6.1f} → {median(page.many):6.1f} ms  {page.ask.name}"
        )
    return _rows(pages, counted, few, many)


def _rows(pages: Sequence[Taken], counted: list[float], few: int, many: int) -> list[Row]:
    named = {"list": "list page", "search": "search", "figures": "page of figures"}
    found = []
    for kind, name in named.items():
        mine = [page for page in pages if page.ask.kind == kind]
        worst = max(mine, key=lambda page: median(page.ratios))
        found.append(
            row(
                AREA, f"The slowest-growing {name} of {len(mine)}, {many:,} tickets against {few:,}", worst.ratios, "times", target=TIMES,
            )
        )  # fmt: skip
        slowest = max(mine, key=lambda page: median(page.many))
        found.append(row(AREA, f"The slowest {name} over {many:,} tickets", slowest.many, "ms"))
    found.append(row(AREA, f"All figures of {146} regions counted anew, {many:,} tickets", counted, "s"))
    found.append(row(AREA, "Rows a search for words opens at most", [float(search.MOST)], "rows", better="higher"))
    return found


if __name__ == "__main__":
    import sys

    os.environ["OMP_NUM_THREADS"] = "1"
    sizes = [int(word) for word in sys.argv[1:]] or [FEW, MANY]
    shown = Console(width=160)
    for each in asyncio.run(measure(shown, few=sizes[0], many=sizes[-1])):
        shown.print(f"{each.value:10} {each.unit:6} {each.holds} {each.name}")
