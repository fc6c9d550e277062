"""The alert rules: readable, of metrics and labels that we have, at the limits of the page, each with its runbook section."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from fastapi import FastAPI

from sms_gateway.seeing import runbook, verdicts
from sms_gateway.seeing.runbook import parse
from sms_gateway.settings import ROOT
from tests.seeing.conftest import client_of

RULES: dict[str, dict[str, Any]] = {
    rule["alert"]: rule
    for group in yaml.safe_load((ROOT / "deploy" / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
}
OTHERS = {
    "up": {"job", "instance"}, "probe_ssl_earliest_cert_expiry": {"job"}, "node_timex_offset_seconds": {"job"},
}  # fmt: skip
"""Metrics of Prometheus itself and of its two exporters (deploy/prometheus/scrape.yml)."""
FUNCTIONS = {"max", "min", "sum", "histogram_quantile", "increase", "delta", "time", "abs", "absent"}
WORDS = {"by", "and", "or"}
TOKEN = re.compile(r'\s+|[0-9.]+(?:e[0-9]+)?|[A-Za-z_]\w*|"[^"]*"|=~|>=|<=|[{}()\[\],=<>*/+-]|[0-9]+[smhd]')
LIMITS = {
    "RedNobodyTook": verdicts.RINGING_SECONDS, "DangerQueueStuck": verdicts.QUEUE_SECONDS["danger"], "SafeReplyLate": verdicts.SAFE_REPLY_SECONDS,
    "TimersLate": verdicts.TIMER_SECONDS, "TextsOnDisk": verdicts.SPOOL_SECONDS, "TurnQueueStuck": verdicts.QUEUE_SECONDS["turns"],
    "BulkQueueStuck": verdicts.QUEUE_SECONDS["bulk"], "CarrierSilent": verdicts.UNKNOWN_LEAST, "PushBehind": verdicts.PUSH_SECONDS,
    "DiskFillsUp": (100 - verdicts.DISK_PERCENT) / 100, "DiskFull": (100 - verdicts.DISK_GRAVE_PERCENT) / 100,
}  # fmt: skip


async def _known(app: FastAPI) -> dict[str, set[str] | None]:
    """Names in the exposition with their labels; None where no sample has been there yet."""
    async with client_of(app) as prometheus:
        text = (await prometheus.get("/metrics")).text
    found: dict[str, set[str] | None] = {}
    for name, kind in re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE):
        for ending in {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",)}.get(kind, ("",)):
            found[name + ending] = None
    for name, labels in re.findall(r"^(\w+)(?:\{([^}]*)\})? ", text, re.MULTILINE):
        found[name] = (found.get(name) or set()) | set(re.findall(r"(\w+)=", labels))
    return found


@pytest.mark.parametrize("name", RULES)
def test_every_rule_can_be_read_and_names_what_to_do(name: str) -> None:
    rule = RULES[name]
    expression = rule["expr"]
    at = 0
    while at < len(expression):
        token = TOKEN.match(expression, at)
        assert token is not None, (name, expression[at:])
        at = token.end()
    bare = re.sub(r'"[^"]*"', "", expression)
    for opening, closing in ("()", "{}", "[]"):
        assert bare.count(opening) == bare.count(closing)
    assert rule["labels"]["severity"] in ("page", "ticket") and rule["annotations"]["summary"]
    file, _, section = rule["annotations"]["runbook"].partition("#")
    assert (ROOT / file).is_file() and section in runbook.load()


async def test_every_metric_and_label_of_the_rules_is_in_our_exposition(gateway_app: FastAPI) -> None:
    known = await _known(gateway_app)
    used = set()
    for name, rule in RULES.items():
        expression = rule["expr"]
        labels = set(re.findall(r"(\w+)=~?\"", expression))
        for grouped in re.findall(r"by \(([^)]*)\)", expression):
            labels |= {label.strip() for label in grouped.split(",")}
        bare = re.sub(r'\{[^}]*\}|by \([^)]*\)|"[^"]*"|\[[^\]]*\]|\b[0-9][0-9.e]*', "", expression)
        metrics = set(re.findall(r"[A-Za-z_]\w+", bare)) - FUNCTIONS - WORDS
        assert metrics, name
        allowed = {"le", "instance"}
        for metric in metrics:
            assert metric in known or metric in OTHERS, (name, metric)
            allowed |= OTHERS.get(metric) or known.get(metric) or {"carrier", "state", "unit", "door", "status"}
            used.add(metric)
        assert labels <= allowed, (name, labels - allowed)
    assert len(used) > 15


@pytest.mark.parametrize("name", LIMITS)
def test_the_page_and_the_rules_keep_the_same_limits(name: str) -> None:
    limit = re.findall(r"[<>]=? ([0-9.]+)$", RULES[name]["expr"])
    assert [float(found) for found in limit] == [pytest.approx(LIMITS[name])]


def test_rejects_and_daily_work_keep_the_pages_limits_too() -> None:
    rejects = RULES["CarrierRejects"]["expr"]
    assert f"> {verdicts.LOST_SHARE} " in rejects and rejects.endswith(f">= {verdicts.LOST_LEAST}")
    assert set(re.findall(r'state=~"([^"]*)"', rejects)[0].split("|")) == set(verdicts.LOST)
    hours = int(verdicts.DAILY.total_seconds() // 3600)
    assert all(RULES[name]["expr"].endswith(f"> {hours} * 3600") for name in ("BackupLate", "PurgeLate"))


def test_every_section_of_the_runbook_has_its_steps_and_tests_that_exist() -> None:
    book = parse(runbook.PLACE.read_text(encoding="utf-8"))
    assert len(book) >= 10
    for section in book.values():
        assert section.shows and len(section.steps) >= 4, section.id
        assert section.tests, section.id
        for file, name in section.tests:
            assert re.search(rf"^(?:async )?def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE), (
                name
            )


def test_every_section_is_reached_by_an_alert_or_by_the_page() -> None:
    alerted = {rule["annotations"]["runbook"].partition("#")[2] for rule in RULES.values()}
    by_hand = {"key-lost", "restore"}
    """What no figure tells: the start is refused, or the machine is gone."""
    assert runbook.load().keys() - by_hand == alerted
