"""`/metrics` for Prometheus: with the token where one is set, else from this very machine only. Nobody else learns that it is there."""

from __future__ import annotations

import hmac
from ipaddress import ip_address

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from sms_gateway.errors import NotFound
from sms_gateway.seeing.metrics import Board
from sms_gateway.settings import get_settings

router = APIRouter(include_in_schema=False)

PASSED_ON = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")
"""What a proxy adds: whoever stands behind one is not this machine, whatever address the connection has."""
LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """The figures, or 404."""
    if not _is_allowed(request):
        raise NotFound
    board: Board = request.app.state.metrics
    return Response(await board.exposition(), media_type=CONTENT_TYPE_PLAIN_0_0_4)


def _is_allowed(request: Request) -> bool:
    token = get_settings().metrics_token
    if token is not None:
        given = request.headers.get("authorization", "").encode("utf-8", "replace")
        return hmac.compare_digest(given, f"Bearer {token.get_secret_value()}".encode())
    if any(name in request.headers for name in PASSED_ON):
        return False
    host = request.headers.get("host", "")
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    return name in LOCAL_NAMES and request.client is not None and _is_loopback(request.client.host)


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
