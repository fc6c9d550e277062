"""Signing in as a browser does it: nobody locks anybody else out, codes of the phone, own passwords, sessions that end."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pyotp
import pytest
from fastapi import FastAPI
from sqlalchemy import select
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from sms_gateway import clock as clocks
from sms_gateway.app import make_console
from sms_gateway.clock import HeldClock
from sms_gateway.console import cookies
from sms_gateway.database import transaction
from sms_gateway.operators import accounts, second_factor, signin
from sms_gateway.operators.models import AuditRow, OperatorSession, Role
from sms_gateway.settings import Settings, get_settings

from .conftest import HOST, PAGE, SignIn, browser
from .story import PASSWORD, add_operator, link_for

OWN = "窗外的蓝花楹开了一整条街"


@pytest.fixture
async def victim(console: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(console) as client:
        yield client


async def _try(client: httpx.AsyncClient, password: str, login: str = "zhiban") -> httpx.Response:
    return await client.post("/sign-in", data={"login": login, "password": password})


def _without_clock(page: str) -> str:
    return re.sub(r'data-now="\d+"', "", page)


async def test_a_stranger_who_guesses_all_night_locks_out_only_themselves(
    console: FastAPI, stranger: httpx.AsyncClient, victim: httpx.AsyncClient, clock: HeldClock
) -> None:
    """The stranger even sits behind the same address as the victim."""
    await add_operator("zhiban", "测试员", there=False)
    assert (await _try(victim, PASSWORD)).status_code == 303  # their browser is known from now on
    await signing_out(victim)
    answers = [(await _try(stranger, f"wrong guess {number}")).status_code for number in range(40)]
    assert answers[:5] == [401] * 5 and set(answers[5:]) == {429}
    assert (await _try(victim, PASSWORD)).status_code == 303
    async with browser(console) as new_computer:
        assert (await _try(new_computer, PASSWORD)).status_code == 429
        assert (await new_computer.post(f"/sign-in/{await link_for('zhiban')}")).status_code == 303
    async with elsewhere(console) as another_address:
        assert (await _try(another_address, PASSWORD)).status_code == 303


async def signing_out(client: httpx.AsyncClient) -> None:
    client.cookies.delete(cookies.SESSION)


def elsewhere(app: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("10.9.8.7", 1))
    return httpx.AsyncClient(transport=transport, base_url=HOST)


async def test_a_known_browser_that_guesses_wrong_waits_alone(
    console: FastAPI, stranger: httpx.AsyncClient, victim: httpx.AsyncClient, clock: HeldClock
) -> None:
    await add_operator("zhiban", "测试员", there=False)
    assert (await _try(victim, PASSWORD)).status_code == 303
    await signing_out(victim)
    assert [(await _try(victim, "wrong")).status_code for _ in range(6)] == [401] * 5 + [429]
    assert (await _try(stranger, PASSWORD)).status_code == 303
    clock.advance(timedelta(seconds=31))
    assert (await _try(victim, PASSWORD)).status_code == 303


async def test_a_login_that_does_not_exist_sounds_and_works_as_one_that_does(
    console: FastAPI, stranger: httpx.AsyncClient, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_operator("zhiban", "测试员", there=False)
    looked_at: list[bool] = []
    right = accounts.is_password
    monkeypatch.setattr(accounts, "is_password", lambda *given: (looked_at.append(True), right(*given))[1])
    said = [
        [_without_clock((await _try(stranger, "wrong", login)).text) for _ in range(7)]
        for login in ("zhiban", "nobody")
    ]
    assert said[0] == said[1] and len(set(said[0])) == 2
    assert len(looked_at) == 10  # five each, then no work is done for either


async def test_guessing_holds_no_lock_on_the_account(console: FastAPI, stranger: httpx.AsyncClient) -> None:
    operator = await add_operator("zhiban", "测试员", there=False)
    async with transaction() as session:
        await session.get_one(type(operator), operator.id, with_for_update=True)
        assert (await _try(stranger, "wrong")).status_code == 401  # it would wait here for ever


@pytest.mark.parametrize(
    ("peer", "header", "seen"),
    [
        ("203.0.113.9", "10.0.0.1", "203.0.113.9"),
        ("127.0.0.1", "1.2.3.4, 198.51.100.7", "198.51.100.7"),
        ("10.1.2.3", "1.2.3.4, 198.51.100.7, 10.1.9.9", "198.51.100.7"),
    ],
)
async def test_a_forwarded_address_counts_only_from_a_trusted_proxy(peer: str, header: str, seen: str) -> None:
    found: list[str] = []

    async def app(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        found.append(scope["client"][0])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    proxied = ProxyHeadersMiddleware(
        app, trusted_hosts=Settings(trusted_proxies="127.0.0.1, 10.1.0.0/16").trusted_proxies
    )
    transport = httpx.ASGITransport(proxied, client=(peer, 1))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url=HOST) as client:
        await client.get("/", headers={"X-Forwarded-For": header})
    assert found == [seen]


@pytest.mark.parametrize("words", ["*", "0.0.0.0/0", "::/0", "proxy.example"])
def test_nobody_can_write_that_every_address_is_a_trusted_proxy(words: str) -> None:
    with pytest.raises(ValueError, match="HOTLINE_TRUSTED_PROXIES"):
        Settings(trusted_proxies=words)


# ---- the code of the phone ----


async def _lead(role: Role = Role.SUPERVISOR) -> None:
    await add_operator("lead", "杨丽萍", role, there=False)


async def _bind(client: httpx.AsyncClient) -> tuple[pyotp.TOTP, list[str]]:
    """Password, then the phone is bound; the secret as the page spells it, the codes it shows."""
    answer = await _try(client, PASSWORD, "lead")
    assert answer.headers["location"] == "/second-step?back=/"
    page = (await client.get("/second-step")).text
    spelt = re.search(r'class="figures secret">([A-Z2-7 ]+)<', page)
    assert spelt and "<svg" in page and " style=" not in page and "<style" not in page
    totp = pyotp.TOTP(spelt.group(1).replace(" ", ""))
    done = await client.post("/second-step/enrol", data={"code": totp.at(clocks.now())})
    codes = re.findall(r"<li>([a-z0-9]{5}-[a-z0-9]{5})</li>", done.text)
    assert done.status_code == 200 and len(codes) == 10
    return totp, codes


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.EDITOR])
async def test_who_needs_a_code_binds_a_phone_first_and_is_asked_from_then_on(
    console: FastAPI, stranger: httpx.AsyncClient, victim: httpx.AsyncClient, clock: HeldClock, role: Role
) -> None:
    await _lead(role)
    totp, _codes = await _bind(stranger)
    own = await stranger.get("/account", headers=PAGE)
    assert own.status_code == 200 and "绑定了手机；不是您自己绑的" in own.text
    clock.advance(timedelta(minutes=2))
    assert (await _try(victim, PASSWORD, "lead")).headers["location"].startswith("/second-step")
    assert (await victim.get("/account", headers=PAGE)).status_code == 303  # not in yet
    assert "现在有" not in (await victim.get("/second-step")).text
    assert (await victim.post("/second-step/code", data={"code": "000000"})).status_code == 401
    good = totp.at(clocks.now())
    assert (await victim.post("/second-step/code", data={"code": good, "back": "/team"})).headers["location"] == "/team"
    assert (await victim.get("/account", headers=PAGE)).status_code == 200
    async with browser(console) as replay:
        await _try(replay, PASSWORD, "lead")
        assert (await replay.post("/second-step/code", data={"code": good})).status_code == 401


async def test_a_link_stands_for_the_password_and_never_for_the_code(
    console: FastAPI, stranger: httpx.AsyncClient, victim: httpx.AsyncClient, clock: HeldClock
) -> None:
    await _lead()
    _totp, codes = await _bind(stranger)
    answer = await victim.post(f"/sign-in/{await link_for('lead')}")
    assert answer.headers["location"].startswith("/second-step")
    assert (await victim.get("/team", headers=PAGE)).status_code == 303
    done = await victim.post("/second-step/code", data={"code": codes[4]})
    assert done.status_code == 303 and (await victim.get("/team", headers=PAGE)).status_code == 200
    async with transaction() as session:
        assert "use_recovery_code" in set(await session.scalars(select(AuditRow.what)))


async def test_codes_cannot_be_guessed_through_nor_steps_be_skipped(
    console: FastAPI, stranger: httpx.AsyncClient, victim: httpx.AsyncClient, clock: HeldClock
) -> None:
    await _lead()
    await _bind(stranger)
    await _try(victim, PASSWORD, "lead")
    answers = [(await victim.post("/second-step/code", data={"code": f"{n:06}"})).status_code for n in range(9)]
    assert set(answers[:5]) == {401} and set(answers[5:]) == {429}
    assert (await victim.post("/second-step/enrol", data={"code": "123456"})).status_code == 401
    assert (await victim.post("/second-step/password", data={"password": OWN, "again": OWN})).status_code == 401
    clock.advance(timedelta(minutes=11))
    assert (await victim.get("/second-step", headers=PAGE)).headers["location"].startswith("/sign-in")


async def test_who_has_the_password_and_many_addresses_gets_few_codes_and_the_owner_still_comes_in(
    console: FastAPI, stranger: httpx.AsyncClient, victim: httpx.AsyncClient, clock: HeldClock
) -> None:
    await _lead()
    totp, codes = await _bind(victim)
    answers = []
    for number in range(15):
        transport = httpx.ASGITransport(console, raise_app_exceptions=False, client=(f"10.9.8.{number}", 1))
        async with httpx.AsyncClient(transport=transport, base_url=HOST) as one:
            await _try(one, PASSWORD, "lead")
            wrong = "".join(str((int(digit) + 5) % 10) for digit in totp.at(clocks.now()))
            padded = wrong + " " * 40 + "x" if number % 2 else wrong
            answers.append(await one.post("/second-step/code", data={"code": padded}))
    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 5
    assert "备用码" in answers[-1].text
    await _try(stranger, PASSWORD, "lead")
    assert (await stranger.post("/second-step/code", data={"code": codes[2]})).status_code == 303
    clock.advance(timedelta(minutes=1))
    await victim.post("/sign-out")
    await signing_out(victim)
    await _try(victim, PASSWORD, "lead")
    assert (await victim.post("/second-step/code", data={"code": totp.at(clocks.now())})).status_code == 303


async def test_another_supervisor_lets_a_colleague_bind_anew_and_says_why(
    console: FastAPI, sign_in: SignIn, stranger: httpx.AsyncClient, clock: HeldClock
) -> None:
    await _lead()
    await _bind(stranger)
    other = await sign_in("banzhang2", "另一位班长", Role.SUPERVISOR)
    page = (await other.see("/accounts")).text
    assert "已绑定" in page and "还没绑定" in page
    async with transaction() as session:
        lead = await accounts.get(session, "lead")
    path = f"/accounts/{lead.id}/reset-second-factor"
    assert (await other.do(path)).status_code == 422
    assert (await other.do(f"/accounts/{other.operator.id}/reset-second-factor", why="我的")).status_code == 422
    assert (await other.do(path, why="换手机了，当面核对过")).status_code == 204
    assert (await stranger.get("/account", headers=PAGE)).status_code == 303  # signed out at once
    async with transaction() as session:
        row = (await session.scalars(select(AuditRow).where(AuditRow.what == "reset_second_factor"))).one()
        assert (row.operator_id, row.subject, row.detail) == (
            other.operator.id,
            f"operator:{lead.id}",
            "换手机了，当面核对过",
        )
        assert not await second_factor.is_enrolled(session, lead.id)


async def test_a_supervisor_of_a_prefecture_reaches_that_prefectures_accounts_only(sign_in: SignIn) -> None:
    zhaotong = await sign_in("zt", "昭通班长", Role.SUPERVISOR, unit="12345@530600")
    inside = await add_operator("edu", "镇雄教体局", Role.DEPARTMENT, unit="edu@530627", there=False)
    outside = [
        await add_operator("kunming", "昆明值班员", unit="12345@530100", there=False),
        await add_operator("province", "省里值班员", there=False),
    ]
    page = (await zhaotong.see("/accounts")).text
    assert inside.name in page and not any(one.name in page for one in outside)
    assert (await zhaotong.do(f"/accounts/{inside.id}/reset-second-factor", why="核对过")).status_code == 204
    for one in outside:
        assert (await zhaotong.do(f"/accounts/{one.id}/reset-second-factor", why="核对过")).status_code == 404


# ---- passwords and sessions ----


async def test_a_password_somebody_made_lets_in_only_to_choose_an_own_one(
    stranger: httpx.AsyncClient, victim: httpx.AsyncClient
) -> None:
    async with transaction() as session:
        await accounts.add(
            session, login="zhiban", name="测试员", role=Role.OPERATOR, password=PASSWORD, must_change=True
        )
    assert (await _try(stranger, PASSWORD)).headers["location"].startswith("/second-step")
    for password, again in ((PASSWORD, PASSWORD), ("short", "short"), (OWN, OWN + "啊"), ("zhiban zhiban zhiban",) * 2):
        answer = await stranger.post("/second-step/password", data={"password": password, "again": again})
        assert answer.status_code == 422 and 'class="trouble"' in answer.text
    assert (await stranger.post("/second-step/password", data={"password": OWN, "again": OWN})).status_code == 303
    assert (await stranger.get("/account", headers=PAGE)).status_code == 200
    assert (await _try(victim, PASSWORD)).status_code == 401
    assert (await _try(victim, OWN)).headers["location"] == "/"


async def test_a_new_password_signs_out_everywhere_else_and_renews_the_session(
    console: FastAPI, stranger: httpx.AsyncClient, victim: httpx.AsyncClient
) -> None:
    await add_operator("zhiban", "测试员", there=False)
    for client in (stranger, victim):
        assert (await _try(client, PASSWORD)).status_code == 303
    before = victim.cookies[cookies.SESSION]
    found = re.search(r'data-csrf="([^"]+)"', (await victim.get("/account", headers=PAGE)).text)
    assert found
    form = {"csrf": found.group(1), "password": OWN, "again": OWN}
    assert "现在的密码不对" in (await victim.post("/account/password", data={**form, "old": "wrong"})).text
    assert (await victim.post("/account/password", data={**form, "old": PASSWORD})).status_code == 303
    assert victim.cookies[cookies.SESSION] != before
    assert (await victim.get("/account", headers=PAGE)).status_code == 200
    assert (await stranger.get("/account", headers=PAGE)).status_code == 303
    async with browser(console) as thief:
        thief.cookies.set(cookies.SESSION, before)
        assert (await thief.get("/account", headers=PAGE)).status_code == 303


async def test_own_sessions_are_listed_and_the_others_ended(
    stranger: httpx.AsyncClient, victim: httpx.AsyncClient
) -> None:
    await add_operator("zhiban", "测试员", there=False)
    for client in (stranger, victim):
        await _try(client, PASSWORD)
    page = (await victim.get("/account", headers=PAGE)).text
    assert page.count("就是这里") == 1 and page.count("最近用过") == 2
    found = re.search(r'data-csrf="([^"]+)"', page)
    assert found
    assert (await victim.post("/account/end-others", data={"csrf": found.group(1)})).status_code == 303
    assert (await stranger.get("/", headers=PAGE)).headers["location"].startswith("/sign-in")
    assert (await victim.get("/account", headers=PAGE)).text.count("最近用过") == 1


async def test_no_token_that_was_known_before_is_ever_signed_in_with(
    console: FastAPI, stranger: httpx.AsyncClient, victim: httpx.AsyncClient, clock: HeldClock
) -> None:
    """An attacker leaves their own session, an invented one and a half one in the victim's browser."""
    await add_operator("zhiban", "测试员", there=False)
    await add_operator("evil", "坏人", there=False)
    await _lead()
    await _try(stranger, PASSWORD, "evil")
    planted = stranger.cookies[cookies.SESSION]
    for token in (planted, "f" * 43):
        victim.cookies.set(cookies.SESSION, token)
        assert (await _try(victim, PASSWORD)).status_code == 303
        given = [cookie.value for cookie in victim.cookies.jar if cookie.name == cookies.SESSION]
        assert token not in given[-1:]
        async with transaction() as session:
            assert await signin.find_session(session, token) is None
        victim.cookies.clear()
    half = await _try(victim, PASSWORD, "lead")
    assert half.status_code == 303
    async with transaction() as session:
        assert await signin.find_session(session, victim.cookies[cookies.STEP]) is None
        kept = {row.waits_for for row in await session.scalars(select(OperatorSession))}
    assert kept == {None, "enrol"}


