"""Questions answered and texts judged on one core: with the embedding, and what they take beyond it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from sms_gateway import triage
from sms_gateway.commands.handbook import shared_handbook
from sms_gateway.settings import ROOT
from texts.embedding import embed

from .results import Row, percentile, row

if TYPE_CHECKING:
    from texts.embedding import Vector

AREA = "understanding"
QUESTIONS = ROOT / "policy_faq" / "development.jsonl"
TEXTS = ROOT / "tests" / "quality" / "triage.jsonl"

Answering = Callable[[str, "Vector"], Any]


def some_texts(path: Path, count: int) -> list[str]:
    """`count` texts spread over a file of `{"text"}` lines, all different."""
    found = [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return found[:: max(1, len(found) // count)][:count]


async def measure(console: Console, *, rounds: int = 5, texts: int = 40) -> list[Row]:
    """Rates by this process's CPU time (what one core gives, whoever else is busy), p50 by the clock on the wall."""
    handbook, judge = shared_handbook(), triage.load()

    def answer(text: str, vector: Vector) -> object:
        return handbook.answer(text, vector)

    def judgement(text: str, vector: Vector) -> object:
        return judge.judge(text, vector=vector)

    rows: list[Row] = []
    for name, found, work in (
        ("FAQ answer", some_texts(QUESTIONS, texts), answer),
        ("Triage judgement", some_texts(TEXTS, texts), judgement),
    ):
        length = percentile([len(text) for text in found], 0.5)
        console.print(f"understanding: {name}: {len(found)} texts, half of them up to {length:.0f} characters")
        rows += _rows(name, [_round(found, work) for _ in range(rounds + 1)][1:])  # the first is for warming up
    return rows


def _round(texts: list[str], work: Answering) -> tuple[list[float], list[float], float, float]:
    """Wall seconds of each text whole and beyond its embedding; CPU seconds of all, whole and beyond."""
    whole, beyond = [], []
    cpu_whole = cpu_beyond = 0.0
    for text in texts:
        wall, cpu = time.perf_counter(), time.process_time()
        vector = embed(text)
        wall_embedded, cpu_embedded = time.perf_counter(), time.process_time()
        work(text, vector)
        wall_done, cpu_done = time.perf_counter(), time.process_time()
        whole.append(wall_done - wall)
        beyond.append(wall_done - wall_embedded)
        cpu_whole += cpu_done - cpu
        cpu_beyond += cpu_done - cpu_embedded
    return whole, beyond, cpu_whole, cpu_beyond


def _rows(name: str, rounds: list[tuple[list[float], list[float], float, float]]) -> list[Row]:
    count = len(rounds[0][0])
    return [
        row(AREA, f"{name}s on one core, with embedding", [count / each[2] for each in rounds], "1/s", better="higher"),
        row(
            AREA, f"{name}s on one core, beyond embedding", [count / each[3] for each in rounds], "1/s", better="higher"
        ),
        row(AREA, f"{name} with embedding, p50", [percentile(each[0], 0.5) * 1000 for each in rounds], "ms"),
        row(AREA, f"{name} beyond embedding, p50", [percentile(each[1], 0.5) * 1000 for each in rounds], "ms"),
    ]
