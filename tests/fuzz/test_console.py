"""Every route of the console under hostile parameters, with a house full of one family's matters behind it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from sms_gateway.clock import HeldClock
from sms_gateway.console.door import PUBLIC
from sms_gateway.console.rules import is_allowed
from sms_gateway.operators.models import Role
from tests.console.conftest import PAGE, Desk, SignIn
from tests.console.family import Family, settle_in
from tests.console.test_door import _acts, _address, _flat
from tests.telling import FakeCarrier, Person

from .hostile import BODIES, HEADERS, MARK, RAW_VALUES, VALUES, combined
from .judging import Judge

WITHOUT_END = {"/live/stream"}
ELSEWHERE = {"/sign-out"}
SHUTS_OUT = {"/talks/{talk_id}/recuse"}
"""Last: whoever knows the family finds nothing of it on the routes after."""
TIMES, PATHS, RAW = 9, 5, 3
"""Sets of values, addresses and whole bodies for each route, from another place in their lists each time."""
UNITS = {Role.DEPARTMENT: "edu@530627", Role.FOLLOWER: "12345@530627"}
IN_PATHS = ("-1", "0", "9" * 19, "9" * 400, "１", "²", "a", "1.0", "1%20", "\x00", *RAW_VALUES)


def _fields(dependant: Dependant) -> tuple[list[str], list[str]]:
    """Names of query and of form fields, those of dependencies too."""
    query = [one.alias for one in dependant.query_params]
    form = [one.alias for one in dependant.body_params]
    for one in dependant.dependencies:
        more_query, more_form = _fields(one)
        query, form = query + more_query, form + more_form
    return query, form


def _real(path: str, family: Family) -> str:
    """The address with ids that there are."""
    for name in re.findall(r"\{(\w+)\}", path):
        if family.ids.get(name):
            path = path.replace(f"{{{name}}}", str(min(family.ids[name])))
    return _address(path)


def _hostile_paths(path: str, start: int) -> Iterator[str]:
    for turn in range(start, start + PATHS) if "{" in path else ():
        value = IN_PATHS[turn % len(IN_PATHS)]
        yield re.sub(r"\{\w+\}", value if "%" in value else quote(value), path)


async def _walk(
    judge: Judge, console: FastAPI, sign_in: SignIn, role: Role, family: Family, asked: Counter[str]
) -> None:
    desk = await sign_in(role.value, "测试员", role, unit=UNITS.get(role))
    for method, path, route in sorted(_flat(console), key=lambda one: one[1] in SHUTS_OUT):
        if path in WITHOUT_END | ELSEWHERE | PUBLIC or not all(is_allowed(role, act) for act in _acts(route)):
            continue
        if f"{method} {path}" in asked:  # by a role before this one
            continue
        start = len(asked) * TIMES
        asked[f"{method} {path}"] += 1
        await _walk_route(judge, desk, method, path, route, _real(path, family), start)
        if (await desk.see("/")).headers.get("location", "").startswith("/sign-in"):  # that route ended the session
            desk = await sign_in(f"{role.value}-{start}", "测试员", role, unit=UNITS.get(role))


async def _walk_route(judge: Judge, desk: Desk, method: str, path: str, route: APIRoute, real: str, start: int) -> None:
    headers = {**PAGE, "X-CSRF": desk.csrf}
    for address in _hostile_paths(path, start):
        await judge.ask(desk.client, method, address, headers=headers)
    query, form = _fields(route.dependant)
    for values in combined(query, TIMES if query else 0, start):
        await judge.ask(desk.client, method, real, params=values, headers=headers)
    if method == "POST":
        await _post(judge, desk, real, form, start, headers)


async def _post(judge: Judge, desk: Desk, real: str, form: list[str], start: int, headers: dict[str, str]) -> None:
    for values in combined(form or ["words", "version"], TIMES if form else 2, start):
        await judge.ask(desk.client, "POST", real, data=values, headers=headers)
    for turn in range(start, start + RAW):
        kind, body = BODIES[turn % len(BODIES)]
        await judge.ask(desk.client, "POST", real, content=body, headers={**headers, "Content-Type": kind})


@pytest.mark.timeout(300)
async def test_no_route_of_the_console_breaks_whatever_is_sent(
    console: FastAPI, sign_in: SignIn, person: Person, carrier: FakeCarrier, clock: HeldClock, judge: Judge, real_logs: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    family = await settle_in(person, carrier, clock)
    asked: Counter[str] = Counter()
    for role in Role:
        await _walk(judge, console, sign_in, role, family, asked)
    every = {f"{method} {path}" for method, path, _route in _flat(console) if path not in PUBLIC}
    assert every - set(asked) == {"GET /live/stream", "POST /sign-out"}
    assert judge.answers.total() > 1500 and judge.answers[200] > 60, judge.answers
    judge.check("".join(real_logs.readouterr()))


@pytest.mark.timeout(120)
async def test_who_is_not_signed_in_breaks_nothing_either(
    console: FastAPI, stranger: httpx.AsyncClient, judge: Judge, real_logs: pytest.CaptureFixture[str]
) -> None:
    for value in VALUES:
        await judge.ask(stranger, "GET", "/sign-in", params={"back": value})
    for value in (*VALUES[::6], "\x00", f"zhiban\x00{MARK}"):
        await judge.ask(stranger, "POST", "/sign-in", data={"login": value, "password": value, "back": value})
    for path in sorted({_address(path) for path in PUBLIC} | {"/talks/1", "/nowhere"}):
        for kind, body in BODIES if path == "/sign-in" else BODIES[::4]:
            await judge.ask(stranger, "POST", path, content=body, headers={"Content-Type": kind})
        for headers in HEADERS:
            await judge.ask(stranger, "GET", path, headers=headers)
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "PROPFIND", "X" * 200):
            await judge.ask(stranger, method, path)
    for raw in RAW_VALUES:
        await judge.ask(stranger, "GET", f"/sign-in/{raw}")
        await judge.ask(stranger, "POST", f"/sign-in/{raw}")
        await judge.ask(stranger, "GET", f"/static/{raw}")
    judge.check("".join(real_logs.readouterr()))
