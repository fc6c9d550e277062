"""Signing in and out: by password, or by a link that works once (its page has a button, so a preview does not use it up)."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import logs
from sms_gateway.conversations import overview
from sms_gateway.database import notify, transaction
from sms_gateway.errors import HotlineError
from sms_gateway.operators import presence, signin, tries
from sms_gateway.operators.models import Operator
from sms_gateway.operators.signin import SignedIn
from sms_gateway.seeing import refusals

from . import cookies, credentials, pages
from .live import DangerInHand
from .seat import Leaving, check_origin, find_seat

log = logs.get("console")
router = APIRouter()
STEPS_PAGE = "/second-step"


def way_back(path: str) -> str:
    """A page of ours to go to after signing in; the front page for anything else."""
    elsewhere = path.startswith(("//", "/\\", "/sign-in", STEPS_PAGE))
    return path if path.startswith("/") and not elsewhere and path.isprintable() else "/"


@router.get("/sign-in")
async def show_sign_in(request: Request, back: str = "/") -> Response:
    if await find_seat(request) is not None:
        return RedirectResponse("/", status_code=303)
    return pages.render("sign_in.html", seat=None, back=way_back(back), refused=None)


@router.post("/sign-in")
async def sign_in(
    request: Request,
    login: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    back: Annotated[str, Form()] = "/",
) -> Response:
    check_origin(request)
    try:
        operator = await credentials.by_password(request, login, password)
        if operator is None:
            raise signin.SignInRefused
        async with transaction() as session:
            signed_in = await signin.with_password(session, operator)
            await _end_presented(session, request)
            if signed_in.waits_for is None:
                await start_duty(session, operator.id, "sign_in")
    except (signin.SignInRefused, tries.TooManyTries) as error:
        return _refuse(error, back)
    return let_in(request, signed_in, operator, way_back(back))


def _refuse(error: HotlineError, back: str) -> Response:
    """The same for every reason but for having tried too often, which is the same for every account."""
    return pages.render(
        "sign_in.html", status=error.status_code, seat=None, back=way_back(back), refused=error.sentence
    )


@router.get("/sign-in/{token}")
async def show_link(token: str) -> Response:
    return pages.render("sign_in_link.html", seat=None, token=token[:200])


@router.post("/sign-in/{token}")
async def use_link(request: Request, token: str) -> Response:
    check_origin(request)
    try:
        async with transaction() as session:
            signed_in = await signin.with_link(session, token=token)
            await _end_presented(session, request)
            operator = await session.get_one(Operator, signed_in.operator_id)
            if signed_in.waits_for is None:
                await start_duty(session, operator.id, "sign_in_link")
    except signin.LinkIsUsed:
        refusals.note("link")
        raise
    return let_in(request, signed_in, operator, "/")


async def _end_presented(session: AsyncSession, request: Request) -> None:
    """Whatever session this browser came with ends: none is taken over by whoever signs in."""
    for name in (cookies.SESSION, cookies.STEP):
        if (token := cookies.read(request, name)) is not None:
            await signin.sign_out(session, token)


async def start_duty(session: AsyncSession, operator_id: int, how: str) -> None:
    """They are in: on duty from now, the audit knows."""
    await presence.set_duty(session, operator_id=operator_id, on_duty=True)
    await presence.note(session, operator_id=operator_id, what=how, subject=f"operator:{operator_id}")
    await notify(session, "hotline_escalation", "0")


def let_in(request: Request, signed_in: SignedIn, operator: Operator, where: str) -> Response:
    """To the page they wanted, or to what is asked first."""
    if signed_in.waits_for is not None:
        answer = RedirectResponse(f"{STEPS_PAGE}?back={quote(where)}", status_code=303)
        cookies.give(answer, cookies.STEP, signed_in.token, signin.STEPS_WITHIN)
        cookies.forget(answer)
        return answer
    answer = RedirectResponse(where, status_code=303)
    seat_browser(request, answer, signed_in, operator)
    return answer


def seat_browser(request: Request, answer: Response, signed_in: SignedIn, operator: Operator) -> None:
    """The browser gets the session, and is known for this account from now on."""
    log.info("signed_in", operator=signed_in.operator_id)
    cookies.remember(answer, signed_in.token)
    cookies.take_away(answer, cookies.STEP)
    cookies.know_device(request, answer, operator.login)


@router.post("/sign-out")
async def sign_out(seat: Leaving) -> Response:
    """Raises `DangerInHand`: whoever signs out ends their duty."""
    async with transaction() as session:
        if await overview.holds_danger(session, seat.operator.id):
            raise DangerInHand
        await presence.set_duty(session, operator_id=seat.operator.id, on_duty=False)
        await presence.note(
            session, operator_id=seat.operator.id, what="sign_out", subject=f"operator:{seat.operator.id}"
        )
        await signin.sign_out(session, seat.token)
    answer = RedirectResponse("/sign-in", status_code=303)
    cookies.forget(answer)
    return answer
