"""我的账号: an operator's own password and the places they are signed in."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from sms_gateway.database import transaction
from sms_gateway.errors import BadInput
from sms_gateway.operators import accounts, presence, second_factor, signin

from . import cookies, credentials, pages
from .seat import KeepingOwnAccount, Seat
from .second_step import TwoDiffer

router = APIRouter(prefix="/account")
Words = Annotated[str, Form(max_length=400)]


class OldPasswordIsWrong(BadInput):
    sentence = "现在的密码不对。"


@router.get("")
async def show_account(seat: KeepingOwnAccount, done: str = "") -> Response:
    return await _show(seat, done=done)


async def _show(seat: Seat, *, done: str = "", refused: BadInput | None = None) -> Response:
    async with transaction() as session:
        open_ones = await signin.list_own(session, seat.operator.id)
        bound_at = await second_factor.bound_at(session, seat.operator.id)
        codes = await second_factor.count_codes(session, seat.operator.id)
    return pages.render(
        "account.html", status=refused.status_code if refused else 200, seat=seat, open_ones=open_ones, here_hash=signin.hashed(seat.token),
        bound_at=bound_at, codes=codes, done=done, refused=refused.sentence if refused else None,
    )  # fmt: skip


@router.post("/password")
async def change_password(
    request: Request, seat: KeepingOwnAccount, old: Words = "", password: Words = "", again: Words = ""
) -> Response:
    """A new password: signed out everywhere else, and this session goes on under a new token."""
    try:
        if password != again:
            raise TwoDiffer
        if await credentials.by_password(request, seat.operator.login, old) is None:
            raise OldPasswordIsWrong
        hashed = await asyncio.to_thread(accounts.fresh_hash, seat.operator, password)
    except BadInput as error:
        return await _show(seat, refused=error)
    async with transaction() as session:
        await accounts.set_own_password(session, seat.operator.id, hashed=hashed)
        await signin.end_others(session, operator_id=seat.operator.id, token=seat.token)
        renewed = await signin.renew(session, seat.token)
    answer = RedirectResponse("/account?done=password", status_code=303)
    cookies.remember(answer, renewed.token)
    return answer


@router.post("/end-others")
async def end_others(seat: KeepingOwnAccount) -> Response:
    """Signed out everywhere but here."""
    async with transaction() as session:
        await signin.end_others(session, operator_id=seat.operator.id, token=seat.token)
        subject = f"operator:{seat.operator.id}"
        await presence.note(session, operator_id=seat.operator.id, what="end_other_sessions", subject=subject)
    return RedirectResponse("/account?done=others", status_code=303)
