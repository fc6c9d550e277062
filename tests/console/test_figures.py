"""The pages of figures, search and export through the real console: scope, links, reasons, nothing in addresses."""

from __future__ import annotations

import csv
import html
import io
import re
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from benchmarks.casework_data import fill
from sms_gateway.clock import HeldClock
from sms_gateway.console.filter_words import described
from sms_gateway.database import transaction
from sms_gateway.operators.models import AuditRow, Operator, Role
from sms_gateway.settings import get_settings
from sms_gateway.tickets import dashboards, export, groups
from sms_gateway.tickets.filters import _READERS, Filter
from sms_gateway.tickets.models import Dispatch, Ticket, TicketGroup

from .conftest import Desk, SignIn

HREF = re.compile(r'href="(/tickets[^"]*)"')


@pytest.fixture
async def filled(database: str, clock: HeldClock) -> None:
    await fill(database, 300, open_share=0.4, now=clock.now())
    async with transaction() as session:
        await dashboards.count_all(session)


async def _settle(desk: Desk, unit: str) -> None:
    async with transaction() as session:
        operator = await session.get(Operator, desk.operator.id)
        assert operator is not None
        operator.unit = unit


async def test_before_the_first_count_the_page_says_so(sign_in: SignIn) -> None:
    lead = await sign_in("banzhang", "班长", Role.SUPERVISOR)
    assert "还没有算过" in (await lead.see("/figures")).text


async def test_every_number_leads_to_a_list_that_opens(sign_in: SignIn, filled: None) -> None:
    lead = await sign_in("banzhang", "班长", Role.SUPERVISOR)
    page = (await lead.see("/figures")).text
    assert "截至" in page and "<script>" not in page and " style=" not in page
    links = {html.unescape(link) for link in HREF.findall(page)}
    assert len(links) > 80
    for link in sorted(links)[::9]:
        answer = await lead.see(link)
        assert answer.status_code == 200 and "看不懂" not in answer.text, link


async def test_a_number_is_how_many_the_list_shows(sign_in: SignIn, filled: None) -> None:
    lead = await sign_in("banzhang", "班长", Role.SUPERVISOR)
    page = (await lead.see("/figures?region=530100")).text
    late = re.search(r'<dt>超时</dt><dd><a[^>]*href="([^"]+)">(\d+)</a>', page)
    assert late is not None
    listed = (await lead.see(html.unescape(late.group(1)))).text
    assert len(re.findall("data-row", listed)) == min(int(late.group(2)), 50)


async def test_a_regions_supervisor_sees_that_region_and_nothing_beside_it(sign_in: SignIn, filled: None) -> None:
    lead = await sign_in("banzhang", "班长", Role.SUPERVISOR)
    await _settle(lead, "12345@530600")
    page = (await lead.see("/figures")).text
    assert "昭通市 · 数字" in page and "昆明" not in page
    assert "镇雄县 · 数字" in (await lead.see("/figures?region=530627")).text
    for other in ("530100", "530000", "530102", "999999"):
        assert (await lead.see(f"/figures?region={other}")).status_code == 404


async def test_sensitive_kinds_are_numbers_without_a_list(sign_in: SignIn, filled: None) -> None:
    lead = await sign_in("banzhang", "班长", Role.SUPERVISOR)
    page = (await lead.see("/figures")).text
    assert "category=D04" not in html.unescape(page)
    assert "敏感事项" in page


async def test_what_is_common_shows_words_and_is_audited(sign_in: SignIn, filled: None, clock: HeldClock) -> None:
    lead = await sign_in("banzhang", "班长", Role.SUPERVISOR)
    assert "还没有归并过" in (await lead.see("/figures/common")).text
    async with transaction() as session:
        ids = list(
            await session.scalars(
                select(Ticket.id)
                .where(Ticket.category.in_(sorted(groups.visible.ordinary_codes())), ~Ticket.sealed)
                .limit(4)
            )
        )
        for members in ([], ids):
            session.add(
                TicketGroup(
                    found_at=clock.now(), since=clock.now(), looked_at=9, cut=False, category=None, ticket_ids=members
                )
            )
    page = (await lead.see("/figures/common")).text
    assert "4 件" in page and "看的是近 30 天的 9 件" in page
    link = re.search(r'href="(/tickets\?show=all&amp;group=\d+)"', page)
    assert link is not None
    assert len(re.findall("data-row", (await lead.see(html.unescape(link.group(1)))).text)) == 4
    async with transaction() as session:
        assert await session.scalar(select(AuditRow.id).where(AuditRow.what == "open_groups")) is not None


