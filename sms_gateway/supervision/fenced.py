"""`python -m sms_gateway.supervision.fenced rasa|actions … -- COMMAND…`: becomes the command behind its fence.

For service managers (deploy/systemd), so that Rasa and the action server stand behind the same fence there as under `make run`. Ports
and addresses come from the environment; a unit's own shutting-in (`IPAddressDeny`, `ProtectSystem`) comes on top.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from . import fencing
from .fencing import Fence


def plan(words: Sequence[str], environment: Mapping[str, str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The whole command line and its environment. Ends with a sentence where an address is missing."""
    options, command = _read(words)
    if options.name == "rasa":
        url = environment.get("HOTLINE_BOT_DATABASE_URL") or _asked(environment, "HOTLINE_DATABASE_URL")
        fence = _rasa(options, command, environment, url)
        return fence.around(command), {
            **fencing.rasa_environment(environment, options.room),
            "HOTLINE_DATABASE_URL": url,
        }
    url, bind = _asked(environment, "HOTLINE_DATABASE_URL"), _port(_asked(environment, "HOTLINE_ACTIONS_URL"))
    fence = fencing.around_actions(
        data_dir=Path(_asked(environment, "HOTLINE_DATA_DIR")), room=options.room,
        connect=fencing.database_ports(url), bind=bind, unix=fencing.asks_by_socket(url),
    )  # fmt: skip
    return fence.around(command), {**environment, "TMPDIR": str(options.room)}


def _read(words: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(prog="fenced", description=__doc__)
    parser.add_argument("name", choices=("rasa", "actions"))
    parser.add_argument("--room", type=Path, required=True, help="the one folder it may write to")
    parser.add_argument("--port", type=int, help="Rasa's own")
    parser.add_argument("--model", type=Path, help="Rasa's")
    mark = words.index("--") if "--" in words else len(words)
    options, command = parser.parse_args(words[:mark]), list(words[mark + 1 :])
    if not command or (options.name == "rasa") != (options.port is not None):
        parser.error("COMMAND is missing, or rasa without --port")
    return options, command


def _rasa(options: argparse.Namespace, command: Sequence[str], environment: Mapping[str, str], url: str) -> Fence:
    connect = {_port(_asked(environment, "HOTLINE_ACTIONS_URL")), *fencing.database_ports(url)}
    return fencing.around_rasa(
        Path(command[0]), model=options.model, room=options.room, connect=connect, bind=options.port, unix=fencing.asks_by_socket(url)
    )  # fmt: skip


def _asked(environment: Mapping[str, str], name: str) -> str:
    if found := environment.get(name):
        return found
    raise SystemExit(f"还缺 {name}。")


def _port(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def main() -> None:
    """Never returns."""
    command, environment = plan(sys.argv[1:], os.environ)
    os.execve(command[0], command, environment)  # noqa: S606 - the command is the unit's


if __name__ == "__main__":
    main()
