"""`hotline trace ID`: every log line of one text, one request or one act, from all processes, in order.

The logs hold events and ids, so what is printed may be sent to whoever mends it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import select

from sms_gateway import tracing
from sms_gateway.settings import get_settings
from sms_gateway.supervision.places import DataDir

UNSHOWN = {"timestamp", "at", "event", "process", "level", "room", "logger", tracing.NAME}


@dataclass(frozen=True)
class Line:
    at: str
    process: str
    event: str
    more: str


def trace(
    what: Annotated[str, typer.Argument(help="日志里的 trace（16 位），或者短信的编号（message）")],
    stdin: Annotated[bool, typer.Option("--stdin", help="从标准输入读日志：journalctl -o cat -u 'hotline-*' | hotline trace ID --stdin")] = False,
) -> None:  # fmt: skip
    """一条来信从收到到回复，每个进程做了什么。"""
    wanted = what if tracing.is_trace(what) else _trace_of(what)
    if wanted is None:
        typer.echo("没有这个编号：要 16 位的 trace，或者短信的编号。", err=True)
        raise typer.Exit(1)
    logs = DataDir.at(get_settings().data_dir).logs
    found = find(wanted, _of_stdin() if stdin else _of_folder(logs))
    for line in found:
        typer.echo(f"{line.at}  {line.process:<14} {line.event:<22} {line.more}".rstrip())
    if not found:
        typer.echo(f"日志里没有 {wanted}。", err=True)
        raise typer.Exit(1)


def find(wanted: str, lines: Iterable[tuple[str, str]]) -> list[Line]:
    """The lines of that trace among (process, text), by time. Pure."""
    found = [_read(process, text) for process, text in lines if wanted in text]
    return sorted((line for line in found if line is not None), key=lambda line: line.at)


def _read(process: str, text: str) -> Line | None:
    try:
        event: dict[str, Any] = json.loads(text[text.index("{") :])  # Rasa puts its own time and level before ours
    except ValueError:
        return None
    at = str(event.get("timestamp") or event.get("at") or "")
    more = " ".join(f"{name}={value}" for name, value in event.items() if name not in UNSHOWN)
    return Line(at, str(event.get("process") or process or "rasa"), str(event.get("event")), more)


def _of_folder(logs: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(logs.glob("*.log*")):
        with path.open(encoding="utf-8", errors="replace") as file:
            for text in file:
                yield path.name.partition(".")[0], text


def _of_stdin() -> Iterator[tuple[str, str]]:
    for text in sys.stdin:
        yield "", text


def _trace_of(number: str) -> str | None:
    """The trace of that message; asks the database that runs, or the one of the settings."""
    if not (number.isascii() and number.isdigit()) or len(number) > 18:
        return None
    from sms_gateway.supervision.running import adopt

    adopt(DataDir.at(get_settings().data_dir))
    get_settings.cache_clear()
    return asyncio.run(_look_up(int(number)))


async def _look_up(message_id: int) -> str | None:
    from sms_gateway.database import dispose, transaction
    from sms_gateway.messages.models import Message

    async with transaction() as session:
        found = await session.scalar(select(Message.trace).where(Message.id == message_id))
    await dispose()
    return found
