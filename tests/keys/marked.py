"""A hotline with something of everything in it, each with a mark of its own that no dump may show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy import ARRAY, JSON, Boolean, Date, DateTime, Float, LargeBinary, Numeric, Time, Uuid
from sqlalchemy import Column as SqlColumn

from sms_gateway.bridge import duty_book
from sms_gateway.broadcasts import acts, addresses, rolls, segments, templates
from sms_gateway.broadcasts.acts import Draft
from sms_gateway.broadcasts.segments import Segment
from sms_gateway.commands.sealed_cells import SealedColumn, sealed_columns
from sms_gateway.contacts.models import Channel
from sms_gateway.conversations import records, service, transferring, whispering
from sms_gateway.crypto import keyring
from sms_gateway.database import transaction
from sms_gateway.jobs import defer
from sms_gateway.migrations.models import metadata
from sms_gateway.operators import presence, shifts
from sms_gateway.operators.models import Role
from sms_gateway.tickets import accused, attachments, children, dispatching, moves
from sms_gateway.tickets import service as tickets
from sms_gateway.tickets.accused import AccusedFacts
from sms_gateway.tickets.actors import operator as by_operator
from sms_gateway.tickets.children import ChildFacts
from tests.broadcasts.test_importing import upload
from tests.console.story import Teller, add_operator
from tests.telling import Person

NUMBERS = ("13800002611", "13800002612", "13800002613", "13800002614")
"""Of who texts, of an operator, of a duty post, on a roll."""
COUNTY = "530627"
MARKS = {
    name: f"{name}记号甲辰玄鸟"
    for name in (
        "短信", "网聊", "表单", "孩子", "被告", "附件名", "附件", "派单", "姓名", "回复", "备注", "悄悄话", "转接", "交班", "邮台",
        "拨测", "审计", "名册", "分组", "人群", "模板", "模板备注", "群发", "退回", "小助手", "文件",
    )
}  # fmt: skip
FILLER = "填充记号甲辰玄鸟"
"""Of what the story does not reach: written by `fill_the_rest`."""
SECRETS = (*MARKS.values(), FILLER, *NUMBERS)


FILE = b"%PDF-1.4\n%" + MARKS["附件"].encode() + b"\n%%EOF\n"


@dataclass
class Filled:
    """Where to read again what was written."""

    thread_id: int
    ticket_id: int
    attachment_id: int
    broadcast_id: int


async def fill(person: Person) -> Filled:
    """The rooms' own ways, one after the other; every job runs."""
    lead = await add_operator("marked-lead", MARKS["姓名"], Role.SUPERVISOR)
    other = await add_operator("marked-other", "别人")
    boss = await add_operator("marked-boss", "班长", Role.SUPERVISOR)
    person.number = f"+86{NUMBERS[0]}"
    await person.texts(f"有个叔叔一直在踹我家门 就我和弟弟在 {MARKS['短信']}")
    await Teller("visitor-token-of-the-marks", Channel.WEB).says(f"孤儿每个月能领多少钱 {MARKS['网聊']}")
    async with transaction() as session:
        operator = await session.get_one(type(lead), lead.id)
        operator.phone = f"+86{NUMBERS[1]}"
        await service.take_over(session, thread_id=person.thread_id, operator=operator)
        await service.reply(session, thread_id=person.thread_id, operator=operator, body=MARKS["回复"])
        await records.write_note(session, thread_id=person.thread_id, operator=operator, words=MARKS["备注"])
        await transferring.offer(
            session, thread_id=person.thread_id, operator=operator, to_operator_id=other.id, mode="warm", note=MARKS["转接"]
        )  # fmt: skip
        await shifts.hand_over(session, operator_id=lead.id, words=MARKS["交班"], promised="", left_open={})
        await presence.note(session, operator_id=lead.id, what="export", subject="tickets", detail=MARKS["审计"])
        post = await duty_book.add(
            session, region=COUNTY, kind="police_post", name=MARKS["邮台"], phone=NUMBERS[2], hours="夜里", by=lead.id
        )
        await duty_book.note_test(session, post.id, result="answered", words=MARKS["拨测"], by=lead.id)
        watching = await session.get_one(type(boss), boss.id)
        await whispering.whisper(session, thread_id=person.thread_id, operator=watching, words=MARKS["悄悄话"])
    ticket_id, attachment_id = await _casework(person, lead.id)
    broadcast_id = await _outreach(person, lead.id)
    await person.run()
    await _tracker(person.thread_id)
    return Filled(person.thread_id, ticket_id, attachment_id, broadcast_id)


async def _casework(person: Person, lead: int) -> tuple[int, int]:
    asked_in = await person.hand_in("还有一件事")
    async with transaction() as session:
        thread = await session.get_one(tickets_thread(), person.thread_id)
        ticket = await tickets.open_ticket(
            session, thread_id=person.thread_id, contact_id=thread.contact_id, asked_in=asked_in, kind="complaint",
            county=COUNTY, answers={"what": MARKS["表单"], "contact": "打电话"},
        )  # fmt: skip
        by = by_operator(lead, lead=True)
        about = {"name": MARKS["孩子"], "school": MARKS["孩子"]}
        await children.add(
            session, ticket_id=ticket.id, version=None, facts=ChildFacts(county=COUNTY, age=9, about=about), actor=by
        )
        await accused.add(
            session, ticket_id=ticket.id, version=None, facts=AccusedFacts("teacher", about={"name": MARKS["被告"]}), actor=by,
        )  # fmt: skip
        file = await attachments.add(session, ticket, who=str(by), name=f"{MARKS['附件名']}.pdf", content=FILE)
        locked = await moves.lock(session, ticket.id)
        await dispatching.dispatch(session, locked, unit="civil@530627", actor=by, why=MARKS["派单"])
        return ticket.id, file.id


