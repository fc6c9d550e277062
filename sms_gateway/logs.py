"""Logs as JSON lines: events and ids. A text, a number or a name has no way in."""

from __future__ import annotations

import logging
import sys
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

_SHOWN = (str, int, float, bool, type(None))


def _without_messages(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """An exception is logged as its type and the places it passed, never with its message (it may hold a text)."""
    found = event.pop("exc_info", None)
    error = sys.exc_info()[1] if found is True else found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["at"] = _places(error)
    return event


def _places(error: BaseException) -> list[str]:
    places, trace = [], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return places[-6:]


class _ForeignFormatter(logging.Formatter):
    """Other libraries' records: logger, level and type of error; their messages are dropped, since they carry data."""

    def format(self, record: logging.LogRecord) -> str:
        event: dict[str, Any] = {"event": "library_log", "logger": record.name, "level": record.levelname.lower()}
        event["where"] = f"{record.module}:{record.lineno}"
        event.update(structlog.contextvars.get_contextvars())  # the process, and what it was about (`tracing`)
        if record.exc_info and record.exc_info[1] is not None:
            event["error"] = type(record.exc_info[1]).__name__
            event["at"] = _places(record.exc_info[1])
        stamped = structlog.processors.TimeStamper(fmt="iso", utc=True)(None, "", event)
        return str(structlog.processors.JSONRenderer(ensure_ascii=False)(None, "", stamped))


def configure(process: str) -> None:
    """Send this process's logs to standard output, one JSON object a line, stamped with its name."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_messages,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_ForeignFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    sys.excepthook = _say_uncaught
    for name in ("uvicorn.access", "procrastinate.blueprints"):
        logging.getLogger(name).disabled = True


def _say_uncaught(kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
    """What ends the process is logged as its type and places: its message may hold a text."""
    if not issubclass(kind, KeyboardInterrupt):
        get("process").critical("uncaught", exc_info=error)


def get(name: str) -> structlog.stdlib.BoundLogger:
    """A logger whose events are names and whose values are ids."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(room=name)
    return logger
