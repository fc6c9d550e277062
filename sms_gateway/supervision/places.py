"""Where things lie: the clone, the two environments, and the folders under DATA_DIR."""

from __future__ import annotations

import base64
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

from sms_gateway.settings import ROOT

PYTHON = ROOT / ".venv" / "bin" / "python"
RASA_PYTHON = ROOT / ".venv-rasa" / "bin" / "python"


@dataclass(frozen=True)
class DataDir:
    """The folders of one DATA_DIR. Others may pass through it, but read nothing in it."""

    path: Path

    @classmethod
    def at(cls, path: Path) -> DataDir:
        """The DATA_DIR of that path (a relative one counts from the clone), made when it is not there."""
        here = cls((ROOT / path).resolve())
        here.path.mkdir(parents=True, exist_ok=True)
        if not any(here.path.iterdir()):
            here.mark.touch()
        for folder in (here.run, here.logs, here.secrets, here.models):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
        here.path.chmod(0o711)  # PostgreSQL's own user passes through to its cluster
        return here

    @property
    def mark(self) -> Path:
        """Lies in a folder that was empty when we took it: `hotline reset` deletes no other."""
        return self.path / ".hotline-data"

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def secrets(self) -> Path:
        return self.path / "secrets"

    @property
    def models(self) -> Path:
        return self.path / "models"

    def secret(self, name: str) -> str:
        """A secret of this folder, base64 of 32 random bytes, made at first use and readable by its owner only."""
        place = self.secrets / name
        if not place.exists():
            made = place.with_suffix(f".{secrets.token_hex(4)}")
            made.touch(mode=0o600)
            made.write_text(base64.b64encode(secrets.token_bytes(32)).decode(), encoding="ascii")
            try:
                place.hardlink_to(made)  # whoever comes first has made it
            except FileExistsError:
                pass
            finally:
                made.unlink()
        return place.read_text(encoding="ascii").strip()


def free_ports(count: int) -> list[int]:
    """Ports of the loopback address that nobody listens on just now, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()


def port_is_free(port: int) -> bool:
    """Whether we could listen on 127.0.0.1:`port`."""
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
