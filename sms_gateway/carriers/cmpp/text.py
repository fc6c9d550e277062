"""How a text becomes contents of 140 bytes and how contents become a text again: Msg_Fmt 0, 8 and 15, and UDH. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .pdus import Format

ONE_PART = 140
"""Bytes a short message holds, its UDH included."""
ONE_PART_ASCII = 159
"""Characters of ASCII in one: the standard says fewer than 160."""
UDH_BYTES = 6
PART = ONE_PART - UDH_BYTES
"""134 bytes: 67 units of UCS-2 in each part of a longer text."""
MOST_PARTS = 255
HAS_UDH = 0x41
"""Bits of TP_udhi that say so: gateways send 0x01 or the air's own 0x40."""
_CONCATENATED = {(0x00, 3): 1, (0x08, 4): 2, (0x00, 4): 2}
"""(kind, length) of the elements that tell of parts: bytes of the reference. The last is one vendor's spelling of the second."""


@dataclass(frozen=True, slots=True)
class Part:
    """What of a text goes into one SUBMIT; `total`, `number` are also Pk_total and Pk_number."""

    content: bytes = field(repr=False)
    msg_fmt: int
    tp_udhi: int
    total: int
    number: int


@dataclass(frozen=True, slots=True)
class Piece:
    """What came in one DELIVER. Pieces of one text share sender, Dest_Id, `reference` and `total`; `data` is without the UDH.

    A whole text has `total` 1, and `reference` None. Join the `data` in order of `number`, then `read_text`: a character
    may be cut in two between pieces.
    """

    data: bytes = field(repr=False)
    msg_fmt: int
    reference: int | None = None
    total: int = 1
    number: int = 1


class TextIsTooLong(ValueError):
    """More than 255 parts."""


def split(text: str, *, reference: int, gbk: bool = False) -> list[Part]:
    """`text` as one part, or as several with a 6-byte UDH (`reference` modulo 256 is in all of them).

    ASCII of up to 159 characters goes as it is, all else as UCS-2; with `gbk` what GBK can write goes as GBK in one part.
    Longer texts go as UCS-2 always: how long a part of ASCII or GBK may be, gateways differ. Raises `TextIsTooLong`.
    """
    if text.isascii() and len(text) <= ONE_PART_ASCII:
        return [Part(text.encode("ascii"), Format.ASCII, 0, 1, 1)]
    if gbk and len(text) <= ONE_PART // 2 and (written := _as_gbk(text)) is not None:
        return [Part(written, Format.GBK, 0, 1, 1)]
    data = text.encode("utf-16-be", "replace")
    if len(data) <= ONE_PART:
        return [Part(data, Format.UCS2, 0, 1, 1)]
    pieces = _cut(data)
    if len(pieces) > MOST_PARTS:
        raise TextIsTooLong
    head = bytes((5, 0, 3, reference & 0xFF, len(pieces)))
    return [
        Part(head + bytes((number,)) + piece, Format.UCS2, 1, len(pieces), number)
        for number, piece in enumerate(pieces, 1)
    ]


def _as_gbk(text: str) -> bytes | None:
    try:
        return text.encode("gbk")
    except UnicodeEncodeError:
        return None


def _cut(data: bytes) -> list[bytes]:
    """UTF-16 in pieces of at most 67 units, no surrogate pair in two."""
    pieces, at = [], 0
    while at < len(data):
        end = min(at + PART, len(data))
        if end < len(data) and 0xD8 <= data[end - 2] <= 0xDB:
            end -= 2
        pieces.append(data[at:end])
        at = end
    return pieces


def read_piece(content: bytes, *, msg_fmt: int, tp_udhi: int) -> Piece:
    """What a DELIVER holds. A UDH that cannot be read, or makes no sense, is taken for text: better odd signs than none."""
    if not tp_udhi & HAS_UDH or not content or content[0] >= len(content):
        return Piece(content, msg_fmt)
    head, data = content[1 : 1 + content[0]], content[1 + content[0] :]
    at = 0
    while at + 2 <= len(head):
        kind, length = head[at], head[at + 1]
        value = head[at + 2 : at + 2 + length]
        if len(value) < length:
            return Piece(content, msg_fmt)
        width = _CONCATENATED.get((kind, length))
        if width is not None:
            total, number = value[width], value[width + 1]
            if 1 <= number <= total and total > 1:
                return Piece(data, msg_fmt, int.from_bytes(value[:width], "big"), total, number)
        at += 2 + length
    return Piece(data, msg_fmt)


def read_text(data: bytes, *, msg_fmt: int) -> str:
    """The text in `data`; what cannot be read becomes U+FFFD, and nothing is refused.

    Formats beyond 0, 8 and 15 are read as the air's own data coding. Gateways label GBK as 0 or 4 at times, so what is
    no ASCII there is tried as GB18030, which holds GBK.
    """
    if msg_fmt != Format.GBK and msg_fmt & 0x0C == Format.UCS2:
        return data.decode("utf-16-be", "replace").removeprefix("\ufeff")
    return data.decode("gb18030", "replace")


def join(pieces: Sequence[Piece]) -> str:
    """The text of pieces of one text, in their order; of the same number twice the first counts, what is missing is left out."""
    first = {piece.number: piece for piece in reversed(pieces)}
    if not first:
        return ""
    ordered = [first[number] for number in sorted(first)]
    if len({piece.msg_fmt for piece in ordered}) == 1:
        return read_text(b"".join(piece.data for piece in ordered), msg_fmt=ordered[0].msg_fmt)
    return "".join(read_text(piece.data, msg_fmt=piece.msg_fmt) for piece in ordered)
