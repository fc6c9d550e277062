"""What goes wrong, said as a page to browsers and as JSON to scripts; a missing session leads to sign-in."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from sqlalchemy.exc import DataError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from starlette.exceptions import HTTPException

from sms_gateway.errors import BadInput, HotlineError, NotFound

from . import pages
from .seat import SignInFirst, find_seat

DATABASE_IS_AWAY = (OperationalError, InterfaceError, NoConnectionFree, ConnectionError)


class DatabaseIsAway(HotlineError):
    status_code = 503
    retryable = True
    sentence = "数据库暂时连不上，正在恢复。来信没有丢，都先存着。"


class NoSuchPage(NotFound):
    sentence = "没有这个页面。"


def listen_for(app: FastAPI) -> None:
    """Let `app` say what goes wrong in our words."""
    app.add_exception_handler(HotlineError, _say_ours)
    app.add_exception_handler(HTTPException, _say_http)
    app.add_exception_handler(RequestValidationError, _say_invalid)
    for kind in DATABASE_IS_AWAY:
        app.add_exception_handler(kind, _say_away)
    app.add_exception_handler(DataError, _say_unfit)


def wants_page(request: Request) -> bool:
    """Whether a person's browser asks for a page, not a script for a part of one."""
    return "text/html" in request.headers.get("accept", "") and "hx-request" not in request.headers


async def _say(request: Request, error: HotlineError) -> Response:
    if isinstance(error, SignInFirst):
        return _to_sign_in(request, error)
    headers = {"Retry-After": "2"} if error.status_code == DatabaseIsAway.status_code else None
    if not wants_page(request):
        return JSONResponse({"error": error.sentence}, status_code=error.status_code, headers=headers)
    try:
        seat = None if error.status_code == DatabaseIsAway.status_code else await find_seat(request, counts=False)
    except DATABASE_IS_AWAY:
        seat = None
    page = pages.say_trouble(request, error, seat)
    page.headers.update(headers or {})
    return page


def _to_sign_in(request: Request, error: HotlineError) -> Response:
    if wants_page(request):
        return RedirectResponse(_sign_in(request.url.path if request.method == "GET" else "/"), status_code=303)
    where = _sign_in(urlsplit(request.headers.get("hx-current-url", "/")).path)
    return JSONResponse({"error": error.sentence}, status_code=401, headers={"HX-Redirect": where})


def _sign_in(back: str) -> str:
    return "/sign-in" if back in ("", "/") else f"/sign-in?back={quote(back)}"


async def _say_ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, HotlineError)
    return await _say(request, error)


async def _say_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    ours = NoSuchPage() if error.status_code == NoSuchPage.status_code else HotlineError()
    if error.status_code not in (404, 500):
        ours = BadInput("这里不能这样用。")
        ours.status_code = error.status_code
    answer = await _say(request, ours)
    answer.headers.update(error.headers or {})
    return answer


async def _say_invalid(request: Request, _error: Exception) -> Response:
    """An id that is no number names nothing; anything else is a form that was not ours."""
    assert isinstance(_error, RequestValidationError)
    in_path = any(found["loc"][:1] == ("path",) for found in _error.errors())
    return await _say(request, NoSuchPage() if in_path else BadInput())


async def _say_away(request: Request, _error: Exception) -> Response:
    return await _say(request, DatabaseIsAway())


async def _say_unfit(request: Request, _error: Exception) -> Response:
    """A value no column can hold, such as a NUL: a form that was not ours."""
    return await _say(request, BadInput())
