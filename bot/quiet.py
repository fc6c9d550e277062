"""Logs without texts: Rasa, Sanic and their libraries may say where and what kind, never what was written.

Rasa writes texts, slots and whole trackers into debug lines, errors and tracebacks. Instead of chasing each, every log
record of this process is rewritten when it is made: only loggers under `bot` keep their message (a constant event
name), of all others the place in the code and the types of errors remain.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import warnings
from types import TracebackType
from typing import Any

import structlog

from . import turns

_OWN = "bot"
_ANNOUNCEMENTS = {
    ("rasa.core.run", "Rasa server is up and running."),
    ("rasa.core.run", "No agent found when shutting down server."),
}
_make = logging.LogRecord


def keep_texts_out() -> None:
    """From now on, for the life of the process: log records and uncaught errors carry no text."""
    logging.setLogRecordFactory(_without_text)
    # Until Rasa sets structlog up it prints everything, texts too; what it sets up goes through the records above.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    warnings.showwarning = _say_nothing
    sys.excepthook = _without_message


def _without_text(*args: Any, **kwargs: Any) -> logging.LogRecord:
    record = _make(*args, **kwargs)
    event: dict[str, Any] = {"at": _stamp(), "level": record.levelname.lower(), "logger": record.name}
    if record.name.split(".")[0] == _OWN or (record.name, record.msg) in _ANNOUNCEMENTS:
        event["event"] = str(record.msg)
    else:
        event.update(event="library_log", where=f"{record.module}:{record.lineno}")
    if (turn := turns.current()) is not None and turn.trace:
        event["trace"] = turn.trace
    if record.exc_info and record.exc_info[0] is not None:
        event.update(_named(record.exc_info[0], record.exc_info[2]))
    record.msg, record.args, record.exc_info, record.exc_text = json.dumps(event), None, None, None
    return record


def _without_message(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    event: dict[str, Any] = {"at": _stamp(), "level": "critical", "event": "uncaught_error", **_named(kind, trace)}
    sys.stderr.write(json.dumps(event) + "\n")


def _say_nothing(*_args: Any, **_kwargs: Any) -> None:
    """Warnings are for whoever changes the code; they stand in the training's log, not in a running server's."""


def _named(kind: type[BaseException], trace: TracebackType | None) -> dict[str, Any]:
    places: list[tuple[str, int]] = []
    while trace is not None:
        places.append((trace.tb_frame.f_code.co_filename.rsplit("/", 1)[-1], trace.tb_lineno))
        trace = trace.tb_next
    return {"error": kind.__name__, "places": [f"{name}:{line}" for name, line in places[-6:]]}


def _stamp() -> str:
    seconds, part = divmod(time.time(), 1)  # to the microsecond, as the front door: lines of both are read in order
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(part * 1e6):06d}Z"