def tickets_thread() -> Any:
    from sms_gateway.messages.models import Thread

    return Thread


async def _outreach(person: Person, lead: int) -> int:
    lines = f"手机号,地区,分组,同意\n{NUMBERS[3]},镇雄县,{MARKS['分组']},是\n{NUMBERS[0]},镇雄县,,是\n"
    roll = await upload(lines.encode(), title=MARKS["名册"])
    await person.run()
    async with transaction() as session:  # a file that waits to be read
        waiting = await rolls.create(session, title="等着的名册", created_by=None)
        await rolls.add_part(session, roll_id=waiting.id, part=0, data=MARKS["文件"].encode())
    segment = Segment((roll,), groups=(addresses.group_key(MARKS["分组"]),))
    async with transaction() as session:
        await segments.save(session, title=MARKS["人群"], segment=segment, created_by=lead)
        template = await templates.create(
            session, title=MARKS["模板"], body="孩子有难处，发短信到12345。", operator_id=lead
        )
        await templates.set_state(
            session,
            template_id=template.id,
            version=templates.version_of(template),
            to="submitted",
            number="",
            note=MARKS["模板备注"],
            operator_id=lead,
        )
        draft = Draft(title=MARKS["群发"], body="孩子有难处，发短信到12345。", audience=Segment((roll,)).to_data())
        made = await acts.create(session, operator_id=lead, draft=draft)
        await acts.take_back(session, made.id, version=made.version, operator_id=lead, reason=MARKS["退回"])
        await defer(session, "broadcasts.prepare", broadcast_id=made.id)
    await person.run()
    return made.id


async def _tracker(thread_id: int) -> None:
    """As `bot/tracker_store.py` writes it (tests/bot/rasa_side holds that to it)."""
    from sqlalchemy import text

    sender = f"thread-{thread_id}"
    sealed = keyring().seal(MARKS["小助手"].encode(), b"bot_trackers.sealed:" + sender.encode())
    statement = text("INSERT INTO bot_trackers (sender, sealed, updated_at) VALUES (:sender, :sealed, now())")
    async with transaction() as session:
        await session.execute(statement, {"sender": sender, "sealed": sealed})


def fill_the_rest(url: str) -> set[str]:
    """A row with the filler in every sealed column in which the story left no mark; the columns' names.

    The rows hang together with nothing (foreign keys are off for this session): they are there to be sealed and resealed.
    """
    filled = set()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        for column in sealed_columns():
            if column.place_from == ("uid",) and not marks_in(connection, column):
                _insert(connection, column)
                filled.add(column.name)
    return filled


def marks_in(connection: psycopg.Connection[Any], column: SealedColumn) -> bool:
    """Whether some cell of the column, opened, shows a mark: were it left in the clear, a search would find it."""
    names = [*column.place_from, column.column]
    rows = connection.execute(
        sql.SQL("SELECT {} FROM {} WHERE {} IS NOT NULL").format(
            sql.SQL(", ").join(map(sql.Identifier, names)), sql.Identifier(column.table), sql.Identifier(column.column)
        )
    ).fetchall()
    opened = [keyring().open(bytes(row[-1]), column.place(row[:-1])).decode("utf-8", "replace") for row in rows]
    return any(secret in value for value in opened for secret in SECRETS)


def _insert(connection: psycopg.Connection[Any], column: SealedColumn) -> None:
    table = metadata().tables[column.table]
    row: dict[str, Any] = {}
    for each in table.columns:
        if each.name == "uid":
            row["uid"] = uuid4()
        elif each.name == column.column or not (each.nullable or each.autoincrement is True):
            row[each.name] = _value(each)
    for name in [each for each in row if each.endswith("_sealed")]:
        row[name] = _sealed(column, name, row["uid"])
    if "id" in table.columns:
        row["id"] = connection.execute(
            sql.SQL("SELECT coalesce(max(id), 0) + 1000 FROM {}").format(sql.Identifier(column.table))
        ).fetchone()[0]  # type: ignore[index]
    connection.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(column.table), sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join(map(sql.Placeholder, row)),
        ),
        row,
    )  # fmt: skip


def _sealed(column: SealedColumn, name: str, uid: UUID) -> bytes:
    from sms_gateway.crypto import sealed_for

    return sealed_for(column.table, name, uid, FILLER)


def _value(column: SqlColumn[Any]) -> Any:
    for kind, value in (
        (Boolean, False), (DateTime, datetime(2026, 11, 30, tzinfo=UTC)), (Date, date(2026, 11, 30)), (Time, time(9)),
        (Float, 0.0), (Numeric, 0), (Uuid, uuid4()), (LargeBinary, uuid4().bytes), (JSON, Jsonb({})), (ARRAY, []),
    ):  # fmt: skip
        if isinstance(column.type, kind):
            return value
    return uuid4().hex[: column.type.length or 6] if hasattr(column.type, "length") else uuid4().int % 2**31
