"""Who gets events pushed: added, paused, resumed, given a new secret. The URL's host is looked up when pushing, not here."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.departments.categories import get_category
from sms_gateway.departments.units import get_unit
from sms_gateway.errors import BadInput, Conflict, NotFound
from sms_gateway.settings import get_settings

from . import targets
from .models import Subscription

SECRET_BYTES = 32
NAME_LONGEST = 60
URL_LONGEST = 500


class SubscriptionNotFound(NotFound):
    sentence = "没有这个订阅。"


class SubscriptionIsAlreadyThere(Conflict):
    sentence = "这个单位已经有推送到这个地址的订阅了。"


class SubscriptionNameIsWrong(BadInput):
    sentence = f"请给订阅写个名字，不超过 {NAME_LONGEST} 个字。"


async def add(
    session: AsyncSession, *, unit: str, name: str, url: str, categories: Sequence[str] | None = None,
    created_by: int | None = None,
) -> tuple[Subscription, str]:  # fmt: skip
    """A subscription from now on, and its secret (`whsec_…`), which is shown this once.

    `categories`: codes of categories.yml, None for all the unit may see. Raises `UnitNotFound`, `UnitCodeMalformed`,
    `CategoryNotFound`, `TargetNotAllowed`, `SubscriptionNameIsWrong`, `SubscriptionIsAlreadyThere`.
    """
    found_unit, name = get_unit(unit), name.strip()
    if not 0 < len(name) <= NAME_LONGEST:
        raise SubscriptionNameIsWrong
    if len(url) > URL_LONGEST:
        raise targets.TargetNotAllowed
    targets.check_target(targets.read_url(url), targets.Allowed.parse(get_settings().push_private_targets))
    for code in categories or ():
        get_category(code)
    again = select(Subscription.id).where(Subscription.unit == found_unit.code, Subscription.url == url)
    if await session.scalar(again) is not None:
        raise SubscriptionIsAlreadyThere
    secret = new_secret_text()
    subscription = Subscription(
        unit=found_unit.code, name=name, url=url, secret=secret, categories=list(categories) if categories else None,
        created_at=clock.now(), created_by=created_by,
    )  # fmt: skip
    session.add(subscription)
    await session.flush()
    return subscription, secret


def new_secret_text() -> str:
    """As Standard Webhooks write one: 24 to 64 random bytes in base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


async def get_subscription(session: AsyncSession, subscription_id: int) -> Subscription:
    """Raises `SubscriptionNotFound`. The row is locked."""
    found = await session.scalar(select(Subscription).where(Subscription.id == subscription_id).with_for_update())
    if found is None:
        raise SubscriptionNotFound
    return found


async def pause(session: AsyncSession, *, subscription_id: int, reason: str = "asked") -> None:
    """Send nothing more; what happens meanwhile is kept for when it goes on. Raises `SubscriptionNotFound`."""
    subscription = await get_subscription(session, subscription_id)
    subscription.active, subscription.paused_reason = False, reason


async def pause_all(session: AsyncSession, *, reason: str) -> list[int]:
    """Send nothing more to anybody; the ids of those that were active. Each is resumed by itself."""
    active = update(Subscription).where(Subscription.active).values(active=False, paused_reason=reason)
    return list(await session.scalars(active.returning(Subscription.id)))


async def resume(session: AsyncSession, *, subscription_id: int) -> None:
    """Go on where it stood, at once. Raises `SubscriptionNotFound`."""
    subscription = await get_subscription(session, subscription_id)
    subscription.active, subscription.paused_reason = True, None
    subscription.next_at, subscription.failures = None, 0


async def renew_secret(session: AsyncSession, *, subscription_id: int) -> str:
    """A new secret, shown this once; the old one is void at once. Raises `SubscriptionNotFound`.

    Until the subscriber knows it, it refuses our pushes; they wait and lose nothing.
    """
    subscription = await get_subscription(session, subscription_id)
    subscription.secret = secret = new_secret_text()
    return secret
