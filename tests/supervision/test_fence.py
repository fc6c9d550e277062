"""What a process behind the fence tries and does not get, tried from inside one."""

from __future__ import annotations

import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path

import pytest

from sms_gateway.settings import ROOT
from sms_gateway.supervision import doctor, fence, fencing
from sms_gateway.supervision.children import Inner, children, inner_environment
from sms_gateway.supervision.fencing import Fence
from sms_gateway.supervision.places import RASA_PYTHON, DataDir
from sms_gateway.supervision.supervisor import SHIM

whole = pytest.mark.skipif(bool(fencing.missing_here()), reason="this kernel cannot do every part of the fence")

SYSTEM_PYTHON = Path("/usr/bin/python3")

TRY = """
import json, socket, sys

def attempt(name, deed):
    try:
        deed()
        said[name] = "done"
    except OSError as error:
        said[name] = type(error).__name__
    except BaseException as error:
        said[name] = type(error).__name__

said, given = {}, json.loads(sys.argv[1])
for name, code in given.items():
    attempt(name, lambda: exec(code, {"socket": socket, "__name__": "tried"}))
print(json.dumps(said))
"""


@pytest.fixture
def listener() -> int:
    """A TCP port somebody of this machine listens on."""
    server = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_accept, args=(server,), daemon=True).start()
    return int(server.getsockname()[1])


def _accept(server: socket.socket) -> None:
    while True:
        try:
            server.accept()
        except OSError:
            return


