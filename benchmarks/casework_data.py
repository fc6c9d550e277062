"""Many tickets with their events, as two years of the hotline would leave them; for measures only.

Answers are sealed and chains are whole, so pages, searches and `hotline audit verify` have the real work to do. Made by
COPY: about 10,000 tickets in two seconds. The same `seed` gives the same spread, not the same keys and numbers.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg

from sms_gateway import clock, regions
from sms_gateway.crypto import blind_index, sealed_for
from sms_gateway.departments import categories, units
from sms_gateway.tickets import deadlines, lifecycle
from sms_gateway.tickets.lifecycle import Status
from sms_gateway.tickets.record import Entry, Stand, next_entry
from sms_gateway.tickets.spoken import normal_form

CHUNK = 5_000
YEARS = timedelta(days=730)
KINDS = {
    "help": 30,
    "complaint": 25,
    "report": 14,
    "consultation": 12,
    "suggestion": 5,
    "callback": 6,
    "disclosure": 5,
    "mandated": 3,
}
WORDS = (
    "孩子在学校被同学欺负，老师说是闹着玩，我想问问怎么办", "隔壁那家天天打娃娃，晚上哭得厉害", "奶奶带着两个孙子，爹妈不管，生活费没有着落",
    "网吧放未成年人进去，开到半夜", "转学的手续跑了三趟还没办下来", "小卖部卖烟给学生", "残疾孩子的补贴几个月没到账", "校车超载，挤得坐不下",
    "娃娃户口一直上不了，说要出生证", "孩子在游戏里充了好多钱，想退回来", "工地上有十五岁的娃娃在干活", "食堂的饭菜有虫，娃娃拉肚子",
)  # fmt: skip
WHYS = (
    "请尽快核实",
    "已上门了解情况并做好安抚，后续由社区跟进",
    "不属于我单位职责，建议转主管部门",
    "已办理完毕，来信人表示认可",
    "请补充具体地址",
)
BY_UNIT = (Status.SIGNED_FOR, Status.HANDLING, Status.REPLIED)
LOOP = (
    Status.DISPATCHED,
    Status.SIGNED_FOR,
    Status.HANDLING,
    Status.REPLIED,
    Status.CONCLUDED,
    Status.FOLLOWED_UP,
    Status.EVALUATED,
)

TICKETS = (
    "id", "uid", "number", "thread_id", "contact_id", "kind", "lane", "status", "county", "place", "category", "level", "unit",
    "urgent", "sensitivity", "sealed", "answers_sealed", "words_sealed", "anonymous", "version", "received_at", "opened_at", "due_at",
    "next_clock_at", "paused_at", "paused_from", "extensions", "returns", "supervised", "closed_at", "evaluated", "events",
    "head", "head_seal",
)  # fmt: skip
EVENTS = (
    "uid", "ticket_id", "seq", "what", "who", "at", "from_status", "to_status", "why_sealed", "why_digest", "detail",
    "content_hash", "chain_hash",
)  # fmt: skip
DISPATCHES = (
    "uid", "ticket_id", "unit", "role", "copy_sealed", "dispatched_at", "sign_due_at", "signed_at", "replied_at", "closed_at",
    "supervised",
)  # fmt: skip


@dataclass(frozen=True)
class Places:
    """Counties, the more people the more often (the list has none, so by rank), categories, and their units."""

    counties: Sequence[str]
    weights: Sequence[float]
    codes: Sequence[str]
    code_weights: Sequence[float]

    @staticmethod
    def all() -> Places:
        counties = [region.adcode for region in regions.list_regions("county")]
        codes = list(categories.load().categories)
        return Places(
            counties,
            [1 / (3 + place % 23) for place in range(len(counties))],
            codes,
            [1 / (2 + n % 17) for n in range(len(codes))],
        )


async def fill(
    url: str, tickets: int, *, open_share: float = 0.06, seed: int = 12345, now: datetime | None = None
) -> None:
    """Put `tickets` matters with their events and dispatches into the migrated database at `url`.

    Spread over 129 counties, every category, kind and lane, and the two years before `now`; `open_share` of them are
    still open, most of these from the last weeks. About four events each.
    """
    rng, now = random.Random(seed), now or clock.now()
    places = Places.all()
    async with await psycopg.AsyncConnection.connect(url) as connection:
        before = await (await connection.execute("SELECT coalesce(max(id), 0) FROM tickets")).fetchone()
        first = before[0] + 1 if before else 1
        people = await _people(connection, max(10, tickets // 3), now)
        opened = sorted(_opened(rng, now, open_share) for _ in range(tickets))
        for start in range(0, tickets, CHUNK):
            made = Maker(rng, places, now)
            for ticket_id, (at, is_open) in enumerate(opened[start : start + CHUNK], start=first + start):
                made.ticket(ticket_id, rng.choice(people), at, is_open=is_open)
            made.events.sort(key=lambda row: row[5])
            await _copy(connection, "tickets", TICKETS, made.tickets)
            await _copy(connection, "ticket_events", EVENTS, made.events)
            await _copy(connection, "dispatches", DISPATCHES, made.dispatches)
        await connection.execute(
            "SELECT setval(pg_get_serial_sequence('tickets', 'id'), (SELECT max(id) FROM tickets))"
        )
        await connection.commit()
        await connection.set_autocommit(True)
        await connection.execute("ANALYZE")


def _opened(rng: random.Random, now: datetime, open_share: float) -> tuple[datetime, bool]:
    """When one came, more by day than by night, and whether it is still open."""
    is_open = rng.random() < open_share
    age = timedelta(days=rng.expovariate(1 / 9)) if is_open else rng.random() * YEARS
    at = now - min(age, YEARS) - timedelta(minutes=1)
    return (at - timedelta(hours=8) if rng.random() < 0.7 and at.hour in range(16, 22) else at), is_open


async def _people(connection: psycopg.AsyncConnection, many: int, now: datetime) -> list[tuple[int, int]]:
    """Contacts with a talk each; returns their ids and the talks'."""
    made, index = [], await (await connection.execute("SELECT count(*) FROM contacts")).fetchone()
    start = index[0] if index else 0
    for n in range(start, start + many):
        uid, address = uuid4(), f"+8613800{n:06d}"
        made.append(
            (
                uid,
                "sms",
                sealed_for("contacts", "address_sealed", uid, address),
                blind_index(address, "contacts.address:bench"),
                now,
                False,
            )
        )
    columns = ("uid", "channel", "address_sealed", "address_index", "created_at", "open_case")
    await _copy(connection, "contacts", columns, made)
    rows = await connection.execute(
        "INSERT INTO threads (contact_id, channel, owner, version, lane, created_at)"
        " SELECT id, 'sms', 'assistant', 1, 'blue', created_at FROM contacts c"
        " WHERE NOT EXISTS (SELECT 1 FROM threads t WHERE t.contact_id = c.id) RETURNING contact_id, id"
    )
    return [(contact, thread) for contact, thread in await rows.fetchall()]


