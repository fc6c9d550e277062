"""The edge to subscribers: one signed POST, to allowed addresses only. Answers are read as far as their status.

The address is checked after the look-up, and the connection goes to the very address that was checked, so a name that
changes its mind in between gains nothing. Redirects are not followed, proxies of the environment not used.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult

from .pace import Answer
from .targets import Allowed, TargetNotAllowed, check_address, check_target, read_url

ANSWER_WITHIN_SECONDS = 10.0
"""For a whole try; the lease of `ledger` is three times as long."""
CONNECT_WITHIN_SECONDS = 5.0


class GuardedResolver(AbstractResolver):
    """Looks a host up; raises `TargetNotAllowed` when any of its addresses may not be connected to."""

    def __init__(self, allowed: Allowed, beneath: AbstractResolver | None = None) -> None:
        self._allowed, self._beneath = allowed, beneath or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._beneath.resolve(host, port, family)
        for each in found:  # a host with one forbidden address is not to be trusted with its good ones either
            check_address(host, port, each["host"], self._allowed)
        return found

    async def close(self) -> None:
        await self._beneath.close()


class Sender:
    """Kept connections to all subscribers. Made and closed inside a running loop."""

    def __init__(
        self, allowed: Allowed, *, resolver: AbstractResolver | None = None, within: float = ANSWER_WITHIN_SECONDS,
        ca_file: str | None = None,
    ) -> None:  # fmt: skip
        """`ca_file`: whom to trust instead of the machine's list (intranets have certificates of their own)."""
        self._allowed = allowed
        trust = ssl.create_default_context(cafile=ca_file)
        self._session = ClientSession(
            connector=TCPConnector(
                resolver=GuardedResolver(allowed, resolver), use_dns_cache=False, ssl=trust, limit=100, limit_per_host=8
            ),
            timeout=ClientTimeout(total=within, sock_connect=CONNECT_WITHIN_SECONDS),
            cookie_jar=DummyCookieJar(),
            headers={"user-agent": "yunnan-12345-hotline"},
            trust_env=False,
            auto_decompress=False,
        )

    async def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        """One try. Never raises for what the other side does."""
        try:
            check_target(read_url(url), self._allowed)
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as response:
                status = response.status
        except TargetNotAllowed:
            return Answer("not_allowed")
        except TimeoutError:
            return Answer("timeout")
        except (ClientError, OSError, ValueError):
            return Answer("unreachable")
        return Answer("redirect" if 300 <= status < 400 else str(status))

    async def close(self) -> None:
        await self._session.close()
