"""The make-believe exchange's edge: it asks the simulator door to let a phone ring, as any exchange's client would."""

from __future__ import annotations

import httpx

from sms_gateway.carriers.simulator import SIGNATURE_HEADER, access_token, is_genuine, secret, sign
from sms_gateway.settings import Settings

from .telephone import ExchangeDidNotAnswer, ExchangeIsBusy, ExchangeRefused, Order

__all__ = ["SIGNATURE_HEADER", "MakeBelieveTelephone", "is_genuine", "secret", "sign"]


class MakeBelieveTelephone:
    """Places calls at the simulator door over HTTP."""

    name = "simulator"

    def __init__(self, *, url: str, token: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._http = httpx.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=httpx.Timeout(10, connect=2),
            trust_env=False, transport=transport,
        )  # fmt: skip

    @classmethod
    def from_settings(cls, settings: Settings) -> MakeBelieveTelephone:
        """To this machine's own gateway."""
        return cls(url=settings.gateway_url, token=access_token(settings))

    async def call(self, order: Order) -> str:
        """Let a make-believe phone ring; returns the id of the call. Raises `TelephoneError`."""
        wanted: dict[str, object] = {"to": order.to, "reference": order.reference, "purpose": order.purpose, "ring_seconds": order.ring_seconds}  # fmt: skip
        answer = await self._post("/simulator/telephone/calls", wanted)
        return str(answer.json()["id"])

    async def hang_up(self, exchange_id: str) -> None:
        """End a call. Raises `TelephoneError`."""
        await self._post(f"/simulator/telephone/calls/{exchange_id}/end", {})

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _post(self, path: str, content: dict[str, object]) -> httpx.Response:
        try:
            answer = await self._http.post(path, json=content)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            raise ExchangeIsBusy("no_connection") from None
        except httpx.HTTPError:
            raise ExchangeDidNotAnswer("no_answer") from None
        if answer.is_success:
            return answer
        if answer.status_code in (429, 503):
            raise ExchangeIsBusy(str(answer.status_code))
        if answer.status_code >= 500:
            raise ExchangeDidNotAnswer(str(answer.status_code))
        raise ExchangeRefused(str(answer.status_code))
