"""Every route and every role against the table in `access.yml`, which says what is meant rather than what is built."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from fastapi import FastAPI
from fastapi.routing import APIRoute

from sms_gateway.app import make_gateway
from sms_gateway.console.door import routes_of
from sms_gateway.database import transaction
from sms_gateway.operators import api_keys
from sms_gateway.operators.models import Role
from tests.telling import Person

from . import matters
from .conftest import HOST, PAGE, SignIn, browser

TABLE = Path(__file__).with_name("access.yml")
UNITS = {Role.DEPARTMENT: "edu@530627", Role.FOLLOWER: "12345@530627"}
REFUSED = "你的岗位做不了"
ENDLESS = {"GET /live/stream"}


@cache
def _table() -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return found


def _address(path: str) -> str:
    made = path.replace("{entry_id}", "a").replace("{token}", "abc").replace("{number}", "12345678")
    made = made.replace("{desk}", "110@530600").replace("{uid}", "0" * 32)
    return re.sub(r"\{\w+_id\}", "1", made)


def _routes(app: FastAPI) -> set[str]:
    return {f"{method} {route.path}" for route in routes_of(app.routes) for method in route.methods}


def test_every_route_of_the_console_stands_in_the_table_once(console: FastAPI) -> None:
    written = [route for routes in _table()["console"].values() for route in routes]
    assert sorted(written) == sorted(_routes(console))


@pytest.mark.parametrize("role", Role)
async def test_every_role_opens_what_the_table_gives_it_and_nothing_else(
    console: FastAPI, sign_in: SignIn, role: Role
) -> None:
    desk = await sign_in(role.value, "测试员", role, unit=UNITS.get(role))
    for roles, routes in _table()["console"].items():
        if roles == "everybody":
            continue
        for route in routes:
            method, path = route.split()
            if route in ENDLESS or path == "/sign-out":
                continue
            answer = await desk.client.request(method, _address(path), headers={**PAGE, "X-CSRF": desk.csrf})
            refused = answer.status_code == 403 and REFUSED in answer.text
            assert refused is (role.value not in roles.split()), (role.value, route, answer.status_code)
            assert answer.status_code < 500, route


def _gateway_routes(app: FastAPI) -> Iterator[str]:
    for route in app.routes:
        if not isinstance(route, APIRoute) and getattr(route, "methods", None):  # receipts, which are plain routes
            yield from (f"{method} {route.path}" for method in route.methods)  # type: ignore[attr-defined]
        elif hasattr(route, "effective_route_contexts"):
            for one in route.effective_route_contexts():
                yield from (f"{method} {one.path}" for method in one.methods)


@pytest.fixture
def gateway(database: str, console: FastAPI) -> FastAPI:
    return make_gateway()


def test_every_route_of_the_gateway_stands_in_the_table_once(gateway: FastAPI) -> None:
    written = [route for routes in _table()["gateway"].values() for route in routes]
    assert sorted(written) == sorted(_gateway_routes(gateway))


async def test_without_a_key_of_its_own_nobody_gets_anything_from_the_api(
    gateway: FastAPI, console: FastAPI, sign_in: SignIn
) -> None:
    """Nor with one that was ended, nor with a supervisor's session."""
    lead = await sign_in("lead", "班长", Role.SUPERVISOR)
    async with transaction() as session:
        key, ended = await api_keys.make(session, unit="edu@530627", name="旧系统")
        await api_keys.end(session, key_id=key.id)
    session_token = lead.client.cookies["hotline_console"]
    async with browser(gateway) as client:
        client.cookies.set("hotline_console", session_token)
        for given in (
            {},
            {"Authorization": "Bearer hk_made-up"},
            {"Authorization": f"Bearer {ended}"},
            {"Authorization": f"Bearer {session_token}"},
        ):
            for route in _table()["gateway"]["a unit's key"]:
                method, path = route.split()
                answer = await client.request(method, _address(path), headers=given)
                assert answer.status_code == 401 and "密钥" in answer.text, (route, given, answer.status_code)


async def test_nothing_unsigned_is_taken_from_other_systems(gateway: FastAPI) -> None:
    async with browser(gateway) as client:
        for route in _table()["gateway"]["a signature"]:
            method, path = route.split()
            for sent in ({"json": {}}, {"data": {"From": "+8613800000001", "Body": "你好"}}):
                answer = await client.request(method, _address(path), **sent)  # type: ignore[arg-type]
                assert 400 <= answer.status_code < 500, (route, answer.status_code)


async def test_what_a_units_list_shows_it_can_open_and_nothing_beside(
    gateway: FastAPI, console: FastAPI, sign_in: SignIn, person: Person, another: Person
) -> None:
    """The same for the unit's pages and its key: one rule for lists and single reads."""
    mine = await matters.dispatch(await matters.open_matter(person, category=matters.NOT_SCHOOLS), matters.EDU)
    other = await matters.dispatch(await matters.open_matter(another, category=matters.NOT_SCHOOLS), matters.CIVIL)
    desk = await sign_in("edu", "承办人", Role.DEPARTMENT, unit=matters.EDU)
    listed = set(re.findall(r'href="/work/(\d+)"', (await desk.see("/work")).text))
    opened = {str(one.id) for one in (mine, other) if (await desk.see(f"/work/{one.id}")).status_code == 200}
    assert listed == opened == {str(mine.id)}
    async with transaction() as session:
        _key, token = await api_keys.make(session, unit=matters.EDU, name="教务系统")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(gateway), base_url=HOST, headers={"Authorization": f"Bearer {token}"}
    ) as client:
        numbers = {one["number"] for one in (await client.get("/api/tickets")).json()["tickets"]}
        for one in (mine, other):
            found = (await client.get(f"/api/tickets/{one.number}")).status_code
            assert (found == 200) is (one.number in numbers), one.number
            assert found in (200, 404)
        assert numbers == {mine.number}


async def test_what_a_desk_of_a_prefecture_lists_it_can_open_and_nothing_beside(
    sign_in: SignIn, person: Person, another: Person
) -> None:
    here = await matters.open_matter(person, category=matters.NOT_SCHOOLS)
    there = await matters.open_matter(another, category=matters.NOT_SCHOOLS)
    async with transaction() as session:
        moved = await session.get_one(type(there), there.id)
        moved.place = moved.county = "530102"
    for unit, role in (("12345@530600", Role.OPERATOR), ("12345@530100", Role.SUPERVISOR), (None, Role.OPERATOR)):
        desk = await sign_in(f"desk{(unit or '')[6:]}", "值班员", role, unit=unit)
        listed = set(re.findall(r'href="/tickets/(\d+)"', (await desk.see("/tickets?show=all")).text))
        opened = {str(one.id) for one in (here, there) if (await desk.see(f"/tickets/{one.id}")).status_code == 200}
        found = (await desk.do("/tickets/search", number=there.number)).text
        assert listed == opened and (str(there.id) in opened) is (f'href="/tickets/{there.id}"' in found), unit
        for path in ("children", "accused", "children/names", "conclude"):
            answer = await desk.do(f"/tickets/{there.id}/{path}", version="1", age="3", relation="teacher")
            assert (answer.status_code == 404) is (str(there.id) not in opened), (unit, path)


def test_the_table_names_only_roles_there_are() -> None:
    words: Any = [word for roles in _table()["console"] for word in roles.split()]
    assert set(words) <= {*Role, "everybody"}
