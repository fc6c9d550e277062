"""Fixed sayings that a classifier should not guess: a lone digit, "你是真人吗", "别告诉我爸妈" and the like.

They stand as `regex` entries in `bot/data/sayings.yml`, are looked for in the normalised text and set an intent of
their own. The ranking of the sixteen learned intents stays as it was.
"""

from __future__ import annotations

import json
import re
from re import Pattern
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, INTENT_NAME_KEY, PREDICTED_CONFIDENCE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from texts.normalise import normalise

_FILE = "sayings.json"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class SayingMatcher(IntentClassifier, GraphComponent):
    """Sets the intent named by the first matching saying, with confidence 1."""

    @classmethod
    def required_components(cls) -> list[type[Any]]:
        return []

    def __init__(self, model_storage: ModelStorage, resource: Resource) -> None:
        self._storage = model_storage
        self._resource = resource
        self._sayings: list[tuple[str, Pattern[str]]] = []

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SayingMatcher:
        return cls(model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        sayings = [(entry["name"], entry["pattern"]) for entry in training_data.regex_features]
        self._sayings = [(name, re.compile(pattern)) for name, pattern in sayings]
        with self._storage.write_to(self._resource) as folder:
            (folder / _FILE).write_text(json.dumps(sayings, ensure_ascii=False), encoding="utf-8")
        return self._resource

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> SayingMatcher:
        found = cls(model_storage, resource)
        with model_storage.read_from(resource) as folder:
            sayings = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        found._sayings = [(name, re.compile(pattern)) for name, pattern in sayings]
        return found

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            name = self._recognise(message.get(TEXT) or "")
            if name is not None:
                message.set(INTENT, {INTENT_NAME_KEY: name, PREDICTED_CONFIDENCE_KEY: 1.0}, add_to_output=True)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        # Examples keep the intent they were written for.
        return training_data

    def _recognise(self, text: str) -> str | None:
        plain = normalise(text)
        return next((name for name, pattern in self._sayings if pattern.search(plain)), None)
