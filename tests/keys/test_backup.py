"""A backup of a filled hotline comes back into an empty machine, whole or not at all."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import undefer

from sealing import Keyring, OpenedReader, SealedWriter, StreamBroken, with_new_key, without_keys_before
from sms_gateway import clock, crypto
from sms_gateway.bridge import duty_book
from sms_gateway.broadcasts import addresses
from sms_gateway.broadcasts.models import Broadcast, OutreachTemplate
from sms_gateway.broadcasts.roll_models import Roll, RollNumber, SavedSegment
from sms_gateway.commands import backup, backup_file, resealing
from sms_gateway.commands.backup_file import BackupIsWrong, BackupKeys
from sms_gateway.commands.restore import embedded
from sms_gateway.console import outreach_room
from sms_gateway.contacts.models import Channel
from sms_gateway.database import database_url, dispose, transaction
from sms_gateway.messages import inbox, spool
from sms_gateway.messages.models import Message
from sms_gateway.migrations import config
from sms_gateway.settings import ROOT, get_settings
from sms_gateway.supervision.places import DataDir
from sms_gateway.supervision.scratch import ScratchPostgres
from sms_gateway.tickets.models import Attachment, Ticket
from sms_gateway.tickets.sealed_models import SealedImage
from tests.keys import marked
from tests.leaks import find_leaks
from tests.telling import Person

OLD = os.environ["HOTLINE_DATA_KEY"]


def hotline(
    *words: str | Path, data_dir: Path, url: str | None = None, **more: str
) -> subprocess.CompletedProcess[str]:
    """As somebody types it on a machine with this DATA_DIR."""
    environment = {**os.environ, "HOTLINE_DATA_DIR": str(data_dir), "PYTHONPATH": str(ROOT), **more}
    environment.pop("HOTLINE_DATABASE_URL", None)
    if url is not None:
        environment["HOTLINE_DATABASE_URL"] = url
    return subprocess.run(
        [sys.executable, "-m", "sms_gateway.cli", *map(str, words)],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=170, check=False,
    )  # fmt: skip


@pytest.fixture
def machine() -> Iterator[Path]:
    """An empty DATA_DIR that PostgreSQL's user can pass into."""
    folder = Path(tempfile.mkdtemp(prefix="hotline-machine-", dir="/tmp"))
    folder.chmod(0o711)
    yield folder / "var"
    shutil.rmtree(folder, ignore_errors=True)


def count_tables(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert row is not None
    return int(row[0])


async def test_a_filled_hotline_is_read_again_on_an_empty_machine(
    database: str, person: Person, machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path / "old"))
    get_settings.cache_clear()
    filled = await marked.fill(person)
    waiting = inbox.Inbound(Channel.SMS, "+8613800002699", "存在盘上的", "simulator", "spooled-1", clock.now())
    await spool.keep(waiting)
    file = tmp_path / "hotline.backup"
    made = hotline("backup", file, data_dir=tmp_path / "old", url=database)
    assert made.returncode == 0 and "已备份" in made.stdout, made.stderr
    assert file.stat().st_mode & 0o077 == 0 and list(tmp_path.glob("*.making")) == []
    assert find_leaks(file.read_bytes(), (*marked.SECRETS, "messages", "PGDMP")) == [], "sealed as a whole"
    checked = hotline("restore", "--check", file, data_dir=machine)
    assert checked.returncode == 0 and "可以用" in checked.stdout, checked.stderr

    done = hotline("restore", file, data_dir=machine)
    assert done.returncode == 0 and "1 条没入库的短信" in done.stdout, done.stderr
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(machine))
    await dispose()
    with embedded(DataDir.at(machine)) as url:
        monkeypatch.setenv("HOTLINE_DATABASE_URL", url)
        get_settings.cache_clear()
        await read_back(filled)
        assert await spool.replay() == 1
        await dispose()
    again = hotline("restore", file, data_dir=machine)
    assert again.returncode == 1 and "--replace" in again.stderr


