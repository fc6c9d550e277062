"""What nobody sends by accident: values, bodies and headers for every door, in a fixed order so that a finding is found again."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from urllib.parse import quote

MARK = "泄露标记石榴"
"""Stands in hostile values: what is written to a door must not turn up in a log."""

VALUES = (
    "", "-1", "0", "9" * 19, "9223372036854775808", "9" * 400, "１２", "²", "1e308", "NaN", "1.0", "0x10", "true", "null", "[]", "{}",
    "\x00", f"{MARK}\x00", "\x1b[2J", "\u202e\ufeff", "😭" * 50, f"{MARK}<script>alert(1)</script>", "'; DROP TABLE messages; --",
    "{{7*7}}${7*7}", "../../../../etc/passwd", "..\\..\\win.ini", "\r\nSet-Cookie: a=b", "2026-02-30", "9999-12-31", "0000-00-00", "25:61",
    f"{MARK}{'长' * 10_000}", "+8613800000001", "D99", "530627", "edu@530627", "on", "%00%ff", "=1+1",
)  # fmt: skip
RAW_VALUES = ("%00", "%ED%A0%BD", "%FF%FE", "%C0%AF", "%E4%BD", "%2e%2e%2f", "%0d%0aSet-Cookie:%20a=b")
"""Percent-encoded as they stand: halves of surrogates, what is no UTF-8, longer spellings of a slash."""

DEEP = b"[" * 60_000
BODIES: tuple[tuple[str, bytes], ...] = (
    ("application/json", b""), ("application/json", b"{"), ("application/json", b"null"), ("application/json", DEEP),
    ("application/json", b'{"a":' * 20_000), ("application/json", b"\xff\xfe{}"), ("application/json", b'{"version": 1e999}'),
    ("application/json", b'{"version": NaN, "words": "\\ud800", "body": "\\ud800", "id": "\\u0000"}'),
    ("application/json", b'{"version": ' + b"9" * 5000 + b"}"),
    ("application/json", f'{{"id": "aaaaaaaaaaaaaaaa", "body": {{"x": "{MARK}"}}}}'.encode()),
    ("application/json; charset=utf-7", b"+AHs-"), ("application/json; charset=no-such", b"{}"), ("text/plain", b"x"), ("", b"x=1"),
    ("application/xml", b'<!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]><x>&y;</x>'),
    ("application/x-www-form-urlencoded", b"&=&=&&%"), ("application/x-www-form-urlencoded", b"a=%ED%A0%BD&words=%00&body=%FF"),
    ("application/x-www-form-urlencoded", b"&".join(b"f%d=1" % n for n in range(5_000))),
    ("application/x-www-form-urlencoded", b"words=" + quote(MARK).encode() + b"&version=-1&version=2"),
    ("multipart/form-data", b"x"), ("multipart/form-data; boundary=", b"x"), ("multipart/form-data; boundary=a", b"--a\r\nbroken"),
    ("multipart/form-data; boundary=a", b'--a\r\nContent-Disposition: form-data; name="file"; filename="../../x\x00.pdf"\r\n\r\nMZ\r\n--a--\r\n'),
    ("multipart/form-data; boundary=a", b"--a\r\nContent-Disposition: form-data\r\n\r\nx\r\n--a--\r\n"),
    ("multipart/form-data; boundary=a", b"".join(b'--a\r\nContent-Disposition: form-data; name="f%d"\r\n\r\n1\r\n' % n for n in range(1_500)) + b"--a--\r\n"),
    ("multipart/form-data; boundary=" + "a" * 5_000, b"x"), ("multipart/mixed; boundary=a", b"--a--"),
)  # fmt: skip

HEADERS: tuple[dict[bytes, bytes], ...] = (
    {b"content-encoding": b"gzip"}, {b"cookie": b"talk=" + b"a" * 8_000 + b"; hotline=" + b"b" * 8_000},
    {b"cookie": "=;;=\u00ff;$Version=1".encode()}, {b"authorization": b"Bearer " + b"\xff" * 200}, {b"authorization": b"Basic Og=="},
    {b"accept": b"text/html;q=" + b"9" * 500}, {b"x-forwarded-for": b"127.0.0.1, ::1"}, {b"host": b"evil.example"},
    {b"range": b"bytes=0-,-1,5-2"}, {b"if-none-match": b'"' * 300}, {b"last-event-id": b"9" * 300}, {b"accept-language": b"\xff\x00"[:1]},
    {b"origin": b"null"}, {b"sec-fetch-site": b"cross-site"}, {b"hx-current-url": b"javascript:alert(1)"}, {b"hx-request": b"\xe9"},
)  # fmt: skip
BOMB = gzip.compress(b"0" * 5_000_000)


def combined(names: list[str], times: int, start: int) -> Iterator[dict[str, str]]:
    """`times` sets of values for these names, from another place in the list for each `start`: over all routes each value comes often."""
    for turn in range(start, start + times):
        yield {name: VALUES[(turn * (1 + place) + 7 * place) % len(VALUES)] for place, name in enumerate(names)}
