"""The handbook of the repo, loaded once."""

from __future__ import annotations

import pytest

from policy_faq import Handbook


@pytest.fixture(scope="session")
def handbook(tmp_path_factory: pytest.TempPathFactory) -> Handbook:
    return Handbook.load(cache=tmp_path_factory.mktemp("handbook") / "passages.npz")
