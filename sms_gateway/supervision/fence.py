"""Becomes a command behind a fence: Rasa, whose libraries are old and pinned, and the action server. Standard library only.

`python -I -S fence.py WORDS COMMAND…`, WORDS a JSON object as `Fence` writes it. What the kernel here cannot do is left
out and said in one line; `probe()` tells `hotline doctor` the same. Nothing of it needs root; as root it gives up root's rights.

What the command can no longer do, nor anything it starts (sources: the kernel's userspace-api/landlock and seccomp_filter):
open files outside what is named; connect by TCP to other ports than are named, or listen on others; use UDP, raw, netlink and
other sockets, TCP fast open or io_uring (ways around Landlock's TCP rules); use this machine's Unix sockets, unless it is said
(a stream pair with itself it may have: every event loop does); signal or trace processes outside; gain rights by exec; make
namespaces, mount; write core dumps; hold more memory or open files than is said.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import resource
import stat
import struct
import sys
from collections.abc import Callable, Iterable
from typing import Any

PARTS = {
    "limits": "资源上限",
    "privileges": "放弃特权",
    "files": "只能碰自己的文件（Landlock）",
    "network": "只能连自己的端口（Landlock，内核 6.7 起）",
    "calls": "系统调用过滤（seccomp）",
}
"""What the fence is made of, in the words of `hotline doctor`."""

PR_SET_NO_NEW_PRIVS, PR_CAPBSET_DROP, PR_SET_SECCOMP, FILTER = 38, 24, 22, 2
LAST_CAPABILITY = 63
CAPABILITY_VERSION_3 = 0x20080522

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
PATH_BENEATH, NET_PORT = 1, 2
OF_FILES = 0b1100_0000_0000_0111
"""Execute, write, read, truncate, device ioctl: what a rule about a single file may grant."""
READ, LIST = 0b1101, 0b1000
"""Execute, read a file, list a folder; the last alone."""
NO_DEVICES = 0xFFFF & ~(1 << 6 | 1 << 11)
"""Everything but making character and block devices."""
BIND, CONNECT = 1, 2
ABSTRACT_SOCKETS, SIGNALS = 1, 2
WITH_NETWORK, WITH_SCOPES = 4, 6
"""The Landlock version each came with."""
_KNOWN = {1: 13, 2: 14, 3: 15, 4: 15}
"""Rights over files by Landlock version; 16 from the fifth on."""

libc = ctypes.CDLL(None, use_errno=True)


class CannotFence(OSError):
    """The kernel refused a part."""


def _call(number: int, *words: Any) -> int:
    done = int(libc.syscall(ctypes.c_long(number), *words))
    if done < 0:
        raise CannotFence(ctypes.get_errno(), "syscall")
    return done


def _prctl(*words: int) -> None:
    if libc.prctl(*(ctypes.c_ulong(word) for word in (*words, *[0] * (5 - len(words))))):
        raise CannotFence(ctypes.get_errno(), "prctl")


def limit(memory: int, files: int, size: int) -> None:
    """No core dump (it would hold what people wrote); at most `memory` bytes of data, `files` open, files of `size` bytes."""
    wanted = (
        (resource.RLIMIT_CORE, 0), (resource.RLIMIT_DATA, memory), (resource.RLIMIT_NOFILE, files), (resource.RLIMIT_FSIZE, size),
    )  # fmt: skip
    for kind, most in wanted:
        hard = resource.getrlimit(kind)[1]
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (least, least))


def drop_privileges() -> None:
    """No right can be gained any more; root keeps its name only."""
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    if os.geteuid() != 0:
        return
    for capability in range(LAST_CAPABILITY + 1):
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0):
            break  # this kernel has no more of them
    header, nothing = struct.pack("=Ii", CAPABILITY_VERSION_3, 0), bytes(24)
    if libc.capset(header, nothing):
        raise CannotFence(ctypes.get_errno(), "capset")


def landlock_version() -> int:
    """0 where the kernel has none."""
    return max(0, int(libc.syscall(ctypes.c_long(CREATE_RULESET), None, ctypes.c_size_t(0), ctypes.c_uint(1))))


def keep_in(paths: Iterable[tuple[str, int]], connect: Iterable[int], bind: Iterable[int]) -> int:
    """Landlock: no files but below `paths`, with the rights of each; no TCP ports but these. Returns the kernel's version of it."""
    version = landlock_version()
    if not version:
        raise CannotFence(0, "landlock")
    every = (1 << _KNOWN.get(version, 16)) - 1
    network = BIND | CONNECT if version >= WITH_NETWORK else 0
    scopes = ABSTRACT_SOCKETS | SIGNALS if version >= WITH_SCOPES else 0
    asked = struct.pack("=QQQ", every, network, scopes)[: 24 if scopes else 16 if network else 8]
    rules = _call(CREATE_RULESET, asked, ctypes.c_size_t(len(asked)), ctypes.c_uint(0))
    for path, rights in paths:
        _allow_path(rules, path, rights & every)
    for port, right in [*((port, CONNECT) for port in connect), *((port, BIND) for port in bind)] if network else []:
        _call(ADD_RULE, ctypes.c_int(rules), ctypes.c_int(NET_PORT), struct.pack("=QQ", right, port), ctypes.c_uint(0))
    _call(RESTRICT_SELF, ctypes.c_int(rules), ctypes.c_uint(0))
    os.close(rules)
    return version


