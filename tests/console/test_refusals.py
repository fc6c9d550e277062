"""Every refusal leaves a line that names the operator by id and nobody by login, and one more in a figure."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import generate_latest

from sms_gateway.clock import HeldClock
from sms_gateway.operators.models import Role
from sms_gateway.seeing.counting import registry

from .conftest import PAGE, SignIn
from .story import PASSWORD, add_operator


def _figure(why: str) -> float:
    return registry.get_sample_value("hotline_refusals_total", {"why": why}) or 0.0


def _lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line for line in capsys.readouterr().out.splitlines() if "refused" in line and "why" in line]


async def _guess(client: httpx.AsyncClient, login: str, password: str) -> int:
    return (await client.post("/sign-in", data={"login": login, "password": password})).status_code


async def test_a_refused_sign_in_is_a_line_without_login_or_password(
    console: FastAPI, stranger: httpx.AsyncClient, clock: HeldClock, capsys: pytest.CaptureFixture[str]
) -> None:
    operator = await add_operator("yangliping", "杨丽萍", there=False)
    before = {why: _figure(why) for why in ("password", "too_many_tries", "link", "origin")}
    for _ in range(5):
        await _guess(stranger, "yangliping", "a-guessed-pass-phrase")
    assert await _guess(stranger, "yangliping", "a-guessed-pass-phrase") == 429
    await _guess(stranger, "nobody-of-that-name", "a-guessed-pass-phrase")
    await stranger.post("/sign-in/a-forged-token", headers=PAGE)
    await stranger.post("/sign-in", data={"login": "yangliping"}, headers={"Sec-Fetch-Site": "cross-site"})
    lines = _lines(capsys)
    assert [sum(f"why={why}" in line or f'"why": "{why}"' in line for line in lines) for why in before] == [6, 1, 1, 1]
    assert sum(f"operator={operator.id}" in line or f'"operator": {operator.id}' in line for line in lines) == 5
    said = "\n".join(lines)
    for secret in (
        "yangliping",
        "杨丽萍",
        "nobody-of-that-name",
        "a-guessed-pass-phrase",
        "a-forged-token",
        "127.0.0.1",
    ):
        assert secret not in said
    assert {why: _figure(why) - before[why] for why in before} == {
        "password": 6, "too_many_tries": 1, "link": 1, "origin": 1,
    }  # fmt: skip
    assert b"yangliping" not in generate_latest(registry)


async def test_a_wrong_code_names_the_account_by_its_id(
    stranger: httpx.AsyncClient, clock: HeldClock, capsys: pytest.CaptureFixture[str]
) -> None:
    lead = await add_operator("lead", "杨丽萍", Role.SUPERVISOR, there=False)
    await _guess(stranger, "lead", PASSWORD)
    await stranger.post("/second-step/enrol", data={"code": "000000"})
    (line,) = _lines(capsys)
    assert "first_code" in line and str(lead.id) in line and "000000" not in line


async def test_an_act_that_is_not_of_the_role_and_a_forged_page_are_lines_too(
    sign_in: SignIn, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = await sign_in()
    before = _figure("role"), _figure("page_token")
    assert (await desk.see("/accounts")).status_code == 403
    assert (await desk.client.post("/sign-out", data={"csrf": "forged"})).status_code == 403
    role, page = _lines(capsys)
    assert "keep_accounts" in role and str(desk.operator.id) in role
    assert "page_token" in page and "forged" not in page
    assert (_figure("role"), _figure("page_token")) == (before[0] + 1, before[1] + 1)
