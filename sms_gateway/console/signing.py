"""Signing in and out: by password, or by a link that works once (its page has a button, so a preview does not use it up)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import logs
from sms_gateway.conversations import overview
from sms_gateway.database import notify, transaction
from sms_gateway.operators import presence, signin

from . import pages
from .live import DangerInHand
from .seat import Leaving, check_origin, find_seat, forget, remember

log = logs.get("console")
router = APIRouter()


def way_back(path: str) -> str:
    """A page of ours to go to after signing in; the front page for anything else."""
    ours = path.startswith("/") and not path.startswith(("//", "/\\", "/sign-in")) and path.isprintable()
    return path if ours else "/"


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
    async with transaction() as session:  # committed also when refused: a failed try counts
        signed_in = await signin.with_password(session, login=login.strip()[:40], password=password[:200])
        if signed_in is not None:
            await _start_duty(session, signed_in.operator_id, "sign_in")
    if signed_in is None:
        refused = signin.SignInRefused
        return pages.render(
            "sign_in.html", status=refused.status_code, seat=None, back=way_back(back), refused=refused.sentence
        )
    log.info("signed_in", operator=signed_in.operator_id)
    return _let_in(signed_in.token, way_back(back))


@router.get("/sign-in/{token}")
async def show_link(token: str) -> Response:
    return pages.render("sign_in_link.html", seat=None, token=token[:200])


@router.post("/sign-in/{token}")
async def use_link(request: Request, token: str) -> Response:
    check_origin(request)
    async with transaction() as session:
        signed_in = await signin.with_link(session, token=token)
        await _start_duty(session, signed_in.operator_id, "sign_in_link")
    log.info("signed_in_by_link", operator=signed_in.operator_id)
    return _let_in(signed_in.token, "/")


async def _start_duty(session: AsyncSession, operator_id: int, how: str) -> None:
    await presence.set_duty(session, operator_id=operator_id, on_duty=True)
    await presence.note(session, operator_id=operator_id, what=how, subject=f"operator:{operator_id}")
    await notify(session, "hotline_escalation", "0")


def _let_in(token: str, where: str) -> Response:
    answer = RedirectResponse(where, status_code=303)
    remember(answer, token)
    return answer


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
    forget(answer)
    return answer
