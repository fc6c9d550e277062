"""The web applications put together: which doors each has, and what all of them wear."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from fastapi.telemetry import TelemetryConfig
from sqlalchemy.exc import DataError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from . import beats, database, jobs, links, webhooks
from .api import door as api
from .api import health, linkage, metrics, platforms, voice
from .bridge import police_texts
from .broadcasts import receipt_batches
from .carriers import registry
from .carriers import simulator as simulator_edge
from .carriers.incoming import FormIsIncomplete
from .console import door as console
from .domestic import door as domestic
from .domestic.line import Line
from .errors import BadInput, HotlineError
from .messages import spool
from .seeing import sampling
from .seeing.counting import Counted
from .seeing.health import Health
from .seeing.metrics import Board
from .settings import Settings, get_settings
from .shield import Shield
from .simulator import door as simulator_door
from .simulator import emergency_desk, general_desk, telephone
from .simulator.carrier_state import MakeBelieveCarrier
from .simulator.cmpp import door as cmpp_door
from .simulator.cmpp.gateway import Client
from .simulator.truth import Truth
from .webchat import door as webchat
from .webchat import visitor

STATIC = Path(__file__).with_name("static")

SENTENCES = {
    401: "请先登录。",
    403: "没有权限。",
    404: "没有这个页面。",
    405: "这里不能这样用。",
    413: "内容太长了，请分成几段发。",
    415: "这种格式收不了。",
}
"""What a plain HTTP error says to people."""


NO_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
"""FastAPI's own spans and logs carry errors' texts: never, whatever the environment says."""


def make_gateway() -> FastAPI:
    """The public gateway: webhooks, web chat, health; the phone page beside them unless in production."""
    settings = get_settings()
    visitor.signer(settings)  # refuses to start without a key
    app = FastAPI(
        title="云南12345 未成年人保护热线",
        lifespan=_gateway_life,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        telemetry=NO_TELEMETRY,
    )
    app.state.health = Health()
    app.state.metrics = Board(app.state.health)
    app.state.receipts = receipt_batches.collector()
    for path, endpoint in {
        **webhooks.RECEIPTS,
        **({} if settings.production else webhooks.MAKE_BELIEVE_RECEIPTS),
    }.items():
        app.add_route(path, endpoint, methods=["POST"])
    app.include_router(webhooks.router)  # first: each text looks through what stands before its address
    if not settings.production:
        app.include_router(webhooks.make_believe)
    app.include_router(webchat.router)
    app.include_router(health.router)
    app.include_router(metrics.router)
    app.include_router(api.router)
    app.include_router(platforms.router)
    app.include_router(linkage.router)
    app.include_router(voice.router)
    if not settings.production:
        simulator_edge.secret(settings)
        app.state.make_believe = MakeBelieveCarrier(settings)
        app.include_router(simulator_door.router)
        app.include_router(general_desk.router)
        app.include_router(emergency_desk.router)
        app.include_router(telephone.router)
    dress(app, settings, hosts=settings.hosts(settings.public_url))
    return app


def make_console() -> FastAPI:
    """The operators' pages: a process of its own."""
    app = FastAPI(
        title="云南12345 值班台",
        lifespan=_console_life,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        telemetry=NO_TELEMETRY,
    )
    settings = get_settings()
    dress(app, settings, hosts=settings.hosts(settings.console_url))
    app.state.health = Health()
    app.state.metrics = Board(app.state.health)
    app.include_router(metrics.router)
    console.furnish(app)
    return app


def make_simulator() -> FastAPI:
    """The make-believe carrier as a process of its own, which remembers in `DATA_DIR/simulator.sqlite3`; never in production."""
    settings = get_settings()
    if settings.production:
        raise SystemExit("生产模式没有模拟运营商。")
    simulator_edge.secret(settings)
    app = FastAPI(
        title="模拟运营商", lifespan=_simulator_life, docs_url=None, redoc_url=None, openapi_url=None, telemetry=NO_TELEMETRY
    )  # fmt: skip
    app.include_router(simulator_door.router)
    dress(app, settings)
    return app


def make_line(name: str) -> FastAPI:
    """A line to a mainland carrier: a process of its own, on loopback only. `name`: one of `settings.DOMESTIC_CARRIERS`."""
    settings = get_settings()
    if name not in settings.domestic:
        raise SystemExit(f"HOTLINE_CARRIER 里没有 {name}。")
    app = FastAPI(
        title=f"国内通道 {name}", lifespan=partial(_line_life, name), docs_url=None, redoc_url=None, openapi_url=None, telemetry=NO_TELEMETRY
    )  # fmt: skip
    app.include_router(domestic.router)
    dress(app, settings, hosts=("127.0.0.1", "localhost"))
    return app


@asynccontextmanager
async def _line_life(name: str, app: FastAPI) -> AsyncIterator[None]:
    jobs.app.perform_import_paths()  # type: ignore[no-untyped-call]  # the tasks' names, before the first text asks for one
    app.state.line = line = Line(name, get_settings().domestic[name])
    chores = (
        ("door_beat", partial(beats.beat, name)),
        ("links", partial(_note_link, line)),
        ("unclaimed", line.reports.sweep),
        ("uplink_parts", line.uplinks.sweep),
    )
    beside = [asyncio.create_task(jobs.each_second(chore, chore_name), name=chore_name) for chore_name, chore in chores]
    await line.start()
    yield
    await _end(beside)
    await line.close()
    await spool.aclose()
    await registry.close()
    await database.dispose()


