"""Wrong tries to sign in, counted where every console process sees them, and forgotten again.

A try is taken from its budgets before the password is looked at and given back when it was right, so that a hundred tries sent at
once are no more than a hundred sent in turn. Rows name nobody: their keys are blind indexes.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import case, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.crypto import blind_index
from sms_gateway.errors import HotlineError

from .models import SignInTry
from .patience import FORGOTTEN_AFTER, FREE_FOR_ACCOUNT, FREE_FOR_ADDRESS, FREE_FOR_CODES, Budget, in_words, wait_after

PURPOSE = "sign-in tries"
DEVICE = "sign-in device"


class TooManyTries(HotlineError):
    status_code = 429
    way = "请值班长给你一个一次性登录链接"

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__(f"试得太多了，请等 {in_words(until - clock.now())}再试。着急进来，{self.way}。")


class TooManyCodes(TooManyTries):
    way = "请用一个备用码，或者用以前登录过的电脑"


def network_of(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 a household or office has of IPv6; other words as they are."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


def budgets(what: str, *, login: str, address: str, device: str | None, app_code: bool = False) -> Sequence[Budget]:
    """What one try for `what` (`password`, `code`) is taken from. `device`: the good device cookie of that account, if any.

    `app_code`: it is six digits, given after the right password; these share one budget of the account, from wherever they come.
    Recovery codes do not, nor does a known device, so that whoever guesses does not keep the owner out.
    """
    if device is not None:
        return (Budget(blind_index(f"{what}|{login}|device {device}", PURPOSE), FREE_FOR_ACCOUNT),)
    here = network_of(address)
    theirs = (Budget(blind_index(f"{what}|{login}|from anywhere", PURPOSE), FREE_FOR_CODES),) if app_code else ()
    return (
        Budget(blind_index(f"{what}|{login}|from {here}", PURPOSE), FREE_FOR_ACCOUNT),
        Budget(blind_index(f"{what}||from {here}", PURPOSE), FREE_FOR_ADDRESS),
        *theirs,
    )


async def take(session: AsyncSession, from_: Sequence[Budget]) -> None:
    """Take one try from each of these; commit it before the try is looked at. Raises `TooManyTries`, and then none is taken."""
    now = clock.now()
    for budget in sorted(from_, key=lambda one: one.key):  # always in one order: two tries never wait for each other
        stale = SignInTry.last_at < now - FORGOTTEN_AFTER
        fresh = insert(SignInTry).values(key=budget.key, failed=1, last_at=now)
        again = fresh.on_conflict_do_update(
            index_elements=[SignInTry.key], set_={"failed": case((stale, 1), else_=SignInTry.failed + 1), "last_at": now},
            where=func.coalesce(SignInTry.until, now) <= now,
        )  # fmt: skip
        failed = await session.scalar(again.returning(SignInTry.failed))
        if failed is None:
            until = await session.scalar(select(SignInTry.until).where(SignInTry.key == budget.key))
            raise TooManyTries(until or now)
        wait = wait_after(failed, budget.free)
        await session.execute(update(SignInTry).where(SignInTry.key == budget.key).values(until=now + wait))


async def give_back(session: AsyncSession, to: Sequence[Budget]) -> None:
    """The try was right: what is one browser's or address's for the account is full again, what is shared has this one try back."""
    await session.execute(
        delete(SignInTry).where(SignInTry.key.in_([one.key for one in to if one.free == FREE_FOR_ACCOUNT]))
    )
    shared = [one.key for one in to if one.free != FREE_FOR_ACCOUNT]
    await session.execute(
        update(SignInTry).where(SignInTry.key.in_(shared)).values(failed=func.greatest(SignInTry.failed - 1, 0))
    )  # fmt: skip


async def forget_old(session: AsyncSession) -> int:
    """Remove what no longer counts; how many rows."""
    old = delete(SignInTry).where(SignInTry.last_at < clock.now() - FORGOTTEN_AFTER)
    return len((await session.execute(old.returning(SignInTry.key))).all())


# ---- device cookies: https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies ----


def device_name(login: str) -> str:
    """The name of this account's device cookie: a desk is shared, so a browser keeps one for each."""
    return blind_index(login, DEVICE).hex()[:12]


def new_device(login: str) -> str:
    """A device cookie: a random name and our signature over it and the login."""
    nonce = secrets.token_hex(12)
    return f"{nonce}.{_signed(login, nonce)}"


def checked_device(login: str, cookie: str | None) -> str | None:
    """The device's name, if `cookie` is one of ours for `login`."""
    nonce, _, signature = (cookie or "").partition(".")
    if not signature.isascii() or not secrets.compare_digest(signature, _signed(login, nonce)):
        return None
    return nonce


def _signed(login: str, nonce: str) -> str:
    return blind_index(f"{login}|{nonce}", DEVICE).hex()
