"""How each line to a mainland carrier stands: its process writes a row every second or two, `/metrics` and the page 运行 read it."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Float, Integer, SmallInteger, String, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from . import clock
from .database import Base, transaction

ALIVE_WITHIN = timedelta(seconds=6)
KEPT_FOR = timedelta(minutes=5)


@dataclass(frozen=True)
class Standing:
    """A line now, and what it did since its process began. `rate`: segments a second it allows itself, None for no limit."""

    up: int
    wanted: int
    in_flight: int
    waiting: int
    rate: float | None
    submitted: int
    refused: int
    throttled: int
    unknown: int
    delivered: int
    trouble: str | None
    """A sentence of ours (`carriers.cmpp.words`), None while all is well."""


class CarrierLink(Base):
    """The last word of one process about its line."""

    __tablename__ = "carrier_links"

    carrier: Mapped[str] = mapped_column(String(16), primary_key=True)
    worker: Mapped[str] = mapped_column(String(80), primary_key=True)
    at: Mapped[datetime]
    up: Mapped[int] = mapped_column(SmallInteger)
    wanted: Mapped[int] = mapped_column(SmallInteger)
    in_flight: Mapped[int] = mapped_column(Integer)
    waiting: Mapped[int] = mapped_column(Integer)
    rate: Mapped[float | None] = mapped_column(Float)
    submitted: Mapped[int] = mapped_column(BigInteger)
    refused: Mapped[int] = mapped_column(BigInteger)
    throttled: Mapped[int] = mapped_column(BigInteger)
    unknown: Mapped[int] = mapped_column(BigInteger)
    delivered: Mapped[int] = mapped_column(BigInteger)
    trouble: Mapped[str | None] = mapped_column(String(120))


async def note(carrier: str, standing: Standing) -> None:
    """Write down how the line of this process stands."""
    values = {**vars(standing), "at": clock.now()}
    row = insert(CarrierLink).values(carrier=carrier, worker=f"{socket.gethostname()[:60]}:{os.getpid()}", **values)
    async with transaction() as session:
        await session.execute(row.on_conflict_do_update(index_elements=["carrier", "worker"], set_=values))
        await session.execute(delete(CarrierLink).where(CarrierLink.at < clock.now() - KEPT_FOR))


async def list_links(session: AsyncSession) -> Sequence[CarrierLink]:
    """Every line whose process gave a sign within `KEPT_FOR`, by name."""
    return (await session.scalars(select(CarrierLink).order_by(CarrierLink.carrier, CarrierLink.worker))).all()
