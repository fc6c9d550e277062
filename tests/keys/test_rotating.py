"""Keys are changed while the hotline runs: nothing is lost, nothing stays behind, a kill at any moment does no harm."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from sealing import KeyIsMissing, Keyring, SealBroken, read, with_new_key, without_keys_before
from sms_gateway import crypto
from sms_gateway.commands import keys, resealing, resealing_files
from sms_gateway.commands.sealed_cells import SealedColumn, sealed_columns
from sms_gateway.contacts.models import Channel
from sms_gateway.database import transaction
from sms_gateway.messages import inbox, spool
from sms_gateway.messages import spool_files as files
from sms_gateway.messages.models import Message
from sms_gateway.settings import ROOT, get_settings
from tests.broadcasts.making import make_broadcast, make_ledger
from tests.keys import marked
from tests.telling import Person

OLD = os.environ["HOTLINE_DATA_KEY"]
NEW = with_new_key(OLD)


@pytest.fixture
def new_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Keyring]:
    """This process has been started again with the further key, as after `hotline keys new`."""
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))

    def use() -> Keyring:
        monkeypatch.setenv("HOTLINE_DATA_KEY", NEW)
        _forget()
        return crypto.keyring()

    yield use  # type: ignore[misc]
    monkeypatch.setenv("HOTLINE_DATA_KEY", OLD)
    _forget()


def _forget() -> None:
    get_settings.cache_clear()
    crypto.keyring.cache_clear()


def every_cell(connection: psycopg.Connection[Any], ring: Keyring) -> dict[str, list[bytes]]:
    """What every sealed cell holds, by column."""
    found: dict[str, list[bytes]] = {}
    for column in sealed_columns():
        names = ", ".join(f'"{name}"' for name in (*column.place_from, column.column))
        rows = connection.execute(f"SELECT {names} FROM {column.table} WHERE {column.column} IS NOT NULL").fetchall()  # type: ignore[arg-type]
        found[column.name] = sorted(ring.open(bytes(row[-1]), column.place(row[:-1])) for row in rows)
    return found


async def test_everything_is_resealed_and_reads_as_before(database: str, person: Person, new_key: Any) -> None:
    await marked.fill(person)
    marked.fill_the_rest(database)
    with psycopg.connect(database, autocommit=True) as connection:
        before = every_cell(connection, crypto.keyring())
        ring = new_key()
        assert resealing.standing(connection, ring).older_than(2) == sum(map(len, before.values()))
        done = resealing.reseal(connection, ring)
        after = resealing.standing(connection, ring)
        assert (after.by_version.keys(), done.broken, after.old_by_column) == ({2}, {}, {})
        assert done.cells == sum(map(len, before.values()))
        only_new = Keyring.from_text(without_keys_before(NEW, 2))
        assert every_cell(connection, only_new) == before
        assert resealing.reseal(connection, ring).cells == 0


async def test_people_are_found_by_their_number_after_the_old_key_is_gone(database: str, person: Person, new_key: Any) -> None:  # fmt: skip
    await person.texts("孤儿每个月能领多少钱")
    ring = new_key()
    with psycopg.connect(database, autocommit=True) as connection:
        resealing.reseal(connection, ring)
    os.environ["HOTLINE_DATA_KEY"] = without_keys_before(NEW, 2)
    _forget()
    inbound = inbox.Inbound(Channel.SMS, person.number, "又来了", "simulator", "after-the-key", crypto_clock())
    async with transaction() as session:
        recorded = await inbox.receive(session, inbound)
        assert recorded is not None and recorded.thread_id == person.thread_id
        assert (await session.get_one(Message, recorded.message_id)).body == "又来了"


def crypto_clock() -> Any:
    from sms_gateway import clock

    return clock.now()


async def test_killed_with_9_again_and_again_it_ends_whole(database: str, new_key: Any, tmp_path: Path) -> None:
    one = await make_broadcast()
    await make_ledger(one, 30_000)
    ring = new_key()
    command = [sys.executable, "-m", "sms_gateway.cli", "keys", "rotate"]
    environment = {**os.environ, "HOTLINE_DATABASE_URL": database, "HOTLINE_DATA_KEY": NEW}
    lefts = []
    with psycopg.connect(database, autocommit=True) as connection:
        for _ in range(4):
            left = resealing.standing(connection, ring).older_than(2)
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
            _until(lambda left=left: resealing.standing(connection, ring).older_than(2) < left)  # type: ignore[misc]
            process.send_signal(signal.SIGKILL)
            process.wait()
            lefts.append(resealing.standing(connection, ring).older_than(2))
        assert lefts == sorted(lefts, reverse=True) and 0 < lefts[-1] < 30_000
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "第 1 把密钥：0 处" in done.stdout and "每秒" in done.stdout
        numbers = every_cell(connection, Keyring.from_text(without_keys_before(NEW, 2)))
        assert len(set(numbers["broadcast_recipients.address_sealed"])) == 30_000


def _until(met: Any, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < until
        time.sleep(0.02)


async def test_a_row_that_is_edited_meanwhile_keeps_the_edit(database: str, new_key: Any) -> None:
    one = await make_broadcast()
    await make_ledger(one, 4000)
    ring = new_key()
    place = next(each for each in sealed_columns() if each.table == "broadcast_recipients").place
    stop, edits = threading.Event(), 0

    def edit() -> None:
        nonlocal edits
        with psycopg.connect(database, autocommit=True) as other:
            while not stop.is_set():
                number = edits % 4000 + 1
                row = other.execute(
                    "SELECT address_index FROM broadcast_recipients WHERE number = %s", (number,)
                ).fetchone()
                assert row is not None
                fresh = ring.seal(b"edited", place((bytes(row[0]),)))
                other.execute("UPDATE broadcast_recipients SET address_sealed = %s WHERE number = %s", (fresh, number))
                edits += 1

    editing = threading.Thread(target=edit)
    editing.start()
    try:
        with psycopg.connect(database, autocommit=True) as connection:
            _until(lambda: edits > 20)
            resealing.reseal(connection, ring)
            stop.set()
            editing.join()
            assert resealing.standing(connection, ring).older_than(2) == 0
            cells = every_cell(connection, ring)["broadcast_recipients.address_sealed"]
    finally:
        stop.set()
        editing.join()
    assert cells.count(b"edited") == min(edits, 4000)


async def test_a_held_row_is_not_waited_for_and_done_in_a_later_round(database: str, new_key: Any) -> None:
    one = await make_broadcast()
    await make_ledger(one, 1000)
    ring = new_key()
    holding = psycopg.connect(database)
    holding.execute("SELECT 1 FROM broadcast_recipients WHERE number = 7 FOR UPDATE")
    told: list[int] = []
    letting_go = threading.Timer(1.2, holding.rollback)
    letting_go.start()
    with psycopg.connect(database, autocommit=True) as connection:
        began = time.monotonic()
        first: list[float] = []
        resealing.reseal(
            connection, ring, lambda column, cells: (told.append(cells), first.append(time.monotonic() - began))
        )  # type: ignore[func-returns-value]
        assert resealing.standing(connection, ring).older_than(2) == 0
    letting_go.join()
    holding.close()
    assert sum(told) >= 1000 and first[2] < 1.2, "the others did not wait for it"


async def test_a_cell_that_opens_in_no_way_is_told_and_left(database: str, person: Person, new_key: Any) -> None:
    await person.texts("孤儿每个月能领多少钱")
    ring = new_key()
    with psycopg.connect(database, autocommit=True) as connection:
        broken = b"\x00\x01" + os.urandom(60)
        connection.execute("UPDATE messages SET body_sealed = %s WHERE id = (SELECT min(id) FROM messages)", (broken,))
        done = resealing.reseal(connection, ring)
        assert done.broken == {"messages.body_sealed": 1}
        assert resealing.standing(connection, ring).old_by_column == {"messages.body_sealed": 1}
        row = connection.execute("SELECT body_sealed FROM messages ORDER BY id LIMIT 1").fetchone()
        assert row is not None and bytes(row[0]) == broken


async def test_texts_on_disk_are_resealed_and_replayed(database: str, new_key: Any) -> None:
    get_settings.cache_clear()
    inbound = inbox.Inbound(Channel.SMS, "+8613800002699", "存在盘上的", "simulator", "spooled-1", crypto_clock())
    await spool.keep(inbound)
    ring = new_key()
    assert resealing_files.standing() == {1: 2}, "the text and its mark"
    assert (resealing_files.reseal(ring), resealing_files.reseal(ring)) == (2, 0)
    assert resealing_files.standing() == {2: 2} and not list(spool.folder().glob("*.resealing"))
    assert await spool.replay() == 1


async def test_the_mark_is_resealed_before_its_text(
    database: str, new_key: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text's lock goes with its old file: whoever takes the new one must not meet a mark that is just being written."""
    inbound = inbox.Inbound(Channel.SMS, "+8613800002699", "存在盘上的", "simulator", "spooled-2", crypto_clock())
    await spool.keep(inbound)
    order: list[str] = []
    renew = files.renew

    def noted(held: files.Held, part: Path, sealed: bytes) -> None:
        order.append(part.suffix)
        renew(held, part, sealed)

    monkeypatch.setattr(files, "renew", noted)
    assert resealing_files.reseal(new_key()) == len(order) == 2
    assert order[-1] == files.TEXT