async def _copy(
    connection: psycopg.AsyncConnection, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]
) -> None:
    names = ", ".join(columns)
    async with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
        for row in rows:
            await copy.write_row(row)


@dataclass(frozen=True)
class Walk:
    """Where a matter has come: the states it went through after `accepted`, and when."""

    states: list[Status]
    at: list[datetime]

    @property
    def status(self) -> Status:
        return self.states[-1] if self.states else Status.ACCEPTED

    @property
    def before(self) -> str:
        return self.states[-2].value if len(self.states) > 1 else Status.ACCEPTED.value

    @property
    def ended(self) -> datetime | None:
        return next((at for state, at in zip(self.states, self.at, strict=True) if state in lifecycle.CLOSED), None)


def _walk(rng: random.Random, opened: datetime, now: datetime, *, is_open: bool, paused: bool) -> Walk:
    if not is_open:
        aside = rng.random()
        if aside < 0.12:
            states = [rng.choice((Status.DECLINED, Status.MERGED, Status.TRANSFERRED, Status.CONCLUDED))]
        else:
            # Some steps are skipped (a reply may follow the signature at once): about four events a ticket on average.
            end = rng.choices((Status.CONCLUDED, Status.FOLLOWED_UP, Status.EVALUATED), (6, 3, 2))[0]
            states = [step for step in LOOP[: LOOP.index(end)] if step is not Status.HANDLING or rng.random() < 0.4]
            states = [step for step in states if step is not Status.FOLLOWED_UP or end is Status.FOLLOWED_UP] + [end]
    else:
        states = list(LOOP[: rng.choices(range(5), (20, 25, 20, 20, 15))[0]])
        if paused:
            states.append(Status.CLARIFYING)
    gap = min((now - opened) / (len(states) + 1), timedelta(days=2))
    return Walk(states, [opened + gap * (n + rng.random() / 2) for n in range(1, len(states) + 1)])


