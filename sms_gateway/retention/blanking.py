"""Blanking sealed columns: NULL where the column may be, else sealed anew around what stands in its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, func, inspect, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.crypto import SealedRow, sealed_for

GONE = "（已过保存期限，内容清除）"
"""What a text shows in place of its words."""


async def blank(
    session: AsyncSession, model: type[Any], where: ColumnElement[bool], *names: str,
    instead: Mapping[str, object] | None = None, also: Mapping[str, object] | None = None, limit: int | None = None,
) -> int:  # fmt: skip
    """Blank the sealed attributes `names` of the rows of `model`; how many rows there were.

    `instead`: what stands in the place of one whose column may not be NULL (else the empty text). `also`: plain columns set
    beside. Only for rows that still hold something: a row whose nullable columns are NULL is left.
    """
    table = model.__tablename__
    columns = {name: inspect(model).columns[f"{name}_sealed"] for name in names}
    fixed = {column.name: None for column in columns.values() if column.nullable} | dict(also or {})
    resealed = [name for name, column in columns.items() if not column.nullable]
    if not resealed:
        where = where & or_(*(column.is_not(None) for column in columns.values()))
    wanted = select(model.id, model.uid).where(where).order_by(model.id).limit(limit).with_for_update()
    rows = (await session.execute(wanted)).all()
    if not rows:
        return 0
    if not resealed:
        done = update(model).where(model.id.in_([row.id for row in rows])).values(fixed)
        await session.execute(done, execution_options={"synchronize_session": False})
        return len(rows)
    values = [
        {
            "id": row.id,
            **fixed,
            **{
                f"{name}_sealed": sealed_for(table, f"{name}_sealed", row.uid, (instead or {}).get(name, ""))
                for name in resealed
            },
        }
        for row in rows
    ]
    await session.execute(update(model), values)
    return len(rows)


async def count(session: AsyncSession, model: type[SealedRow], where: ColumnElement[bool]) -> int:
    """How many rows of `model` are so."""
    return await session.scalar(select(func.count()).select_from(model).where(where)) or 0
