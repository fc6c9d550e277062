"""What people wrote stays sealed: no log of any process, and no row of the database, shows a text, a number or a name."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import httpx
import psycopg
import pytest
from sqlalchemy.exc import IntegrityError

from sms_gateway import clock
from sms_gateway.database import transaction
from sms_gateway.supervision.scratch import ScratchHotline, ScratchPostgres
from sms_gateway.tickets.models import Ticket
from tests.journeys.line import Line, Switch
from tests.journeys.trackers import kill, restart
from tests.leaks import find_leaks

pytestmark = pytest.mark.usefixtures("database")

NAME = "龙小满"
VILLAGE = "泼机镇青松巷"
WORDS = (f"孤儿每个月能领多少钱 我叫{NAME}", f"我要投诉 {VILLAGE}小学天天占体育课", "镇雄的")
DISCLOSURE = f"去年{NAME}的姑父摸过她"
KICKING = f"有个叔叔一直在踹我家门 就我和弟弟{NAME}在{VILLAGE}"
SECRETS = (NAME, VILLAGE, "天天占体育课", "踹我家门", "能领多少钱", "摸过她")


def log_files(*folders: Path) -> list[Path]:
    found = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [
        path
        for path in found
        if path.suffix in {".log", ".jsonl", ".txt", ".out", ".err", ".json"} or "logs" in path.parts
    ]


def dumped(postgres: ScratchPostgres) -> bytes:
    """Every row of the journeys' database as PostgreSQL would back it up."""
    url = postgres.url("journeys")
    rows = bytearray()
    with psycopg.connect(url) as db:
        tables = db.execute(
            "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        for (table,) in tables:
            with db.cursor().copy(f"COPY (SELECT * FROM {table}) TO STDOUT") as copy:
                for row in copy:
                    for field in bytes(row).split(b"\t"):
                        rows += bytes.fromhex(field[3:].decode().strip()) if field.startswith(b"\\\\x") else field
                    rows += b"\n"
    return bytes(rows)


@pytest.mark.parametrize(
    "leaked",
    [NAME.encode(), json.dumps(NAME).encode(), quote(NAME).encode(), base64.b64encode(f"xx{NAME}yy".encode()), repr(NAME.encode()).encode()],
)  # fmt: skip
def test_the_search_itself_finds_a_leak_in_every_shape(leaked: bytes) -> None:
    assert find_leaks(b'{"event": "' + leaked + b'"}', SECRETS) == [NAME]


async def test_nothing_anybody_wrote_is_in_a_log_or_in_the_clear_in_the_database(
    line: Line, switch: Switch, assistant: ScratchHotline, postgres: ScratchPostgres
) -> None:
    phone = await line.phone()
    number = f"1380000{phone.tail}"
    for words in WORDS:  # success
        await phone.texts(words)
        await phone.next()
    switch.mode = "broken"  # 500
    await phone.texts(WORDS[0])
    await phone.next()
    switch.mode = "slow"  # time-out
    await phone.texts(WORDS[0])
    await phone.next(within=15)
    switch.mode = "pass"
    other = await line.phone()
    await other.texts(WORDS[1])
    await other.next()
    await other.texts(DISCLOSURE)  # in a form
    await other.next()
    await _bad_forms(line)
    await _broken_constraint()
    await _broken_actions(assistant, line, switch)
    kill(assistant, "rasa")
    third = await line.phone()
    await third.texts(WORDS[0])
    await third.next()
    await third.texts(KICKING)
    await third.next()
    line.kill("turns")
    await third.texts(f"我是{NAME} 在{VILLAGE}")
    await asyncio.sleep(2)
    await restart(assistant, "rasa")

    secrets = (*SECRETS, number, f"1380000{other.tail}", f"1380000{third.tail}")
    files = log_files(line.data_dir.path, assistant.data_dir.path, postgres.folder)
    assert {"rasa.log", "actions.log", "gateway.log", "danger.log", "turns.log", "replies.log"} <= {
        f.name for f in files
    }
    assert sum(file.stat().st_size for file in files) > 1000, "the processes did write"
    assert [(file.name, found) for file in files if (found := find_leaks(file.read_bytes(), secrets))] == []
    whole = dumped(postgres)
    assert b"thread-" in whole
    assert find_leaks(whole, secrets) == []


async def _bad_forms(line: Line) -> None:
    """Texts in forms, signatures and JSON that are wrong."""
    form = {"MessageSid": "SM1", "From": "+8613800000001", "Body": KICKING}
    for path in ("/twilio/sms", "/carriers/simulator/sms", f"/carriers/simulator/status?note={quote(NAME)}"):
        answer = await line.http.post(path, data=form)
        assert answer.status_code in (403, 404)
        assert find_leaks(answer.content, SECRETS) == []
    for path in ("/chat/texts", f"/nowhere/{quote(NAME)}", f"/simulator/phones/{quote(NAME)}/texts"):
        answer = await line.http.post(path, json={"id": "x", "body": [KICKING], NAME: 1})
        assert 400 <= answer.status_code < 500
        assert find_leaks(answer.content, SECRETS) == []


async def _broken_constraint() -> None:
    """A row that breaks a constraint, with a text in it, through our own session: PostgreSQL shows it in its log."""
    moment = clock.now()
    with pytest.raises(IntegrityError) as caught:
        async with transaction() as session:
            session.add(
                Ticket(
                    number="00000001", thread_id=-1, contact_id=-1, kind="help", answers={"what": KICKING, "name": NAME},
                    received_at=moment, opened_at=moment, due_at=moment,
                )
            )  # fmt: skip
    assert find_leaks(str(caught.value).encode(), SECRETS) == []


async def _broken_actions(assistant: ScratchHotline, line: Line, switch: Switch) -> None:
    """The action server fails in the middle of a turn; Rasa is asked with a broken turn."""
    kill(assistant, "actions")
    phone = await line.phone()
    await phone.texts(WORDS[1])
    await phone.next(within=15)
    await restart(assistant, "actions")
    headers = {"X-Hotline-Secret": assistant.environment["HOTLINE_BOT_SECRET"]}
    async with httpx.AsyncClient(base_url=assistant.environment["HOTLINE_RASA_URL"], trust_env=False) as rasa:
        for metadata in ({}, {"contact": NAME, "message": KICKING}, {"deadline": 1}):
            body = {"sender": "thread-0", "message": WORDS[0], "metadata": metadata}
            answer = await rasa.post("/webhooks/hotline/webhook", json=body, headers=headers, timeout=30)
            assert answer.status_code in (400, 500, 504)
            assert find_leaks(answer.content, SECRETS) == []


def test_an_error_that_ends_a_process_does_not_print_what_it_held() -> None:
    """The last words of a process that dies go to its log."""
    code = (
        "from sms_gateway import logs; logs.configure('x')\n"
        "import logging\n"
        f"logging.getLogger('sqlalchemy.pool').error('broken: %s', {NAME!r})\n"
        f"try:\n    raise ValueError({KICKING!r})\nexcept ValueError:\n    logs.get('room').exception('it_broke')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env={**os.environ})
    assert b"it_broke" in done.stdout
    assert find_leaks(done.stdout + done.stderr, SECRETS) == []
