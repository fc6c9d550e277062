"""What Rasa and the action server may touch, and which parts of their fence this machine's kernel can do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from sms_gateway.settings import ROOT

from . import fence

FENCE = Path(fence.__file__)
GIGABYTE = 1024**3
SYSTEM = (
    "/usr", "/lib", "/lib64", "/bin", "/sbin", "/proc", "/sys", "/nix", "/dev/null", "/dev/zero", "/dev/urandom", "/dev/random",
)  # fmt: skip
OF_ETC = (
    "ssl", "pki", "ca-certificates", "localtime", "timezone", "hosts", "host.conf", "resolv.conf", "nsswitch.conf", "gai.conf",
    "services", "protocols", "passwd", "group", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "mime.types", "os-release", "python3*",
)  # fmt: skip
"""Of /etc: what libraries look up. Not the settings of other programs, of which ours are one (`/etc/hotline`)."""
DEVICES = ("/dev/null", "/dev/zero", "/dev/shm")  # noqa: S108 - semaphores of libraries live there
OF_RASA = ("bot", "texts", "sealing", "config.yml", "credentials.yml", "domain.yml", "endpoints.yml")
"""Of the clone: Rasa's side of the code and its settings. Nothing else of it, wherever it is installed."""
RASA_KNOWS = frozenset(
    f"HOTLINE_{name}"
    for name in ("DATABASE_URL", "DATA_KEY", "DATA_DIR", "BOT_SECRET", "ACTIONS_URL", "RASA_URL")
)  # fmt: skip
"""Settings handed to Rasa. Not the key of sessions, nor a carrier's, desk's or department's secret."""


@dataclass(frozen=True)
class Fence:
    """`read`, `write`, `list` (names only): paths; `connect`, `bind`: TCP ports; `memory`, `size`: bytes; `files`: how many open at once;
    `unix`: whether it may use this machine's Unix sockets."""

    read: tuple[str, ...]
    write: tuple[str, ...]
    connect: tuple[int, ...]
    bind: tuple[int, ...]
    list: tuple[str, ...] = ()
    unix: bool = False
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


def asks_by_socket(url: str) -> bool:
    """Whether `url` names a server by a Unix socket: a folder, or nothing at all (libpq's own)."""
    from psycopg.conninfo import conninfo_to_dict

    hosts = str(conninfo_to_dict(url.replace("postgresql+psycopg://", "postgresql://", 1)).get("host") or "")
    return any(host.startswith(("/", "@")) or not host for host in hosts.split(","))


def around_rasa(
    python: Path, *, model: Path | None, room: Path, connect: Iterable[int], bind: int, unix: bool = False
) -> Fence:
    """Rasa reads its libraries, its part of the clone and its model, and writes to `room` alone."""
    libraries = (*SYSTEM, *(str(path) for name in OF_ETC for path in Path("/etc").glob(name)), *_python(python))
    read = list(dict.fromkeys(each for path in libraries for each in _beside(Path(path).resolve(), ROOT)))
    read += [*(str(ROOT / name) for name in OF_RASA), *_venv(python), *([str(model)] if model else [])]
    return Fence(tuple(read), (*DEVICES, str(room)), tuple(connect), (bind,), list=(str(ROOT),), unix=unix)


def around_actions(*, data_dir: Path, room: Path, connect: Iterable[int], bind: int, unix: bool = False) -> Fence:
    """The action server is our own code with the rooms behind it: it may read, but writes to DATA_DIR alone."""
    return Fence(("/",), (*DEVICES, str(data_dir), str(room)), tuple(connect), (bind,), unix=unix)


def _beside(path: Path, kept: Path) -> Iterator[str]:
    """`path`; where `kept` lies in it, all that lies beside `kept` on the way down: Landlock grants, and takes nothing out again."""
    if not kept.is_relative_to(path):
        yield str(path)
        return
    if path == kept:
        return
    for each in path.iterdir():
        yield from _beside(each, kept)


def _python(python: Path) -> tuple[str, ...]:
    """The interpreter that `python`'s environment was made from."""
    prefix = python.resolve().parent.parent
    return (str(prefix),) if prefix != Path("/") else ()


def _venv(python: Path) -> tuple[str, ...]:
    """The environment of `python`, also where it really lies."""
    venv = python.parent.parent
    return tuple({str(venv), str(venv.resolve())})


def room_for(data_dir: Path, name: str) -> Path:
    """A folder of its own for what a library wants to write; emptied, since what was killed left its files."""
    room = data_dir / "run" / name
    shutil.rmtree(room, ignore_errors=True)
    room.mkdir(mode=0o700, parents=True, exist_ok=True)
    return room


def rasa_environment(environment: Mapping[str, str], room: Path) -> dict[str, str]:
    """`environment` without the settings that are none of Rasa's business; home, temporary files and what it keeps in its room."""
    known = {
        name: value for name, value in environment.items() if not name.startswith("HOTLINE_") or name in RASA_KNOWS
    }
    return {**known, **dict.fromkeys(("HOME", "TMPDIR", "MPLCONFIGDIR", "HOTLINE_DATA_DIR"), str(room))}


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
