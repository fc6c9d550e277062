"""`hotline predict triage|intent|faq`: one JSON object a line in, one out, in the same order (DESIGN section 7).

Nothing needs to run and nothing live is touched: triage and the handbook are pure, intents come from the trained
model in a process of its own. Texts are embedded by two processes, since one core gives 15 to 40 texts a second.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Annotated, Any

import typer

PROCESSES = 2


class What(StrEnum):
    TRIAGE = "triage"
    INTENT = "intent"
    FAQ = "faq"


class BadLine(ValueError):
    """A line that is no `{"id", "text"}`; its sentence goes into the answer."""


def predict(what: Annotated[What, typer.Argument(help="triage 危险，intent 意图，faq 问答")]) -> None:
    """逐行读 {"id","text"}，逐行写结果；坏行写 error，其余照常。"""
    os.environ["OMP_NUM_THREADS"] = "1"
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    finish = intent_reader() if what is What.INTENT else None
    with multiprocessing.get_context("fork").Pool(PROCESSES, _warm, (what,)) as pool:
        for answer in pool.imap(_WORK[what], _lines()):
            print(json.dumps(finish(answer) if finish else answer, ensure_ascii=False), flush=True)


def _lines() -> Iterator[str]:
    """Lines of standard input; empty ones are no lines. Bytes that are no UTF-8 are replaced, not refused."""
    for raw in sys.stdin.buffer:
        if line := raw.decode("utf-8", "replace").strip():
            yield line


def read_line(line: str) -> tuple[Any, str]:
    """`(id, text)` of a line; raises `BadLine`."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        raise BadLine("not a JSON object") from None
    if not isinstance(found, dict):
        raise BadLine("not a JSON object")
    if not isinstance(found.get("text"), str):
        raise BadLine("text is missing or not a string")
    return found.get("id"), found["text"]


def _answered(line: str, work: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    identity = None
    try:
        identity, text = read_line(line)
        return {"id": identity, **work(text)}
    except BadLine as error:
        return {"id": identity_of(line), "error": str(error)}
    except Exception as error:  # noqa: BLE001 - a text that breaks something must not end the run
        return {"id": identity, "error": type(error).__name__}


def identity_of(line: str) -> Any:
    """The id of a line, however bad the rest of it is; None where there is none."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found.get("id") if isinstance(found, dict) else None


def _warm(what: What) -> None:
    """Load what a worker needs before its first line."""
    from texts.embedding import embed

    embed("你好")
    if what is What.TRIAGE:
        triage("你好")
    elif what is What.FAQ:
        faq("你好")


def triage(text: str) -> dict[str, Any]:
    """One text judged, as DESIGN section 7 wants it."""
    from sms_gateway import triage as room

    judged = room.load().judge(text)
    return {
        "emergency": judged.lane == "red", "lane": judged.lane, "services": list(judged.services), "type": judged.type,
        "immediacy": judged.immediacy, "score": round(judged.score, 4),
    }  # fmt: skip


def faq(text: str) -> dict[str, Any]:
    """The handbook's answer to one text."""
    from .handbook import shared_handbook  # late: only this part needs it

    answer = shared_handbook().answer(text)
    return {
        "answer": answer.text,
        "entry": answer.entry_id,
        "score": round(answer.score, 4),
        "abstained": answer.abstained,
    }


def _embedded(text: str) -> dict[str, Any]:
    from texts.embedding import embed, pack_base64

    return {"text": text, "e5": pack_base64(embed(text))}


def _triage_line(line: str) -> dict[str, Any]:
    return _answered(line, triage)


def _faq_line(line: str) -> dict[str, Any]:
    return _answered(line, faq)


def _embed_line(line: str) -> dict[str, Any]:
    return _answered(line, _embedded)


_WORK: dict[What, Callable[[str], dict[str, Any]]] = {
    What.TRIAGE: _triage_line,
    What.FAQ: _faq_line,
    What.INTENT: _embed_line,
}


def intent_reader() -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A function that finishes an embedded line by the assistant's own classifier."""
    from sms_gateway.settings import ROOT, get_settings
    from sms_gateway.supervision.bot_model import trained_model
    from sms_gateway.supervision.places import RASA_PYTHON, DataDir

    model = trained_model(DataDir.at(get_settings().data_dir))
    command = [str(RASA_PYTHON), "-m", "bot.predict", str(model)]
    bot = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )

    def finish(line: dict[str, Any]) -> dict[str, Any]:
        if "error" in line:
            return line
        if (said := by_service_word(line["text"])) is not None:
            return {"id": line["id"], **said}
        assert bot.stdin is not None
        assert bot.stdout is not None
        bot.stdin.write(json.dumps({"text": line["text"], "e5": line["e5"]}) + "\n")
        bot.stdin.flush()
        answer = bot.stdout.readline()
        if not answer:
            return {"id": line["id"], "error": "the assistant's model ended"}
        return {"id": line["id"], **json.loads(answer)}

    return finish


def by_service_word(text: str) -> dict[str, Any] | None:
    """The intent of a text that is a service word: the gateway reads those before the assistant is asked."""
    from sms_gateway.conversations.commands import Kind, read_command

    intents = {Kind.OPT_OUT: "opt_out", Kind.OPT_IN: "opt_in", Kind.HUMAN: "human_agent"}
    command = read_command(text, talking=False)
    if command is None or command.kind not in intents or command.stop_with_plea:
        return None
    return {"intent": intents[command.kind], "confidence": 1.0}
