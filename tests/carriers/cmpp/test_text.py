"""Texts to contents and back: three formats, long texts in parts, and what phones and gateways make of them."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_gateway.carriers.cmpp.pdus import Format
from sms_gateway.carriers.cmpp.text import Part, Piece, TextIsTooLong, join, read_piece, read_text, split

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=600).filter(
    lambda text: not text.startswith("\ufeff")
)


def piece_of(part: Part) -> Piece:
    return read_piece(part.content, msg_fmt=part.msg_fmt, tp_udhi=part.tp_udhi)


@given(TEXTS, st.integers(0, 10**6), st.booleans(), st.randoms())
def test_any_text_comes_together_again_whatever_order_its_parts_come_in(
    text: str, reference: int, gbk: bool, dice: random.Random
) -> None:
    parts = split(text, reference=reference, gbk=gbk)
    pieces = [piece_of(part) for part in parts]
    dice.shuffle(pieces)
    assert join(pieces) == text
    assert join(pieces + pieces[:1]) == text  # one came twice
    assert all(len(part.content) <= (159 if part.msg_fmt == Format.ASCII else 140) for part in parts)
    assert [(part.total, part.number) for part in parts] == [(len(parts), n) for n in range(1, len(parts) + 1)]
    if len(parts) > 1:
        assert {(piece.reference, piece.total) for piece in pieces} == {(reference % 256, len(parts))}


@pytest.mark.parametrize(
    ("text", "gbk", "written"),
    [
        ("a" * 159, False, [(Format.ASCII, 159)]),
        ("a" * 160, False, [(Format.UCS2, 140), (Format.UCS2, 140), (Format.UCS2, 58)]),
        ("好" * 70, False, [(Format.UCS2, 140)]),
        ("好" * 71, False, [(Format.UCS2, 140), (Format.UCS2, 14)]),
        ("好" * 70, True, [(Format.GBK, 140)]),
        ("好a" * 35, True, [(Format.GBK, 105)]),
        ("好" * 71, True, [(Format.UCS2, 140), (Format.UCS2, 14)]),
        ("😀", True, [(Format.UCS2, 4)]),
        ("", False, [(Format.ASCII, 0)]),
    ],
)
def test_a_text_is_cut_only_where_it_must_be(text: str, gbk: bool, written: list[tuple[int, int]]) -> None:
    assert [(part.msg_fmt, len(part.content)) for part in split(text, reference=1, gbk=gbk)] == written


def test_no_sign_of_two_units_is_cut_in_two() -> None:
    first, second = split("好" * 66 + "😀" + "好" * 9, reference=1)
    assert len(first.content) == 138 and first.content[:6] == bytes((5, 0, 3, 1, 2, 1))
    assert read_text(second.content[6:], msg_fmt=8).startswith("😀")


def test_half_a_sign_is_sent_as_a_question_mark_and_not_refused() -> None:
    assert read_text(split("好\ud83d", reference=1)[0].content, msg_fmt=8) == "好?"


def test_more_than_255_parts_are_no_text() -> None:
    assert len(split("好" * 67 * 255, reference=1)) == 255
    with pytest.raises(TextIsTooLong):
        split("好" * (67 * 255 + 1), reference=1)


@pytest.mark.parametrize(
    ("head", "reference"),
    [
        ("050003aa0201", 0xAA),
        ("060804aabb0201", 0xAABB),
        ("060004aabb0201", 0xAABB),  # a vendor's spelling
        ("0a2402010105 0003aa0201".replace(" ", ""), None),  # an element cut short by the length
        ("0b05040b8423f00003aa0201", 0xAA),  # ports first
    ],
)
def test_headers_of_6_and_7_bytes_are_read_with_others_before_them(head: str, reference: int | None) -> None:
    content = bytes.fromhex(head) + "好".encode("utf-16-be")
    piece = read_piece(content, msg_fmt=8, tp_udhi=1)
    if reference is None:
        assert piece == Piece(content, 8)
    else:
        assert piece == Piece("好".encode("utf-16-be"), 8, reference, 2, 1)


@pytest.mark.parametrize("bits", [0x01, 0x40, 0x41])
def test_a_header_is_seen_by_the_air_s_bit_too(bits: int) -> None:
    content = bytes.fromhex("050003aa0202") + b"ok"
    assert read_piece(content, msg_fmt=0, tp_udhi=bits).number == 2
    assert read_piece(content, msg_fmt=0, tp_udhi=0) == Piece(content, 0)


@pytest.mark.parametrize("content", [b"", b"\x05", b"\xff\x00\x03", b"\x05\x00\x03\xaa\x02", b"\x00"])
def test_a_header_that_cannot_be_is_shown_and_not_lost(content: bytes) -> None:
    piece = read_piece(content, msg_fmt=0, tp_udhi=1)
    assert piece.total == 1 and (piece.data == content or content == b"\x00")


@pytest.mark.parametrize("total_number", [(0, 0), (2, 0), (2, 3), (1, 1)])
def test_a_part_of_no_whole_is_a_text_of_its_own(total_number: tuple[int, int]) -> None:
    piece = read_piece(bytes((5, 0, 3, 9, *total_number)) + b"ok", msg_fmt=0, tp_udhi=1)
    assert (piece.reference, piece.total, piece.data) == (None, 1, b"ok")


@given(st.binary(max_size=255), st.integers(0, 255), st.integers(0, 255))
def test_whatever_bytes_come_there_is_a_text_of_them(content: bytes, msg_fmt: int, udhi: int) -> None:
    piece = read_piece(content, msg_fmt=msg_fmt, tp_udhi=udhi)
    assert isinstance(join([piece]), str)
    assert len(piece.data) <= len(content)


@pytest.mark.parametrize(
    ("data", "msg_fmt", "text"),
    [
        ("退订".encode("gbk"), 15, "退订"),
        ("退订".encode("gbk"), 0, "退订"),  # labelled as ASCII
        ("㐀𠮷".encode("gb18030"), 15, "㐀𠮷"),
        ("救我".encode("utf-16-be"), 8, "救我"),
        ("救我".encode("utf-16-be"), 24, "救我"),  # flash, by the air's own coding
        ("\ufeff救我".encode("utf-16-be"), 8, "救我"),
        ("救我".encode("utf-16-be")[:3], 8, "救\ufffd"),
        (b"help", 0, "help"),
        (b"help", 4, "help"),
    ],
)
def test_what_gateways_call_a_format_is_read_as_what_it_is(data: bytes, msg_fmt: int, text: str) -> None:
    assert read_text(data, msg_fmt=msg_fmt) == text


def test_a_sign_cut_in_two_between_parts_comes_together_again() -> None:
    data = "😀救".encode("utf-16-be")
    assert join([Piece(data[2:], 8, 1, 2, 2), Piece(data[:2], 8, 1, 2, 1)]) == "😀救"
    gbk = "救我".encode("gbk")
    assert join([Piece(gbk[3:], 15, 1, 2, 2), Piece(gbk[:3], 15, 1, 2, 1)]) == "救我"


def test_what_is_there_of_a_text_is_read_where_a_part_never_came() -> None:
    parts = [piece_of(part) for part in split("我爸打我" * 40, reference=3)]
    assert join(parts[1:]) == "".join(read_text(part.data, msg_fmt=8) for part in parts[1:])
    assert join([]) == ""
