"""Who calls the API: the unit behind the bearer key. Every route of the API asks here; without a key there is nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.database import transaction
from sms_gateway.departments import units
from sms_gateway.operators import api_keys, presence
from sms_gateway.operators.api_keys import KeyIsMissing
from sms_gateway.seeing import refusals
from sms_gateway.tickets.actors import Actor, of_unit

bearer = HTTPBearer(auto_error=False, description="`hotline api-key add` 给的令牌")


@dataclass(frozen=True)
class Caller:
    """A key and its unit."""

    key_id: int
    name: str
    unit: units.Unit

    @property
    def actor(self) -> Actor:
        """As events name it."""
        return of_unit(self.unit.code)


async def find_caller(given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> Caller:
    """The caller; raises `KeyIsMissing` (401) for no key, a wrong one, one that was ended."""
    try:
        if given is None:
            raise KeyIsMissing
        async with transaction() as session:
            key = await api_keys.find(session, given.credentials)
            found = (key.id, key.name, key.unit)
    except KeyIsMissing:
        refusals.note("api_key")
        raise
    return Caller(found[0], found[1], units.get_unit(found[2]))


async def note(session: AsyncSession, caller: Caller, what: str, subject: str) -> None:
    """An audit row in this key's own chain: a system's reads and writes are kept as a person's are."""
    await presence.note(session, operator_id=None, what=what, subject=subject, stream=f"key:{caller.key_id}")


Called = Annotated[Caller, Depends(find_caller)]