@dataclass
class Maker:
    """Rows of one chunk, in the order of the column lists above."""

    rng: random.Random
    places: Places
    now: datetime
    tickets: list[tuple[Any, ...]] = field(default_factory=list)
    events: list[tuple[Any, ...]] = field(default_factory=list)
    dispatches: list[tuple[Any, ...]] = field(default_factory=list)

    def ticket(self, ticket_id: int, who: tuple[int, int], opened: datetime, *, is_open: bool) -> None:
        """One matter of contact and talk `who`, with its events and dispatch."""
        rng, uid = self.rng, uuid4()
        kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
        lane = "orange" if kind in ("disclosure", "mandated") else rng.choices(("blue", "orange", "red"), (93, 5, 2))[0]
        urgent = lane == "blue" and rng.random() < 0.05
        county = rng.choices(self.places.counties, self.places.weights)[0]
        category = categories.get_category(rng.choices(self.places.codes, self.places.code_weights)[0])
        unit = self._unit(category, county)
        walk = _walk(rng, opened, self.now, is_open=is_open, paused=is_open and rng.random() < 0.06)
        events = self._events(Stand(ticket_id, uid, 0, None), walk, opened, unit.code)
        words = {
            "what": rng.choice(WORDS),
            "county_said": regions.short_name(county),
            "again": rng.choice(("还在", "没有了")),
        }
        stands, due = walk.status is Status.CLARIFYING, deadlines.due_at(lane, opened, kind=kind, urgent=urgent)
        dispatched = Status.DISPATCHED in walk.states
        self.tickets.append(
            (
                ticket_id, uid, str(10_000_000 + ticket_id), who[1], who[0], kind, lane, walk.status.value, county, county,
                category.code, unit.level.value, unit.code if dispatched else None, urgent, category.sensitivity,
                rng.random() < 0.02, sealed_for("tickets", "answers_sealed", uid, words),
                sealed_for("tickets", "words_sealed", uid, normal_form(words)), rng.random() < 0.2, len(events),
                opened, opened, due, due if is_open and not (stands and lane == "blue") else None,
                walk.at[-1] if stands else None, walk.before if stands else None, 0, 0, 0, walk.ended,
                rng.choices((5, 4, 3, 2, 1), (40, 30, 15, 8, 7))[0] if walk.status is Status.EVALUATED else None,
                len(events), events[-1].head, events[-1].head_seal,
            )
        )  # fmt: skip
        if dispatched:
            when, held = dict(zip(walk.states, walk.at, strict=True)), uuid4()
            at, copy = when[Status.DISPATCHED], sealed_for("dispatches", "copy_sealed", held, {"what": words["what"]})
            self.dispatches.append(
                (
                    held, ticket_id, unit.code, "main", copy, at, deadlines.sign_due_at(lane, at, urgent=urgent),
                    when.get(Status.SIGNED_FOR), when.get(Status.REPLIED), walk.ended, 0,
                )
            )  # fmt: skip

    def _unit(self, category: categories.Category, county: str) -> units.Unit:
        main = category.main[0] if category.main[0] != categories.SUPERIOR else "edu"
        level = self.rng.choices(("county", "prefecture", "province"), (82, 14, 4))[0]
        return units.unit_at(main, units.at_level(county, level))

    def _events(self, stand: Stand, walk: Walk, opened: datetime, unit: str) -> list[Entry]:
        entries = [next_entry(stand, "accepted", who="assistant", at=opened, to_status="accepted", detail={})]
        before = Status.ACCEPTED
        for state, at in zip(walk.states, walk.at, strict=True):
            last = entries[-1]
            spoken = state in (Status.REPLIED, Status.CONCLUDED, Status.DECLINED, Status.CLARIFYING)
            entries.append(
                next_entry(
                    Stand(stand.id, stand.uid, last.events, last.head), state.value,
                    who=f"unit:{unit}" if state in BY_UNIT else "operator:1", at=at, from_status=before.value,
                    to_status=state.value, why=self.rng.choice(WHYS) if spoken else None,
                    detail={"unit": unit} if state is Status.DISPATCHED else {},
                )
            )  # fmt: skip
            before = state
        for entry in entries:
            entry.row["detail"] = json.dumps(entry.row["detail"], ensure_ascii=False)  # COPY takes text
            self.events.append(tuple(entry.row[name] for name in EVENTS))
        return entries
