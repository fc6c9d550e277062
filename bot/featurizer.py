"""The pipeline's dense features: the text's e5 vector, taken from the turn when the front door has made it already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.constants import FEATURIZER_CLASS_ALIAS
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from texts.embedding import embed, unpack_base64

from .example_vectors import vectors_of

if TYPE_CHECKING:
    from texts.embedding import Vector


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class E5Featurizer(DenseFeaturizer, GraphComponent):
    """Adds the (1, 384) sentence vector of a text.

    At a turn the vector comes in `metadata['e5']` (base64 float16, `texts.embedding.pack_base64`): embedding a text
    costs about 1 ms a token, so it is done once, when the text is judged. Without it, or when it is broken, the text
    is embedded here.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return dict(DenseFeaturizer.get_default_config())

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> E5Featurizer:
        return cls(execution_context.node_name, config)

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """There is nothing to set."""

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            if message.get(TEXT):
                self._add(message, _passed_vector(message))
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        # Rasa checks this signature by its parameter's name and its hints.
        examples = [message for message in training_data.training_examples if message.get(TEXT)]
        vectors = vectors_of([message.get(TEXT) for message in examples])
        for message in examples:
            self._add(message, vectors[message.get(TEXT)])
        return training_data

    def _add(self, message: Message, vector: Vector) -> None:
        row = np.asarray(vector, dtype=np.float32).reshape(1, -1)
        message.add_features(Features(row, FEATURE_TYPE_SENTENCE, TEXT, self._config[FEATURIZER_CLASS_ALIAS]))


def _passed_vector(message: Message) -> Vector:
    packed = (message.get("metadata") or {}).get("e5")
    if isinstance(packed, str):
        try:
            return unpack_base64(packed)
        except ValueError:
            pass
    return embed(message.get(TEXT))
