"""Setting a clone up: what is found, what is stamped, what is said when something is missing."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections import namedtuple
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def prepare() -> ModuleType:
    spec = importlib.util.spec_from_file_location("prepare", ROOT / "setup" / "prepare.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def executable(place: Path, script: str) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"#!/bin/sh\n{script}\n")
    place.chmod(0o755)
    return place


def test_it_runs_with_nothing_but_the_standard_library() -> None:
    code = "import sys; sys.path.insert(0, 'setup'); import prepare; print('ok')"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout == "ok\n", done.stderr


def test_work_is_done_once_for_the_same_mark(prepare: ModuleType, tmp_path: Path) -> None:
    stamp, done = tmp_path / "env" / ".stamp", []
    for mark in ("a", "a", "b"):
        with prepare.step("title", stamp, mark) as todo:
            done.append(todo)
    assert done == [True, False, True]


def test_work_that_was_broken_off_is_done_again(prepare: ModuleType, tmp_path: Path) -> None:
    stamp = tmp_path / ".stamp"
    stamp.write_text("old")
    with pytest.raises(prepare.Stopped), prepare.step("title", stamp, "new"):
        raise prepare.Stopped("broken off")
    assert not stamp.exists()


def test_a_lying_shim_is_passed_over_for_pyenvs_real_python(
    prepare: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    executable(tmp_path / "shims" / "python3.10", "echo 'pyenv: python3.10: command not found' >&2; exit 127")
    real = executable(tmp_path / "pyenv" / "versions" / "3.10.13" / "bin" / "python3.10", "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path / "shims"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    assert prepare.find_python_310(tmp_path / "uv") == str(real)


def test_no_python_3_10_is_one_sentence(prepare: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uv = executable(tmp_path / "uv", "exit 2")
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "nothing"))
    monkeypatch.setenv("HOME", str(tmp_path / "nothing"))
    with pytest.raises(SystemExit, match=r"没有 Python 3\.10"):
        prepare.find_python_310(uv)


def test_a_first_set_up_needs_room_and_a_second_does_not(
    prepare: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare.shutil, "disk_usage", lambda _: Usage(10, 9, 1024**3))
    monkeypatch.setattr(prepare, "RASA", tmp_path)
    with pytest.raises(SystemExit, match="磁盘空间不够"):
        prepare.check_space()
    (tmp_path / ".stamp").touch()
    prepare.check_space()


def test_no_chromium_and_no_way_to_get_it_is_one_sentence(
    prepare: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(prepare.os, "geteuid", lambda: 1000)
    with pytest.raises(SystemExit, match="没有 Chromium"):
        prepare.install_browser()


def test_a_chromium_that_is_named_is_enough(
    prepare: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHROMIUM", str(executable(tmp_path / "my-chromium", "exit 0")))
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setattr(prepare.os, "geteuid", lambda: 1000)
    prepare.install_browser()


def test_a_machine_without_npm_uses_the_wheel(
    prepare: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed: list[Path] = []
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(prepare, "pip_install", installed.append)
    assert prepare.find_npm() == str(prepare.TOOLS / "bin" / "npm")
    assert [lock.name for lock in installed] == ["node.txt"]


def test_every_script_of_the_pages_is_in_npms_lock(prepare: ModuleType) -> None:
    lock = (ROOT / "package-lock.json").read_text(encoding="utf-8")
    for source in prepare.SCRIPTS:
        assert f'"node_modules/{source.split("/")[0]}"' in lock


def test_ci_calls_make_test_and_nothing_else() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    commands = [line for line in lines if line and not line.startswith("#")]
    assert commands == ["set -euo pipefail", 'cd "$(dirname "$0")/.."', "exec make test"]
