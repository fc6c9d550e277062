"""What an operator does with a talk: every button is a route here, every route one call of a room."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, logs
from sms_gateway.contacts.phone import is_mainland_mobile
from sms_gateway.conversations import overview, records, service
from sms_gateway.database import transaction
from sms_gateway.errors import BadInput
from sms_gateway.escalations.ladder import State
from sms_gateway.operators import presence
from sms_gateway.operators.models import Operator

from . import credentials, pages, words
from .ids import Id
from .near import Telling
from .rules import Act, is_allowed
from .seat import Seat, ShowingNumber, TakingOver, Talking
from .talks import live_parts

log = logs.get("console")
router = APIRouter(prefix="/talks/{talk_id}")

SAME_WORDS_WITHIN = timedelta(seconds=10)
"""The same words again within this time are one click too many."""
_ONCE = re.compile(r"[0-9a-f]{32}")
BY_HAND = {State.IN_CONTACT, State.LOST_CONTACT}
"""Moves with nothing to fill in."""


class WrongSecondSignature(BadInput):
    sentence = "第二个人的账号或密码不对。"


async def back(request: Request, talk_id: int, seat: Seat) -> Response:
    """To a script the parts that changed, to a plain form its page."""
    if "hx-request" in request.headers:
        return await live_parts(request, talk_id, seat)
    return RedirectResponse(f"/talks/{talk_id}", status_code=303)


@router.post("/take")
async def take(request: Request, talk_id: Id, seat: Talking) -> Response:
    async with transaction() as session:
        await service.take_over(session, thread_id=talk_id, operator=seat.operator)
    log.info("talk_taken", thread=talk_id, operator=seat.operator.id)
    if request.query_params.get("from") == "queue" and "hx-request" in request.headers:
        return Response(status_code=204, headers={"HX-Redirect": f"/talks/{talk_id}"})
    return await back(request, talk_id, seat)


@router.post("/take-from-colleague")
async def take_from_colleague(request: Request, talk_id: Id, seat: TakingOver) -> Response:
    async with transaction() as session:
        await records.take_from_colleague(session, thread_id=talk_id, operator=seat.operator)
    log.info("talk_taken_from_colleague", thread=talk_id, operator=seat.operator.id)
    return await back(request, talk_id, seat)


@router.post("/reply")
async def reply(
    request: Request, talk_id: Id, seat: Talking, body: Annotated[str, Form()] = "", once: Annotated[str, Form()] = ""
) -> Response:
    """`once`: the page's own id of this reply, the same again when the page repeats it after a lost answer."""
    words_of_operator = "".join(sign for sign in body.replace("\r\n", "\n") if sign.isprintable() or sign in "\n\u200d")
    token = once if _ONCE.fullmatch(once) else None
    async with transaction() as session:
        if not await _is_repeated(session, talk_id, seat, words_of_operator, token):
            await service.reply(session, thread_id=talk_id, operator=seat.operator, body=words_of_operator, token=token)
    return await back(request, talk_id, seat)


async def _is_repeated(session: AsyncSession, talk_id: int, seat: Seat, body: str, token: str | None) -> bool:
    """Whether this reply is there already: by its token, for the same words may be meant twice; without one (a page whose
    script did not run) as the same words a moment ago, which is one click too many."""
    if token is not None:
        return await overview.was_sent(session, thread_id=talk_id, token=token)
    since = clock.now() - SAME_WORDS_WITHIN
    return await overview.was_just_said(
        session, thread_id=talk_id, operator_id=seat.operator.id, body=body.strip(), since=since
    )


@router.post("/mark")
async def mark(request: Request, talk_id: Id, seat: Talking, to: Annotated[str, Form()] = "") -> Response:
    if to not in BY_HAND:
        raise BadInput
    async with transaction() as session:
        await service.mark(session, thread_id=talk_id, operator=seat.operator, to=State(to))
    return await back(request, talk_id, seat)


@router.post("/handed-over")
async def note_handed_over(
    request: Request,
    talk_id: Id,
    seat: Talking,
    unit: Annotated[str, Form()] = "",
    reference: Annotated[str, Form()] = "",
) -> Response:
    async with transaction() as session:
        await records.note_handed_over(
            session, thread_id=talk_id, operator=seat.operator, unit=unit, reference=reference
        )
    log.info("handed_over_by_hand", thread=talk_id, operator=seat.operator.id)
    return await back(request, talk_id, seat)


