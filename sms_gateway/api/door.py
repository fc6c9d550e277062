"""The REST API put together under `/api`, with its own OpenAPI description."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi

from . import files, reference, tickets
from .schemas import Trouble

_TROUBLE: dict[int | str, dict[str, Any]] = {
    400: {"model": Trouble, "description": "读不懂：不是 JSON，或不是 UTF-8"},
    401: {"model": Trouble, "description": "没有密钥，或者不对、已停用"},
    403: {"model": Trouble, "description": "不是本单位能做的"},
    404: {"model": Trouble, "description": "没有，或者不归本单位看"},
    409: {"model": Trouble, "description": "刚刚有人动过，或者现在的状态做不了"},
    413: {"model": Trouble, "description": "太大"},
    422: {"model": Trouble, "description": "填的内容不对"},
    503: {"model": Trouble, "description": "系统暂时连不上"},
}

router = APIRouter(prefix="/api", responses=_TROUBLE)
for part in (reference.router, tickets.router, tickets.bulk_router, files.router):
    router.include_router(part)


@cache
def description() -> dict[str, Any]:
    """The OpenAPI description of everything under `/api`."""
    return get_openapi(
        title="云南12345 未成年人保护热线 · 部门接口", version="1.0.0", routes=router.routes,
        description="各部门的系统用：签收、办理、答复本单位的工单，取事件。用 `Authorization: Bearer <令牌>`。",
    )  # fmt: skip


@router.get("/openapi.json", include_in_schema=False)
async def openapi() -> dict[str, Any]:
    """Open to all: it says nothing about anybody."""
    return description()
