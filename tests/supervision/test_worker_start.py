"""What a worker does before it takes its first job."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from sms_gateway import processes, triage
from sms_gateway.triage import Triage
from sms_gateway.triage.lexicon import load_lexicon


def test_a_danger_worker_without_weights_starts_and_says_so_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triage, "load", lambda: Triage(load_lexicon(), None))
    with capture_logs() as logged:
        processes._load_what_is_slow("danger")
    (said,) = [event for event in logged if event["log_level"] == "error"]
    assert said == {"event": "triage_judges_by_words_alone", "room": "triage", "queue": "danger", "log_level": "error"}


def test_a_worker_with_its_weights_reports_nothing() -> None:
    with capture_logs() as logged:
        processes._load_what_is_slow("danger")
        processes._load_what_is_slow("bulk")
    assert logged == []
