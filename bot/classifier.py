"""The intent classifier: logistic regression over centred e5 vectors and character n-grams.

Rasa's own LogisticRegressionClassifier has no setting for its strength and takes the features as they come: all e5
vectors lie close together (cosine above 0.8), so their differences drown. Centring and scaling them took the macro-F1
of five folds from 0.66 to 0.84 on the first 720 examples, from 0.81 to 0.86 on 6,861 (`bot/README.md` has the table).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.nlu.featurizers.featurizer import Featurizer
from rasa.shared.nlu.constants import INTENT, INTENT_NAME_KEY, PREDICTED_CONFIDENCE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.sparse import csr_matrix, hstack, vstack

Matrix = NDArray[np.float32]
_WEIGHTS = "weights.npz"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class CentredClassifier(IntentClassifier, GraphComponent):
    """Ranks all intents with probabilities that sum to 1.

    Settings: `C` (inverse strength of the penalty), `dense_scale` (the centred vectors are multiplied by it),
    `sparse_scale` (length of the row of n-grams), `ranking_length` (intents kept on the turn).
    """

    @classmethod
    def required_components(cls) -> list[type[Any]]:
        return [Featurizer]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"C": 1.0, "dense_scale": 8.0, "sparse_scale": 6.0, "ranking_length": 16, "max_iter": 200}

    def __init__(self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource) -> None:
        self._config = {**self.get_default_config(), **config}
        self._storage = model_storage
        self._resource = resource
        self._names: list[str] = []
        self._mean: Matrix = np.zeros((1, 0), dtype=np.float32)
        self._weights: Matrix = np.zeros((0, 0), dtype=np.float32)
        self._offsets: Matrix = np.zeros(0, dtype=np.float32)

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> CentredClassifier:
        return cls(config, model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        from sklearn.linear_model import LogisticRegression

        examples = [m for m in training_data.intent_examples if m.get(INTENT) and m.get(TEXT)]
        counts, vectors = _features(examples)
        self._mean = vectors.mean(axis=0, keepdims=True)
        model = LogisticRegression(C=self._config["C"], class_weight="balanced", max_iter=self._config["max_iter"])
        model.fit(self._joined(counts, vectors), [m.get(INTENT) for m in examples])
        self._names = [str(name) for name in model.classes_]
        self._weights = model.coef_.T.astype(np.float32)
        self._offsets = model.intercept_.astype(np.float32)
        self._persist()
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            if self._names and message.get(TEXT):
                ranking = self._rank(message)
                message.set(INTENT, ranking[0], add_to_output=True)
                message.set("intent_ranking", ranking[: self._config["ranking_length"]], add_to_output=True)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        self.process(training_data.training_examples)
        return training_data

    def _rank(self, message: Message) -> list[dict[str, Any]]:
        counts, vectors = _features([message])
        there, width = counts.indices, counts.shape[1]
        # The same sum as `_joined(…) @ weights`, read off the few rows that count: matrices of one row are slow.
        scores = (vectors[0] - self._mean[0]) @ self._weights[width:] * self._config["dense_scale"] + self._offsets
        if len(there):
            scores = scores + self._weights[there].sum(axis=0) * (self._config["sparse_scale"] / np.sqrt(len(there)))
        odds = np.exp(scores - scores.max())
        shares = odds / odds.sum()
        best_first = np.argsort(-shares)
        return [{INTENT_NAME_KEY: self._names[i], PREDICTED_CONFIDENCE_KEY: float(shares[i])} for i in best_first]

    def _joined(self, counts: csr_matrix, vectors: Matrix) -> csr_matrix:
        present = counts.sign()  # whether an n-gram is there, not how often: people repeat themselves
        lengths = np.sqrt(np.asarray(present.sum(axis=1)))
        scaled = present.multiply(self._config["sparse_scale"] / np.maximum(lengths, 1e-6))
        centred = (vectors - self._mean) * self._config["dense_scale"]
        return csr_matrix(hstack([csr_matrix(scaled), csr_matrix(centred)]))

    def _persist(self) -> None:
        with self._storage.write_to(self._resource) as folder:
            np.savez(
                folder / _WEIGHTS,
                names=np.array(self._names),
                mean=self._mean,
                weights=self._weights,
                offsets=self._offsets,
            )

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> CentredClassifier:
        found = cls(config, model_storage, resource)
        with model_storage.read_from(resource) as folder, np.load(folder / _WEIGHTS, allow_pickle=False) as kept:
            found._names = [str(name) for name in kept["names"]]
            found._mean, found._weights, found._offsets = kept["mean"], kept["weights"], kept["offsets"]
        return found


def _features(messages: list[Message]) -> tuple[csr_matrix, Matrix]:
    """Sentence counts (n, vocabulary) and sentence vectors (n, 384)."""
    counts = [_sentence(message.get_sparse_features(TEXT)[1]) for message in messages]
    vectors = [_sentence(message.get_dense_features(TEXT)[1]) for message in messages]
    return csr_matrix(vstack(counts)), np.vstack(vectors).astype(np.float32)


def _sentence(features: Any | None) -> Any:
    if features is None:
        raise ValueError("the pipeline needs CountVectorsFeaturizer and E5Featurizer before this classifier")
    return features.features