async def read_back(filled: marked.Filled) -> None:
    """A talk, a ticket, an attachment, what is found by index."""
    async with transaction() as session:
        ticket = await session.get_one(Ticket, filled.ticket_id)
        assert marked.MARKS["表单"] in (ticket.answers or {})["what"]
        file = await session.get_one(Attachment, filled.attachment_id)
        shut = select(SealedImage).options(
            undefer(SealedImage.content_sealed)
        )  # somebody is accused: its files are shut
        sealed = (await session.scalars(shut.where(SealedImage.attachment_id == file.id))).one()
        assert (file.name, sealed.content) == (f"{marked.MARKS['附件名']}.pdf", marked.FILE)
        bodies = [one.body for one in await session.scalars(select(Message))]
        assert any(marked.MARKS["短信"] in body for body in bodies)
        again = inbox.Inbound(
            Channel.SMS, f"+86{marked.NUMBERS[0]}", "我又来了", "simulator", "restored-1", clock.now()
        )
        recorded = await inbox.receive(session, again)
        assert recorded is not None and recorded.thread_id == filled.thread_id


async def test_a_wrong_key_a_cut_file_and_a_newer_schema_change_nothing(
    database: str, person: Person, postgres: ScratchPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await person.texts("孤儿每个月能领多少钱")
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))
    get_settings.cache_clear()
    file, empty = tmp_path / "one.backup", postgres.create("empty_for_restore")
    assert hotline("backup", file, data_dir=tmp_path, url=database).returncode == 0
    good = file.read_bytes()

    def refused(content: bytes, sentence: str, **more: str) -> None:
        other = tmp_path / "other.backup"
        other.write_bytes(content)
        done = hotline("restore", other, data_dir=tmp_path, url=empty, **more)
        assert done.returncode == 1 and sentence in done.stderr and len(done.stderr.strip().splitlines()) == 1, (
            done.stderr
        )
        assert "Traceback" not in done.stderr and count_tables(empty) == 0

    other_key = base64.b64encode(b"x" * 32).decode()
    refused(good, "密钥不对", HOTLINE_DATA_KEY=other_key)
    refused(good, "没有这一把", HOTLINE_DATA_KEY=f"2:{other_key}")
    refused(good[:-1], "不完整或被改动过")
    refused(good[: len(good) // 2], "不完整或被改动过")
    changed = bytearray(good)
    changed[len(good) // 2] ^= 1
    refused(bytes(changed), "不完整或被改动过")
    refused(b"PGDMP" + good, "不是 hotline backup")
    refused(b"", "不是 hotline backup")
    refused(_of_a_newer_program(good), "先升级程序")
    assert hotline("restore", file, data_dir=tmp_path, url=empty).returncode == 0
    full = hotline("restore", file, data_dir=tmp_path, url=empty)
    assert full.returncode == 1 and "没有动" in full.stderr and count_tables(empty) > 40
    replaced = hotline("restore", "--replace", file, data_dir=tmp_path, url=empty)
    assert replaced.returncode == 0, replaced.stderr
    with psycopg.connect(empty):
        busy = hotline("restore", "--replace", file, data_dir=tmp_path, url=empty)
    assert busy.returncode == 1 and "1 个连接" in busy.stderr
    there = hotline("backup", file, data_dir=tmp_path, url=database)
    assert there.returncode == 1 and "已经有这个文件" in there.stderr and file.read_bytes() == good


def _of_a_newer_program(good: bytes) -> bytes:
    keys, made = BackupKeys(crypto.keyring(), None), io.BytesIO()
    writer = backup_file.Writer(made, keys)
    for name, content in backup_file.entries(io.BytesIO(good), keys):
        newer = {**json.loads(content), "migration": "9999"} if name == backup_file.MANIFEST else None
        writer.add(name, json.dumps(newer).encode() if newer else content)
    writer.end()
    return made.getvalue()


async def test_a_restore_that_breaks_off_leaves_what_was_there(
    database: str, person: Person, postgres: ScratchPostgres, tmp_path: Path
) -> None:
    """pg_restore meets a dump that ends too early, behind a good seal."""
    await person.texts("孤儿每个月能领多少钱")
    keys, whole = BackupKeys(crypto.keyring(), None), io.BytesIO()
    os.environ["HOTLINE_DATA_DIR"] = str(tmp_path)
    get_settings.cache_clear()
    await asyncio.to_thread(backup.write, whole, keys)
    short = io.BytesIO()
    writer = backup_file.Writer(short, keys)
    for name, content in backup_file.entries(io.BytesIO(whole.getvalue()), keys):
        writer.add(name, content[: len(content) * 2 // 3] if name.startswith(backup_file.DATABASE) else content)
    writer.end()
    file, target = tmp_path / "short.backup", postgres.create("half_restored")
    file.write_bytes(short.getvalue())
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute("CREATE TABLE before (id int)")
    done = hotline("restore", "--replace", file, data_dir=tmp_path, url=target)
    assert done.returncode == 1 and "什么都没有改" in done.stderr, done.stderr
    with psycopg.connect(target) as connection:
        assert connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall() == [("before",)]  # fmt: skip
    del os.environ["HOTLINE_DATA_DIR"]


async def test_a_backup_key_of_its_own_opens_what_no_data_key_opens(database: str, tmp_path: Path) -> None:
    own = base64.b64encode(b"o" * 32).decode()
    file = tmp_path / "own.backup"
    assert hotline("backup", file, data_dir=tmp_path, url=database, HOTLINE_BACKUP_KEY=own).returncode == 0
    without = hotline("restore", "--check", file, data_dir=tmp_path)
    assert without.returncode == 1 and "HOTLINE_BACKUP_KEY" in without.stderr
    assert hotline("restore", "--check", file, data_dir=tmp_path, HOTLINE_BACKUP_KEY=own).returncode == 0
    wrong = base64.b64encode(b"short").decode()
    assert (
        "HOTLINE_BACKUP_KEY" in hotline("restore", "--check", file, data_dir=tmp_path, HOTLINE_BACKUP_KEY=wrong).stderr
    )


async def test_a_backup_from_before_the_rotation_needs_the_old_key(
    database: str, person: Person, tmp_path: Path
) -> None:
    await person.texts("孤儿每个月能领多少钱")
    file = tmp_path / "old.backup"
    assert hotline("backup", file, data_dir=tmp_path, url=database).returncode == 0
    both = with_new_key(OLD)
    assert hotline("restore", "--check", file, data_dir=tmp_path, HOTLINE_DATA_KEY=both).returncode == 0
    only_new = hotline("restore", "--check", file, data_dir=tmp_path, HOTLINE_DATA_KEY=without_keys_before(both, 2))
    assert only_new.returncode == 1 and "第 1 把" in only_new.stderr
    with psycopg.connect(database, autocommit=True) as connection:
        resealing.reseal(connection, Keyring.from_text(both))
    after = tmp_path / "new.backup"
    only = {"HOTLINE_DATA_KEY": without_keys_before(both, 2)}
    assert hotline("backup", after, data_dir=tmp_path, url=database, **only).returncode == 0
    assert hotline("restore", "--check", after, data_dir=tmp_path, **only).returncode == 0
    without_index = only["HOTLINE_DATA_KEY"].split(",")[1]
    lost = hotline("restore", "--check", after, data_dir=tmp_path, HOTLINE_DATA_KEY=without_index)
    assert lost.returncode == 1 and "index:" in lost.stderr


@given(st.lists(st.binary(max_size=70_000), max_size=40), st.binary(max_size=20), st.data())
@settings(max_examples=30, deadline=None)
def test_a_stream_comes_back_whole_and_no_shorter_changed_or_longer_one_does(
    pieces: list[bytes], head: bytes, data: st.DataObject
) -> None:
    made = io.BytesIO()
    writer = SealedWriter(made, key=b"k" * 32, head=head)
    for piece in pieces:
        writer.write(piece)
    unfinished = made.getvalue()
    writer.finish()
    whole = made.getvalue()

    def read(content: bytes, key: bytes = b"k" * 32) -> bytes:
        source = io.BytesIO(content)
        return io.BufferedReader(OpenedReader(source, key=key, head=source.read(len(head)))).read()

    assert read(whole) == b"".join(pieces)
    at = data.draw(st.integers(len(head), len(whole) - 1))
    flipped = bytearray(whole)
    flipped[at] ^= 1
    for broken in (whole[:at], bytes(flipped), whole + b"x", unfinished):
        with pytest.raises(StreamBroken):
            read(broken)
    with pytest.raises(StreamBroken) as caught:
        read(whole, b"j" * 32)
    assert caught.value.wrong_key


def test_pieces_of_a_long_stream_cannot_change_places(tmp_path: Path) -> None:
    made = io.BytesIO()
    writer = SealedWriter(made, key=b"k" * 32, head=b"H")
    writer.write(os.urandom(5 << 20))
    writer.finish()
    whole, size = made.getvalue(), (1 << 20) + 16
    start = 1 + 32 + 16
    swapped = (
        whole[:start] + whole[start + size : start + 2 * size] + whole[start : start + size] + whole[start + 2 * size :]
    )
    left_out = whole[:start] + whole[start + size :]
    for broken in (swapped, left_out, whole[: start + 3 * size]):
        source = io.BytesIO(broken)
        with pytest.raises(StreamBroken):
            io.BufferedReader(OpenedReader(source, key=b"k" * 32, head=source.read(1))).read()


def test_a_file_that_is_no_tar_or_has_no_end_is_refused(tmp_path: Path) -> None:
    keys, made = BackupKeys(crypto.keyring(), None), io.BytesIO()
    head, key = keys.for_writing()
    writer = SealedWriter(made, key=key, head=head)
    writer.write(b"no tar at all" * 100)
    writer.finish()
    with pytest.raises(BackupIsWrong):
        list(backup_file.entries(io.BytesIO(made.getvalue()), keys))


BEFORE = "0008"
"""The schema before what people call things was sealed (`0009`)."""


async def test_a_database_of_an_earlier_release_comes_up_and_its_texts_open(
    postgres: ScratchPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Filled at an earlier revision, backed up there, restored by this program."""
    url, target = postgres.create("earlier"), postgres.create("upgraded")
    monkeypatch.setenv("HOTLINE_DATABASE_URL", url)
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))
    get_settings.cache_clear()
    await asyncio.to_thread(command.upgrade, config(url), BEFORE)
    _fill_earlier(url)
    file = tmp_path / "earlier.backup"
    assert hotline("backup", file, data_dir=tmp_path, url=url).returncode == 0
    done = hotline("restore", file, data_dir=tmp_path, url=target)
    assert done.returncode == 0, done.stderr
    await dispose()
    monkeypatch.setenv("HOTLINE_DATABASE_URL", target)
    get_settings.cache_clear()
    assert database_url() == target
    await _read_upgraded()
    await dispose()
    await asyncio.to_thread(command.downgrade, config(target), BEFORE)
    assert _earlier_words(target) == _earlier_words(url), "and down again it is as it was"
    await asyncio.to_thread(command.upgrade, config(target), "head")
    await _read_upgraded()
    await dispose()


def _fill_earlier(url: str) -> None:
    index, sealed = (
        addresses.index_of("+8613800002614"),
        addresses.seal("+8613800002614", addresses.index_of("+8613800002614")),
    )
    uid, body_uid, post_uid = "0" * 31 + "1", "0" * 31 + "2", "0" * 31 + "3"

    def of(table: str, column: str, key: str, value: str) -> bytes:
        return crypto.keyring().seal(
            b"j" + json.dumps(value, ensure_ascii=False).encode(), f"{table}.{column}:{key}".encode()
        )

    with psycopg.connect(url, autocommit=True) as db:
        db.execute("SET session_replication_role = replica")
        _insert(db, "contacts", id=1, uid=uid, channel="sms", address_index=crypto.blind_index("+8613800002611", "contacts.address.sms"), address_sealed=of("contacts", "address_sealed", uid, "+8613800002611"), created_at="now", open_case=False)  # fmt: skip
        _insert(db, "operators", id=1, uid=uid, login="earlier", badge="1", role="editor", name_sealed=of("operators", "name_sealed", uid, "从前的人"), created_at="now")  # fmt: skip
        _insert(db, "threads", id=1, contact_id=1, channel="sms")
        _insert(db, "messages", id=1, uid=body_uid, thread_id=1, contact_id=1, body_sealed=of("messages", "body_sealed", body_uid, "从前的短信"))  # fmt: skip
        _insert(db, "duty_posts", id=1, uid=post_uid, region="530627", kind="police_post", name="泼机派出所 王", hours="夜里", phone_sealed=of("duty_posts", "phone_sealed", post_uid, "087131000000"))  # fmt: skip
        _insert(db, "outreach_rolls", id=1, title="从前的名册", state="ready", taken=1, regions='{"530627": 1}', groups='{"孤儿": 1, "": 2}', refused="{}", created_at="now")  # fmt: skip
        db.execute("CREATE TABLE outreach_roll_numbers_1 PARTITION OF outreach_roll_numbers FOR VALUES IN (1)")
        _insert(db, "outreach_roll_numbers", roll_id=1, address_index=index, address_sealed=sealed, region="530627", group="孤儿", consented=True)  # fmt: skip
        _insert(db, "outreach_segments", id=1, title="从前的人群", chosen='{"rolls": [1], "groups": ["孤儿"]}', created_by=1, created_at="now")  # fmt: skip
        _insert(db, "outreach_templates", id=1, title="从前的模板", body="公开的话", state="draft", note="从前的备注", changed_by=1, changed_at="now")  # fmt: skip
        _insert(db, "outreach_templates", id=2, title="没有备注的", body="公开的话", state="draft", changed_by=1, changed_at="now")  # fmt: skip
        _insert(db, "broadcasts", id=1, title="从前的群发", body="公开的话", status="draft", audience='{"rolls": [1], "groups": ["孤儿"]}', authors=[1], created_by=1)  # fmt: skip
        _insert(db, "broadcast_events", id=1, broadcast_id=1, what="sent_back", who="operator:1", detail='{"reason": "从前的理由"}', at="now")  # fmt: skip
        _insert(db, "broadcast_events", id=2, broadcast_id=1, what="paused", who="operator:1", detail='{"reason": "person"}', at="now")  # fmt: skip


def _insert(db: psycopg.Connection[Any], table: str, **values: Any) -> None:
    """A row with something in every column that must have something."""
    columns = db.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_name = %s AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'", (table,)
    ).fetchall()  # fmt: skip
    blank = {
        "boolean": False, "jsonb": "{}", "bytea": b"", "ARRAY": [], "timestamp with time zone": "2026-11-01", "character varying": "",
        "time without time zone": "09:00", "date": "2026-11-01",
    }  # fmt: skip
    row = {name: blank.get(kind, 0) for name, kind in columns} | values
    names = ", ".join(f'"{name}"' for name in row)
    db.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join(['%s'] * len(row))})", list(row.values()))  # type: ignore[arg-type]


def _earlier_words(url: str) -> list[list[tuple[Any, ...]]]:
    with psycopg.connect(url) as db:
        return [
            db.execute(query).fetchall()
            for query in (
                "SELECT title, groups FROM outreach_rolls", "SELECT title, chosen FROM outreach_segments",
                "SELECT title, note FROM outreach_templates ORDER BY id", "SELECT title, audience FROM broadcasts",
                'SELECT "group" FROM outreach_roll_numbers', "SELECT detail FROM broadcast_events ORDER BY id",
                "SELECT name, hours FROM duty_posts",
            )
        ]  # fmt: skip


async def _read_upgraded() -> None:
    async with transaction() as session:
        assert (await session.get_one(Message, 1)).body == "从前的短信"
        roll, segment = await session.get_one(Roll, 1), await session.get_one(SavedSegment, 1)
        assert (roll.title, roll.groups, segment.title) == ("从前的名册", {"孤儿": 1, "": 2}, "从前的人群")
        one = await session.get_one(Broadcast, 1)
        number = (await session.scalars(select(RollNumber.group))).one()
        assert one.title == "从前的群发"
        assert segment.chosen["groups"] == one.audience["groups"] == [number] == [addresses.group_key("孤儿")]
        assert [(await session.get_one(OutreachTemplate, n)).note for n in (1, 2)] == ["从前的备注", None]
        said = [happened.says for happened in await outreach_room.list_events(session, 1)]
        assert said[1] == "从前的理由" and "从前" not in said[0]
        [post] = await duty_book.list_of(session, "530627")
        assert (post.name, post.hours) == ("泼机派出所 王", "夜里")
    inbound = inbox.Inbound(Channel.SMS, "+8613800002611", "我还在", "simulator", "later-1", clock.now())
    async with transaction() as session:
        recorded = await inbox.receive(session, inbound)
        assert recorded is None or recorded.thread_id == 1
