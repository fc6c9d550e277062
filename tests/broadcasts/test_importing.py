"""An audience file from upload to a roll in the database, with its real processes."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from multiprocessing import forkserver
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import func, select, text

from sms_gateway.broadcasts import addresses, apart, importing, rolls
from sms_gateway.broadcasts.roll_models import Roll, RollNumber, RollPart, RollRefusal
from sms_gateway.broadcasts.rolls import RollState
from sms_gateway.broadcasts.sources import PART_BYTES, OnDisk
from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from sms_gateway.settings import ROOT

from .files import csv_bytes, far_corner_xlsx, phone, xlsx_bytes

Run = Callable[[], Awaitable[None]]


async def upload(data: bytes, *, title: str = "镇雄家长") -> int:
    """The id of a roll whose file is in the database, import deferred."""
    async with transaction() as session:
        roll = await rolls.create(session, title=title, created_by=None, file_size=len(data))
    for part, start in enumerate(range(0, len(data), PART_BYTES)):
        async with transaction() as session:
            await rolls.add_part(session, roll_id=roll.id, part=part, data=data[start : start + PART_BYTES])
    async with transaction() as session:
        await rolls.start(session, roll_id=roll.id)
    return roll.id


async def roll_of(roll_id: int) -> Roll:
    async with transaction() as session:
        return await rolls.get(session, roll_id)


async def lines_refused(roll_id: int) -> list[tuple[int, str]]:
    async with transaction() as session:
        return [each async for each in rolls.refusals(session, roll_id)]


async def numbers_of(roll_id: int) -> dict[str, tuple[str, str, bool]]:
    """Every number of the roll, opened, with region, group, consent."""
    async with transaction() as session:
        found = await session.scalars(select(RollNumber).where(RollNumber.roll_id == roll_id))
        return {
            addresses.open_sealed(row.address_sealed, row.address_index): (row.region, row.group, row.consented)
            for row in found
        }


async def new_roll(path: Path, data: bytes) -> tuple[int, OnDisk]:
    path.write_bytes(data)
    async with transaction() as session:
        return (await rolls.create(session, title="名册", created_by=None)).id, OnDisk(str(path))


def test_the_fast_way_of_sealing_gives_what_the_plain_one_gives() -> None:
    numbers = ["+8613800000001", "+8613800000002"]
    indexes, sealed = addresses.seal_all(numbers)
    assert indexes == list(map(addresses.index_of, numbers))
    assert list(map(addresses.open_sealed, sealed, indexes)) == numbers
    assert list(map(len, sealed)) == [len(addresses.seal(*each)) for each in zip(numbers, indexes, strict=True)]
    assert not set(sealed) & set(addresses.seal_all(numbers)[1]) and sealed[0][2:14] != sealed[1][2:14]
    assert addresses.seal_all([]) == ([], [])


async def test_a_file_of_fifty_thousand_lines_becomes_a_roll_that_adds_up(database: str, run_jobs: Run) -> None:
    rows = [("手机号", "地区", "分组", "同意")]
    rows += [(phone(n), "镇雄" if n % 2 else "不知道哪里", "家长", "是" if n % 5 == 0 else "否") for n in range(45_000)]
    rows += [(phone(n), "昭通市", "老师", "") for n in range(3000)]  # a second time
    rows += [("0871-63100000", "", "", ""), ("张三", "", "", "")] * 1000
    data = csv_bytes(rows[:20_001], encoding="gbk") + csv_bytes(rows[20_001:])
    roll_id = await upload(data)
    await run_jobs()
    roll = await roll_of(roll_id)
    assert (roll.state, roll.error) == (RollState.READY, None)
    assert (roll.lines, roll.taken) == (50_000, 45_000)
    assert roll.refused == {"duplicate": 3000, "landline": 1000, "not_a_number": 1000}
    assert roll.regions == {"530627": 22_500, "": 22_500}
    assert roll.groups == {"家长": 45_000} and roll.consented == 9000
    refused = await lines_refused(roll_id)
    assert [line for line, _ in refused] == list(range(45_002, 50_002))
    assert {why for line, why in refused if line < 48_002} == {"duplicate"}
    numbers = await numbers_of(roll_id)
    assert numbers["+8613800000001"] == ("530627", addresses.group_key("家长"), False) and len(numbers) == 45_000
    async with transaction() as session:
        assert await session.scalar(select(func.count()).select_from(RollPart)) == 0
    with psycopg.connect(database) as connection:
        raw = connection.execute(
            f"SELECT string_agg(address_sealed, '') FROM outreach_roll_numbers_{roll_id}"
        ).fetchone()
        assert raw is not None and b"13800000" not in raw[0]


async def test_a_file_in_several_pieces_is_read_as_one_and_kept_sealed_until_then(database: str, run_jobs: Run) -> None:
    data = csv_bytes([("手机号", "备注"), *((phone(n), "好" * 60) for n in range(50_000))])
    assert len(data) > 2 * PART_BYTES
    roll_id = await upload(data)
    async with transaction() as session:
        pieces = list(await session.scalars(select(RollPart.sealed).order_by(RollPart.part)))
    assert len(pieces) == 3 and not any(b"138000" in piece for piece in pieces)
    await run_jobs()
    roll = await roll_of(roll_id)
    assert (roll.state, roll.lines, roll.taken) == ("ready", 50_000, 50_000)


async def test_an_upload_that_is_not_whole_is_not_started(database: str) -> None:
    async with transaction() as session:
        roll = await rolls.create(session, title="名册", created_by=None, file_size=100)
        with pytest.raises(rolls.PartsAreMissing):
            await rolls.start(session, roll_id=roll.id)
        await rolls.add_part(session, roll_id=roll.id, part=0, data=b"x" * 99)
        with pytest.raises(rolls.PartsAreMissing):
            await rolls.start(session, roll_id=roll.id)
        await rolls.add_part(session, roll_id=roll.id, part=2, data=b"x")
        with pytest.raises(rolls.PartsAreMissing):
            await rolls.start(session, roll_id=roll.id)
        for bad in (b"", b"x" * (PART_BYTES + 1)):
            with pytest.raises(rolls.PartsAreMissing):
                await rolls.add_part(session, roll_id=roll.id, part=0, data=bad)
        with pytest.raises(rolls.RollHasNoTitle):
            await rolls.create(session, title=" \x00 ", created_by=None)


async def test_a_bad_file_ends_in_a_sentence_and_leaves_nothing(database: str, run_jobs: Run, tmp_path: Path) -> None:
    for data, said in (
        (b"%PDF-1.7", "不是名单"),
        (csv_bytes([("姓名", "学校"), ("某", "一中")]), "没有找到手机号"),
        (csv_bytes([("手机号",), ("0871-63100000",)]), "没有一行"),
        (csv_bytes([("手机号", "分组"), *((phone(n), f"组{n}") for n in range(9000))]), "分组"),
    ):
        roll_id = await upload(data)
        await run_jobs()
        roll = await roll_of(roll_id)
        assert roll.state == "failed" and roll.error is not None and said in roll.error
        assert roll.taken == 0 and roll.lines == sum(roll.refused.values())
        async with transaction() as session:
            assert await session.scalar(text(f"SELECT to_regclass('outreach_roll_numbers_{roll_id}')")) is None
            assert await session.scalar(select(func.count()).select_from(RollPart)) == 0


async def test_a_sheet_that_would_take_all_memory_kills_its_reader_only(database: str, run_jobs: Run) -> None:
    roll_id = await upload(far_corner_xlsx())
    await run_jobs()
    roll = await roll_of(roll_id)
    assert roll.state == "failed" and roll.error == apart.FileBreaksItsReader.sentence


async def test_a_spreadsheet_becomes_a_roll(database: str, run_jobs: Run) -> None:
    roll_id = await upload(
        xlsx_bytes([("联系电话", "adcode"), (13800000001, 530627), ("1.38E+10", ""), ("138 0000 0002", "镇雄")])
    )
    await run_jobs()
    roll = await roll_of(roll_id)
    assert (roll.state, roll.taken, roll.refused) == ("ready", 2, {"rounded": 1})
    assert roll.regions == {"530627": 2}


async def test_the_job_run_twice_changes_nothing(database: str, run_jobs: Run) -> None:
    roll_id = await upload(csv_bytes([("手机号",), (phone(1),)]))
    await run_jobs()
    await importing.run(roll_id, OnDisk("/nowhere"))
    assert (await roll_of(roll_id)).taken == 1


async def test_a_sealer_killed_in_the_middle_leaves_nothing_and_the_next_run_ends_right(
    database: str, tmp_path: Path
) -> None:
    roll_id, source = await new_roll(
        tmp_path / "a.csv", csv_bytes([("手机号",), *((phone(n),) for n in range(150_000))])
    )
    running = asyncio.create_task(importing.run(roll_id, source))
    victim = await _a_copying_process(database)
    os.kill(victim, signal.SIGKILL)
    with pytest.raises(apart.ImportBroke):
        await running
    roll = await roll_of(roll_id)
    assert roll.state == "importing"
    await importing.run(roll_id, source)
    roll = await roll_of(roll_id)
    assert (roll.state, roll.lines, roll.taken, roll.refused) == ("ready", 150_000, 150_000, {})


async def _a_copying_process(database: str) -> int:
    """Wait until both sealers copy; the process id of one of our children."""
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        for _ in range(400):
            found = await connection.execute("SELECT count(*) FROM pg_stat_progress_copy WHERE tuples_processed > 5000")
            if (await found.fetchone()) == (2,):
                break
            await asyncio.sleep(0.02)
    server = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
    return int(Path(f"/proc/{server}/task/{server}/children").read_text().split()[-1])


async def test_two_runs_at_once_are_one(database: str, tmp_path: Path) -> None:
    roll_id, source = await new_roll(
        tmp_path / "a.csv", csv_bytes([("手机号",), *((phone(n),) for n in range(50_000))])
    )
    found = await asyncio.gather(importing.run(roll_id, source), importing.run(roll_id, source), return_exceptions=True)
    assert sorted(map(str, found)) == ["None", "RollIsBeingRead"]
    assert (await roll_of(roll_id)).taken == 50_000


async def test_a_roll_removed_while_it_is_imported_stops_and_leaves_nothing(database: str, tmp_path: Path) -> None:
    roll_id, source = await new_roll(
        tmp_path / "a.csv", csv_bytes([("手机号",), *((phone(n),) for n in range(300_000))])
    )
    running = asyncio.create_task(importing.run(roll_id, source))
    await _a_copying_process(database)
    async with transaction() as session:
        await rolls.remove(session, roll_id=roll_id)
    await running
    with pytest.raises(rolls.RollNotFound):
        await roll_of(roll_id)
    async with transaction() as session:
        assert await session.scalar(text(f"SELECT to_regclass('outreach_roll_numbers_{roll_id}')")) is None


async def test_a_removed_roll_takes_its_numbers_and_its_report_along(database: str, run_jobs: Run) -> None:
    roll_id = await upload(csv_bytes([("手机号",), (phone(1),), ("张三",)]))
    await run_jobs()
    async with transaction() as session:
        await rolls.remove(session, roll_id=roll_id)
    async with transaction() as session:
        assert await rolls.list_rolls(session) == []
        assert await session.scalar(select(func.count()).select_from(RollNumber)) == 0
        assert await session.scalar(select(func.count()).select_from(RollRefusal)) == 0


async def test_progress_is_told_while_a_file_is_read(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "EACH_SECONDS", 0.05)  # a quiet machine reads them all within the second
    roll_id, source = await new_roll(
        tmp_path / "a.csv", csv_bytes([("手机号",), *((phone(n),) for n in range(150_000))])
    )
    shares: list[float] = []
    await importing.run(roll_id, source, each=lambda progress: shares.append(progress.done))
    assert len(shares) > 1 and shares == sorted(shares) and shares[-1] == 1.0


def _apart(database: str, roll_id: int, source: OnDisk) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.broadcasts.importer", str(roll_id), source.path]
    environment = {**os.environ, "HOTLINE_DATABASE_URL": database}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE)


async def _copying(database: str) -> int:
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        found = await connection.execute("SELECT count(*) FROM pg_stat_progress_copy WHERE tuples_processed > 5000")
        row = await found.fetchone()
        assert row is not None
        return int(row[0])


async def test_an_import_killed_with_all_it_had_is_done_anew_and_ends_right(database: str, tmp_path: Path) -> None:
    rows = [("手机号",), *((phone(n),) for n in range(150_000)), ("张三",)]
    roll_id, source = await new_roll(tmp_path / "a.csv", csv_bytes(rows))
    process = _apart(database, roll_id, source)
    while not await _copying(database):
        assert process.poll() is None
        await asyncio.sleep(0.02)
    process.kill()
    process.wait()
    assert (await roll_of(roll_id)).state == "importing"
    await importing.run(roll_id, source)
    roll = await roll_of(roll_id)
    assert (roll.state, roll.lines, roll.taken, roll.refused) == ("ready", 150_001, 150_000, {"not_a_number": 1})


async def test_memory_does_not_grow_with_the_file(database: str, tmp_path: Path) -> None:
    """Short form: 20 MB of lines and, in the middle, one line of 100 MB. What it takes at 1 GB is what it takes here."""
    path = tmp_path / "large.csv"
    many = csv_bytes([(phone(n), "某某" * 8) for n in range(200_000)])
    with path.open("wb") as file:
        file.write(csv_bytes([("手机号", "备注")]) + many)
        for _ in range(100):
            file.write(b"9" * (1 << 20))
        file.write(b"\r\n" + many)
    async with transaction() as session:
        roll_id = (await rolls.create(session, title="名册", created_by=None)).id
    process = _apart(database, roll_id, OnDisk(str(path)))
    told, _ = await asyncio.to_thread(process.communicate)
    roll = await roll_of(roll_id)
    assert (roll.lines, roll.taken, roll.refused) == (400_001, 200_000, {"duplicate": 200_000, "unreadable": 1})
    assert len(await lines_refused(roll_id)) == apart.MOST_REFUSALS
    assert int(told) < 400 * 1024
    assert int(told) < 250 * 1024  # measured with a line of 1 GB: 95 MB, libraries included


def test_the_command_imports_a_file_and_says_what_became_of_it(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer.testing import CliRunner

    from sms_gateway.commands import broadcast

    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))
    path = tmp_path / "名单.csv"
    path.write_bytes(csv_bytes([("手机号",), (phone(1),), (phone(1),), ("张三",)], encoding="gbk"))
    run = CliRunner().invoke
    found = run(broadcast.app, ["import", str(path), "--title", "镇雄家长"])
    assert found.exit_code == 0, found.output
    assert "一共 3 行，收下 1 个号码，没收 2 行" in found.output and "前面已经有这个号码：1" in found.output
    path.write_bytes(b"%PDF")
    found = run(broadcast.app, ["import", str(path), "--title", "坏的"])
    assert found.exit_code == 1 and "不是名单文件" in found.output
    assert run(broadcast.app, ["import", str(path), "--title", ""]).exit_code == 1
    found = run(broadcast.app, ["rolls"])
    assert "镇雄家长\t可以用\t1 个号码" in found.output and "坏的\t没读成" in found.output


async def test_a_file_that_never_came_whole_is_forgotten_after_a_day(database: str, clock: HeldClock) -> None:
    async with transaction() as session:
        roll = await rolls.create(session, title="名册", created_by=None)
        await rolls.add_part(session, roll_id=roll.id, part=0, data=b"x")
        assert await rolls.forget_abandoned(session) == 0
    clock.advance(rolls.ABANDONED_AFTER * 1.1)
    async with transaction() as session:
        assert await rolls.forget_abandoned(session) == 1
        assert await rolls.list_rolls(session) == []
        assert await session.scalar(select(func.count()).select_from(RollPart)) == 0
