"""What is done beside the pages: old tries, links and sessions are forgotten."""

from __future__ import annotations

from sms_gateway.database import transaction

from . import signin, tries


async def sweep() -> None:
    """Once an hour is often enough; any number of workers may."""
    async with transaction() as session:
        await tries.forget_old(session)
        await signin.forget_old(session)
