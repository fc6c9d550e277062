"""The make-believe gateway's controls, for drills and benchmarks in other processes: its faults, what it knows, texts from phones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request
from pydantic import BaseModel, Field

from sms_gateway.simulator.door import only_loopback
from sms_gateway.simulator.truth import LARGEST_REFERENCE, Truth

from .faults import WireFaults
from .gateway import Client, CmppGateway


def _gateway(request: Request) -> CmppGateway:
    gateway: CmppGateway = request.app.state.cmpp_gateway
    return gateway


Gateway = Annotated[CmppGateway, Depends(_gateway)]
router = APIRouter(prefix="/cmpp", dependencies=[Depends(only_loopback)], include_in_schema=False)


def life(client: Client, file: Path, port: int) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """The lifespan of an application with such a gateway: it listens on `port`, and remembers in `file`."""

    @asynccontextmanager
    async def lives(app: FastAPI) -> AsyncIterator[None]:
        file.parent.mkdir(parents=True, exist_ok=True)
        app.state.cmpp_gateway = gateway = CmppGateway(client, truth=Truth(file))
        await gateway.start(port)
        yield
        await gateway.close()

    return lives


class Typed(BaseModel):
    """A text from a phone, `number` without 86, to an access number with its extension."""

    number: str = Field(pattern=r"^[0-9]{5,20}$")
    to: str = Field(pattern=r"^[0-9]{3,20}$")
    body: str = Field(max_length=17_000)
    order: list[int] | None = None
    """Which parts come, from 1, in which order; None: all, as they are."""
    gbk: bool = False
    reference: int | None = Field(default=None, ge=0, le=255)


@router.get("/faults")
async def show_faults(gateway: Gateway) -> dict[str, Any]:
    """What goes wrong on purpose now: `faults.WireFaults`."""
    return asdict(gateway.faults)


@router.put("/faults")
async def set_faults(wanted: WireFaults, gateway: Gateway) -> dict[str, Any]:
    """Let things go wrong, or, with `{}`, well again."""
    gateway.faults = wanted
    return asdict(gateway.faults)


@router.get("/truth")
async def tell_truth(gateway: Gateway) -> dict[str, Any]:
    """What it took (`Truth.report`; `references_twice`: the same part of a text to the same phone more than once) and counted."""
    known = gateway.truth.report(first=0, last=LARGEST_REFERENCE)
    return {**known, "counts": dict(gateway.counts), "connections": len(gateway.links)}


@router.post("/texts")
async def write(typed: list[Typed], gateway: Gateway) -> list[list[int]]:
    """Texts from phones, all at once; the results of their DELIVERs, when all are answered."""
    return list(
        await asyncio.gather(
            *(
                gateway.write(
                    each.number, each.body, to=each.to, order=each.order, gbk=each.gbk, reference=each.reference
                )
                for each in typed
            )
        )
    )


@router.post("/cut", status_code=204)
async def cut(gateway: Gateway) -> None:
    """End every connection without a word."""
    await gateway.cut()


@router.post("/terminate", status_code=204)
async def terminate(gateway: Gateway) -> None:
    """Say TERMINATE on every connection."""
    await gateway.terminate()
