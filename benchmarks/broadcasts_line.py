"""A hotline for outreach: a scratch database, the make-believe carrier as a process of its own that remembers, workers that send."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import time
from pathlib import Path
from typing import Any

import httpx
import psycopg
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, database
from sms_gateway.broadcasts import acts, addresses
from sms_gateway.broadcasts.models import Broadcast, BroadcastLane, BroadcastTally
from sms_gateway.broadcasts.preparing import FILLFACTOR
from sms_gateway.carriers import simulator
from sms_gateway.crypto import keyring
from sms_gateway.database import transaction
from sms_gateway.migrations import upgrade
from sms_gateway.operators import accounts, presence
from sms_gateway.operators.models import Role
from sms_gateway.settings import get_settings
from sms_gateway.supervision.children import ONE_THREAD, Inner, bare_environment, children
from sms_gateway.supervision.places import PYTHON, free_ports
from sms_gateway.supervision.ready import answers
from sms_gateway.supervision.scratch import ScratchHotline, ScratchPostgres, scratch_hotline, scratch_postgres
from sms_gateway.supervision.supervisor import Child

from .operators_line import as_hotline

SETTINGS = {
    "HOTLINE_CARRIER": "simulator",
    "HOTLINE_SEEN_WITHIN_SECONDS": "86400",  # somebody is on duty without a browser
    "HOTLINE_GONE_AFTER_SECONDS": "86400",
    "HOTLINE_UNKNOWN_AFTER_SECONDS": "5",
}
REGION = "530627"
ALL_DAY: dict[str, Any] = {"hours_start": time(0), "hours_end": time(23, 59, 59)}
"""Measured and tested at any hour; what the hours do is tested with a held clock."""


@dataclass
class OutreachLine:
    """The processes, and what a measure or a test does with them."""

    hotline: ScratchHotline
    postgres: ScratchPostgres
    carrier_url: str
    http: httpx.AsyncClient

    @property
    def gateway_port(self) -> int:
        return int(self.hotline.environment["HOTLINE_PORT"])

    async def set_faults(self, **faults: object) -> None:
        """What the carrier does wrong from now on (`simulator.faults.Faults`)."""
        (await self.http.put("/simulator/faults", json=faults)).raise_for_status()

    async def truth(self, *, first: int = 0, last: int = 2**63 - 1) -> dict[str, Any]:
        """What the carrier remembers (`simulator.truth.Truth.report`)."""
        answer = await self.http.get("/simulator/truth", params={"first": first, "last": last})
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    async def add_workers(self, count: int, *, first: int = 2) -> list[str]:
        """Further sending processes, numbered from `first`; their names."""
        table = children(inner_of(self.hotline.environment), environment_of(self.hotline))
        names = [f"outreach_{number}" for number in range(first, first + count)]
        for name in names:
            await self.hotline.supervisor.start(replace(table["outreach"], name=name), wait=False)
        return names


def inner_of(environment: Mapping[str, str], model: Path | None = None) -> Inner:
    """The chosen ports of a running hotline."""
    rasa, actions = (int(environment[f"HOTLINE_{name}_URL"].rpartition(":")[2]) for name in ("RASA", "ACTIONS"))
    return Inner(rasa, actions, environment["HOTLINE_DATABASE_URL"], model)


@asynccontextmanager
async def outreach_line(
    *names: str,
    settings: Mapping[str, str] | None = None,
    database_url: str | None = None,
    model: Path | None = None,
    durable: bool = False,
    lines: Mapping[str, int] | None = None,
) -> AsyncIterator[OutreachLine]:
    """The processes `names` (`outreach`, `gateway` …) and a carrier. `database_url`: an empty database of another server.

    `lines`: to mainland carriers, with their doors' ports. `durable`: what is committed outlives the server's death, as in production; scratch servers lose the last moments else.
    """
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    with scratch_postgres() as server:
        base = database_url or server.create("outreach")
        if durable:
            make_durable(base)
        upgrade(base)
        chosen = {**SETTINGS, "HOTLINE_SIMULATOR_URL": url, **(settings or {})}
        async with scratch_hotline(server.folder / "data", database_url=base, settings=chosen) as hotline:
            await hotline.supervisor.start(_carrier(port, hotline, server.folder))
            table = children(inner_of(hotline.environment, model), environment_of(hotline), lines=lines)
            for name in names:
                await hotline.supervisor.start(table[name], wait=False)
            for name in names:
                await hotline.supervisor.wait_ready(name, within=240)
            with as_hotline(hotline.environment), own_keys():
                await database.dispose()  # of whichever line this process had before
                token = simulator.access_token(get_settings())
                headers = {"Authorization": f"Bearer {token}"}
                async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60, trust_env=False) as http:
                    try:
                        yield OutreachLine(hotline, server, url, http)
                    finally:
                        await database.dispose()


def make_durable(url: str) -> None:
    """From the next connection on a commit waits until it is written."""
    with psycopg.connect(url, autocommit=True) as connection:
        name = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("ALTER DATABASE {} SET synchronous_commit = on").format(name))


def environment_of(hotline: ScratchHotline) -> dict[str, str]:
    """The whole environment of its children."""
    return {**bare_environment(), **ONE_THREAD, "PYTHONUNBUFFERED": "1", **hotline.environment}


def _carrier(port: int, hotline: ScratchHotline, folder: Path) -> Child:
    environment = environment_of(hotline) | {"HOTLINE_DATA_DIR": str(folder / "carrier")}
    command = (str(PYTHON), "-m", "sms_gateway.cli", "simulator", "--port", str(port))
    return Child("carrier", command, environment, ready=answers(port, "/simulator/faults"))


@contextmanager
def own_keys() -> Iterator[None]:
    """This process seals with the keys its settings name now, not with those of an earlier measure."""
    keyring.cache_clear()
    try:
        yield
    finally:
        keyring.cache_clear()


async def an_editor() -> int:
    """An account that writes."""
    async with transaction() as session:
        made = await accounts.add(
            session, login=f"ed{os.urandom(4).hex()}", name="编辑", role=Role.EDITOR, password=None
        )
        return made.id


async def make_ledger(author: int, count: int, *, first: int = 0, body: str, **fields: Any) -> int:
    """A running broadcast with `count` numbers in one region, made without a roll; its id."""
    async with transaction() as session:
        made = Broadcast(
            title="量", body=body, status="running", created_by=author, created_at=clock.now(), started_at=clock.now(),
            authors=[author], prepared="ready", total=count, rate=1.0, waves=[{"number": 0, "region": None, "limit": None, "asks": False, "total": count}],
            **fields,
        )  # fmt: skip
        session.add(made)
        await session.flush()
        part = f"CREATE TABLE broadcast_recipients_{made.id} PARTITION OF broadcast_recipients FOR VALUES IN ({made.id}) WITH (fillfactor = {FILLFACTOR})"
        await session.execute(text(part))
        await _copy(session, made.id, range(first, first + count))
        session.add(BroadcastLane(broadcast_id=made.id, wave=0, region=REGION, first=1, last=count, next=1))
        session.add(BroadcastTally(broadcast_id=made.id, region=REGION, state="created", change=count))
        await session.execute(text(f"ANALYZE broadcast_recipients_{made.id}"))
        return made.id


async def _copy(session: AsyncSession, broadcast_id: int, numbers: range) -> None:
    raw = (await (await session.connection()).get_raw_connection()).driver_connection
    assert raw is not None
    columns = "broadcast_id, number, wave, region, state, address_index, address_sealed"
    async with raw.cursor() as cursor, cursor.copy(f"COPY broadcast_recipients ({columns}) FROM STDIN") as copy:
        for row, number in enumerate(numbers, 1):
            index = addresses.index_of(f"+86{13_800_000_000 + number}")
            sealed = addresses.seal(f"+86{13_800_000_000 + number}", index)
            await copy.write_row((broadcast_id, row, 0, REGION, "created", index, sealed))


async def on_duty(count: int = 1) -> None:
    """So many operators who are there all the time."""
    for _ in range(count):
        async with transaction() as session:
            one = await accounts.add(
                session, login=f"op{os.urandom(4).hex()}", name="值班", role=Role.OPERATOR, password=None
            )
            await presence.set_duty(session, operator_id=one.id, on_duty=True)


async def until_over(broadcast_id: int, *, within: float) -> Broadcast:
    """Wait until it is completed, cancelled, or stands still."""
    async with asyncio.timeout(within):
        while True:
            await asyncio.sleep(0.25)
            try:
                async with transaction() as session:
                    one = await acts.get(session, broadcast_id)
            except Exception:  # noqa: BLE001 - the database is away just now
                continue
            if one.status not in ("running", "approved"):
                return one


def kill(line: OutreachLine, name: str) -> None:
    """kill -9; the supervisor starts it again."""
    os.kill(line.hotline.pid(name), signal.SIGKILL)