async def _note_link(line: Line) -> None:
    await links.note(line.name, line.standing())


def make_cmpp_gateway(line: str, port: int) -> FastAPI:
    """The make-believe CMPP gateway of the account of `line`, on `port`, and its controls; never in production."""
    settings = get_settings()
    if settings.production:
        raise SystemExit("生产模式没有模拟短信网关。")
    account = settings.domestic.get(line)
    if account is None:
        raise SystemExit(f"HOTLINE_CARRIER 里没有 {line}。")

    client = Client(account.source_addr, account.shared_secret.get_secret_value(), account.src_id)
    life = cmpp_door.life(client, settings.data_dir / f"{line}_gateway.sqlite3", port)
    app = FastAPI(
        title="模拟短信网关", lifespan=life, docs_url=None, redoc_url=None, openapi_url=None, telemetry=NO_TELEMETRY
    )
    app.include_router(cmpp_door.router)
    dress(app, settings)
    return app


@asynccontextmanager
async def _simulator_life(app: FastAPI) -> AsyncIterator[None]:
    settings = get_settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    app.state.make_believe = MakeBelieveCarrier(settings, truth=Truth(settings.data_dir / "simulator.sqlite3"))
    app.state.make_believe.start()
    yield
    await app.state.make_believe.aclose()


@asynccontextmanager
async def _console_life(app: FastAPI) -> AsyncIterator[None]:
    jobs.app.perform_import_paths()  # type: ignore[no-untyped-call]  # the tasks' names, before the first act defers one
    beside = _beside("console")
    yield
    await _end(beside)
    await app.state.health.aclose()
    await registry.close()
    await database.dispose()


@asynccontextmanager
async def _gateway_life(app: FastAPI) -> AsyncIterator[None]:
    jobs.app.perform_import_paths()  # type: ignore[no-untyped-call]  # the tasks' names, before the first text asks for one
    replay = partial(spool.replay, hear=police_texts.hear)
    care = partial(spool.care, hush=webhooks.asks_for_silence)
    beside = [
        *_beside("gateway"),
        asyncio.create_task(jobs.each_second(replay, "spool")),
        asyncio.create_task(jobs.each_second(care, "spooled")),
    ]
    yield
    await _end(beside)
    await spool.aclose()
    await app.state.receipts.aclose()
    await app.state.health.aclose()
    if (make_believe := getattr(app.state, "make_believe", None)) is not None:
        await make_believe.aclose()
    await registry.close()
    await database.dispose()


def _beside(door: str) -> list[asyncio.Task[None]]:
    """What every door does beside its requests: give a sign of life, and once a minute keep how the hotline does."""
    chores = (("door_beat", partial(beats.beat, door)), ("operations", sampling.sweep))
    return [asyncio.create_task(jobs.each_second(chore, name), name=name) for name, chore in chores]


async def _end(beside: list[asyncio.Task[None]]) -> None:
    for task in beside:
        task.cancel()
    await asyncio.gather(*beside, return_exceptions=True)


def dress(app: FastAPI, settings: Settings, *, hosts: Sequence[str] = ("*",)) -> None:
    """What every application of ours wears: the shield, our own scripts and styles, errors as Chinese sentences.

    `hosts`: names a request may call us by; any other gets 400 before a route is looked for.
    """
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False)
    app.add_middleware(Shield, production=settings.production)
    app.add_middleware(Counted)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_exception_handler(HotlineError, _say_ours)
    app.add_exception_handler(RequestValidationError, _say_invalid)
    app.add_exception_handler(HTTPException, _say_http)
    for away in (OperationalError, InterfaceError, PoolTimeout):
        app.add_exception_handler(away, _say_away)
    app.add_exception_handler(DataError, _say_unfit)


async def _say_unfit(_request: Request, _error: Exception) -> JSONResponse:
    """A value no column can hold (a NUL, a number out of range): what came in was wrong; the database's words quote it."""
    return JSONResponse({"error": BadInput.sentence}, status_code=422)


async def _say_ours(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HotlineError)
    content: dict[str, object] = {"error": error.sentence}
    if isinstance(error, FormIsIncomplete):
        content["fields"] = list(error.fields)
    headers = {"Retry-After": "2"} if error.status_code == 503 else None
    return JSONResponse(content, status_code=error.status_code, headers=headers)


async def _say_away(_request: Request, _error: Exception) -> JSONResponse:
    """The database does not answer; its own words may quote values."""
    return JSONResponse({"error": "系统暂时连不上，请过一会儿再试。"}, status_code=503, headers={"Retry-After": "2"})


async def _say_invalid(_request: Request, error: Exception) -> JSONResponse:
    """Which fields are wrong; never what they held."""
    assert isinstance(error, RequestValidationError)
    fields = sorted({".".join(str(part) for part in found["loc"] if part != "body") for found in error.errors()})
    return JSONResponse({"error": BadInput.sentence, "fields": fields}, status_code=422)


async def _say_http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    sentence = SENTENCES.get(
        error.status_code, HotlineError.sentence if error.status_code >= 500 else BadInput.sentence
    )
    return JSONResponse({"error": sentence}, status_code=error.status_code, headers=error.headers)
