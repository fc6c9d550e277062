"""Makes `data/category-vectors.npz` anew after the words of a category changed: `python -m sms_gateway.departments.category_vectors`."""

from __future__ import annotations

from hashlib import sha256

import numpy as np

from .categories import Category, load
from .units import DATA

FILE = DATA / "category-vectors.npz"


def told_by() -> str:
    """Fingerprint of every name and phrase the vectors are made of; stored with them, so that a test sees old ones."""
    told = "\n".join(f"{category.code} {' '.join(phrases(category))}" for category in load().categories.values())
    return sha256(told.encode()).hexdigest()


def phrases(category: Category) -> tuple[str, ...]:
    return (*category.words, category.name)


def make() -> None:
    """Embed each phrase, one direction of mean length 1 for each category: 55 × 384, float16. Takes about 15 seconds."""
    from texts.embedding import embed

    means = [np.mean([embed(phrase) for phrase in phrases(c)], axis=0) for c in load().categories.values()]
    centres = np.stack([mean / np.linalg.norm(mean) for mean in means]).astype("<f2")
    np.savez(FILE, codes=np.array(list(load().categories)), centres=centres, told_by=np.array(told_by()))


if __name__ == "__main__":
    make()
