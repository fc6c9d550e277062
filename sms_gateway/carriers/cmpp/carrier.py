"""A domestic line as the other processes see it: texts go to the line's own process, which holds the connections to the gateway.

CMPP carries no reference of ours, so nothing can be asked of the gateway afterwards: `find` knows what that process still
remembers, else nobody can say, and the text stays `unknown` until a report fits it.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from typing import Final

import httpx

from sms_gateway.carriers.carrier import CarrierRefused, Found
from sms_gateway.carriers.door_client import DoorClient
from sms_gateway.settings import Settings

PATH: Final = "/line/texts"
MOST_AT_ONCE: Final = 100
"""Texts in a request at most."""
SECONDS_AT_ONCE: Final = 0.5
"""And no more than leave in so long: a pause of a broadcast takes hold between two requests."""
ANSWER_SECONDS: Final = 130.0
"""Beyond what the line itself may take: a place on the wire and the gateway's 60 s."""


def access_token(settings: Settings) -> str:
    """What the line's door asks of whoever hands it a text. Raises `CarrierRefused` without a key to draw it from."""
    key = settings.make_believe_key
    if key is None:
        raise CarrierRefused("not_configured")
    return hmac.new(key, b"domestic line", hashlib.sha256).hexdigest()


class CmppCarrier(DoorClient):
    """Hands texts to the process of one line over loopback; one alone goes before all that come many at once."""

    echoes_reference = False

    def __init__(
        self,
        *,
        name: str,
        url: str,
        token: str,
        segments_per_second: float = 200.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(url=url, token=token, path=PATH, seconds=ANSWER_SECONDS, transport=transport)
        self.name = name
        self.most_at_once = max(1, min(MOST_AT_ONCE, int(segments_per_second * SECONDS_AT_ONCE)))

    @classmethod
    def from_settings(cls, settings: Settings, name: str) -> CmppCarrier:
        """As `HOTLINE_CMPP_…` say. Raises `CarrierRefused` where the line is not set up on this machine."""
        line = settings.domestic.get(name)
        if line is None:
            raise CarrierRefused("not_configured")
        return cls(
            name=name, url=line.door_url, token=access_token(settings), segments_per_second=line.segments_per_second
        )  # fmt: skip

    async def find(self, *, to: str, body: str, reference: int, since: datetime) -> tuple[Found, str | None]:  # noqa: ARG002  # the reference is enough
        """What the line remembers of that reference: accepted and under which id, or nothing, which proves nothing."""
        answer = await self._call("GET", PATH, params={"reference": reference})
        found = answer.get("id")
        return (Found.SENT, found) if isinstance(found, str) else (Found.CANNOT_SAY, None)
