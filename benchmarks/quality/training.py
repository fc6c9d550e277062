"""Every text that anything is trained on, so that development texts can be held against them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import yaml

from policy_faq.entry import load_entries
from policy_faq.outside import load_outside
from sms_gateway.settings import ROOT
from sms_gateway.triage.train import read_all
from texts.normalise import normalise


@lru_cache(maxsize=1)
def training_texts() -> tuple[str, ...]:
    """Triage examples, NLU examples, the handbook's wordings and questions, the texts outside it; each once."""
    found = [example.text for example in read_all()]
    for path in sorted((ROOT / "bot" / "data" / "nlu").glob("*.yml")):
        for block in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            lines = str(block.get("examples", "")).splitlines()
            found += [line.strip()[2:].strip() for line in lines if line.strip().startswith("- ")]
    found += [wording for entry in load_entries() for wording in entry.wordings]
    found += [*load_outside(), *texts_of(ROOT / "policy_faq" / "questions.jsonl")]
    return tuple(dict.fromkeys(found))


def texts_of(file: Path) -> Iterator[str]:
    """The texts of a file of JSON lines; none when it is not there."""
    if file.is_file():
        yield from (json.loads(line)["text"] for line in file.read_text(encoding="utf-8").splitlines() if line.strip())


@lru_cache(maxsize=4)
def plain(texts: tuple[str, ...]) -> list[str]:
    """The texts in the form that words are looked for in."""
    return [normalise(text) for text in texts]


class Copies:
    """Which texts stand among the training texts, but for how they were typed."""

    def __init__(self) -> None:
        self._known = frozenset(plain(training_texts()))

    def __contains__(self, text: object) -> bool:
        return isinstance(text, str) and normalise(text) in self._known
