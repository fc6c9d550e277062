"""The action server: rasa-sdk's executor behind a door of our own.

rasa-sdk's own app repeats the whole call, texts included, in its answer to an error, and serves anybody. Here a caller
shows the shared secret, a turn whose deadline is over is refused, a running one is stopped at its deadline (its
transaction is rolled back), and an error's answer and log carry the action's name only.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from typing import Any

from rasa_sdk.executor import ActionExecutor
from sanic import Sanic
from sanic.exceptions import SanicException
from sanic.request import Request
from sanic.response import HTTPResponse, json

from sms_gateway import logs, tracing
from sms_gateway.database import dispose

from . import handbook
from .registry import all_actions
from .turn import deadline_of, metadata_of

log = logs.get("actions")

HEADER = "X-Hotline-Secret"
LONGEST = 60.0
"""Seconds an action may take when the call names no deadline."""


def make_app(secret: str) -> Sanic[Any, Any]:
    """The app with all actions; `secret` is what callers must send in `X-Hotline-Secret`."""
    app = Sanic("hotline_actions", configure_logging=False)
    executor = ActionExecutor()
    for action in all_actions():
        executor.register_action(action)

    @app.get("/health")
    async def health(_request: Request) -> HTTPResponse:
        return json({"status": "ok"})

    @app.post("/webhook")
    async def webhook(request: Request) -> HTTPResponse:
        given = request.headers.get(HEADER, "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, secret.encode()):
            return json({"error": "wrong_secret"}, status=401)
        try:
            call = request.json
        except SanicException:
            call = None
        if not isinstance(call, dict):
            return json({"error": "not_a_call"}, status=400)
        with tracing.within(metadata_of(call).get(tracing.NAME)):
            return await _run(executor, call)

    @app.after_server_start
    async def follow(_app: Sanic[Any, Any]) -> None:
        app.ctx.following = asyncio.create_task(handbook.live_handbook().follow(), name="handbook")

    @app.after_server_stop
    async def close(_app: Sanic[Any, Any]) -> None:
        app.ctx.following.cancel()
        await asyncio.gather(app.ctx.following, return_exceptions=True)
        await dispose()

    return app


async def _run(executor: ActionExecutor, call: dict[str, Any]) -> HTTPResponse:
    name = str(call.get("next_action"))
    if name not in executor.actions:
        return json({"error": "no_such_action"}, status=404)
    deadline = deadline_of(call)
    left = LONGEST if deadline is None else deadline - time.time()
    if left <= 0:
        log.warning("turn_over", action=name)
        return json({"error": "turn_over"}, status=410)
    try:
        async with asyncio.timeout(left):
            # No action of ours reads the domain, so Rasa does not send it; the executor insists on one.
            result = await executor.run({"domain": {}, **call})
    except TimeoutError:
        log.warning("action_late", action=name)
        return json({"error": "action_late"}, status=504)
    except Exception:  # whatever it was: the turn fails, a person takes over
        log.exception("action_failed", action=name)
        return json({"error": "action_failed"}, status=500)
    log.info("action_ran", action=name)
    return json(result.model_dump() if result else {"events": [], "responses": []})
