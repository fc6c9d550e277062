"""`hotline advisories`: both lock files against published advisories. Needs the network, so no test run depends on it.

Only names and versions of public packages leave this machine. Exit codes: 0 nothing known, 1 something known,
2 it could not be run, 3 the source cannot be reached, so nothing is known either way.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from sms_gateway.settings import ROOT

OSV = "https://api.osv.dev/v1/query"
LOCKS = {"frontdoor": "前门", "rasa": "小助手"}
FINE, KNOWN, CANNOT_RUN, OUT_OF_REACH = range(4)
WITHIN_SECONDS = 900


class SourceIsOutOfReach(Exception):
    """No answer that says anything about any package."""


@dataclass(frozen=True)
class Advisory:
    package: str
    version: str
    number: str
    mended_in: tuple[str, ...]


@dataclass(frozen=True)
class Audited:
    """One lock file: how many packages were asked about, those the source does not know, and what it knows."""

    packages: int
    unknown: tuple[str, ...]
    advisories: tuple[Advisory, ...]


def audit(lock: Path, source: str = OSV) -> Audited:
    """Ask `source` (an address of OSV's form) about every line of `lock`. Raises `SourceIsOutOfReach`."""
    command = [
        sys.executable, "-m", "pip_audit", "-r", str(lock), "--no-deps", "--disable-pip", "--format", "json", "--desc", "off",
        "--progress-spinner", "off", "--vulnerability-service", "osv", "--osv-url", source, "--timeout", "10",
    ]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=WITHIN_SECONDS)
        said = json.loads(done.stdout)
    except (ValueError, subprocess.TimeoutExpired):
        raise SourceIsOutOfReach from None
    return read(said)


def read(said: Mapping[str, Any]) -> Audited:
    """pip-audit's JSON. Raises `SourceIsOutOfReach` where every package was skipped."""
    packages: Sequence[Mapping[str, Any]] = said["dependencies"]
    unknown = tuple(str(one["name"]) for one in packages if "skip_reason" in one)
    if len(unknown) == len(packages):
        raise SourceIsOutOfReach
    known = tuple(
        Advisory(one["name"], one["version"], found["id"], tuple(found["fix_versions"]))
        for one in packages
        for found in one.get("vulns", ())
    )
    return Audited(len(packages), unknown, known)


def advisories(
    source: Annotated[str, typer.Option(help="公告来源（OSV 格式），内网可指自己的镜像")] = OSV,
    folder: Annotated[Path, typer.Option(help="锁文件在哪里", hidden=True)] = ROOT / "requirements",
) -> None:
    """对照公开的漏洞公告查两份锁文件。退出码：0 没有已知的，1 有，2 查不了，3 连不上公告来源。"""
    if importlib.util.find_spec("pip_audit") is None:
        typer.echo("没有 pip-audit：请先运行 make setup-test。", err=True)
        raise typer.Exit(CANNOT_RUN)
    worst = FINE
    for name, title in LOCKS.items():
        try:
            found = audit(folder / f"{name}.txt", source)
        except SourceIsOutOfReach:
            typer.echo(
                "连不上公告来源：没有查成，不等于没有问题。请在连得上的机器上再查，或用 --source 指镜像。", err=True
            )
            raise typer.Exit(OUT_OF_REACH) from None
        typer.echo(f"{title}（{name}.txt）：查了 {found.packages} 个包，公告 {len(found.advisories)} 条。")
        for one in found.advisories:
            typer.echo(
                f"  {one.package} {one.version}  {one.number}  修好的版本：{'、'.join(one.mended_in) or '还没有'}"
            )
        if found.unknown:
            typer.echo(f"  来源不认得：{'、'.join(found.unknown)}")
        worst = max(worst, KNOWN if found.advisories else FINE)
    raise typer.Exit(worst)
