"""The trained model, as Rasa loads it."""

from __future__ import annotations

import os
from typing import Any

import pytest


@pytest.fixture(scope="session")
def model() -> str:
    """The path of the trained model, given by whoever starts these tests."""
    return os.environ["HOTLINE_TEST_MODEL"]


@pytest.fixture(scope="session")
def agent(model: str) -> Any:
    from rasa.core.agent import Agent

    return Agent.load(model)
