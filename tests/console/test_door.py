"""Nobody comes in unseen: every route asks who it is, what they may do, and for a change the page's own token."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from sms_gateway.clock import HeldClock
from sms_gateway.console.cookies import SESSION
from sms_gateway.console.door import PUBLIC, RouteIsUnguarded, acts_of, check_guards, routes_of
from sms_gateway.console.rules import MAY, Act, is_allowed
from sms_gateway.console.signing import way_back
from sms_gateway.database import transaction
from sms_gateway.operators import accounts, signin
from sms_gateway.operators.models import Role
from sms_gateway.operators.presence import is_anyone_on_duty
from tests.telling import Person

from . import matters
from .conftest import PAGE, SignIn
from .story import PASSWORD, add_operator


def _flat(app: FastAPI) -> list[tuple[str, str, APIRoute]]:
    """(method, path, route) of every route, also those of included routers."""
    return [(method, route.path, route) for route in routes_of(app.routes) for method in route.methods]


_acts = acts_of


def _address(path: str) -> str:
    named = path.replace("{entry_id}", "a").replace("{token}", "abc")
    return re.sub(r"\{\w+_id\}", "1", named)


def test_every_route_but_the_public_ones_asks_for_a_role(console: FastAPI) -> None:
    routes = _flat(console)
    assert len(routes) > 20
    unguarded = {path for _method, path, route in routes if not _acts(route)}
    assert unguarded == PUBLIC


def test_a_route_nobody_decided_about_keeps_the_console_from_starting() -> None:
    router = APIRouter()

    @router.get("/new")
    async def show_new() -> None: ...

    with pytest.raises(RouteIsUnguarded):
        check_guards(router.routes)


async def test_without_a_session_every_page_leads_to_sign_in_and_every_act_is_refused(
    console: FastAPI, stranger: httpx.AsyncClient
) -> None:
    for method, path, _route in _flat(console):
        if path in PUBLIC:
            continue
        page = await stranger.request(method, _address(path), headers=PAGE)
        assert page.status_code == 303 and page.headers["location"].startswith("/sign-in"), path
        part = await stranger.request(method, _address(path))
        assert part.status_code == 401 and part.json() == {"error": "登录已过期，请重新登录。"}, path


async def test_a_department_finds_nothing_behind_numbers_that_are_not_its_own(
    console: FastAPI, sign_in: SignIn, person: Person
) -> None:
    desk = await sign_in("edu", "承办人", Role.DEPARTMENT, unit="edu@530627")
    await matters.dispatch(await matters.open_matter(person, category=matters.NOT_SCHOOLS), matters.CIVIL)
    form = {"version": "2", "words": "好", "duty": matters.CIVIL, "until": "2030-01-01"}
    tried = 0
    for method, path, route in _flat(console):
        acts = _acts(route)
        if "{" not in path or not acts or not all(is_allowed(Role.DEPARTMENT, act) for act in acts):
            continue
        tried += 1
        sent = {"data": form} if method == "POST" else {}
        answer = await desk.client.request(method, _address(path), headers={**PAGE, "X-CSRF": desk.csrf}, **sent)
        assert answer.status_code == 404, path
    assert tried >= 8


def test_an_act_that_is_not_in_the_table_is_nobodys() -> None:
    assert set(MAY) == set(Act)
    assert not is_allowed("visitor", Act.SEE_QUEUE)
    assert not is_allowed(Role.SUPERVISOR, "something_new")  # type: ignore[arg-type]


@pytest.mark.parametrize("token", ["", "forged", "鬼"])
async def test_a_forged_page_token_changes_nothing(console: FastAPI, sign_in: SignIn, token: str) -> None:
    desk = await sign_in()
    posts = [path for method, path, route in _flat(console) if method == "POST" and path not in PUBLIC]
    for path in posts:
        answer = await desk.client.post(_address(path), data={"csrf": token})
        assert answer.status_code == 403, path


async def test_a_password_signs_in_and_starts_duty(stranger: httpx.AsyncClient, clock: HeldClock) -> None:
    await add_operator("zhiban", "测试员", there=False)
    answer = await stranger.post("/sign-in", data={"login": "zhiban", "password": PASSWORD, "back": "/tickets"})
    assert answer.headers["location"] == "/tickets"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie
    async with transaction() as session:
        assert await is_anyone_on_duty(session)


async def test_looking_at_a_link_does_not_use_it_up_and_it_works_once(stranger: httpx.AsyncClient) -> None:
    await add_operator("zhiban", "测试员", there=False)
    async with transaction() as session:
        token = await signin.one_time_link(session, login="zhiban")
    for _ in range(3):
        assert "进入值班台" in (await stranger.get(f"/sign-in/{token}", headers=PAGE)).text
    assert (await stranger.post(f"/sign-in/{token}", headers=PAGE)).status_code == 303
    stranger.cookies.clear()
    again = await stranger.post(f"/sign-in/{token}", headers=PAGE)
    assert again.status_code in (303, 401) and SESSION not in stranger.cookies


async def test_another_sites_page_cannot_sign_anybody_in(console: FastAPI, stranger: httpx.AsyncClient) -> None:
    await add_operator("zhiban", "测试员", there=False)
    form = {"login": "zhiban", "password": PASSWORD, "code": "123456"}
    doors = [path for method, path, _route in _flat(console) if method != "GET" and path in PUBLIC]
    assert len(doors) == 5
    for path in doors:
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
            answer = await stranger.post(_address(path), data=form, headers=headers)
            assert answer.status_code == 403, path


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/\\evil", "", "/sign-in/abc", "/a\r\nb"])
def test_after_sign_in_nobody_is_led_to_another_site(path: str) -> None:
    assert way_back(path) == "/"


async def test_signing_out_ends_the_session_and_the_duty(sign_in: SignIn) -> None:
    desk = await sign_in()
    token = desk.client.cookies[SESSION]
    await desk.do("/sign-out")
    desk.client.cookies.set(SESSION, token)
    assert (await desk.see("/")).status_code == 303
    async with transaction() as session:
        assert not (await accounts.get(session, "zhiban")).on_duty


async def test_an_idle_session_ends_though_its_page_still_beats(sign_in: SignIn, clock: HeldClock) -> None:
    desk = await sign_in()
    for _ in range(13):
        clock.advance(timedelta(minutes=10))
        answer = await desk.do("/live/beat")
    assert answer.status_code == 401 and answer.headers["hx-redirect"] == "/sign-in"
    assert (await desk.see("/talks/1")).headers["location"] == "/sign-in?back=/talks/1"


async def test_a_disabled_account_is_out_at_once(sign_in: SignIn) -> None:
    desk = await sign_in()
    async with transaction() as session:
        await accounts.disable(session, login="zhiban")
    assert (await desk.see("/")).status_code == 303


async def test_pages_forbid_strange_scripts_and_are_not_kept(sign_in: SignIn) -> None:
    desk = await sign_in()
    answer = await desk.see("/")
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert " style=" not in answer.text and "<style" not in answer.text and "onclick" not in answer.text


async def test_health_needs_no_session_and_tells_nothing_but_numbers(stranger: httpx.AsyncClient) -> None:
    answer = (await stranger.get("/live/health")).json()
    assert answer.pop("now") > 0
    assert answer == {"database": "ok", "spooled": 0, "spooled_red": 0}