def _tried(bounds: Fence, deeds: dict[str, str], *, python: str = sys.executable) -> dict[str, str]:
    """What became of each deed inside the fence."""
    shim = (sys.executable, "-I", "-S", str(SHIM), str(os.getpid()), "9", "0", "0")
    command = [*shim, *bounds.around((python, "-I", "-c", TRY, json.dumps(deeds)))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "fence_is_not_whole" not in done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


def _connect(port: int, host: str = "127.0.0.1") -> str:
    return f"socket.create_connection(({host!r}, {port}), timeout=3).close()"


NETWORK = {
    "udp": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
    "udp over IPv6": "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)",
    "raw": "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
    "packet": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "netlink": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "multipath TCP": "socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)",
    "SCTP": "socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)",
    "vsock": "socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)",
    "far away by name": _connect(443, "www.example.com"),
    "far away by address": _connect(443, "192.0.2.1"),
    "a cloud's metadata": _connect(80, "169.254.169.254"),
}


@whole
def test_nothing_goes_out_to_the_network(listener: int, tmp_path: Path) -> None:
    other = socket.create_server(("127.0.0.1", 0))
    forbidden = int(other.getsockname()[1])
    fast = f"socket.socket().sendto(b'x', 0x20000000, ('127.0.0.1', {forbidden}))"
    deeds = {**NETWORK, "another port here": _connect(forbidden), "TCP fast open": fast, "its port": _connect(listener)}
    told = _tried(Fence(("/",), (str(tmp_path),), (listener,), ()), deeds)
    assert told.pop("its port") == "done"
    assert set(told.values()) <= {"PermissionError", "gaierror"}, told
    without = {name: code for name, code in deeds.items() if name in ("udp", "another port here", "TCP fast open")}
    unfenced = subprocess.run(
        [sys.executable, "-I", "-c", TRY, json.dumps(without)], capture_output=True, text=True, check=True
    )
    assert set(json.loads(unfenced.stdout).values()) == {"done"}, "without the fence all of it works"
    other.close()


@whole
def test_it_listens_on_its_own_port_only(tmp_path: Path) -> None:
    deeds = {"own": "socket.create_server(('127.0.0.1', 45991))", "other": "socket.create_server(('0.0.0.0', 45992))"}
    told = _tried(Fence(("/",), (str(tmp_path),), (), (45991,)), deeds)
    assert told == {"own": "done", "other": "PermissionError"}


@whole
@pytest.mark.parametrize("python", [sys.executable, str(RASA_PYTHON)], ids=["front door", "rasa"])
def test_rasa_reads_its_own_and_writes_to_its_room(tmp_path: Path, python: str) -> None:
    data_dir = DataDir.at(tmp_path / "var")
    secret, room = data_dir.secret("data_key"), fencing.room_for(data_dir.path, "rasa")
    model = data_dir.models / "model.tar.gz"
    model.write_bytes(b"model")
    bounds = fencing.around_rasa(Path(python), model=model, room=room, connect=(), bind=1)
    out = tmp_path / "outside"
    told = _tried(
        bounds,
        {
            "the model": f"open({str(model)!r}, 'rb').read()",
            "the code": f"open({str(ROOT / 'bot' / 'channel.py')!r}).read()",
            "its room": f"open({str(room / 'a')!r}, 'w').write('x')",
            "secrets": f"open({str(data_dir.secrets / 'data_key')!r}).read()",
            "settings": f"open({str(ROOT / '.env')!r}).read()",
            "logs": f"import os; os.listdir({str(data_dir.logs)!r})",
            "write code": f"open({str(ROOT / 'bot' / 'channel.py')!r}, 'a')",
            "write outside": f"open({str(out)!r}, 'w')",
            "home": "import os; os.listdir(os.path.expanduser('~root'))",
            "passwords' hashes": "open('/etc/shadow').read()",
            "the front door's code": f"open({str(ROOT / 'sms_gateway' / 'settings.py')!r}).read()",
            "the supervisor's environment": "import os; open(f'/proc/{os.getppid()}/environ').read()",
        },
        python=python,
    )
    assert secret and [name for name, end in told.items() if end == "done"] == ["the model", "the code", "its room"]
    assert not out.exists()


@whole
@pytest.mark.parametrize("place", ["/opt", "/usr/local", "/usr/lib"])
def test_wherever_it_is_installed_settings_secrets_and_logs_stay_shut(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not os.access(place, os.W_OK):
        pytest.skip("nothing can be installed there")
    beside = Path(place) / f"fence-{os.getpid()}"
    root = beside / "hotline"
    shut = [".env", ".env.production", "var/secrets/data_key", "logs/gateway.log", "sms_gateway/settings.py"]
    try:
        for name in ("bot/channel.py", "config.yml", *shut):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text("said")
        monkeypatch.setattr(fencing, "ROOT", root)
        bounds = fencing.around_rasa(RASA_PYTHON, model=None, room=tmp_path, connect=(), bind=1)
        names = ["bot/channel.py", "config.yml", *shut]
        deeds = {name: f"open({str(root / name)!r}).read()" for name in names} | {"a library": "import decimal, ssl"}
        told = _tried(bounds, deeds, python=str(RASA_PYTHON))
    finally:
        shutil.rmtree(beside)
    assert [name for name, end in told.items() if end == "done"] == ["bot/channel.py", "config.yml", "a library"], told


UNIX = {
    "a socket of this machine": "socket.socket(socket.AF_UNIX).connect(PLACE)",
    "a datagram socket": "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)",
    "one end of a pair, connected anew": "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].connect(PLACE)",
}


@whole
def test_this_machines_unix_sockets_are_shut_and_event_loops_still_run(tmp_path: Path) -> None:
    place = tmp_path / "socket"
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(place))
    server.listen()
    deeds = {name: code.replace("PLACE", repr(str(place))) for name, code in UNIX.items()}
    loop = {"an event loop": "import asyncio; asyncio.run(asyncio.sleep(0))"}
    told = _tried(Fence(("/",), (str(tmp_path),), (), ()), deeds | loop)
    assert told == dict.fromkeys(UNIX, "PermissionError") | {"an event loop": "done"}
    asked = _tried(Fence(("/",), (str(tmp_path),), (), (), unix=True), deeds)
    assert asked["a socket of this machine"] == "done", "where the database is one, it may"
    server.close()


@pytest.mark.parametrize(
    ("url", "by_socket"),
    [
        ("postgresql://a:b@127.0.0.1:5432/hotline", False),
        ("postgresql+psycopg://a:b@db.example.cn/hotline", False),
        ("postgresql:///hotline?host=/run/postgresql", True),
        ("postgresql:///hotline", True),
        ("host=127.0.0.1,/run/postgresql dbname=hotline", True),
    ],
)
def test_only_a_database_that_is_a_unix_socket_asks_for_one(url: str, by_socket: bool) -> None:
    assert fencing.asks_by_socket(url) is by_socket


CALLS = {
    "trace": "import ctypes as c, os; l = c.CDLL(None, use_errno=True); e = l.ptrace(16, os.getppid(), 0, 0);"
    " (_ for _ in ()).throw(PermissionError) if e and c.get_errno() == 1 else None",
    "new user namespace": "import ctypes as c; l = c.CDLL(None, use_errno=True);"
    " (_ for _ in ()).throw(PermissionError) if l.unshare(0x10000000) and c.get_errno() == 1 else None",
    "mount": "import ctypes as c; l = c.CDLL(None, use_errno=True);"
    " (_ for _ in ()).throw(PermissionError) if l.mount(b'none', b'/mnt', b'tmpfs', 0, None) and c.get_errno() == 1 else None",
    "io_uring": "import ctypes as c; l = c.CDLL(None, use_errno=True);"
    " (_ for _ in ()).throw(PermissionError) if l.syscall(425, 8, None) and c.get_errno() == 1 else None",
    "kill the supervisor": "import os; os.kill(os.getppid(), 0)",
    "become root": "import os; os.setuid(0) if os.getuid() else os.setuid(65534)",
    "device": "import os; os.mknod('/tmp/device', 0o20600, os.makedev(1, 3))",
    "more memory": "x = bytearray(200 << 20)",
    "many files": "import os; [os.open('/dev/null', 0) for _ in range(100)]",
}


@whole
def test_it_gains_no_right_and_is_held_to_its_limits() -> None:
    told = _tried(Fence(("/",), ("/dev/null",), (), (), memory=128 << 20, files=64), CALLS)
    assert set(told.values()) <= {"PermissionError", "MemoryError", "OSError"}, told


@whole
@pytest.mark.skipif(os.geteuid() != 0 or not SYSTEM_PYTHON.exists(), reason="needs root and a Python everybody reaches")
def test_an_ordinary_user_is_fenced_like_root() -> None:
    place = Path("/tmp") / f"fence-{os.getpid()}.py"
    place.write_bytes(fencing.FENCE.read_bytes())
    place.chmod(0o644)
    bounds = Fence(("/",), ("/dev/null",), (), (), memory=128 << 20, files=64)
    words = (str(SYSTEM_PYTHON), "-I", str(place), *bounds.around(())[4:])
    deeds = {**CALLS, **{name: code for name, code in NETWORK.items() if "far" not in name}}
    shim = (sys.executable, "-I", "-S", str(SHIM), str(os.getpid()), "9", "65534", "65534")
    command = [*shim, *words, str(SYSTEM_PYTHON), "-I", "-c", TRY, json.dumps(deeds)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd="/")
    finally:
        place.unlink()
    assert done.returncode == 0 and "fence_is_not_whole" not in done.stderr, done.stderr
    assert set(json.loads(done.stdout).values()) <= {"PermissionError", "MemoryError", "OSError"}, done.stdout


@whole
def test_no_core_dump_and_no_way_back_to_rights() -> None:
    bounds = Fence(("/",), ("/dev/null",), (), ())
    status = subprocess.run(
        bounds.around(("cat", "/proc/self/status", "/proc/self/limits")), capture_output=True, text=True, check=True
    ).stdout
    said = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    assert said["NoNewPrivs"].strip() == "1" and said["Seccomp"].strip() == "2"
    assert [line.split()[4:6] for line in status.splitlines() if line.startswith("Max core file size")] == [["0", "0"]]
    if os.geteuid() == 0:
        assert {said[name].strip() for name in ("CapEff", "CapPrm", "CapBnd", "CapInh")} == {"0" * 16}


def test_every_process_of_the_supervisor_writes_no_core_dump() -> None:
    command = [sys.executable, "-I", "-S", str(SHIM), "0", "9", "0", "0", "sh", "-c", "ulimit -c"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "0"


def test_rasa_gets_the_settings_it_needs_and_no_other_secret(tmp_path: Path) -> None:
    data_dir = DataDir.at(tmp_path / "var")
    inner = Inner(
        rasa_port=5001, actions_port=5002, database_url="postgresql://a:b@127.0.0.1:5003/hotline", model=None, bot_database="its own",
    )  # fmt: skip
    outer = {
        "PATH": "/bin",
        "HOTLINE_PORT": "8000",
        "HOTLINE_CONSOLE_PORT": "8001",
        "HOTLINE_TWILIO_AUTH_TOKEN": "t" * 32,
    }
    table = children(inner, inner_environment(data_dir, inner, outer))
    given = {name for name in table["rasa"].env if name.startswith("HOTLINE_")}
    assert given <= fencing.RASA_KNOWS
    assert table["rasa"].env["HOTLINE_DATABASE_URL"] == "its own"
    assert not given & {"HOTLINE_SESSION_KEY", "HOTLINE_TWILIO_AUTH_TOKEN", "HOTLINE_GENERAL_DESK_SECRET"}
    for name, connects, binds in (("rasa", [5002, 5003], [5001]), ("actions", [5003], [5002])):
        command = table[name].command
        bounds = json.loads(command[command.index(str(fencing.FENCE)) + 1])
        assert (sorted(bounds["connect"]), bounds["bind"]) == (connects, binds)


def test_the_doctor_says_which_parts_of_the_fence_are_missing() -> None:
    assert doctor.fenced([]).verdict is doctor.Verdict.FINE
    advice = doctor.fenced(["network", "calls"])
    assert advice.verdict is doctor.Verdict.ADVICE and "Landlock" in advice.sentence and "seccomp" in advice.sentence


def test_a_kernel_without_a_part_still_gets_the_others() -> None:
    """An older kernel: the process starts, and the missing part is said."""
    words = asdict(Fence(("/",), ("/dev/null",), (), ()))
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from sms_gateway.supervision import fence\n"
        "fence.landlock_version = lambda: 0\n"
        f"print(fence.put_up({words!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "['files', 'network']"


@pytest.mark.parametrize("unix", [True, False])
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_of_each_machine_has_its_jumps_inside(machine: str, unix: bool) -> None:
    steps = fence.program(machine, unix=unix)
    assert len(steps) < 4096
    for place, (code, yes, no, _value) in enumerate(steps):
        if code & 7 == 5:
            assert place + 1 + max(yes, no) < len(steps)
    assert platform.machine() not in ("x86_64", "aarch64") or fence.program(platform.machine(), unix=unix)
