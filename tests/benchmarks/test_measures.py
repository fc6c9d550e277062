"""Each measure once with next to no samples: that it runs, and gives the rows it should."""

from __future__ import annotations

import pytest
import yaml
from rich.console import Console

from benchmarks import danger, understanding, webhooks
from benchmarks.peer import CONFIG, stories
from benchmarks.results import Row
from sms_gateway.settings import ROOT

QUIET = Console(quiet=True)


def value_of(rows: list[Row], words: str) -> float:
    (found,) = [each.value for each in rows if words in each.name]
    return found


async def test_webhooks_are_measured_against_a_bare_endpoint() -> None:
    rows = await webhooks.measure(QUIET, rounds=1, texts=40)
    ratio = value_of(rows, "throughput")
    ours, bare = value_of(rows, "Webhook: texts a second"), value_of(rows, "Bare endpoint")
    assert ratio == pytest.approx(bare / ours, rel=0.01)
    assert {row.area for row in rows} == {"webhooks"}


async def test_understanding_is_measured_with_and_beyond_the_embedding() -> None:
    rows = await understanding.measure(QUIET, rounds=1, texts=4)
    for name in ("FAQ answer", "Triage judgement"):
        assert 0 < value_of(rows, f"{name} beyond embedding, p50") < value_of(rows, f"{name} with embedding, p50")


def test_the_danger_texts_are_red_and_the_ordinary_ones_are_not() -> None:
    from sms_gateway import triage

    assert danger.red_texts() == list(danger.DANGER)
    assert all(triage.load().judge(text).lane == "blue" for text in danger.ORDINARY)


def test_the_peer_is_the_default_recipe_and_nothing_of_ours() -> None:
    recipe = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    names = [part["name"] for part in recipe["pipeline"] + recipe["policies"]]
    assert {"DIETClassifier", "TEDPolicy"} <= set(names)
    assert not [name for name in names if name.startswith("bot.")]


def test_the_peer_learns_our_rules_as_stories() -> None:
    rules = yaml.safe_load((ROOT / "bot" / "data" / "rules.yml").read_text(encoding="utf-8"))
    made = stories(rules)["stories"]
    assert len(made) > 10
    assert {"intent": "thanks"} in [step for story in made for step in story["steps"]]
    assert all(set(step) <= {"intent", "action"} for story in made for step in story["steps"])
