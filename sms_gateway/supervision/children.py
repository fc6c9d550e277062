"""The table of processes: what each runs, with which environment, how it is seen to be ready and told to stop."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sms_gateway.settings import DOMESTIC_CARRIERS, ROOT, Settings

from . import fencing
from .places import PYTHON, RASA_PYTHON, DataDir
from .ready import answers
from .supervisor import Child

WORKERS = {"turns": "turns", "turns_2": "turns", "replies": "replies", "bulk": "bulk", "outreach": "outreach"}
"""Worker processes beside `danger` and the queue of each. Two for turns: when one is killed, the other takes its texts on."""

AT_ONCE = frozenset({"danger", "replies", "gateway", "console", *DOMESTIC_CARRIERS})
GIVES_WAY = ("nice", "-n", "5")
"""Ordinary turns leave the cores to danger, to what goes out and to the doors."""
LAST = {"outreach": ("nice", "-n", "12")}
"""A broadcast takes what talks leave."""

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
}
"""The encoder takes seconds a text with more (DESIGN section 2)."""


SECRETS = ("data_key", "session_key", "bot_secret", "general_desk_secret")


@dataclass(frozen=True)
class Inner:
    """What is chosen at each start: the inner ports, the database and the assistant's model."""

    rasa_port: int
    actions_port: int
    database_url: str
    model: Path | None
    database_port: int = 0
    """0: the database is somebody else's."""
    bot_database: str | None = None
    """Rasa's own login (`bot_login`); None: it has ours."""


def outer_environment(settings: Settings) -> dict[str, str]:
    """Our own environment with what `.env` says of the ports and secrets, which the children must get from us."""
    said = {"HOTLINE_PORT": str(settings.port), "HOTLINE_CONSOLE_PORT": str(settings.console_port)}
    for name in SECRETS:
        if secret := getattr(settings, name):
            said[f"HOTLINE_{name.upper()}"] = secret.get_secret_value()
    if not settings.production and settings.general_desk_url is None:
        said["HOTLINE_GENERAL_DESK_URL"] = f"{settings.gateway_url}/simulator/general"
    return {**os.environ, **said}


def bare_environment() -> dict[str, str]:
    """Our own environment without any setting of the hotline, `.env` shut out: for throw-away hotlines."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")}
    return {**kept, "HOTLINE_ENV_FILE": os.devnull}


def inner_environment(data_dir: DataDir, inner: Inner, outer: Mapping[str, str]) -> dict[str, str]:
    """The children's environment: `outer` with addresses and, where `outer` has none, secrets made once."""
    return {
        **{f"HOTLINE_{name.upper()}": data_dir.secret(name) for name in SECRETS},
        **outer,
        **ONE_THREAD,
        "HOTLINE_DATA_DIR": str(data_dir.path),
        "HOTLINE_DATABASE_URL": inner.database_url,
        "HOTLINE_RASA_URL": f"http://127.0.0.1:{inner.rasa_port}",
        "HOTLINE_ACTIONS_URL": f"http://127.0.0.1:{inner.actions_port}",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(ROOT),
        "SANIC_HOST": "127.0.0.1",
        "RASA_TELEMETRY_ENABLED": "false",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",
    }


def children(
    inner: Inner, environment: Mapping[str, str], *, lines: Mapping[str, int] | None = None
) -> dict[str, Child]:
    """Every process but PostgreSQL by name, in the order of their start. `lines`: to mainland carriers, with the port of each one's door."""
    gateway_port, console_port = int(environment["HOTLINE_PORT"]), int(environment["HOTLINE_CONSOLE_PORT"])

    def hotline(name: str, *words: str, port: int | None = None, path: str = "/") -> Child:
        ready = answers(port, path) if port else None
        after = () if name in AT_ONCE else LAST.get(name, GIVES_WAY)
        return Child(name, (*after, str(PYTHON), "-m", "sms_gateway.cli", *words), environment, ready=ready)

    table = [
        _rasa(inner, environment),
        _actions(inner, environment),
        *(hotline(name, "line", name, port=port, path="/healthz") for name, port in (lines or {}).items()),
        hotline("danger", "worker", "danger"),
        *(hotline(name, "worker", queue) for name, queue in WORKERS.items()),
        hotline("gateway", "gateway", port=gateway_port, path="/healthz"),
        hotline("console", "console", port=console_port),
    ]
    return {child.name: child for child in table}


def _rasa(inner: Inner, environment: Mapping[str, str]) -> Child:
    """Old, pinned libraries read what strangers wrote: behind a fence, with the settings it needs and no others."""
    model = ("--model", str(inner.model)) if inner.model else ()
    files = ("--endpoints", "endpoints.yml", "--credentials", "credentials.yml")
    run = (str(RASA_PYTHON), "-m", "bot", "run", "-i", "127.0.0.1", "-p", str(inner.rasa_port), *files, *model)
    room = fencing.room_for(Path(environment["HOTLINE_DATA_DIR"]), "rasa")
    connect = {inner.actions_port, *fencing.database_ports(inner.database_url)}
    unix = fencing.asks_by_socket(inner.database_url)
    fence = fencing.around_rasa(
        RASA_PYTHON, model=inner.model, room=room, connect=connect, bind=inner.rasa_port, unix=unix
    )
    known = fencing.rasa_environment(environment, room)
    known["HOTLINE_DATABASE_URL"] = inner.bot_database or inner.database_url
    return Child("rasa", (*GIVES_WAY, *fence.around(run)), known, ready=answers(inner.rasa_port), stop_within=1)


def _actions(inner: Inner, environment: Mapping[str, str]) -> Child:
    data_dir = Path(environment["HOTLINE_DATA_DIR"])
    room = fencing.room_for(data_dir, "actions")
    connect = fencing.database_ports(inner.database_url)
    unix = fencing.asks_by_socket(inner.database_url)
    fence = fencing.around_actions(data_dir=data_dir, room=room, connect=connect, bind=inner.actions_port, unix=unix)
    command = (*GIVES_WAY, *fence.around((str(PYTHON), "-m", "actions")))
    return Child("actions", command, {**environment, "TMPDIR": str(room)}, ready=answers(inner.actions_port, "/health"))
