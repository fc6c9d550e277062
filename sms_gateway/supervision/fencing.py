"""What Rasa and the action server may touch, and which parts of their fence this machine's kernel can do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from sms_gateway.settings import ROOT

from . import fence

FENCE = Path(fence.__file__)
GIGABYTE = 1024**3
SYSTEM = (
    "/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc", "/opt", "/proc", "/sys", "/nix", "/dev/null", "/dev/zero", "/dev/urandom", "/dev/random",
)  # fmt: skip
DEVICES = ("/dev/null", "/dev/zero", "/dev/shm")  # noqa: S108 - semaphores of libraries live there
KEPT_BACK = frozenset({".env", ".git", "var", "node_modules", ".venv", ".venv-rasa", ".venv-train"})
"""Of the clone: settings with secrets, data, and other programs' libraries; what a process needs of them is named by itself."""
RASA_KNOWS = frozenset(
    f"HOTLINE_{name}"
    for name in ("DATABASE_URL", "DATA_KEY", "DATA_DIR", "BOT_SECRET", "ACTIONS_URL", "RASA_URL")
)  # fmt: skip
"""Settings handed to Rasa. Not the key of sessions, nor a carrier's, desk's or department's secret."""


@dataclass(frozen=True)
class Fence:
    """`read`, `write`, `list` (names only): paths; `connect`, `bind`: TCP ports; `memory`, `size`: bytes; `files`: how many open at once."""

    read: tuple[str, ...]
    write: tuple[str, ...]
    connect: tuple[int, ...]
    bind: tuple[int, ...]
    list: tuple[str, ...] = ()
    memory: int = 2 * GIGABYTE
    files: int = 1024
    size: int = GIGABYTE

    def around(self, command: Iterable[str]) -> tuple[str, ...]:
        """The command line that runs `command` behind it."""
        return (sys.executable, "-I", "-S", str(FENCE), json.dumps(asdict(self)), *command)


def database_ports(url: str) -> set[int]:
    """The TCP ports of the servers `url` names (libpq takes several)."""
    from psycopg.conninfo import conninfo_to_dict

    said = str(conninfo_to_dict(url.replace("postgresql+psycopg://", "postgresql://", 1)).get("port") or "5432")
    return {int(port or 5432) for port in said.split(",")}


def around_rasa(python: Path, *, model: Path | None, room: Path, connect: Iterable[int], bind: int) -> Fence:
    """Rasa reads its libraries, the clone and its model, and writes to `room` alone."""
    clone = (str(each) for each in ROOT.iterdir() if each.name not in KEPT_BACK)
    read = (*SYSTEM, *_python(python), *clone, *([str(model)] if model else []))
    return Fence(read, (*DEVICES, str(room)), tuple(connect), (bind,), list=(str(ROOT),))  # imports list the clone


def around_actions(*, data_dir: Path, room: Path, connect: Iterable[int], bind: int) -> Fence:
    """The action server is our own code with the rooms behind it: it may read, but writes to DATA_DIR alone."""
    return Fence(("/",), (*DEVICES, str(data_dir), str(room)), tuple(connect), (bind,))


def _python(python: Path) -> tuple[str, ...]:
    """The environment of `python`, where it really lies, and the interpreter it was made from."""
    venv = python.parent.parent
    return tuple({str(venv), str(venv.resolve()), str(python.resolve().parent.parent)})


def room_for(data_dir: Path, name: str) -> Path:
    """A folder of its own for what a library wants to write; emptied, since what was killed left its files."""
    room = data_dir / "run" / name
    shutil.rmtree(room, ignore_errors=True)
    room.mkdir(mode=0o700, parents=True, exist_ok=True)
    return room


def rasa_environment(environment: Mapping[str, str], room: Path) -> dict[str, str]:
    """`environment` without the settings that are none of Rasa's business; home and temporary files in its room."""
    known = {
        name: value for name, value in environment.items() if not name.startswith("HOTLINE_") or name in RASA_KNOWS
    }
    return {**known, "HOME": str(room), "TMPDIR": str(room), "MPLCONFIGDIR": str(room)}


def missing_here() -> list[str]:
    """The parts (`fence.PARTS`) this machine's kernel cannot do, by trying them in a process of its own."""
    words = json.dumps(asdict(Fence(("/",), (os.devnull,), (), ())))
    command = [sys.executable, "-I", "-S", str(FENCE), words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    try:
        found = json.loads(done.stderr)
    except ValueError:
        return list(fence.PARTS)
    return [str(name) for name in found]
