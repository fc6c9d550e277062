"""Who is writing on the web: a random token in a signed session cookie, and nothing else."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from functools import lru_cache

from fastapi import Request, Response
from itsdangerous import BadSignature, Signer

from sms_gateway import clock
from sms_gateway.settings import Settings, get_settings

COOKIE = "talk"
VALID_FOR = timedelta(hours=24)
"""A form's draft lives as long (PRACTICE section 6); the browser forgets the cookie when it is closed."""

TOKEN_BYTES = 24


@lru_cache(maxsize=2)
def _signer(key: str) -> Signer:
    return Signer(key, salt="hotline.webchat")


def signer(settings: Settings) -> Signer:
    """Signs with `HOTLINE_SESSION_KEY`."""
    if settings.session_key is None:
        raise SystemExit("没有 HOTLINE_SESSION_KEY：用 make run 启动会自动生成，或按 .env.example 设置。")
    return _signer(settings.session_key.get_secret_value())


def new_token() -> str:
    """A visitor's address: 24 random bytes as text."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def cookie_value(token: str, *, at: datetime, key: Signer) -> str:
    """What the cookie holds: token, time of issue, signature."""
    return key.sign(f"{token}.{int(at.timestamp())}").decode()


def read_cookie(value: str | None, *, at: datetime, key: Signer) -> str | None:
    """The token of a genuine cookie that is not too old."""
    if not value or len(value) > 200:
        return None
    try:
        token, _, issued = key.unsign(value).decode().partition(".")
    except (BadSignature, UnicodeDecodeError):
        return None
    age = at.timestamp() - int(issued)
    return token if -60 <= age <= VALID_FOR.total_seconds() else None


def find_visitor(request: Request) -> str | None:
    """The token this browser carries, if any."""
    return read_cookie(request.cookies.get(COOKIE), at=clock.now(), key=signer(get_settings()))


def remember(response: Response, token: str) -> None:
    """Let this browser carry `token` until it is closed."""
    settings = get_settings()
    value = cookie_value(token, at=clock.now(), key=signer(settings))
    response.set_cookie(COOKIE, value, path="/chat", httponly=True, samesite="lax", secure=settings.production)


def forget(response: Response) -> None:
    """Let this browser carry nothing any more, and keep nothing of the page."""
    response.delete_cookie(COOKIE, path="/chat", httponly=True, samesite="lax", secure=get_settings().production)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
