"""What the audit says in words: who, what, about what, why. Reasons are shown without numbers, and without names as far as one can tell."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date

from starlette.datastructures import QueryParams

from sms_gateway.departments import rewording
from sms_gateway.departments.speakers import SURNAME
from sms_gateway.operators import audit_chain
from sms_gateway.operators.audit_reading import KEYS, WRITERS, Wanted
from sms_gateway.operators.models import AuditRow, Operator

from . import words
from .ids import is_id
from .reasons import masked_name

SUBJECTS = {
    "ticket": "工单", "thread": "会话", "operator": "账号", "key": "接口密钥", "broadcast": "群发", "template": "群发模板", "roll": "名册",
    "draft": "问答草稿", "entry": "问答", "review": "复看", "look_back": "回看", "shift": "交接班", "duty_post": "通讯录", "subscription": "推送订阅",
    "export": "导出", "audit": "审计", "drill": "演练", "image": "敏感图片", "police": "公安调取", "request": "查阅删除",
}  # fmt: skip
_KEPT = re.compile(r"(\s*(?:[0-9a-f]{64}|20[0-9]{2}-[0-9]{2}-[0-9]{2})\s*)")
_NAMED = re.compile(
    rf"(家长|妈妈?|爸爸?|母亲|父亲|奶奶|爷爷|外公|外婆|继父|继母|班主任|老师|学生|同学|孩子|娃娃?|校长|医生|民警|邻居|女儿|儿子)(?:{SURNAME})[\u4e00-\u9fff]{{1,2}}(?=[^\u4e00-\u9fff]|[来打说问要写的在和被是，、。]|$)"
)
LINKS = {"ticket": "/tickets/", "thread": "/talks/"}
WHO = {KEYS: "部门系统", audit_chain.TERMINAL: "命令行", audit_chain.SYSTEM: "系统"}


def who(row: AuditRow, named: Mapping[int, Operator], *, badge_only: bool = False) -> str:
    """`02 普艳`, `部门系统 3`, `命令行`; `badge_only`: for a file, without anybody's name."""
    kind, _, number = row.stream.partition(":")
    beside = "（命令行）" if row.stream == audit_chain.TERMINAL and row.operator_id is not None else ""
    if row.operator_id is not None:
        found = named.get(row.operator_id)
        name = "" if found is None else found.badge if badge_only else f"{found.badge} {found.name}"
        return (f"工号 {name}" if badge_only and name else name or f"账号 {row.operator_id}") + beside
    return f"{WHO.get(kind, kind)} {number}".strip()


def what(row: AuditRow) -> str:
    return words.AUDIT.get(row.what, row.what)


def about(row: AuditRow, numbers: Mapping[int, str]) -> tuple[str, str | None]:
    """What it is about, and the address of its page; `numbers`: tickets' numbers by id."""
    kind, _, rest = row.subject.partition(":")
    name = SUBJECTS.get(kind, "")
    if not rest or not name:
        return name, None
    shown = numbers.get(int(rest), rest) if kind == "ticket" and is_id(rest) else rest
    link = f"{LINKS[kind]}{rest}" if kind in LINKS and is_id(rest) else None
    return f"{name} {shown}", link


def why(row: AuditRow, names: Mapping[str, Sequence[str]]) -> str:
    """The reason as it was given, masked; addresses of our pages left out. `names`: by subject, of `audit_names.known`."""
    said = row.detail
    if not said:
        return ""
    if row.stream in (audit_chain.TERMINAL, audit_chain.SYSTEM):
        return said
    return masked(said.partition("\n/")[0], names.get(row.subject, ()))


def masked(said: str, names: Sequence[str] = ()) -> str:
    """Somebody's words without numbers, and without names: those of the record (`names`), and those after who it is ("家长张…"), after "叫".

    A file's hash and a day stay: the one is held against the file, the other tells nothing.
    """
    for name in names:
        said = said.replace(name, masked_name(name))
    parts = _KEPT.split(said)
    shown = [
        part if _KEPT.fullmatch(part) or not part.strip() else rewording.reword(part, keep_times=True) for part in parts
    ]
    return _NAMED.sub(r"\1某某", "".join(shown))


def ticket_ids(rows: list[AuditRow]) -> list[int]:
    """Whose numbers `about` wants to know."""
    parts = [row.subject.partition(":") for row in rows]
    return [int(rest) for kind, _, rest in parts if kind == "ticket" and is_id(rest)]


def read_wanted(asked: QueryParams, *, ticket_id: int | None) -> tuple[Wanted, list[str]]:
    """The filter in an address, and the names of what could not be read. `ticket_id`: of the ticket number that was asked for."""
    unread: list[str] = []
    by, kind, number = asked.get("by", ""), asked.get("kind", ""), asked.get("number", "").strip()
    subject = None
    if number:
        subject = (
            f"ticket:{ticket_id}" if kind == "ticket" and ticket_id else f"{kind}:{number}" if is_id(number) else None
        )
        if subject is None or kind not in SUBJECTS:
            subject, unread = None, ["number"]
    if by and by not in WRITERS and not is_id(by):
        unread.append("by")
    done = asked.get("what", "")
    if done and done not in words.AUDIT:
        unread.append("what")
    wanted = Wanted(
        operator_id=int(by) if is_id(by) else None, writer=by if by in WRITERS else None, what=done if done in words.AUDIT else None,
        subject=subject, since=_day(asked, "since", unread), until=_day(asked, "until", unread),
    )  # fmt: skip
    return wanted, unread


def _day(asked: QueryParams, name: str, unread: list[str]) -> date | None:
    written = asked.get(name, "")
    try:
        return date.fromisoformat(written) if written else None
    except ValueError:
        unread.append(name)
        return None


def asked_for(wanted: Wanted) -> str:
    """The filter in words, for the row that says who read what."""
    parts = [
        f"谁：{wanted.operator_id or wanted.writer}" if wanted.operator_id or wanted.writer else "",
        f"做了什么：{words.AUDIT.get(wanted.what or '', '')}" if wanted.what else "", f"对象：{wanted.subject}" if wanted.subject else "",
        f"从 {wanted.since}" if wanted.since else "", f"到 {wanted.until}" if wanted.until else "",
    ]  # fmt: skip
    return "，".join(filter(None, parts)) or "全部"
