"""The console's cookies: out of reach of scripts and other sites, and in production of this host's neighbours (`__Host-`)."""

from __future__ import annotations

from datetime import timedelta

from fastapi import Request, Response

from sms_gateway.operators import signin, tries
from sms_gateway.settings import get_settings

SESSION = "hotline_console"
STEP = "hotline_step"
"""A sign-in that still waits for a code or a new password."""
DEVICE = "hotline_device_"
DEVICE_LASTS = timedelta(days=365)


def named(name: str) -> str:
    """The cookie's whole name. `__Host-`: browsers take it over https only, for this host and all of it."""
    return f"__Host-{name}" if get_settings().production else name


def read(request: Request, name: str) -> str | None:
    """A token of ours, or None for what cannot be one."""
    found = request.cookies.get(named(name))
    return found if found and len(found) <= 200 and found.isascii() else None


def give(answer: Response, name: str, value: str, lasts: timedelta) -> None:
    """Set it."""
    answer.set_cookie(
        named(name), value, httponly=True, samesite="strict", secure=get_settings().production, path="/",
        max_age=int(lasts.total_seconds()),
    )  # fmt: skip


def take_away(answer: Response, name: str) -> None:
    """Remove it."""
    answer.delete_cookie(named(name), httponly=True, samesite="strict", secure=get_settings().production, path="/")


def remember(answer: Response, token: str) -> None:
    """Give the browser its session."""
    give(answer, SESSION, token, signin.SESSION_ENDS_AFTER)


def forget(answer: Response) -> None:
    """Take the session away from the browser."""
    take_away(answer, SESSION)


def device(request: Request, login: str) -> str | None:
    """The name of this browser, if this account has signed in from it before."""
    return tries.checked_device(login, read(request, DEVICE + tries.device_name(login)))


def know_device(request: Request, answer: Response, login: str) -> None:
    """From now on this browser has tries of its own for that account; its name stays the same."""
    if device(request, login) is None:
        give(answer, DEVICE + tries.device_name(login), tries.new_device(login), DEVICE_LASTS)
