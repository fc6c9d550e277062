"""Every page is looked at by axe-core at two sizes: nothing serious or critical, as each role that may open it.

Pages are found by the applications' own routes: a GET that answers with a whole page is walked; a new one with parameters
fails here until `house.py` gives it a sample.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from playwright.async_api import Browser, Page, expect
from playwright.async_api import TimeoutError as PlaywrightTimeout

from sms_gateway.app import make_console, make_gateway
from sms_gateway.carriers import registry
from sms_gateway.database import transaction
from sms_gateway.operators import signin
from sms_gateway.operators.models import Role
from sms_gateway.settings import get_settings
from tests.console.handbook_story import warm
from tests.telling import FakeCarrier

from .conftest import free_port, serve
from .house import ROLES, House, furnish

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
SIZES = {"1440": (1440, 900), "390": (390, 844)}
AT_ONCE = 3
"""Pages looked at side by side."""
LOOK = """async (sheets) => {
  for (const folded of document.querySelectorAll("details:not(.me, .more)")) folded.open = true;
  const heavy = (found) => found.violations.filter((one) => ["serious", "critical"].includes(one.impact)).map((one) =>
    `${one.id} (${one.impact}): ` + one.nodes.slice(0, 3).map((node) => node.target.join(" ") + " — " + node.failureSummary.split("\\n").slice(1, 2).join("")).join(" | "));
  const only = { resultTypes: ["violations"] };
  const said = heavy(await axe.run(document, only));
  const more = document.querySelector("details.more");
  if (more?.checkVisibility()) {
    more.open = true;
    said.push(...heavy(await axe.run(more, only)).map((words) => `the folded pages ${words}`));
    more.open = false;
  }
  for (const sheet of document.querySelectorAll(sheets ? "dialog:not([open])" : "none")) {
    sheet.showModal();
    said.push(...heavy(await axe.run(sheet, only)).map((words) => `#${sheet.id} ${words}`));
    sheet.close();
  }
  return said;
}"""
"""What axe says of the page and (`sheets`) of each of its sheets, folded parts unfolded; one line for each rule that is broken."""


@dataclass
class Sites:
    """The running applications and what is in them."""

    console: str
    gateway: str
    console_app: FastAPI
    gateway_app: FastAPI
    house: House


@pytest.fixture
async def sites(
    database: str, carrier: FakeCarrier, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Sites]:
    """The console and the gateway on one full house."""
    data = tmp_path_factory.mktemp("data")
    warm(data)
    ports = free_port(), free_port()
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(data))
    monkeypatch.setenv("HOTLINE_CONSOLE_PORT", str(ports[0]))
    monkeypatch.setenv("HOTLINE_PORT", str(ports[1]))
    get_settings.cache_clear()
    house = await furnish(database)
    await registry.close()
    apps = make_console(), make_gateway()
    running = [await serve(app, port) for app, port in zip(apps, ports, strict=True)]
    yield Sites(f"http://127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[1]}", *apps, house)
    for server, _task in running:
        server.should_exit = True
    await asyncio.gather(*(task for _server, task in running))
    registry._made.clear()


def _gets(routes: Iterable[Any]) -> Iterator[str]:
    """Templates of all GET routes, also of included routers."""
    for route in routes:
        if isinstance(route, APIRoute):
            if "GET" in route.methods:
                yield route.path
        elif hasattr(route, "effective_route_contexts"):
            yield from (one.path for one in route.effective_route_contexts() if "GET" in one.methods)


PARTS = re.compile(r"/(?:stream|live|part|rail)$|/files/|^/(?:api|voice|live)/")
"""No pages by their address: streams, parts of pages, files, interfaces."""


def _addresses(app: FastAPI, samples: dict[str, list[str]], role: Role | None) -> list[str]:
    """Every address that may be a page; of what has many samples, only a supervisor sees more than the first."""
    found = []
    for template in dict.fromkeys(_gets(app.routes)):
        if PARTS.search(template):
            continue
        known = samples.get(template, [] if "{" in template else [template])
        assert known, f"{template} is new: give it a sample in tests/browser/house.py"
        found += known if role == Role.SUPERVISOR else known[:1]
    return found


async def _pages(base: str, addresses: Sequence[str], cookies: dict[str, str]) -> list[str]:
    """Those that this browser gets as a whole page."""
    found = []
    async with httpx.AsyncClient(base_url=base, cookies=cookies, headers={"Accept": "text/html"}, timeout=60) as client:
        for address in addresses:
            async with client.stream("GET", address) as answer:
                if answer.headers.get("content-type", "").startswith("text/html") and answer.status_code in {
                    200,
                    404,
                    410,
                }:
                    await answer.aread()
                    if answer.text.lstrip().lower().startswith("<!doctype html>"):
                        found.append(address)
    return found


async def _look(page: Page, address: str, name: str, sizes: Sequence[str], *, rings: bool = False) -> list[str]:
    """What axe and the narrow screen say of one page, each line with where it was seen."""
    said: list[str] = []
    await page.goto(address, wait_until="load")
    if rings:
        await page.click("#sound")
        await expect(page.locator("#sound")).to_have_attribute("aria-pressed", "true")
    await page.add_script_tag(path=str(AXE))
    for size in sizes:
        width, height = SIZES[size]
        await page.set_viewport_size({"width": width, "height": height})
        if folder := os.environ.get("SCREENSHOTS"):
            file = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
            await page.wait_for_timeout(400)
            await page.screenshot(path=str(Path(folder) / f"{file}-{size}.png"), full_page=size == "390")
        said += [f"{name} at {size}: {line}" for line in await page.evaluate(LOOK, size == "390")]
        try:
            await page.wait_for_function("document.documentElement.scrollWidth <= innerWidth", timeout=2_000)
        except PlaywrightTimeout:
            said.append(f"{name} at {size}: wider than the screen")
    return said


async def _walk(
    chromium: Browser, base: str, names: dict[str, str], cookie: dict[str, str], seen: set[str], *, rings: bool = False
) -> list[str]:
    """Look at all of `names` (address → name) in a browser with that cookie, `AT_ONCE` side by side.

    Those in `seen` were looked at as somebody else and are looked at on the narrow screen only.
    """
    context = await chromium.new_context(bypass_csp=True, service_workers="block", reduced_motion="reduce")
    # A bell that wakes while axe reads changes its button's colours half way: it is asleep until somebody wakes it (`rings`).
    await context.add_init_script("localStorage.setItem('bell', 'off')")
    if cookie:
        await context.add_cookies([{"name": name, "value": value, "url": base} for name, value in cookie.items()])  # type: ignore[list-item]
    waiting, said = list(names.items()), list[str]()

    async def one_tab() -> None:
        page = await context.new_page()
        while waiting:
            address, name = waiting.pop(0)
            said.extend(
                await _look(page, base + address, name, ["390"] if address in seen else list(SIZES), rings=rings)
            )

    await asyncio.gather(*(one_tab() for _ in range(min(AT_ONCE, len(waiting)))))
    await context.close()
    seen.update(names)
    return said


async def _sign_in(login: str) -> dict[str, str]:
    async with transaction() as session:
        token = await signin.one_time_link(session, login=login)
    async with transaction() as session:
        opened = await signin.with_link(session, token=token)
    return {"hotline_console": opened.token}


@pytest.mark.timeout(900)  # every page, as each role, at both sizes
async def test_no_page_keeps_anybody_out(chromium: Browser, sites: Sites) -> None:
    said, seen = list[str](), set[str]()
    for role, (login, _name, _unit) in ROLES.items():
        cookie = await _sign_in(login)
        addresses = _addresses(sites.console_app, sites.house.samples, role)
        pages = await _pages(sites.console, [one for one in addresses if not one.startswith("/sign-in")], cookie)
        assert pages, role
        said += await _walk(chromium, sites.console, {page: f"{role.value} {page}" for page in pages}, cookie, seen)
    ringing = await _sign_in(ROLES[Role.SUPERVISOR][0])
    said += await _walk(chromium, sites.console, {"/": "supervisor / with the bell on"}, ringing, set(), rings=True)
    for base, app in ((sites.console, sites.console_app), (sites.gateway, sites.gateway_app)):
        pages = await _pages(base, _addresses(app, sites.house.samples, None), {})
        said += await _walk(chromium, base, {page: f"stranger {page}" for page in pages}, {}, set())
    assert not said, "\n" + "\n".join(said)
