"""The make-believe desk's page in a real browser: a matter is handed to 12345 by the form, twice it is one, and its end comes back."""

from __future__ import annotations

import pytest
from playwright.async_api import expect
from sqlalchemy import select, update

from sms_gateway.conversations import desk_matters
from sms_gateway.database import transaction
from sms_gateway.tickets.models import Ticket
from tests.telling import Person

from .conftest import MakePage

HTML = "<img src=x onerror=alert(1)>"


@pytest.mark.parametrize("small", [False, True])
async def test_a_matter_is_handed_over_and_comes_back(
    gateway_site: str, make_page: MakePage, person: Person, small: bool
) -> None:
    page = await make_page(small=small)
    await page.goto(f"{gateway_site}/desk")
    await expect(page.locator("#place-of")).to_have_value("530600")
    await page.click("text=学校收费")
    await page.fill("[name=number]", "JJ-1")
    await page.fill("[name=caller]", HTML)
    await page.click("text=交给 12345")
    await expect(page.locator("#says")).to_contain_text("收下了")
    await expect(page.locator("[name=what]")).to_have_value("")
    matter = page.locator(".matter")
    await expect(matter).to_contain_text(HTML)
    async with transaction() as session:
        ticket = (await session.scalars(select(Ticket))).one()
    await expect(matter).to_contain_text(ticket.number)
    assert (ticket.place, ticket.kind) == ("530627", "complaint")
    await page.click("text=学校收费")
    await page.fill("[name=number]", "JJ-1")
    await page.click("text=交给 12345")
    await expect(page.locator("#says")).to_contain_text("没有收")
    await page.fill("[name=caller]", HTML)
    await page.click("text=交给 12345")
    await expect(page.locator("#says")).to_contain_text(f"还是工单 {ticket.number}")
    async with transaction() as session:
        await session.execute(update(Ticket).values(status="concluded"))
    await desk_matters.sweep()
    await person.run()
    await expect(matter.locator(".state")).to_have_text("已办结")
    width = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert width <= 0, "nothing is pushed off the side"
