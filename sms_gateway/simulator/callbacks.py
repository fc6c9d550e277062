"""The make-believe carrier's way to the gateway: signed HTTP callbacks, a text's or a receipt's, or many receipts at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import urlencode

import httpx

from sms_gateway import clock
from sms_gateway.carriers import simulator
from sms_gateway.settings import Settings

TEXTS = "/carriers/simulator/sms"
RECEIPT = "/carriers/simulator/status"
RECEIPTS = "/carriers/simulator/receipts"
FORM = "application/x-www-form-urlencoded"
CONNECTIONS = 64


class Callbacks:
    """Posts to the gateway's webhooks. `http`: an `httpx` client whose base is the gateway."""

    def __init__(self, settings: Settings, http: httpx.AsyncClient | None = None) -> None:
        self._key = simulator.secret(settings)
        limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
        self._http = http or httpx.AsyncClient(
            base_url=settings.gateway_url, timeout=10, trust_env=False, limits=limits
        )

    async def post_form(self, path: str, form: dict[str, str]) -> int:
        """The answer's status, 0 without an answer."""
        body = urlencode(form, encoding="utf-8", errors="replace").encode()
        return await self._post(path, body, FORM)

    async def post_many(self, receipts: Sequence[dict[str, str]]) -> int:
        """Up to 500 receipts in one request; as `post_form`."""
        return await self._post(RECEIPTS, json.dumps(receipts).encode(), "application/json")

    async def _post(self, path: str, body: bytes, kind: str) -> int:
        signature = simulator.sign(self._key, path=path, body=body, at=clock.now())
        headers = {"Content-Type": kind, simulator.SIGNATURE_HEADER: signature}
        try:
            return (await self._http.post(path, content=body, headers=headers)).status_code
        except httpx.HTTPError:
            return 0

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()
