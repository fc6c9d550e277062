"""An exported file: nothing in it is ever a formula, nobody's number is in it, sensitive matters tell nothing."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import true

from benchmarks.casework_data import fill
from sms_gateway.clock import HeldClock
from sms_gateway.console import words
from sms_gateway.database import transaction
from sms_gateway.tickets import export
from sms_gateway.tickets.export import Names, Sheet, csv_lines, safe
from sms_gateway.tickets.filters import Filter
from sms_gateway.tickets.models import Ticket

NAMES = Names(words.KINDS, words.LANES, words.STATUSES, {"county": "县", "prefecture": "州市", "province": "省"})
NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
NASTY = st.text(st.sampled_from("=+-@\t\r\n \u3000＝＋－＠'\"a,;|!\x00\ufeff\u200b1"), max_size=12) | st.text(
    max_size=30
)
SIGNS = "=+-@\t\r\n＝＋－＠"


def _ticket(**values: object) -> Ticket:
    plain: dict[str, object] = {
        "number": "12345678", "kind": "complaint", "lane": "blue", "status": "handling", "category": "D33", "place": "530627",
        "level": "county", "unit": "edu@530627", "received_at": NOW, "due_at": NOW, "returns": 0, "supervised": 0,
        "answers": {"what": "我是王小明，电话13800001234，学校食堂有虫"},
    }  # fmt: skip
    return Ticket(**{**plain, **values})


@given(NASTY)
@example("=cmd|' /C calc'!A0")
@example("\t=1+1")
@example("  @SUM(1)")
@example("＝1+1")
@example("\ufeff=1+1")
@example("\u200b+1")
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_no_text_becomes_a_formula_in_csv(text: str) -> None:
    (row,) = csv.reader(io.StringIO(csv_lines([[text, "x"]]).decode()))
    assert row[1] == "x"
    assert not row[0].lstrip().startswith(tuple(SIGNS))
    assert not re.match(r"^[\s\ufeff\u200b]*[=+\-@]", row[0])


@given(st.lists(NASTY, min_size=1, max_size=6))
@settings(max_examples=40, deadline=None)
def test_no_text_becomes_a_formula_or_link_in_xlsx(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    path = tmp_path_factory.mktemp("x") / "a.xlsx"
    with Sheet(path) as sheet:
        sheet.write([[text, 1] for text in [*texts, "https://example.com", "=1+1"]])
    for first, second in openpyxl.load_workbook(path)["工单"].iter_rows():
        assert first.data_type != "f" and first.hyperlink is None
        assert second.value == 1


def test_a_file_holds_no_number_no_name_and_no_word_of_a_sensitive_matter() -> None:
    plain = export.cells(_ticket(), NAMES, sensitive=False, with_words=True, now=NOW)
    said = "".join(str(cell) for cell in plain)
    assert "食堂有虫" in said and "13800001234" not in said and "王小明" not in said
    assert len(plain) == len(export.TITLES) + 1
    secret = export.cells(_ticket(), NAMES, sensitive=True, with_words=True, now=NOW)
    said = "".join(str(cell) for cell in secret)
    assert "食堂" not in said and "镇雄" not in said and export.SENSITIVE in said and "昭通市" in said
    assert not any("举报人" in title or "来信人" in title or title == "号码" for title in export.TITLES)


@pytest.mark.parametrize("reason", ["", "  ", "报告", "字" * 301, "\x00\x00\x00\x00\x00\x00"])
def test_a_reason_must_say_something(reason: str) -> None:
    with pytest.raises(export.ReasonIsMissing):
        export.checked_reason(reason)


async def test_batches_come_newest_first_and_miss_nobody(database: str, clock: HeldClock, tmp_path: Path) -> None:
    await fill(database, 120, now=clock.now())
    seen: list[int] = []
    async with transaction() as session:
        while rows := await export.batch(
            session, Filter(show="all"), within=true(), before=seen[-1] if seen else None, limit=50
        ):
            seen += [ticket.id for ticket, _ in rows]
            assert all(export.cells(t, NAMES, sensitive=s, with_words=True, now=NOW)[0] == t.number for t, s in rows)
    assert len(seen) == 120 and seen == sorted(seen, reverse=True)


def test_numbers_stay_numbers_and_eight_digits_stay_text(tmp_path: Path) -> None:
    assert safe("012345") == "012345" and safe(3) == 3 and safe(None) == "" and safe("-") == "'-"
    with Sheet(tmp_path / "a.xlsx") as sheet:
        sheet.write([["01234567", 3]])
    (row,) = openpyxl.load_workbook(tmp_path / "a.xlsx")["工单"].iter_rows(values_only=True)
    assert row == ("01234567", 3)


def test_what_one_sheet_cannot_hold_goes_on_in_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "MOST_IN_A_SHEET", 3)
    with export.Sheet(tmp_path / "many.xlsx", "2026") as sheet:
        sheet.write([[number] for number in range(7)])
    book = openpyxl.load_workbook(tmp_path / "many.xlsx")
    assert {name: [row[0].value for row in book[name].iter_rows()] for name in book.sheetnames} == {
        "2026": [0, 1, 2], "2026-2": [3, 4, 5], "2026-3": [6],
    }  # fmt: skip
