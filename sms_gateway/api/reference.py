"""What a department's system needs to know: who it is, units, categories; and the events to pull."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from sms_gateway import regions
from sms_gateway.database import transaction
from sms_gateway.departments import categories, units
from sms_gateway.events import service as events

from .keys import Called, note
from .schemas import CategoriesOut, CategoryOut, Me, PulledEvents, UnitOut, UnitsOut

router = APIRouter()
Adcode = Annotated[str, Query(pattern=r"^53[0-9]{4}$", description="行政区划代码，如 530627")]


@router.get("/me", tags=["reference"], summary="这个密钥是哪个单位的")
async def who_am_i(caller: Called) -> Me:
    return Me(unit=caller.unit.code, unit_name=caller.unit.name, level=caller.unit.level, key=caller.name)


@router.get("/units", tags=["reference"], summary="一个地区的单位")
async def list_units(_caller: Called, region: Adcode) -> UnitsOut:
    regions.get_region(region)
    found = units.list_units(region)
    return UnitsOut(
        units=[UnitOut(code=unit.code, name=unit.name, level=unit.level, region=unit.adcode) for unit in found]
    )


@router.get("/categories", tags=["reference"], summary="事项分类")
async def list_categories(_caller: Called) -> CategoriesOut:
    loaded = categories.load()
    return CategoriesOut(
        categories=[
            CategoryOut(
                code=one.code, name=one.name, branch=loaded.branches[one.branch], basis=one.basis, code12345=one.code12345
            )
            for one in loaded.categories.values()
        ]
    )  # fmt: skip


@router.get("/events", tags=["events"], summary="取事件：CloudEvents 1.0，按次序，从 after 之后起")
async def pull_events(
    caller: Called, after: Annotated[int, Query(ge=0, le=2**62)] = 0, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> PulledEvents:
    async with transaction() as session:
        found = await events.pull(session, unit=caller.unit.code, after=after, limit=limit)
        if found.events:  # a look that finds nothing new, each few seconds, read nothing
            await note(session, caller, "api_pull_events", f"key:{caller.key_id}")
    return PulledEvents(events=found.events, next=found.after, more=found.more)