async def test_another_role_ends_every_session_at_once(sign_in: SignIn) -> None:
    desk = await sign_in("zhiban", "测试员")
    async with transaction() as session:
        operator = await accounts.get(session, "zhiban")
        operator.role = Role.QUALITY  # however it came about
    assert (await desk.see("/")).status_code == 303
    async with transaction() as session:
        assert signin.hashed(desk.client.cookies[cookies.SESSION]) not in await signin.list_open(session)
        await accounts.change_role(session, login="zhiban", role=Role.OPERATOR, unit=None)
    assert (await desk.see("/")).status_code == 303


async def test_in_production_cookies_are_this_hosts_alone_and_other_names_of_it_are_refused(
    console: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_operator("zhiban", "测试员", there=False)
    made = {
        "MODE": "production", "CARRIER": "twilio", "TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "t", "TWILIO_FROM": "+15005550006",
        "CROSS_BORDER_ASSESSED": "1", "PUBLIC_URL": "https://hotline.example.cn", "CONSOLE_URL": "https://desk.example.cn",
    }  # fmt: skip
    for name, value in made.items():
        monkeypatch.setenv(f"HOTLINE_{name}", value)
    get_settings.cache_clear()
    transport = httpx.ASGITransport(make_console(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="https://desk.example.cn") as client:
        answer = await client.post("/sign-in", data={"login": "zhiban", "password": PASSWORD})
        for cookie in answer.headers.get_list("set-cookie"):
            assert cookie.startswith("__Host-") and "Domain" not in cookie, cookie
            assert {"Secure", "HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; ")), cookie
        assert answer.headers["strict-transport-security"].startswith("max-age=31536000")
        assert (await client.get("/account", headers=PAGE)).status_code == 200
        for host in ("evil.example", "hotline.example.cn", "desk.example.cn.evil.example"):
            refused = await client.get("/account", headers={**PAGE, "Host": host})
            assert refused.status_code == 400 and "账号" not in refused.text
    get_settings.cache_clear()


async def test_every_answer_forbids_framing_guessing_and_keeping(sign_in: SignIn, stranger: httpx.AsyncClient) -> None:
    desk = await sign_in("lead", "班长", Role.SUPERVISOR)
    own = [
        await desk.see(path)
        for path in ("/", "/tickets", "/account", "/accounts", "/team", "/tickets/1", "/queue/part")
    ]
    strange = [
        await stranger.get(path, headers=PAGE) for path in ("/sign-in", "/sign-in/abc", "/second-step", "/nowhere")
    ]
    for answer in [*own, *strange]:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert " style=" not in answer.text and "<style" not in answer.text and not re.search(r"\son\w+=", answer.text)