def _allow_path(rules: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # not on this machine
    granted = rights if stat.S_ISDIR(os.fstat(place).st_mode) else rights & OF_FILES
    _call(
        ADD_RULE, ctypes.c_int(rules), ctypes.c_int(PATH_BENEATH), struct.pack("=Qi", granted, place), ctypes.c_uint(0)
    )
    os.close(place)


# -- system calls --

_NAMES = (
    "socket", "socketpair", "sendto", "sendmsg", "sendmmsg", "clone", "clone3",
    "ptrace", "io_uring_setup", "unshare", "setns", "mount", "umount2", "pivot_root", "chroot", "bpf", "perf_event_open", "userfaultfd",
    "keyctl", "add_key", "request_key", "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module",
    "process_vm_readv", "process_vm_writev", "open_by_handle_at", "pidfd_getfd",
)  # fmt: skip
_NUMBERS = {
    "x86_64": (0xC000003E, (
        41, 53, 44, 46, 307, 56, 435, 101, 425, 272, 308, 165, 166, 155, 161, 321, 298, 323,
        250, 248, 249, 246, 320, 175, 313, 176, 310, 311, 304, 438,
    )),
    "aarch64": (0xC00000B7, (
        198, 199, 206, 211, 269, 220, 435, 117, 425, 97, 268, 40, 39, 41, 51, 280, 241, 282,
        219, 217, 218, 104, 294, 105, 273, 106, 270, 271, 265, 438,
    )),
}  # fmt: skip
"""By machine: its mark in seccomp, and the numbers of `_NAMES` (the kernel's syscall tables)."""
LOAD, EQUAL, AT_LEAST, ANY_BIT, AND, ANSWER = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
ALLOW, REFUSE, UNKNOWN = 0x7FFF0000, 0x00050001, 0x00050026
"""Go on; EPERM; ENOSYS, after which libc asks in the older way."""
OTHER_TABLE = 0x40000000
"""x32's numbers: the same calls by another door."""
NEW_NAMESPACES = 0x7E020000
FAST_OPEN = 0x20000000
UNIX, INET, INET6, STREAM, TCP = 1, 2, 10, 1, 6

Step = tuple[int, int, int, int]
"""code, jump if true, jump if false, value."""


def _argument(number: int) -> Step:
    return LOAD, 0, 0, 16 + 8 * number


def _unless_bits(argument: int, bits: int) -> list[Step]:
    return [_argument(argument), (ANY_BIT, 0, 1, bits), (ANSWER, 0, 0, REFUSE), (ANSWER, 0, 0, ALLOW)]


_ANY_UNIX: Step = (EQUAL, 9, 0, UNIX)
_SOCKET: list[Step] = [
    _argument(0), _ANY_UNIX, (EQUAL, 1, 0, INET), (EQUAL, 0, 6, INET6),
    _argument(1), (AND, 0, 0, 0xF), (EQUAL, 0, 3, STREAM), _argument(2), (EQUAL, 2, 0, 0), (EQUAL, 1, 0, TCP),
    (ANSWER, 0, 0, REFUSE), (ANSWER, 0, 0, ALLOW),
]  # fmt: skip
_PAIR: list[Step] = [
    _argument(1),
    (AND, 0, 0, 0xF),
    (EQUAL, 1, 0, STREAM),
    (ANSWER, 0, 0, REFUSE),
    (ANSWER, 0, 0, ALLOW),
]
"""Streams only: one end of a pair of datagram sockets could be connected anew, to somebody else's socket."""


def program(machine: str, *, unix: bool) -> list[Step]:
    """The filter for that machine, as classic BPF; `unix`: with Unix sockets. Raises KeyError for a machine that is not known."""
    mark, numbers = _NUMBERS[machine]
    number = dict(zip(_NAMES, numbers, strict=True))
    steps: list[Step] = [
        (LOAD, 0, 0, 4), (EQUAL, 1, 0, mark), (ANSWER, 0, 0, REFUSE),
        (LOAD, 0, 0, 0), (AT_LEAST, 0, 1, OTHER_TABLE), (ANSWER, 0, 0, REFUSE),
    ]  # fmt: skip
    looked_into = {
        "socket": [step for step in _SOCKET if unix or step != _ANY_UNIX], "socketpair": [(ANSWER, 0, 0, ALLOW)] if unix else _PAIR,
        "clone": _unless_bits(0, NEW_NAMESPACES), "clone3": [(ANSWER, 0, 0, UNKNOWN)],
        "sendto": _unless_bits(3, FAST_OPEN), "sendmsg": _unless_bits(2, FAST_OPEN), "sendmmsg": _unless_bits(3, FAST_OPEN),
    }  # fmt: skip
    for name in _NAMES:
        then: list[Step] = looked_into.get(name) or [(ANSWER, 0, 0, REFUSE)]
        steps += [(EQUAL, 0, len(then), number[name]), *then]
    return [*steps, (ANSWER, 0, 0, ALLOW)]


def filter_calls(*, unix: bool) -> None:
    """From now on the calls of `program` are refused. Needs `drop_privileges` first."""
    try:
        steps = program(platform.machine(), unix=unix)
    except KeyError:
        raise CannotFence(0, "machine") from None
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    packed = ctypes.create_string_buffer(struct.pack("@HP", len(steps), ctypes.addressof(code)))
    _prctl(PR_SET_SECCOMP, FILTER, ctypes.addressof(packed))


def put_up(words: dict[str, Any]) -> list[str]:
    """Every part the kernel can do; the names of those it cannot."""
    missing: list[str] = []

    def attempt(name: str, part: Callable[[], object]) -> object:
        try:
            return part()
        except (OSError, ValueError):
            missing.append(name)
            return None

    attempt("limits", lambda: limit(words["memory"], words["files"], words["size"]))
    attempt("privileges", drop_privileges)
    granted = (("read", READ), ("write", NO_DEVICES), ("list", LIST))
    paths = [(path, rights) for name, rights in granted for path in words[name]]
    version = attempt("files", lambda: keep_in(paths, words["connect"], words["bind"]))
    if not isinstance(version, int) or version < WITH_NETWORK:
        missing.append("network")
    attempt("calls", lambda: filter_calls(unix=words["unix"]))
    return missing


def main(words: str, command: list[str]) -> None:
    """Never returns: the process is the command, behind the fence."""
    missing = put_up(json.loads(words))
    if not command:
        sys.exit(json.dumps(missing))
    if missing:
        os.write(2, (json.dumps({"event": "fence_is_not_whole", "missing": missing}) + "\n").encode())
    os.execvp(command[0], command)  # noqa: S606 - the command is made by the supervisor


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
