"""What lies in `deploy/`: units that systemd reads and that are shut in, settings that exist, a proxy that knows the same ports."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from sms_gateway.jobs import QUEUES
from sms_gateway.processes import OUTREACH
from sms_gateway.settings import ROOT, Settings
from sms_gateway.supervision import fencing
from sms_gateway.supervision.places import PYTHON, RASA_PYTHON

DEPLOY = ROOT / "deploy"
UNITS = {path.name: path.read_text(encoding="utf-8") for path in sorted((DEPLOY / "systemd").glob("hotline*"))}
SERVICES = {name: text for name, text in UNITS.items() if name.endswith(".service")}
FENCE = {
    "NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes", "PrivateDevices": "yes",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX", "RestrictNamespaces": "yes", "RestrictSUIDSGID": "yes", "LockPersonality": "yes",
    "CapabilityBoundingSet": "", "UMask": "0077", "SystemCallArchitectures": "native",
}  # fmt: skip
SHUT_IN = ("hotline-rasa@", "hotline-actions", "hotline-console", "hotline-migrate", "hotline-backup")
"""Processes that reach nothing outside this machine."""
EXPOSURE = 2.0
"""Of ten, by `systemd-analyze security`."""


def values(unit: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in unit.splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def wanted() -> list[str]:
    """The instances the target starts."""
    return [unit for line in values(UNITS["hotline.target"])["Wants"] for unit in line.split()]


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_fenced_limited_and_nobodys_root(name: str) -> None:
    unit = values(SERVICES[name])
    for setting, value in FENCE.items():
        assert unit[setting] == [value], setting
    assert unit["User"][0] in ("hotline", "hotline-rasa") and unit["MemoryMax"] and unit["TasksMax"]
    written = " ".join(unit.get("ReadWritePaths", []))
    assert all(path.startswith(("/var/lib/hotline", "/var/backups/hotline")) for path in written.split())
    if name.startswith(SHUT_IN):
        assert (unit["IPAddressDeny"], unit["IPAddressAllow"]) == (["any"], ["localhost"])


@pytest.mark.parametrize("name", SERVICES)
def test_no_process_stands_or_falls_with_the_migration(name: str) -> None:
    """Texts must find a gateway at a boot with the database away, and one during each migration."""
    unit = values(SERVICES[name])
    assert "Requires" not in unit and "BindsTo" not in unit
    if name.startswith("hotline-migrate"):
        assert unit["Restart"] == ["on-failure"]
    elif not name.startswith("hotline-backup"):
        assert "hotline-migrate.service" in unit["Wants"] and unit["Restart"] == ["always"]
    if not name.startswith("hotline-backup"):
        assert unit["StartLimitIntervalSec"] == ["0"], "tried again however often it failed"
    assert ("hotline-migrate.service" in unit["After"][0]) == (not name.startswith(("hotline-gateway", "hotline-migrate", "hotline-backup")))  # fmt: skip


def test_rasa_has_a_user_and_secrets_of_its_own_and_writes_nothing() -> None:
    unit = values(SERVICES["hotline-rasa@.service"])
    assert unit["User"] == ["hotline-rasa"] and unit["EnvironmentFile"] == ["/etc/hotline/rasa.env"]
    assert "ReadWritePaths" not in unit and "-/var/lib/hotline" in unit["InaccessiblePaths"][0].split()
    given = set(re.findall(r"^(HOTLINE_\w+)=", (DEPLOY / "rasa.env.example").read_text(encoding="utf-8"), re.MULTILINE))
    assert given == {"HOTLINE_ACTIONS_URL", "HOTLINE_BOT_SECRET", "HOTLINE_DATA_KEY", "HOTLINE_BOT_DATABASE_URL"}
    read = (ROOT / "bot" / "tracker_store.py").read_text() + (ROOT / "endpoints.yml").read_text()
    assert given - {"HOTLINE_BOT_SECRET"} <= set(re.findall(r"HOTLINE_\w+", read))


TRY = (
    "import json, os, socket, sys; said = {}\n"
    "for name, code in json.loads(sys.argv[1]).items():\n"
    "    try: exec(code); said[name] = 'done'\n"
    "    except OSError as error: said[name] = type(error).__name__\n"
    "print(json.dumps([said, sorted(name for name in os.environ if name.startswith('HOTLINE_')), open('/proc/self/status').read()]))"
)


@pytest.mark.skipif(bool(fencing.missing_here()), reason="this kernel cannot do every part of the fence")
@pytest.mark.parametrize("name", ["hotline-rasa@", "hotline-actions"])
def test_rasa_and_the_actions_start_through_our_fence(name: str, tmp_path: Path) -> None:
    """The unit's own command line, run as it stands; what it would start is asked what it may do."""
    unit = values(SERVICES[f"{name}.service"])
    (line,) = unit["ExecStart"]
    assert "landlock_restrict_self" in " ".join(unit["SystemCallFilter"]), "@system-service leaves it out"
    room, elsewhere = tmp_path / "room", tmp_path / "elsewhere"
    room.mkdir()
    words = (
        line.replace("/opt/hotline", str(ROOT)).replace("--room /tmp", f"--room {room}").replace("%i", "5006").split()
    )
    at = words.index("--") + 2
    python = str(RASA_PYTHON) if "rasa" in name else str(PYTHON)
    deeds = {
        "write in its room": f"open({str(room / 'a')!r}, 'w')",
        "write elsewhere": f"open({str(elsewhere)!r}, 'w')",
        "another port": "socket.create_connection(('127.0.0.1', 9))",
        "udp": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
        "unix": "socket.socket(socket.AF_UNIX)",
        "passwords": "open('/etc/shadow').read()",
    }
    given = {
        "HOTLINE_DATABASE_URL": "postgresql://a:b@127.0.0.1:5432/hotline", "HOTLINE_BOT_DATABASE_URL": "postgresql://bot:c@127.0.0.1:5432/hotline",
        "HOTLINE_ACTIONS_URL": "http://127.0.0.1:5055", "HOTLINE_DATA_DIR": str(room), "HOTLINE_SESSION_KEY": "none of its business",
    }  # fmt: skip
    done = subprocess.run(
        [*words[: at - 1], python, "-c", TRY, json.dumps(deeds)], env={"PATH": os.environ["PATH"], **given}, cwd=ROOT,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    told, known, status = json.loads(done.stdout)
    allowed = ["write in its room"] + (["passwords"] if name == "hotline-actions" else [])
    assert [deed for deed, end in told.items() if end == "done"] == allowed, told
    assert set(told.values()) == {"done", "PermissionError"}
    assert "Seccomp:\t2" in status
    assert ("HOTLINE_SESSION_KEY" in known) is (name == "hotline-actions")


def test_the_target_starts_two_of_what_danger_needs_and_every_queue() -> None:
    names = wanted()
    assert all(re.sub(r"@[^.]*", "@", name) in UNITS for name in names)
    queues = [found.group(1) for name in names if (found := re.match(r"hotline-worker@(\w+)-\d", name))]
    assert set(queues) == {*QUEUES, OUTREACH}
    for queue in ("danger", "turns", "replies"):
        assert queues.count(queue) == 2
    assert sum(name.startswith("hotline-gateway@") for name in names) == 2
    assert sum(name.startswith("hotline-rasa@") for name in names) == 2


def test_the_proxy_and_prometheus_know_the_ports_of_the_units() -> None:
    proxy = (DEPLOY / "Caddyfile").read_text(encoding="utf-8")
    assert proxy.count("{") == proxy.count("}")
    by_kind = {
        kind: {found for name in wanted() for found in re.findall(rf"hotline-{kind}@(\d+)", name)}
        for kind in ("gateway", "rasa")
    }
    balanced = [set(re.findall(r"127\.0\.0\.1:(\d+)", line)) for line in re.findall(r"reverse_proxy (.+) \{", proxy)]
    settings = dict(
        re.findall(r"^(HOTLINE_\w+)=(.*)$", (DEPLOY / "hotline.env.example").read_text("utf-8"), re.MULTILINE)
    )
    assert balanced == [by_kind["gateway"], {settings["HOTLINE_CONSOLE_PORT"]}, by_kind["rasa"]]
    for name in ("PUBLIC", "CONSOLE"):
        assert f"\n{settings[f'HOTLINE_{name}_URL'].removeprefix('https://')} {{" in proxy
    assert f"http://127.0.0.1:{settings['HOTLINE_RASA_URL'].rpartition(':')[2]} {{" in proxy
    assert "health_uri /healthz" in proxy and "flush_interval -1" in proxy
    (inner,) = re.findall(r"@inner path (.+)", proxy)
    assert {"/metrics", "/readyz", "/simulator/*", "/phone"} <= set(inner.split())
    scraped = set(re.findall(r"127\.0\.0\.1:(\d+)", (DEPLOY / "prometheus" / "scrape.yml").read_text("utf-8")))
    assert scraped >= by_kind["gateway"] | {settings["HOTLINE_CONSOLE_PORT"]}


def test_the_settings_of_the_example_exist_and_hold_no_secret() -> None:
    text = (DEPLOY / "hotline.env.example").read_text(encoding="utf-8")
    for name, value in re.findall(r"^#?(HOTLINE_\w+)=(.*)$", text, re.MULTILINE):
        assert name.removeprefix("HOTLINE_").lower() in Settings.model_fields, name
        assert value == "" or not re.search(r"_(KEY|SECRET|TOKEN)$", name), name


def test_the_example_starts_once_what_stands_empty_is_filled_in() -> None:
    lines = re.findall(r"^(HOTLINE_\w+)=(.*)$", (DEPLOY / "hotline.env.example").read_text("utf-8"), re.MULTILINE)
    filled = {name.removeprefix("HOTLINE_").lower(): value or "k" * 43 + "=" for name, value in lines}
    assert Settings(_env_file=None, **filled).production  # type: ignore[call-arg, arg-type]
    for name, value in lines:
        if not value:
            with pytest.raises(ValueError, match=name):
                Settings(_env_file=None, **{**filled, name.removeprefix("HOTLINE_").lower(): ""})  # type: ignore[call-arg, arg-type]


def test_the_command_has_the_settings_and_the_user_of_the_units(tmp_path: Path) -> None:
    """Every `hotline …` of the runbook goes through it: a shell has read no settings."""
    text = (DEPLOY / "hotline").read_text(encoding="utf-8")
    unit = values(SERVICES["hotline-gateway@.service"])
    assert unit["ExecStart"][0].split()[0] in text and f"runuser -u {unit['User'][0]} --" in text
    told = tmp_path / "runuser"
    told.write_text('#!/bin/sh\necho "$HOTLINE_ENV_FILE"\nprintf "%s|" "$@"\n', encoding="utf-8")
    told.chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", str(DEPLOY / "hotline"), "restore", "a file"], capture_output=True, text=True, check=True,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
    )  # fmt: skip
    assert done.stdout.splitlines() == [unit["EnvironmentFile"][0], f"-u|hotline|--|{unit['ExecStart'][0].split()[0]}|restore|a file|"]  # fmt: skip


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd on this machine")
def test_systemd_reads_every_unit_and_finds_it_shut_in(tmp_path: Path) -> None:
    for name, text in UNITS.items():
        (tmp_path / name).write_text(re.sub(r"/opt/hotline/\.venv\S*", "/bin/true", text), encoding="utf-8")
    started = [*(name for name in wanted() if "@" in name), "hotline-console.service", "hotline-actions.service", "hotline-migrate.service",
               "hotline-backup.service", "hotline-backup.timer"]  # fmt: skip
    for name in started:
        if "@" in name:
            (tmp_path / name).symlink_to(re.sub(r"@[^.]*", "@", name))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / name) for name in started)], capture_output=True, text=True, check=False
    )  # fmt: skip
    ours = [line for line in done.stderr.splitlines() if str(tmp_path) in line or "hotline" in line]
    assert (done.returncode, ours) == (0, [])
    for name in ("hotline-gateway@8000.service", "hotline-rasa@5006.service", "hotline-worker@turns-1.service"):
        told = subprocess.run(
            ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(tmp_path / name)], capture_output=True, text=True, check=False
        )  # fmt: skip
        (exposure,) = re.findall(r"exposure level for \S+: ([0-9.]+)", told.stdout)
        assert float(exposure) <= EXPOSURE
