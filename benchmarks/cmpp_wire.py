"""The session against a bare loop that writes ready-made frames and reads answers, window 16; four connections in two processes against one.

`python -m benchmarks.cmpp_wire PORT CONNECTIONS TEXTS`: one sending process; it prints its texts a second once it reads a line.
"""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import AsyncExitStack

import uvloop
from rich.console import Console

from sms_gateway.carriers.cmpp import codec
from sms_gateway.carriers.cmpp.limits import Account, Limits
from sms_gateway.carriers.cmpp.pdus import Connect, Deliver, Submit
from sms_gateway.carriers.cmpp.session import Session
from sms_gateway.supervision.places import PYTHON

from .cmpp_gateway import SECRET, SOURCE, SRC_ID, gateway
from .results import Row, row

AREA = "cmpp"
TEXTS, AT_ONCE, WINDOW = 40_000, 100, 16
AGAINST_LOOP, FOUR_AGAINST_ONE = 0.6, 1.2
WORDS = "【云南12345】儿童节快乐！孩子遇到难处、受了委屈，随时可以发短信或打12345。"


def submit(number: int) -> Submit:
    """One segment to the `number`th phone."""
    return Submit("PUBSVC", SOURCE, SRC_ID, (str(13_800_000_000 + number),), WORDS.encode("utf-16-be"))


async def bare_loop(port: int, texts: int) -> float:
    """Texts a second of a loop that only writes bytes and reads bytes, `WINDOW` without an answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(codec.encode(Connect(SOURCE, bytes(16), 0x30, 1), sequence=1))
    await reader.readexactly(33)
    ready = [codec.encode(submit(number), sequence=number) for number in range(2, texts + 2)]
    began = time.perf_counter()
    sent, answered = 0, 0
    while answered < texts:
        room = min(WINDOW - (sent - answered), texts - sent)
        if room:
            writer.write(b"".join(ready[sent : sent + room]))
            sent += room
        answered += len(await reader.read(24 * WINDOW)) // 24
    rate = texts / (time.perf_counter() - began)
    writer.close()
    return rate


async def _nothing(_: Deliver) -> None:
    pass


async def ours(session: Session, texts: int) -> float:
    """Texts a second of the session: made, written, answered, told apart."""
    began = time.perf_counter()
    for first in range(0, texts, AT_ONCE * 4):  # as a line has it: some requests of a hundred at a time
        await asyncio.gather(*(
            session.submit_many([submit(number) for number in range(start, min(start + AT_ONCE, texts))])
            for start in range(first, min(first + AT_ONCE * 4, texts), AT_ONCE)
        ))  # fmt: skip
    return texts / (time.perf_counter() - began)


async def session_to(port: int, connections: int) -> Session:
    made = Session(Account("127.0.0.1", port, SOURCE, SECRET), Limits(connections, WINDOW), on_deliver=_nothing)
    await made.start()
    assert await made.wait_until_up(within=10)
    return made


async def _alone(port: int, connections: int, texts: int) -> None:
    session = await session_to(port, connections)
    await ours(session, texts // 10)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    print(await ours(session, texts), flush=True)
    await session.close()


async def _together(ports: list[int], connections: int, texts: int) -> float:
    """Texts a second of one process for each port, all of them together."""
    command = (str(PYTHON), "-m", "benchmarks.cmpp_wire")
    running = [
        await asyncio.create_subprocess_exec(
            *command, str(port), str(connections), str(texts), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        for port in ports
    ]  # fmt: skip
    for one in running:
        assert one.stdout is not None
        await one.stdout.readline()
    began = time.perf_counter()
    for one in running:
        assert one.stdin is not None
        one.stdin.write(b"go\n")
    for one in running:
        assert one.stdout is not None
        await one.stdout.readline()
    rate = len(ports) * texts / (time.perf_counter() - began)
    for one in running:
        await one.wait()
    return rate


async def measure(console: Console, *, rounds: int = 5, texts: int = TEXTS) -> list[Row]:
    """Both ratios and the rates."""
    return await asyncio.to_thread(lambda: uvloop.run(_measure(console, rounds, texts)))


async def _measure(console: Console, rounds: int, texts: int) -> list[Row]:
    bare, session_rates, one, four = [], [], [], []
    async with AsyncExitStack() as stack:
        port = (await stack.enter_async_context(gateway("quick"))).port
        session = await session_to(port, 1)
        await ours(session, texts // 10)
        for _ in range(rounds):
            bare.append(await bare_loop(port, texts))
            session_rates.append(await ours(session, texts))
            one.append(await _together([port], 1, texts))
            four.append(await _together([port, port], 2, texts // 2))
        await session.close()
    console.print(f"cmpp: {texts:,} texts {rounds} times each way")
    name = "CMPP, one connection with window 16 to a local gateway"
    return [
        row(AREA, f"{name}: against a bare loop of ready-made frames", [a / b for a, b in zip(session_rates, bare, strict=True)], "times", target=AGAINST_LOOP, better="higher"),
        row(AREA, f"{name}: texts a second", session_rates, "1/s", better="higher"),
        row(AREA, "Bare loop of ready-made frames: texts a second", bare, "1/s", better="higher"),
        row(AREA, "CMPP, four connections of two processes against one of one", [a / b for a, b in zip(four, one, strict=True)], "times", target=FOUR_AGAINST_ONE, better="higher"),
    ]  # fmt: skip


if __name__ == "__main__":
    uvloop.run(_alone(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
