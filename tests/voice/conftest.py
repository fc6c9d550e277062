"""A gateway whose make-believe exchange calls back into it: driver, exchange and door are the real ones, without sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from sms_gateway.carriers.simulator import access_token
from sms_gateway.platforms import telephones
from sms_gateway.platforms.make_believe_telephone import MakeBelieveTelephone
from sms_gateway.settings import get_settings
from sms_gateway.simulator.exchange import Exchange
from tests.gateway_client import HOST, app, gateway, real_logs

__all__ = ["app", "gateway", "real_logs"]


class Phones(Exchange):
    """The exchange, and waiting until it has said everything."""

    async def settle(self) -> None:
        while self._running:
            await asyncio.gather(*self._running)

    def ringing(self, purpose: str) -> str:
        """The id of the newest call of that purpose that is not over."""
        return next(
            call.id for call in reversed(self._calls.values()) if call.purpose == purpose and not is_over(call.status)
        )

    def purposes(self) -> list[str]:
        return [call.purpose for call in self._calls.values()]


def is_over(status: str) -> bool:
    return status in ("completed", "busy", "no-answer", "failed", "canceled")


@pytest.fixture
async def phones(app: FastAPI) -> AsyncIterator[Phones]:
    inside = httpx.ASGITransport(app, client=("127.0.0.1", 5555))
    made = Phones(get_settings(), transport=inside)
    app.state.exchange = made
    telephones.use(MakeBelieveTelephone(url=HOST, token=access_token(get_settings()), transport=inside))
    yield made
    await made.aclose()
    await telephones.close()
