"""One id for everything that comes of one text, one request or one act: born at the door, found in every process's log.

It is bound as `trace` in structlog's context variables, so each log line of the same task carries it. Between processes
it travels in the text's row, in the arguments of jobs, in timers and in the metadata of the assistant's turn. It is random:
it says nothing about anybody, and nobody outside can choose it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from structlog.contextvars import bound_contextvars, get_contextvars

NAME = "trace"
"""Of the context variable, the jobs' argument and the metadata's key."""
LENGTH = 16
_SHAPE = re.compile(rf"[0-9a-f]{{{LENGTH}}}", re.ASCII)


def new() -> str:
    """Sixteen hexadecimal digits."""
    return secrets.token_hex(LENGTH // 2)


def current() -> str | None:
    """The trace this task belongs to."""
    found = get_contextvars().get(NAME)
    return found if isinstance(found, str) else None


def is_trace(value: object) -> bool:
    """Whether it has the shape of one: nothing else may reach a log by this way."""
    return isinstance(value, str) and _SHAPE.fullmatch(value) is not None


@contextmanager
def within(trace: object) -> Iterator[None]:
    """What is logged in here belongs to `trace`; to what it belonged to before where that is none."""
    if not is_trace(trace):
        yield
        return
    with bound_contextvars(**{NAME: trace}):
        yield
