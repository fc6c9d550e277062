"""Schemathesis against the API's own description: whatever fits it, or nearly fits it, gets an answer the description names."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest
import schemathesis
import uvicorn
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.modes import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_schema_conformance,
    status_code_conformance,
)

from sms_gateway.api import door
from tests.browser.conftest import free_port

from .matters import EDU, dispatched, give_key

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
    ignored_auth,
]  # fmt: skip
EXAMPLES = 25


@pytest.fixture
async def address(app: FastAPI) -> AsyncIterator[str]:
    """The gateway on a real socket."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await serving


def _walk(address: str, headers: dict[str, str], numbers: list[str]) -> tuple[set[str], Counter[tuple[str, int]]]:
    """Call every operation with data that fits and data that does not; what was called, and what came back."""
    schema = schemathesis.openapi.from_dict(door.description())
    answers: Counter[tuple[str, int]] = Counter()
    operations = [result.ok() for result in schema.get_all_operations()]
    for operation in operations:
        for mode in GenerationMode:
            _call_many(operation, mode, address, headers, numbers, answers)
    return {operation.label for operation in operations}, answers


def _call_many(
    operation: schemathesis.APIOperation, mode: GenerationMode, address: str, headers: dict[str, str], numbers: list[str],
    answers: Counter[tuple[str, int]],
) -> None:  # fmt: skip
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def call(case: schemathesis.Case) -> None:
        if mode is GenerationMode.POSITIVE and "number" in case.path_parameters:  # a ticket there really is
            case.path_parameters["number"] = numbers[answers.total() % len(numbers)]
        response = case.call_and_validate(base_url=address, headers=headers, checks=CHECKS, timeout=20)
        answers[operation.label, response.status_code] += 1
        # Schemathesis' own check for this also counts a key that it took away and that we put back.
        body = case.meta.components.get(ParameterLocation.BODY) if case.meta else None
        assert body is None or body.mode is GenerationMode.POSITIVE or response.status_code >= 400

    call()


@pytest.mark.timeout(900)
async def test_every_endpoint_answers_what_its_description_says(address: str) -> None:
    headers = await give_key(EDU)
    numbers = [(await dispatched())[1] for _ in range(4)]
    called, answers = await asyncio.to_thread(_walk, address, headers, numbers)
    described = {
        f"{method.upper()} {path}" for path, methods in door.description()["paths"].items() for method in methods
    }
    assert called == described and len(described) >= 16
    reached = {label for label, status in answers if status not in (401, 404, 405, 422)}
    files = {label for label in described if "attachment" in label}  # reached with real files in test_departments.py
    assert reached >= described - files
    assert not [status for _label, status in answers if status >= 500]
