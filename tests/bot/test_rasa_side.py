"""What runs in Rasa's own environment: data validation, conversation tests, pipeline, channel, tracker store."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from sms_gateway.settings import ROOT
from sms_gateway.supervision.places import RASA_PYTHON


@pytest.mark.timeout(600)
def test_everything_in_rasas_own_environment_holds(model: Path) -> None:
    environment = {
        **os.environ,
        "HOTLINE_TEST_MODEL": str(model),
        "PYTHONPATH": str(ROOT),
        "RASA_TELEMETRY_ENABLED": "false",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    here = ROOT / "tests" / "bot" / "rasa_side"
    command = [str(RASA_PYTHON), "-m", "pytest", "-c", str(here / "pytest.ini"), "-W", "ignore", str(here)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
