"""Which column of an audience file is the number, the region, the group and the consent. Pure.

A message names header words that we know, never a cell's content: a first line that we take for a header may be people.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from sms_gateway.errors import BadInput

from .numbers import Refused, read

HEADER_WITHIN = 5
"""Lines from the top in which the header is looked for: a title may stand above it."""
SAMPLE = 1000
"""Lines looked at before a file is taken on."""
_LEAST = 20
"""Shorter lists are taken as they are; what is refused shows in the report."""
_PHONE_SHARE = 0.05

NUMBER_WORDS = (
    ("手机号码", "手机号", "手机", "移动电话", "mobile", "mobilephone", "cellphone", "msisdn"),
    ("联系电话", "电话号码", "电话", "号码", "phone", "phonenumber", "tel", "telephone", "number"),
)
"""Of the first kind wins over the second."""
NUMBER_PARTS = ("手机", "电话", "mobile", "phone")
REGION_WORDS = (
    "地区", "县", "区县", "县区", "县市区", "县(市、区)", "行政区划", "行政区划代码", "区划", "区划代码", "所在地区", "所属县", "所属区县", "州市",
    "adcode", "region", "county", "area", "district",
)  # fmt: skip
GROUP_WORDS = ("分组", "组", "群组", "组别", "人群", "类别", "group", "segment")
CONSENT_WORDS = ("同意", "是否同意", "同意接收", "是否同意接收", "consent", "consented", "optin", "opt_in")
OTHER_WORDS = frozenset({
    "姓名", "名字", "家长姓名", "学生姓名", "监护人", "序号", "编号", "学校", "年级", "班级", "性别", "年龄", "身份证", "身份证号", "地址", "住址", "乡镇",
    "村", "备注", "日期", "时间", "name", "id", "school", "grade", "class", "address", "email", "note",
})  # fmt: skip
_KNOWN = frozenset((*NUMBER_WORDS[0], *NUMBER_WORDS[1], *REGION_WORDS, *GROUP_WORDS, *CONSENT_WORDS)) | OTHER_WORDS


class NoNumberColumn(BadInput):
    pass


class SeveralNumberColumns(BadInput):
    pass


class WrongColumn(BadInput):
    pass


@dataclass(frozen=True)
class Columns:
    """Where what stands, from 0; None: the file says nothing of it. `header`: rows above the first person."""

    number: int
    region: int | None = None
    group: int | None = None
    consent: int | None = None
    header: int = 0


def plain(cell: str) -> str:
    """A header's cell as it is compared: half width, lower case, no blanks."""
    return "".join(unicodedata.normalize("NFKC", cell[:80]).lower().split()).strip("'\"*:\ufeff\u200b")


def find(rows: Sequence[Sequence[str]]) -> Columns:
    """The columns, from the first rows of the file (blank ones too).

    Raises `NoNumberColumn`, `SeveralNumberColumns`, `WrongColumn`.
    """
    tops = [[plain(cell) for cell in row] for row in rows[:HEADER_WITHIN]]
    for number_of in (_by_word, _by_part):  # a title line "…家长手机号名单" stands behind a header "手机号"
        for above, words in enumerate(tops):
            number = number_of(words)
            if number is None:
                continue
            found = Columns(
                number, _first(words, REGION_WORDS), _first(words, GROUP_WORDS), _first(words, CONSENT_WORDS), above + 1
            )
            _check(rows[above + 1 :], found, words[number])
            return found
    return Columns(_without_header(rows))


def _first(words: Sequence[str], known: Sequence[str]) -> int | None:
    return next((words.index(word) for word in known if word in words), None)


def _by_word(words: Sequence[str]) -> int | None:
    for known in NUMBER_WORDS:
        exact = [index for index, word in enumerate(words) if word in known]
        if exact:
            return _only(exact)
    return None


def _by_part(words: Sequence[str]) -> int | None:
    """家长手机号, 监护人联系电话; a cell with a digit or a long one is no header."""
    parts = [i for i, word in enumerate(words) if len(word) <= 16 and not any(sign.isdigit() for sign in word)
             and any(part in word for part in NUMBER_PARTS)]  # fmt: skip
    return _only(parts) if parts else None


def _only(found: Sequence[int]) -> int:
    if len(found) > 1:
        where = "、".join(str(index + 1) for index in found[:8])
        raise SeveralNumberColumns(f"第 {where} 列的表头都像手机号，不知道该发给哪一列。请只留一列再上传。")
    return found[0]


def _looks_like_phone(cell: str) -> bool:
    number, why = read(cell)
    return number is not None or why in (Refused.LANDLINE, Refused.FOREIGN, Refused.ROUNDED, Refused.FORMULA)


def _check(rows: Sequence[Sequence[str]], columns: Columns, word: str) -> None:
    cells = [row[columns.number] if columns.number < len(row) else "" for row in rows if any(row)]
    phones = sum(map(_looks_like_phone, cells))
    if len(cells) >= _LEAST and phones < len(cells) * _PHONE_SHARE:
        named = f"“{word}”" if word in _KNOWN else f"第 {columns.number + 1} 列"
        raise WrongColumn(
            f"{named}这一列看了 {len(cells)} 行，像电话的只有 {phones} 个。请检查表头和内容是不是错了列。"
        )


def _without_header(rows: Sequence[Sequence[str]]) -> int:
    """The one column of numbers in a file without header."""
    filled = [row for row in rows if any(row)]
    if not filled:
        raise NoNumberColumn("这个文件里没有内容。")
    width = max(map(len, filled))
    counts = [
        sum(1 for row in filled if index < len(row) and _is_mobile(row[index])) for index in range(min(width, 200))
    ]
    found = [index for index, count in enumerate(counts) if count * 2 >= len(filled)]
    if not found:
        found = [index for index, count in enumerate(counts) if count and count >= len(filled) * _PHONE_SHARE]
    if not found:
        known = [word for word in map(plain, filled[0]) if word in _KNOWN]
        seen = f"认得的表头有：{'、'.join(known[:12])}；" if known else ""
        raise NoNumberColumn(
            f"没有找到手机号这一列（{seen}一共 {width} 列）。请在第一行写表头，手机号那一列写“手机号”。"
        )
    return _only(found)


def _is_mobile(cell: str) -> bool:
    return read(cell)[0] is not None
