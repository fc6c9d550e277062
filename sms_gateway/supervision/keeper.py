"""Runs one command and, when whoever asked for it is gone, ends it and removes its folder. Standard library only.

`python -I keeper.py FOLDER COMMAND…` with a pipe as standard input: the pipe's end is the sign, so it also works when
the parent was killed with -9.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import FrameType


def keep(folder: Path, command: list[str]) -> None:
    """Return once the pipe is closed, the command has ended and the folder is gone."""
    gone = threading.Event()

    def leave(_number: int, _frame: FrameType | None) -> None:
        gone.set()

    def watch_pipe() -> None:
        sys.stdin.buffer.read()
        gone.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, leave)
    threading.Thread(target=watch_pipe, daemon=True).start()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    gone.wait()
    end(process)
    for _ in range(40):  # files of its last children may still appear
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.05)


def end(process: subprocess.Popen[bytes]) -> None:
    """At once: nothing of a scratch cluster is worth a checkpoint."""
    if process.poll() is None:
        process.send_signal(signal.SIGQUIT)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


if __name__ == "__main__":
    keep(Path(sys.argv[1]), sys.argv[2:])
