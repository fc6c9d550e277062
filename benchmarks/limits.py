"""The speed limits of issue 3: what understanding may take beyond one embedding, in a long text, and at a start."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from typing import TYPE_CHECKING

from rich.console import Console

from sms_gateway import triage
from sms_gateway.commands.handbook import shared_handbook
from sms_gateway.settings import ROOT
from texts.embedding import embed

from .results import Row, row
from .understanding import AREA, QUESTIONS, TEXTS, some_texts

if TYPE_CHECKING:
    from texts.embedding import Vector

SHORT, LONG = 20, 10_000
LOADING = """
from texts.embedding import embed
from sms_gateway import triage
from sms_gateway.commands.handbook import shared_handbook
embed("你好")
triage.load()
shared_handbook()
"""
BUSY = "while True: pass"


async def measure(console: Console, *, rounds: int = 5, texts: int = 40) -> list[Row]:
    """Medians of rounds. CPU time of this process beyond the embedding; all else by the clock on the wall."""
    handbook, judge = shared_handbook(), triage.load()

    def answer(text: str, vector: Vector) -> None:
        handbook.answer(text, vector)

    def judgement(text: str, vector: Vector) -> None:
        judge.judge(text, vector=vector)

    def whole(text: str) -> None:
        vector = embed(text)
        judgement(text, vector)
        answer(text, vector)

    written = some_texts(TEXTS, 4 * texts)
    short = [text for text in written if SHORT - 3 <= len(text) <= SHORT + 3][:texts]
    long = of_length(written, LONG)
    console.print(f"understanding: limits: {texts} texts, {len(short)} of about {SHORT} characters, one of {len(long)}")
    triage_cpu = [_beyond(written[:texts], judgement) for _ in range(rounds + 1)][1:]  # the first is for warming up
    faq_cpu = [_beyond(some_texts(QUESTIONS, texts), answer) for _ in range(rounds + 1)][1:]
    with busy_process():
        ratios = [_against_embedding(short, whole) for _ in range(rounds + 1)][1:]
    long_ms = [_wall(lambda: whole(long)) * 1000 for _ in range(rounds)]
    loads = [_load_seconds() for _ in range(rounds)]
    return [
        row(AREA, "Triage beyond one embedding, CPU, p50", triage_cpu, "ms", target=3),
        row(AREA, "FAQ beyond one embedding, CPU, p50", faq_cpu, "ms", target=5),
        row(
            AREA, f"A text of {SHORT} characters, all in all, against its bare embedding, beside one busy process",
            ratios, "times", target=1.3,
        ),
        row(AREA, f"A text of {LONG:,} characters, all in all", long_ms, "ms", target=300),
        row(AREA, "Models load in a new process: encoder, triage, handbook", loads, "s", target=3),
    ]  # fmt: skip


def of_length(texts: Sequence[str], length: int) -> str:
    """These texts one after the other, again and again, cut at `length`: harmless and dangerous words throughout."""
    once = "。".join(texts) + "。"
    return (once * (length // len(once) + 1))[:length]


@contextmanager
def busy_process() -> Iterator[None]:
    """Another process that never rests, while this lasts."""
    with subprocess.Popen([sys.executable, "-c", BUSY]) as busy:
        try:
            yield
        finally:
            busy.kill()


def _beyond(texts: Sequence[str], work: Callable[[str, Vector], None]) -> float:
    """Median CPU milliseconds of `work`, the vector given."""
    taken = []
    for text in texts:
        vector = embed(text)  # just before, as in a turn: caches hold what they would hold
        began = time.process_time()
        work(text, vector)
        taken.append((time.process_time() - began) * 1000)
    return median(taken)


def _against_embedding(texts: Sequence[str], work: Callable[[str], None]) -> float:
    """Median over the texts of: all in all / the embedding alone, one right after the other."""
    return median(_wall(lambda: work(text)) / _wall(lambda: embed(text)) for text in texts)  # noqa: B023 - called at once


def _wall(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _load_seconds() -> float:
    """A whole new process: Python, imports, and everything that a first text needs."""
    return _wall(lambda: subprocess.run([sys.executable, "-c", LOADING], cwd=ROOT, check=True))
