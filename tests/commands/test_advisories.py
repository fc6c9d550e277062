"""Lock files against advisories, by the real pip-audit and a source on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
import typer
from typer.testing import CliRunner

from sms_gateway.commands import advisories as command

app = typer.Typer()
app.command()(command.advisories)
BROKEN = "aiohttp"
LOCK = "aiohttp==3.9.5 \\\n    --hash=sha256:" + "0" * 64 + "\nidna==3.10 \\\n    --hash=sha256:" + "1" * 64 + "\n"


class _Source(BaseHTTPRequestHandler):
    asked: ClassVar[list[dict[str, object]]] = []

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append(asked)
        body: dict[str, object] = {}
        if asked["package"]["name"] == BROKEN:
            ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.10.2"}]}]
            affected = [{"package": {"name": BROKEN, "ecosystem": "PyPI"}, "ranges": ranges}]
            body = {"vulns": [{"id": "PYSEC-0000-1", "summary": "made up", "modified": "2026-01-01T00:00:00Z", "affected": affected}]}  # fmt: skip
        said = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def source() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Source)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    _Source.asked.clear()
    yield f"http://127.0.0.1:{server.server_port}/v1/query"
    server.shutdown()
    server.server_close()


@pytest.fixture
def locks(tmp_path: Path) -> Path:
    (tmp_path / "frontdoor.txt").write_text(LOCK)
    (tmp_path / "rasa.txt").write_text(LOCK.partition("idna")[0].replace("aiohttp==3.9.5", "multidict==6.0.5"))
    return tmp_path


def test_a_known_advisory_is_named_and_ends_with_one(source: str, locks: Path) -> None:
    done = CliRunner().invoke(app, ["--source", source, "--folder", str(locks)])
    assert done.exit_code == command.KNOWN, done.output
    assert "aiohttp 3.9.5  PYSEC-0000-1  修好的版本：3.10.2" in done.output
    assert "小助手（rasa.txt）：查了 1 个包，公告 0 条" in done.output
    assert [set(one) for one in _Source.asked] == [{"package", "version"}] * 3, "only names and versions leave"


def test_nothing_known_ends_with_zero(source: str, locks: Path) -> None:
    (locks / "frontdoor.txt").write_text(LOCK.replace("aiohttp==3.9.5", "attrs==24.2.0"))
    assert CliRunner().invoke(app, ["--source", source, "--folder", str(locks)]).exit_code == command.FINE


def test_out_of_reach_is_said_and_is_not_taken_for_fine(locks: Path) -> None:
    done = CliRunner().invoke(app, ["--source", "http://127.0.0.1:1/v1/query", "--folder", str(locks)])
    assert done.exit_code == command.OUT_OF_REACH
    assert "没有查成，不等于没有问题" in done.output


def test_a_source_that_knows_no_package_has_said_nothing() -> None:
    with pytest.raises(command.SourceIsOutOfReach):
        command.read({"dependencies": [{"name": "aiohttp", "skip_reason": "not found"}]})