async def test_words_are_posted_found_and_not_kept(sign_in: SignIn, filled: None) -> None:
    desk = await sign_in()
    assert (await desk.see("/tickets/search")).status_code == 200
    answer = await desk.do("/tickets/search", words="校车 超载", region="", category="")
    assert answer.status_code == 200 and "校车超载" in answer.text and 'value="校车 超载"' in answer.text
    assert (await desk.do("/tickets/search", words="x")).text.count("请写单号") == 1
    assert "没认出来" in (await desk.do("/tickets/search", unit="nobody@1", number="123")).text
    async with transaction() as session:
        number = await session.scalar(select(Ticket.number).limit(1))
        rows = (await session.scalars(select(AuditRow).where(AuditRow.what == "search_words"))).all()
    assert number in (await desk.do("/tickets/search", number=str(number))).text
    assert len(rows) == 1 and rows[0].detail is None and rows[0].subject == "tickets"


async def test_a_department_searches_its_own_copies(sign_in: SignIn, filled: None) -> None:
    async with transaction() as session:
        mine = (await session.scalars(select(Dispatch).where(Dispatch.closed_at.is_(None)).limit(1))).one()
        mine.copy = {"what": "派下来的这一件"}
    desk = await sign_in("danwei", "承办人", Role.DEPARTMENT, unit=mine.unit)
    answer = await desk.do("/tickets/search", words="派下来的")
    assert f'href="/work/{mine.ticket_id}"' in answer.text and "派下来的这一件" in answer.text
    assert (await desk.see("/figures")).status_code == 403


async def test_a_file_needs_a_reason_which_the_audit_seals(
    sign_in: SignIn, filled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead = await sign_in("banzhang", "班长", Role.SUPERVISOR)
    assert "一共" in (await lead.see("/tickets/export?show=all")).text
    refused = await lead.do("/tickets/export", reason="x", kind="csv", show="all")
    assert refused.status_code == 422
    async with transaction() as session:
        assert await session.scalar(select(AuditRow.id).where(AuditRow.what == "export")) is None
    monkeypatch.setattr(export, "BATCH", 70)
    answer = await lead.do("/tickets/export", reason="月度会商通报情况", kind="csv", show="all", with_words="1")
    assert answer.headers["content-disposition"].startswith('attachment; filename="tickets-')
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == 301 and rows[0] == [*export.TITLES, export.WORDS_TITLE]
    assert "+86138" not in answer.text and not re.search(r"\b1380\d{7}\b", answer.text)
    async with transaction() as session:
        row = (await session.scalars(select(AuditRow).where(AuditRow.what == "export"))).one()
    assert row.detail is not None and "月度会商" in row.detail and row.detail_sealed is not None
    assert "月度会商".encode() not in row.detail_sealed


async def test_a_workbook_opens_is_cut_at_its_limit_and_leaves_nothing_behind(
    sign_in: SignIn, filled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead = await sign_in("banzhang", "班长", Role.SUPERVISOR)
    monkeypatch.setattr(export, "MOST", 120)
    answer = await lead.do("/tickets/export", reason="月度会商通报情况", kind="xlsx", show="all")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content))["工单"]
    rows = list(sheet.iter_rows(values_only=True))
    assert len(rows) == 122 and rows[0][0] == "单号" and rows[-1][0] == export.CUT
    assert not list(Path(get_settings().data_dir).glob("export-*"))


async def test_a_regions_supervisor_exports_that_region_only(sign_in: SignIn, filled: None) -> None:
    lead = await sign_in("banzhang", "班长", Role.SUPERVISOR)
    await _settle(lead, "12345@530600")
    answer = await lead.do("/tickets/export", reason="月度会商通报情况", kind="csv", show="all", region="530100")
    assert len(answer.text.splitlines()) == 1
    answer = await lead.do("/tickets/export", reason="月度会商通报情况", kind="csv", show="all")
    places = [row[5] for row in list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))[1:]]
    assert places and all(place.startswith("昭通市") for place in places)


async def test_a_list_says_what_it_is_narrowed_to(sign_in: SignIn, filled: None) -> None:
    lead = await sign_in("banzhang", "班长", Role.SUPERVISOR)
    page = (await lead.see("/tickets?show=all&region=530627&marked=2&opened_from=2026-09-02&status=evaluated")).text
    assert "只看：已评价 · 昭通市镇雄县 · 09-02 以来来的 · 评了 2 分。" in page
    assert "只看：" not in (await lead.see("/tickets")).text


@given(
    st.dictionaries(
        st.sampled_from([*_READERS]),
        st.text(max_size=12) | st.sampled_from(["1", "D04", "530600", "2026-11-30", "none", "3-7"]),
    )
)
@settings(deadline=None)
def test_whatever_a_list_is_narrowed_to_has_words(query: dict[str, str]) -> None:
    wanted = Filter.from_query(query)
    assert bool(described(wanted)) == wanted.narrows
