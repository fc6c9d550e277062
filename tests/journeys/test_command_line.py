"""`hotline predict` and `hotline replay` as blind measurement calls them: nothing running, JSON lines in and out."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import Any

import pytest

from sms_gateway.settings import ROOT

TYPES = {
    "violence_in_progress", "sexual_abuse", "self_harm", "missing_abduction", "confinement", "abandoned_alone", "fire", "medical",
    "traffic", "drowning", "other_danger", "none",
}  # fmt: skip
INTENTS = {
    "help_request", "complaint", "report", "consultation", "suggestion", "ticket_status", "human_agent", "evaluate", "opt_out",
    "opt_in", "thanks", "greet", "goodbye", "affirm", "deny", "out_of_scope",
}  # fmt: skip
LINES = [
    '{"id": "a", "text": "孤儿每个月能领多少钱"}',
    "this is no JSON",
    '{"id": 7}',
    '{"id": "b", "text": "有个叔叔一直在踹我家门 就我和弟弟在"}',
    '{"id": "c", "text": ""}',
    '{"id": "d", "text": "TD"}',
    '{"id": null, "text": "\\u0000\\ud83d 😀😀"}',
]


def _hotline(*words: str, lines: list[str]) -> list[dict[str, Any]]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")}
    done = subprocess.run(
        [sys.executable, "-m", "sms_gateway.cli", *words], input="\n".join(lines).encode(), capture_output=True,
        cwd=ROOT, env=environment, timeout=170, check=True,
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def _kept_order(found: list[dict[str, Any]]) -> None:
    assert [line["id"] for line in found] == ["a", None, 7, "b", "c", "d", None]
    assert ["error" in line for line in found] == [False, True, True, False, False, False, False]


def test_triage_is_predicted_line_by_line() -> None:
    found = _hotline("predict", "triage", lines=LINES)
    _kept_order(found)
    good = [line for line in found if "error" not in line]
    assert all(
        line["type"] in TYPES and 0 <= line["score"] <= 1 and line["lane"] in ("red", "orange", "blue") for line in good
    )
    assert all(
        line["emergency"] == (line["lane"] == "red") and bool(line["services"]) == line["emergency"] for line in good
    )
    assert (found[3]["emergency"], found[3]["services"][0], found[3]["immediacy"]) == (True, "110", "now")
    assert found[0]["type"] == "none"


def test_the_handbook_is_predicted_line_by_line() -> None:
    found = _hotline("predict", "faq", lines=LINES)
    _kept_order(found)
    assert {"1280", "1980"} <= set(re.findall(r"\d+", found[0]["answer"]))
    assert not found[0]["abstained"]
    assert "【" not in found[0]["answer"]
    assert all(line["entry"] is None for line in found if line.get("abstained"))
    assert found[5]["abstained"]


@pytest.mark.timeout(240)
def test_intents_are_predicted_line_by_line() -> None:
    found = _hotline("predict", "intent", lines=LINES)
    _kept_order(found)
    assert all(line["intent"] in INTENTS and 0 <= line["confidence"] <= 1 for line in found if "error" not in line)
    assert (found[0]["intent"], found[5]["intent"]) == ("consultation", "opt_out")


@pytest.mark.timeout(240)
def test_dialogues_are_replayed_through_the_real_pipeline() -> None:
    dialogues: list[Any] = [
        {
            "id": "form",
            "title": "投诉",
            "turns": [{"user": u} for u in ["我要投诉 学校天天占体育课", "镇雄的", "就这些", "1"]],
        },
        {"id": "danger", "turns": [{"user": "有个叔叔一直在踹我家门 就我和弟弟在"}, {"wait": 200}, {"user": "还在"}]},
        {"id": "mark", "precondition": "survey_sent", "turns": [{"user": "5"}]},
        {"id": "out", "turns": [{"user": "退订"}]},
        {"id": "bad", "turns": [{"wait": -1}]},
    ]
    form, danger, mark, out, bad = _hotline(
        "replay", lines=[json.dumps(each, ensure_ascii=False) for each in dialogues]
    )
    assert [turn["user"] for turn in form["turns"]] == ["我要投诉 学校天天占体育课", "镇雄的", "就这些", "1"]
    assert all(reply.startswith("【云南12345】") for turn in form["turns"] for reply in turn["replies"])
    assert re.fullmatch(r"\d{8}", form["turns"][-1]["state"]["ticket"])
    assert form["turns"][-1]["state"]["ticket"] in form["turns"][-1]["replies"][-1]
    state = danger["turns"][0]["state"]
    assert (state["owner"], state["escalated"], state["bridged"], state["ticket"]) == ("waiting", True, True, None)
    assert (danger["turns"][1]["wait"], danger["turns"][1]["replies"]) == (200, [])
    assert mark["turns"][0]["state"]["evaluated"] == 5
    assert out["turns"][0]["state"]["opted_out"] is True
    assert (bad["id"], "error" in bad) == ("bad", True)