class ChildSeen(BaseModel):
    """The four things that make "seen" more than a word."""

    by: str = ""
    at: str = ""
    where: str = ""
    tonight: str = ""


@router.post("/child-seen")
async def note_child_seen(request: Request, talk_id: Id, seat: Talking, seen: Annotated[ChildSeen, Form()]) -> Response:
    async with transaction() as session:
        await records.note_child_seen(session, thread_id=talk_id, operator=seat.operator, **seen.model_dump())
    return await back(request, talk_id, seat)


@router.post("/place")
async def set_place(request: Request, talk_id: Id, seat: Talking, place: Annotated[str, Form()] = "") -> Response:
    async with transaction() as session:
        await records.set_place(session, thread_id=talk_id, operator=seat.operator, words=place)
    return await back(request, talk_id, seat)


@router.post("/note")
async def write_note(request: Request, talk_id: Id, seat: Talking, note: Annotated[str, Form()] = "") -> Response:
    async with transaction() as session:
        await records.write_note(session, thread_id=talk_id, operator=seat.operator, words=note)
    return await back(request, talk_id, seat)


@router.post("/number")
async def show_number(talk_id: Id, seat: ShowingNumber) -> Response:
    """The whole number, for the desk that is called; the audit knows."""
    async with transaction() as session:
        number = await records.show_number(session, thread_id=talk_id, operator=seat.operator)
    local = number.removeprefix("+86") if is_mainland_mobile(number) else number
    return pages.render("_number.html", number=local)


@router.post("/hand-back")
async def hand_back(request: Request, talk_id: Id, seat: Talking) -> Response:
    async with transaction() as session:
        await service.hand_back(session, thread_id=talk_id, operator=seat.operator)
    return await back(request, talk_id, seat)


async def second_signature(
    request: Request, seat: Talking, second_login: Annotated[str, Form()] = "", second_password: Annotated[str, Form()] = ""
) -> Operator:  # fmt: skip
    """The second person, by their own login and password. A signature, not a session; a wrong try counts against this browser."""
    second = await credentials.by_password(request, second_login, second_password)
    if second is None or not is_allowed(second.role, Act.TALK):
        raise WrongSecondSignature
    async with transaction() as session:
        subject = f"operator:{seat.operator.id}"
        await presence.note(session, operator_id=second.id, what="second_signature", subject=subject)
    return second


async def signature_if_given(
    request: Request, seat: Talking, second_login: Annotated[str, Form()] = "", second_password: Annotated[str, Form()] = ""
) -> Operator | None:  # fmt: skip
    """The second person where one signs; whether one must is the room's to say."""
    return await second_signature(request, seat, second_login, second_password) if second_login.strip() else None


@router.post("/close")
async def close(
    *,
    request: Request,
    talk_id: Id,
    seat: Talking,
    signed_by: Annotated[Operator | None, Depends(signature_if_given)],
    near: Telling,
    outcome: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
) -> Response:
    """Where an emergency desk was asked, a supervisor signs with their own login (`second_login`)."""
    if outcome not in words.OUTCOMES:
        raise BadInput("请选一个结果。")
    async with transaction() as session:
        said = note.strip() or (words.OUTCOMES[outcome] if not await overview.is_danger(session, talk_id) else "")
        if not said:
            raise BadInput("红色和橙色要写一句结果说明，再结束。")
        before = await records.read_record(session, thread_id=talk_id)
        whole = f"{before}\n结果：{said}" if before else said
        await service.close(
            session,
            thread_id=talk_id,
            operator=seat.operator,
            outcome=outcome,
            note_text=whole,
            signed_by=signed_by,
            near=near,
        )
    log.info("talk_closed", thread=talk_id, operator=seat.operator.id)
    return await back(request, talk_id, seat)


@router.post("/false-alarm")
async def say_false_alarm(
    request: Request,
    talk_id: Id,
    seat: Talking,
    second: Annotated[Operator, Depends(second_signature)],
    note: Annotated[str, Form()] = "",
) -> Response:
    async with transaction() as session:
        before = await records.read_record(session, thread_id=talk_id)
        if not note.strip():
            raise BadInput("请写为什么是误报。")
        whole = f"{before}\n误报：{note.strip()}" if before else note.strip()
        await service.lower_after_false_alarm(
            session, thread_id=talk_id, operator=seat.operator, second=second, note_text=whole
        )
    log.info("false_alarm_signed", thread=talk_id, operator=seat.operator.id)
    return await back(request, talk_id, seat)
