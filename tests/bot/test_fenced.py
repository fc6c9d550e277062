"""The real Rasa and the real action server, as the supervisor starts them, stand behind their fence."""

from __future__ import annotations

from pathlib import Path

import pytest

from sms_gateway.supervision import fencing
from sms_gateway.supervision.scratch import ScratchHotline


@pytest.mark.skipif(bool(fencing.missing_here()), reason="this kernel cannot do every part of the fence")
@pytest.mark.parametrize("name", ["rasa", "actions"])
async def test_the_running_process_has_no_rights_no_core_and_a_filter(assistant: ScratchHotline, name: str) -> None:
    proc = Path("/proc") / str(assistant.pid(name))
    said = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines())
    assert said["NoNewPrivs"].strip() == "1" and said["Seccomp"].strip() == "2"
    assert {said[each].strip() for each in ("CapEff", "CapPrm", "CapBnd")} <= {"0" * 16} or said["Uid"].split()[
        0
    ] != "0"
    assert "Max core file size        0" in (proc / "limits").read_text()
    assert "fence_is_not_whole" not in (assistant.data_dir.logs / f"{name}.log").read_text()


async def test_rasa_knows_no_secret_but_its_own(assistant: ScratchHotline) -> None:
    environment = (Path("/proc") / str(assistant.pid("rasa")) / "environ").read_bytes().decode().split("\0")
    given = dict(line.split("=", 1) for line in environment if line.startswith("HOTLINE_"))
    assert set(given) <= fencing.RASA_KNOWS
    assert "hotline_bot" in given["HOTLINE_DATABASE_URL"]
    assert given["HOTLINE_DATABASE_URL"] != assistant.environment["HOTLINE_DATABASE_URL"]
