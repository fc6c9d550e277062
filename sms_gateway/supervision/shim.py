"""Becomes a child process that dies with its parent, under the system user it is given. Standard library only.

`python -I shim.py PARENT SIGNAL UID GID COMMAND…`: the kernel sends SIGNAL once the parent is gone, even by
kill -9 (PARENT 0: whoever started the shim).
The user is changed first, since a change of user clears that wish.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys

PR_SET_PDEATHSIG = 1


def become(parent: int, signal: int, uid: int, gid: int, command: list[str]) -> None:
    """Never returns: the process is the command, or ended because its parent was gone already."""
    if os.geteuid() == 0 and uid:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold what people wrote
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    if parent and os.getppid() != parent:
        sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 - the command is made by the supervisor


if __name__ == "__main__":
    parent_pid, signal_number, user, group = map(int, sys.argv[1:5])
    become(parent_pid, signal_number, user, group, sys.argv[5:])
