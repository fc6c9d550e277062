"""Between the password and the console: the code of the phone, binding the phone, an own password (`operators.stepping`)."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any
from urllib.parse import quote

import segno
from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.database import transaction
from sms_gateway.errors import BadInput, HotlineError
from sms_gateway.operators import accounts, presence, second_factor, signin, tries
from sms_gateway.operators.models import OperatorSession
from sms_gateway.operators.signin import SignedIn, StepsAreOver
from sms_gateway.operators.stepping import Step
from sms_gateway.seeing import refusals

from . import cookies, credentials, pages
from .seat import check_origin
from .signing import STEPS_PAGE, let_in, seat_browser, start_duty, way_back

router = APIRouter(prefix=STEPS_PAGE)
TEMPLATES = {Step.CODE: "step_code.html", Step.ENROL: "step_enrol.html", Step.OWN_PASSWORD: "step_password.html"}
Words = Annotated[str, Form(max_length=400)]


class TwoDiffer(BadInput):
    sentence = "两次写的不一样，请再写一次。"


@router.get("")
async def show_step(request: Request, back: str = "/") -> Response:
    """What is asked next."""
    try:
        _token, waiting = await _waiting(request)
    except StepsAreOver:
        return RedirectResponse(f"/sign-in?back={quote(way_back(back))}", status_code=303)
    return await _show(waiting, back)


async def _waiting(request: Request, step: Step | None = None) -> tuple[str, OperatorSession]:
    """The token and sign-in this browser is in the middle of; `step`: which must wait. Raises `StepsAreOver`."""
    token = cookies.read(request, cookies.STEP)
    async with transaction() as session:
        found = await signin.find_waiting(session, token) if token is not None else None
    if token is None or found is None or (step is not None and found.waits_for != step):
        raise StepsAreOver
    return token, found


async def _show(waiting: OperatorSession, back: str, trouble: HotlineError | None = None) -> Response:
    step = Step(waiting.waits_for or Step.CODE)
    values: dict[str, Any] = {
        "back": way_back(back),
        "refused": trouble.sentence if trouble else None,
        "login": waiting.operator.login,
    }
    if step is Step.ENROL:
        async with transaction() as session:
            totp = await second_factor.begin(session, waiting.operator, sign_in=waiting.token_hash)
        uri = totp.provisioning_uri()
        picture = segno.make(uri, error="m").svg_inline(scale=5, border=2, omitsize=True, title="二维码")
        spelt = " ".join(totp.secret[at : at + 4] for at in range(0, len(totp.secret), 4))
        values |= {"picture": Markup(picture), "uri": uri, "secret": spelt}  # noqa: S704 - drawn by segno, from our own words
    return pages.render(TEMPLATES[step], status=trouble.status_code if trouble else 200, seat=None, **values)


async def _go_on(session: AsyncSession, token: str, passed: Step, waiting: OperatorSession) -> SignedIn:
    signed_in = await signin.go_on(session, token, passed)
    if signed_in.waits_for is None:
        await start_duty(session, waiting.operator_id, "sign_in" if waiting.how == "password" else "sign_in_link")
    return signed_in


@router.post("/code")
async def give_code(request: Request, code: Words = "", back: Words = "/") -> Response:
    """The code of the app, or a recovery code."""
    check_origin(request)
    token, waiting = await _waiting(request, Step.CODE)
    try:
        how = await credentials.by_code(request, waiting.operator, code)
        if how is None:
            raise second_factor.CodeIsWrong
    except (second_factor.CodeIsWrong, tries.TooManyTries) as error:
        return await _show(waiting, back, error)
    async with transaction() as session:
        if how == "recovery":
            subject = f"operator:{waiting.operator_id}"
            await presence.note(session, operator_id=waiting.operator_id, what="use_recovery_code", subject=subject)
        signed_in = await _go_on(session, token, Step.CODE, waiting)
    return let_in(request, signed_in, waiting.operator, way_back(back))


@router.post("/enrol")
async def enrol(request: Request, code: Words = "", back: Words = "/") -> Response:
    """The first right code binds the phone; the recovery codes are shown once."""
    check_origin(request)
    token, waiting = await _waiting(request, Step.ENROL)
    try:
        async with transaction() as session:
            codes = await second_factor.enrol(session, waiting.operator, sign_in=waiting.token_hash, code=code)
            signed_in = await _go_on(session, token, Step.ENROL, waiting)
    except (second_factor.CodeIsWrong, second_factor.IsEnrolled) as error:
        refusals.note("first_code", operator=waiting.operator_id)
        return await _show(waiting, back, error)
    where = way_back(back) if signed_in.waits_for is None else f"{STEPS_PAGE}?back={quote(way_back(back))}"
    answer = pages.render("step_codes.html", seat=None, codes=codes, where=where)
    if signed_in.waits_for is None:
        seat_browser(request, answer, signed_in, waiting.operator)
    else:
        cookies.give(answer, cookies.STEP, signed_in.token, signin.STEPS_WITHIN)
    return answer


@router.post("/password")
async def choose_password(request: Request, password: Words = "", again: Words = "", back: Words = "/") -> Response:
    """An own password instead of the one somebody made."""
    check_origin(request)
    token, waiting = await _waiting(request, Step.OWN_PASSWORD)
    try:
        if password != again:
            raise TwoDiffer
        hashed = await asyncio.to_thread(accounts.fresh_hash, waiting.operator, password)
        async with transaction() as session:
            await accounts.set_own_password(session, waiting.operator_id, hashed=hashed)
            await signin.end_others(session, operator_id=waiting.operator_id, token=token)
            signed_in = await _go_on(session, token, Step.OWN_PASSWORD, waiting)
    except BadInput as error:
        return await _show(waiting, back, error)
    return let_in(request, signed_in, waiting.operator, way_back(back))
