"""运行: how the machine does, for shift leads: what is wrong and what to do, queues, waits, texts out, pushes, processes."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request, Response

from sms_gateway import clock
from sms_gateway.database import transaction
from sms_gateway.errors import DatabaseIsAway
from sms_gateway.seeing import machine, runbook, sampling, verdicts
from sms_gateway.seeing.health import Health
from sms_gateway.seeing.metrics import Board

from . import operations_view, pages
from .seat import SeeingOperations, WatchingOperations

router = APIRouter()
PAGE = "/operations"


@router.get(PAGE)
async def show_operations(request: Request, seat: SeeingOperations) -> Response:
    """The page."""
    return pages.render("operations.html", seat=seat, history=await _history(), **await _now(request))


@router.get(f"{PAGE}/part")
async def show_operations_again(request: Request, seat: WatchingOperations) -> Response:
    """What is so now; every ten seconds."""
    return pages.render("_operations.html", seat=seat, **await _now(request))


@router.get(f"{PAGE}/history")
async def show_history_again(seat: WatchingOperations) -> Response:
    """The last day; every minute."""
    return pages.render("_operations_history.html", seat=seat, history=await _history())


async def _now(request: Request) -> dict[str, Any]:
    board: Board = request.app.state.metrics
    health: Health = request.app.state.health
    look, parts, here = await asyncio.gather(board.look(), health.look(), asyncio.to_thread(machine.look))
    if look is None:
        raise DatabaseIsAway
    troubles = operations_view.with_steps(verdicts.judge(look, here, parts), runbook.load())
    return {
        "view": operations_view.Page(look, here, parts), "troubles": troubles, "parts_named": operations_view.PARTS,
        "span": operations_view.span, "w_carriers": operations_view.CARRIERS,
    }  # fmt: skip


async def _history() -> operations_view.History:
    async with transaction() as session:
        samples = await sampling.list_samples(session, since=clock.now() - sampling.KEPT_FOR)
    return operations_view.History.of([(sample.minute, sample.figures) for sample in samples])