async def test_new_rotate_drop_as_somebody_types_them(database: str, person: Person, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # fmt: skip
    """In development, where the key is a file under DATA_DIR."""
    await person.texts("孤儿每个月能领多少钱")
    (tmp_path / "secrets").mkdir(parents=True)
    file = tmp_path / "secrets" / "data_key"
    file.write_text(OLD)
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("HOTLINE_DATA_KEY")
    _forget()

    def types(word: str, code: int = 0) -> str:
        get_settings.cache_clear()
        said = CliRunner().invoke(keys.app, [word])
        assert said.exit_code == code, said.output
        return said.output

    assert "还没有新密钥" in types("drop", 1)
    assert OLD not in types("new")
    assert list(read(file.read_text())[0]) == [1, 2] and file.stat().st_mode & 0o077 == 0
    assert "还没换的：messages.body_sealed" in types("status", 1)
    assert "旧密钥还不能去掉" in types("drop", 1)
    assert "第 1 把密钥：0 处" in types("rotate")
    types("drop")
    kept, index = read(file.read_text())
    assert list(kept) == [2] and index is not None
    types("status")
    monkeypatch.setenv("HOTLINE_DATA_KEY", OLD)
    _forget()


versions = st.lists(st.integers(1, 65535), min_size=1, max_size=4, unique=True)


@given(
    versions,
    st.lists(st.tuples(st.binary(max_size=40), st.binary(min_size=1, max_size=20), st.integers(0, 3)), max_size=12),
)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_mixture_of_versions_opens_to_the_same_after_resealing(
    numbers: list[int], cells: list[tuple[bytes, bytes, int]]
) -> None:
    all_keys = {version: bytes([at + 1]) * 32 for at, version in enumerate(sorted(numbers))}
    ring = Keyring(all_keys)
    for value, place, at in cells:
        upto = sorted(numbers)[: at % len(numbers) + 1]
        sealed = Keyring({version: all_keys[version] for version in upto}).seal(value, place)
        [fresh] = ring.seal_all([ring.open(sealed, place)], [place])
        newest = Keyring({ring.current: all_keys[ring.current]})
        assert newest.open(fresh, place) == value
        for wrong in (place + b"x", b"", place[:-1]):
            with pytest.raises(SealBroken):
                newest.open(fresh, wrong)
        if ring.current != upto[-1]:
            with pytest.raises(KeyIsMissing):
                newest.open(sealed, place)


@given(st.binary(min_size=32, max_size=32), st.text(max_size=20), st.integers(1, 5))
def test_the_setting_keeps_the_index_through_any_number_of_keys(key: bytes, value: str, times: int) -> None:
    text = base64.b64encode(key).decode()
    before = Keyring.from_text(text).blind_index(value, "x")
    for _ in range(times):
        text = with_new_key(text)
    assert Keyring.from_text(text).current == times + 1
    text = without_keys_before(text, times + 1)
    ring = Keyring.from_text(text)
    assert (ring.versions, ring.blind_index(value, "x")) == ((times + 1,), before)
    assert base64.b64encode(key).decode() not in text


def test_a_setting_that_would_lose_the_index_is_not_made() -> None:
    with pytest.raises(ValueError):
        without_keys_before(OLD, 1)
    with pytest.raises(ValueError):
        without_keys_before(NEW, 3)
    for twice in (f"1:{OLD},1:{OLD}", f"index:{OLD},index:{OLD},1:{OLD}"):
        with pytest.raises(ValueError):
            Keyring.from_text(twice)


def test_columns_know_their_tables_key() -> None:
    assert all(isinstance(column, SealedColumn) and column.key for column in sealed_columns())
