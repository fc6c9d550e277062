"""The processes of an import: one reads the file, two check, seal and COPY; ours only hands on what it does not open.

A process apart may be killed by a hostile file or by its memory limit, and it keeps the heartbeat of the worker's other jobs
out of the way of a million numbers. All end by themselves when the process that started them is gone: their pipe ends.
"""

from __future__ import annotations

import gc
import os
import pickle
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from signal import SIG_IGN, SIGINT, SIGKILL, SIGTERM, signal
from threading import Event

import psycopg
from psycopg import sql

from sms_gateway.database import database_url
from sms_gateway.errors import BadInput, HotlineError

from . import reading, rows
from .rows import Counts
from .sources import Source

MEMORY = 390 << 20
"""Bytes the process that reads may take: a spreadsheet of a million people with three columns takes 321 MB, with four 423."""
IN_HAND = 2
"""Batches a sealer has at a time: one in work, one waiting."""
_CONTEXT = get_context("forkserver")
"""A small process of its own loads the code once and forks from then on; ours has threads and must not be forked."""
_CONTEXT.set_forkserver_preload([__name__])


class FileBreaksItsReader(BadInput):
    sentence = "这个文件读到一半打不开了：太大，或者坏了。请另存为 CSV 再上传。"


class TooManyGroups(BadInput):
    sentence = "分组这一列有太多不同的内容，不像分组。请检查是不是错了列。"


class ImportBroke(HotlineError):
    """A process of the import died, or the database went away under it."""

    retryable = True
    sentence = "导入中断了，请再试一次。"


class ImportStopped(HotlineError):
    sentence = "导入已停止。"


MOST_GROUPS = 2000
MOST_REFUSALS = 100_000
"""Refused lines kept one by one; the counts are complete all the same."""


class Progress:
    """What is done so far; read from another thread. `done`: the share of the file, 0 to 1, by what its reader says."""

    def __init__(self) -> None:
        self.counts = Counts()
        self.done = 0.0
        self.stop = Event()


def run(roll_id: int, table: str, source: Source, progress: Progress) -> None:
    """Read `source` into `table`; `progress` has the counts, duplicates not yet told apart. Blocks; for a thread.

    Raises `BadInput` with the reason for the editor, `ImportBroke`, and `ImportStopped` once `progress.stop` is set.
    """
    with _process(_read, source) as reader:
        with _processes(roll_id, table) as sealers:
            waiting = dict.fromkeys((pipe for pipe, _ in sealers), 0)
            _hand_on(reader, waiting, progress)
            for pipe in waiting:
                pipe.send_bytes(b"")
            for pipe in waiting:
                if _received(pipe) != b"done":
                    raise ImportBroke
        progress.done = 1.0


def _hand_on(reader: tuple[Connection, ForkServerProcess], waiting: dict[Connection, int], progress: Progress) -> None:
    """Every batch to the sealer that has least to do, until all is counted."""
    pipe, process = reader
    reads = True
    while reads or any(waiting.values()):
        least = min(waiting, key=lambda each: waiting[each])
        listened = [sealer for sealer, batches in waiting.items() if batches]
        if reads and waiting[least] < IN_HAND:
            listened.append(pipe)
        for ready in wait(listened, timeout=0.5):
            if ready is pipe:
                batch = _batch(pipe, process)
                reads = batch is not None
                if batch is not None:
                    _sent(least, batch)
                    waiting[least] += 1
            else:
                assert isinstance(ready, Connection)
                counts, done = pickle.loads(_received(ready))  # noqa: S301 - written by our own child
                progress.done = max(progress.done, done)
                progress.counts.add(counts, most_refusals=MOST_REFUSALS)
                waiting[ready] -= 1
                if len(progress.counts.groups) > MOST_GROUPS:
                    raise TooManyGroups
        if progress.stop.is_set():
            raise ImportStopped


def _batch(pipe: Connection, process: ForkServerProcess) -> bytes | None:
    """The next batch as it came; None: the file is read. Raises what the reader told."""
    try:
        message = pipe.recv_bytes()
    except (EOFError, OSError):
        process.join(5)
        raise (ImportBroke if process.exitcode in (-SIGKILL, -SIGTERM) else FileBreaksItsReader) from None
    kind, rest = message[:1], message[1:]
    if kind == b"B":
        return rest
    if kind == b"R":
        raise BadInput(rest.decode())
    if kind == b"X":
        raise ImportBroke
    return None


def _sent(pipe: Connection, batch: bytes) -> None:
    try:
        pipe.send_bytes(batch)
    except OSError:
        raise ImportBroke from None


def _received(pipe: Connection) -> bytes:
    try:
        return pipe.recv_bytes()
    except (EOFError, OSError):
        raise ImportBroke from None


@contextmanager
def _processes(roll_id: int, table: str) -> Iterator[list[tuple[Connection, ForkServerProcess]]]:
    with _process(_seal, roll_id, table) as first, _process(_seal, roll_id, table) as second:
        yield [first, second]


@contextmanager
def _process(work, *arguments: object) -> Iterator[tuple[Connection, ForkServerProcess]]:  # type: ignore[no-untyped-def]
    ours, theirs = _CONTEXT.Pipe()
    given = {name: value for name, value in os.environ.items() if name.startswith("HOTLINE_")}
    process = _CONTEXT.Process(target=work, args=(given, theirs, *arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours, process
    finally:
        ours.close()  # whoever is still at work ends by it
        process.join(10)
        if process.is_alive():
            process.kill()
            process.join()
        process.close()


def _alone(settings: dict[str, str]) -> None:
    """Our settings as they are now; no traceback may show a number; and Ctrl-C is the starter's to answer."""
    os.environ.update(settings)
    gc.disable()  # a million small lists and no circle among them: looking for circles took half of the time
    signal(SIGINT, SIG_IGN)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)


def _read(settings: dict[str, str], pipe: Connection, source: Source) -> None:
    """Read the file, with the memory there is for it, into batches."""
    _alone(settings)
    os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"  # the others reserve gigabytes that the limit would count
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    with suppress(OSError):  # nobody listens any more
        try:
            with source.open() as file:
                for batch in reading.read(file):
                    pipe.send_bytes(b"B" + pickle.dumps(batch, 5))
            pipe.send_bytes(b"E")
        except BadInput as refused:
            pipe.send_bytes(b"R" + refused.sentence.encode())
        except MemoryError:
            pipe.send_bytes(b"R" + FileBreaksItsReader.sentence.encode())
        except Exception:  # noqa: BLE001 - its message may hold a cell
            pipe.send_bytes(b"X")


def _seal(settings: dict[str, str], pipe: Connection, roll_id: int, table: str) -> None:
    """Seal batches into one COPY, which is committed only when told that all went well."""
    _alone(settings)
    with suppress(EOFError, OSError, psycopg.Error), psycopg.connect(database_url()) as connection:
        columns = sql.SQL(", ").join(map(sql.Identifier, rows.COLUMNS))
        command = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(sql.Identifier(table), columns)
        with connection.cursor().copy(command) as copy:
            copy.write(rows.HEAD)
            while message := pipe.recv_bytes():
                batch = pickle.loads(message)  # noqa: S301 - written by our own child
                packed, counts = rows.pack(roll_id, batch)
                copy.write(packed)
                pipe.send_bytes(pickle.dumps((counts, batch.done), 5))
            copy.write(rows.END)
        connection.commit()
        pipe.send_bytes(b"done")
