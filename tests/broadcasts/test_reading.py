"""Audience files: what is read of them, line by line, and which sentence a bad one gets."""

from __future__ import annotations

import csv
import io
import random
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_gateway.broadcasts import reading
from sms_gateway.broadcasts.lines import LONGEST_LINE, _decoded, decode, read_rows
from sms_gateway.broadcasts.places import region_of
from sms_gateway.errors import BadInput

from .files import bomb_xlsx, csv_bytes, parquet_bytes, phone, xlsx_bytes

HEADER = ("姓名", "手机号", "地区", "分组", "同意")
RUBBISH = random.Random(1).randbytes(50_000)
PEOPLE = [("某某", phone(1), "镇雄", "家长", "是"), ("某某", phone(2), "530102", "老师", "")]


def read(data: bytes) -> list[tuple[object, ...]]:
    """Every line: number of the line, cell, region, group, consent."""
    found: list[tuple[object, ...]] = []
    for batch in reading.read(io.BytesIO(data)):
        empty = [None] * len(batch.lines)
        found += zip(
            batch.lines,
            batch.cells,
            batch.regions or empty,
            batch.groups or empty,
            batch.consents or empty,
            strict=True,
        )
    return found


WANTED = [(2, phone(1), "镇雄", "家长", "是"), (3, phone(2), "530102", "老师", "")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
@pytest.mark.parametrize("sign", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_csv_is_read_in_every_encoding_separator_and_line_end(encoding: str, sign: str, end: str) -> None:
    assert read(csv_bytes([HEADER, *PEOPLE], encoding=encoding, sign=sign, end=end)) == WANTED


def test_xlsx_and_parquet_give_the_same_lines_as_csv() -> None:
    assert read(xlsx_bytes([HEADER, *PEOPLE])) == WANTED
    columns = {name: [row[at] for row in PEOPLE] for at, name in enumerate(HEADER)}
    assert read(parquet_bytes(columns)) == [(number - 1, *rest) for number, *rest in WANTED]  # it has no header line


def test_lines_of_two_encodings_in_one_file_are_all_read() -> None:
    data = csv_bytes([HEADER, PEOPLE[0]], encoding="gbk") + csv_bytes([PEOPLE[1]]) + b"\xff\xff\xff,138\r\n"
    data += csv_bytes([("某", phone(3), "昭通市镇雄县", "", "")], encoding="gb18030")
    assert read(data) == [*WANTED, (4, None, "", "", ""), (5, phone(3), "昭通市镇雄县", "", "")]


def test_a_title_above_the_header_and_blank_lines_do_not_disturb() -> None:
    data = csv_bytes([("某县家长手机号名单",), (), HEADER, PEOPLE[0], (), PEOPLE[1]])
    assert [line for line, *_ in read(data)] == [4, 6]


def test_without_header_the_one_column_of_numbers_is_taken() -> None:
    assert read(csv_bytes([("某", phone(1)), ("某", phone(2))])) == [
        (1, phone(1), None, None, None), (2, phone(2), None, None, None),
    ]  # fmt: skip
    assert read(csv_bytes([(phone(1),)], end="")) == [(1, phone(1), None, None, None)]


def test_a_number_cell_of_a_spreadsheet_is_the_whole_number() -> None:
    assert [cell for _, cell, *_ in read(xlsx_bytes([("手机号",), (13800000001,), (13800000002.0,)]))] == [
        phone(1),
        phone(2),
    ]
    assert [cell for _, cell, *_ in read(parquet_bytes({"mobile": [13800000001, None]}))] == [phone(1)]


def test_a_formula_of_a_spreadsheet_is_what_its_editor_saw_and_in_csv_it_stays_text() -> None:
    rows = [("手机号",), ("=1+1",)]
    assert [cell for _, cell, *_ in read(xlsx_bytes(rows))] == [phone(9)]
    assert [cell for _, cell, *_ in read(csv_bytes(rows))] == ["=1+1"]


def test_quotes_that_are_never_closed_swallow_no_line() -> None:
    data = csv_bytes([("手机号", "备注"), (phone(1), '"没有关上'), *((phone(n), "好") for n in range(2, 60))])
    assert [line for line, *_ in read(data)] == list(range(2, 61))
    data = csv_bytes([("备注", "手机号"), ('"两行\n一格"', phone(1)), ("好", phone(2))])
    assert [(line, cell) for line, cell, *_ in read(data)] == [(2, phone(1)), (4, phone(2))]


def test_nul_bytes_among_the_lines_are_part_of_their_cells() -> None:
    assert [line for line, *_ in read(csv_bytes([("手机号",), ("\x00\x00",), (phone(1),)]))] == [2, 3]


def test_a_line_without_end_is_one_unreadable_line_and_is_never_held() -> None:
    data = csv_bytes([("手机号",), (phone(1),)]) + b"9" * (5 << 20) + b"\n" + csv_bytes([(phone(2),)])
    assert [row[:2] for row in read(data)] == [(2, phone(1)), (3, None), (4, phone(2))]
    assert [row[:2] for row in read(csv_bytes([("手机号",), (phone(1),)]) + b"9" * (1 << 20))][-1] == (3, None)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "空的"), (b"\xef\xbb\xbf\r\n", "空的"), (b"\n\n\n", "空的"), ("手机号,地区\n".encode("utf-16"), "UTF-16"),
        ("手机号\n13800000001\n".encode("utf-16-le"), "UTF-16"), (RUBBISH, "不是名单"), (b"\x7fELF" + bytes(9000), "UTF-16|不是名单"),
        (b"%PDF-1.7 ...", "不是名单"), (b"\x1f\x8b\x08\x00", "不是名单"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "密码"),
        (b"PK\x03\x04 broken", "打不开"), (b"PAR1 broken PAR1", "打不开"), (b"9" * (LONGEST_LINE + 9), "第一行太长"),
        (csv_bytes([("姓名", "学校"), *[("某某", "一中")] * 30]), "没有找到手机号"),
        (csv_bytes([("手机号", "姓名"), *[("某某", phone(1))] * 30]), "错了列"),
        (csv_bytes([("手机1", "手机2"), *[(phone(1), phone(2))] * 30]), "第 1、2 列"),
        (csv_bytes([("家长手机", "老师手机"), (phone(1), phone(2))]), "第 1、2 列"),
        (xlsx_bytes([("手机号",), (phone(1),)], sheets=2), "几张"), (xlsx_bytes([]), "空的"),
        (parquet_bytes({"手机号": []}), "空的"), (parquet_bytes({"学校": ["一中"] * 9}), "没有找到手机号"),
    ],
)  # fmt: skip
def test_a_bad_file_gets_a_sentence(data: bytes, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        read(data)
    assert any(words in refused.value.sentence for words in said.split("|"))


def test_a_message_never_shows_a_cell() -> None:
    with pytest.raises(BadInput) as refused:
        read(csv_bytes([("王小明", "住在坪上"), ("李小红", "住在镇上")]))
    assert "王" not in refused.value.sentence and "坪上" not in refused.value.sentence
    with pytest.raises(BadInput) as refused:
        read(csv_bytes([("姓名", "学校"), ("王小明", "一中")]))
    assert "姓名、学校" in refused.value.sentence and "王" not in refused.value.sentence


def test_a_package_that_is_no_workbook_or_a_trap_is_told_before_it_is_unpacked() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr("word/document.xml", "<x/>")
    with pytest.raises(BadInput, match="NoSheet"):
        read(out.getvalue())
    with pytest.raises(BadInput, match="SheetIsTooLarge"):
        read(bomb_xlsx())


@pytest.mark.parametrize(
    ("cell", "region"),
    [
        ("530627", "530627"), ("530627000000", "530627"), ("530600", "530600"), ("镇雄", "530627"), ("昭通市镇雄县", "530627"),
        ("云南省昭通市镇雄县", "530627"), ("昭通市", "530600"), ("530000", ""), ("539999", ""), ("110101", ""), ("广东", ""), ("", ""),
        ("云南省", ""), ("530627.0", "530627"), ("x" * 5000, ""),
    ],
)  # fmt: skip
def test_a_region_is_a_county_or_a_prefecture_of_yunnan_or_unknown(cell: str, region: str) -> None:
    assert region_of(cell) == region


@given(st.lists(st.binary(max_size=12).map(lambda line: line.replace(b"\n", b"").replace(b"\r", b"")), max_size=8))
def test_lines_decoded_at_once_are_what_they_are_one_by_one(lines: list[bytes]) -> None:
    assert _decoded(b"".join(line + b"\n" for line in lines)) == list(map(decode, lines))


@given(st.binary(max_size=2000))
def test_whatever_bytes_there_are_they_give_lines_or_a_sentence(data: bytes) -> None:
    for start in (b"", "手机号\n13800000001\n".encode(), b"PK\x03\x04", b"PAR1"):
        lines: list[object] = []
        with suppress(BadInput):
            lines = [line for line, *_ in read(start + data)]
        assert lines == sorted(set(lines))


CELL = st.text(
    st.characters(blacklist_categories=("Cs",), blacklist_characters="\r\n\x00\ufeff"), min_size=1, max_size=8
)


@given(st.lists(st.lists(CELL, min_size=2, max_size=4), max_size=30))
def test_what_the_csv_module_writes_is_read_back_cell_by_cell(rows: list[list[str]]) -> None:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    read_back = [row for chunk in read_rows(io.BytesIO(out.getvalue().encode()), ",") for row in chunk]
    assert read_back == list(enumerate(rows, 1))
