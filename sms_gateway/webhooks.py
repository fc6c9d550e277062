"""The carriers' door: texts in and delivery receipts, signed, stored before they are acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from fastapi import APIRouter, Request, Response
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession

from . import clock, logs
from .bridge import police_texts
from .broadcasts.receipt_batches import Collector
from .broadcasts.receipts import Told
from .broadcasts.references import is_outreach
from .carriers import simulator, twilio
from .carriers.incoming import ReceiptIn, TextIn, read_form
from .contacts.models import Channel
from .contacts.phone import NotAPhoneNumber, parse
from .conversations.commands import Kind, read_command
from .database import DatabaseIsSlow, in_time, transaction
from .errors import DatabaseIsAway, HotlineError, NotFound
from .messages import inbox, outbox, spool
from .settings import Settings, get_settings

log = logs.get("webhooks")

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
OK = b'{"ok":true}'
LONGEST_SENDER = 128
STORED_WITHIN = 3.0
"""Seconds for the database to take a text; then it goes to disk. Carriers wait ten to fifteen."""


class SignatureIsWrong(HotlineError):
    status_code = 403
    sentence = "签名不对。"


class ContentTypeIsWrong(HotlineError):
    status_code = 415


router = APIRouter()
make_believe = APIRouter()
"""The make-believe carrier's part; not there in production."""


@router.post("/twilio/sms")
async def receive_sms(request: Request) -> Response:
    """A text through Twilio: 200 with empty TwiML once it is stored, also when it was stored before."""
    form = await _twilio_form(request)
    await accept(twilio.read_text(form))
    return Response(twilio.EMPTY_TWIML, media_type="text/xml")


async def receive_status(request: Request) -> Response:
    """What became of a text of ours, by Twilio."""
    form = await _twilio_form(request)
    receipt = twilio.read_receipt(form, request.query_params.get("m"))
    if receipt is not None:  # None says nothing new
        await note_receipts(request, [receipt])
    return Response(twilio.EMPTY_TWIML, media_type="text/xml")


@make_believe.post("/carriers/simulator/sms")
async def receive_simulated_sms(request: Request) -> dict[str, bool]:
    """A text from the phone page, by the same path as a real one."""
    await accept(simulator.read_text(await _simulator_form(request)))
    return {"ok": True}


async def receive_simulated_status(request: Request) -> Response:
    """What became of a text of ours, by the make-believe carrier."""
    await note_receipts(request, [simulator.read_receipt(await _simulator_form(request))])
    return Response(OK, media_type=JSON)


RECEIPTS = {"/twilio/status": receive_status}
MAKE_BELIEVE_RECEIPTS = {"/carriers/simulator/status": receive_simulated_status}
"""Receipts come by the thousand: plain routes before all others, without what FastAPI does for each request (dependencies, models)."""


@make_believe.post("/carriers/simulator/receipts")
async def receive_simulated_receipts(request: Request) -> dict[str, bool]:
    """Up to 500 receipts in one body, as domestic gateways push them: 200 once all of them are stored, else all come again."""
    await note_receipts(request, simulator.read_receipts(await _signed_body(request, JSON)))
    return {"ok": True}


async def accept(text: TextIn) -> None:
    """Store a signed text and defer what sees to it; returns once it is safe: in the database, or on disk while that is away."""
    inbound = read_inbound(text)
    if await _waits_behind(inbound):
        await spool.take_in(inbound, hush=asks_for_silence)
        return
    began = clock.wall_seconds()
    for _ in range(2):
        left = STORED_WITHIN - (clock.wall_seconds() - began)
        try:
            recorded = await in_time(partial(store, inbound), within=max(0.1, left))
        except Exception as error:  # noqa: BLE001 - whatever keeps it out of the database, it must not be lost
            log.warning("text_not_stored", error=type(error).__name__)
            if isinstance(error, DatabaseIsSlow):
                break
        else:
            log.info("text_received", message=recorded and recorded.message_id, repeated=recorded is None)
            return
    await spool.take_in(inbound, hush=asks_for_silence)


def read_inbound(text: TextIn) -> inbox.Inbound:
    """A carrier's text as every text in, received now."""
    return inbox.Inbound(
        channel=Channel.SMS,
        address=read_sender(text),
        body=text.body,
        carrier=text.carrier,
        carrier_id=text.carrier_id,
        received_at=clock.now(),
        extension=text.extension,
    )


async def store(inbound: inbox.Inbound, session: AsyncSession) -> inbox.Recorded | None:
    """Store a text and defer what sees to it, in the caller's transaction; None when it is no person's, or was stored before."""
    if await police_texts.hear(session, inbound.address, inbound.body):
        return None  # the police's answer to a hand-over by text is no person's text
    return await inbox.receive(session, inbound)


async def _waits_behind(inbound: inbox.Inbound) -> bool:
    """Whether earlier texts of the same phone lie on disk and cannot be brought in right now: none may overtake them."""
    if not spool.holds_of(inbound):
        return False
    replaying = asyncio.create_task(spool.replay(hear=police_texts.hear, only=inbound))
    await asyncio.wait(
        {replaying}, timeout=STORED_WITHIN
    )  # one that hangs is left to itself: what it does later is right, too
    return spool.holds_of(inbound)


def asks_for_silence(body: str) -> bool:
    """Whether somebody may be holding that phone: nothing goes back to it, whatever the text tells."""
    command = read_command(body, talking=True)
    return command is not None and (command.stop_with_plea or command.kind is Kind.SILENCE)


async def note_receipts(request: Request, receipts: Sequence[ReceiptIn]) -> None:
    """Store receipts and apply them by rank, those of outreach in the batch that is gathering. Raises `DatabaseIsAway`, `TooManyReceipts`."""
    outreach = [receipt for receipt in receipts if is_outreach(receipt.reference)]
    talks = [receipt for receipt in receipts if not is_outreach(receipt.reference)]
    if talks:  # one nobody knows and without a reference may be outreach by a carrier that knows its own ids only
        outreach += [receipt for receipt in await _note_talks(talks) if receipt.reference is None]
    if outreach:
        collector: Collector[Told] = request.app.state.receipts
        await collector.put(
            *(
                Told(one.carrier, one.carrier_id, one.state, one.error, one.reference, one.person_refuses)
                for one in outreach
            )
        )


async def _note_talks(receipts: Sequence[ReceiptIn]) -> list[ReceiptIn]:
    """Apply those of talks; those of texts we do not know."""
    unknown: list[ReceiptIn] = []
    try:
        async with transaction() as session:
            for receipt in sorted(
                receipts, key=lambda one: one.carrier_id
            ):  # in one order: two requests never block each other
                known = await outbox.apply_receipt(
                    session,
                    carrier=receipt.carrier,
                    carrier_id=receipt.carrier_id,
                    state=receipt.state,
                    error=receipt.error,
                    reference=receipt.reference,
                )
                if not known:
                    unknown.append(receipt)
    except (OperationalError, InterfaceError, PoolTimeout, OSError):
        raise DatabaseIsAway from None
    log.info("receipts_received", receipts=len(receipts), known=len(receipts) - len(unknown))
    return unknown


def read_sender(text: TextIn) -> str:
    """The sender as E.164; a strange one stays as it came, since its text must not be lost."""
    try:
        return str(parse(text.sender))
    except NotAPhoneNumber:
        return text.sender.strip()[:LONGEST_SENDER] or f"unknown:{text.carrier}:{text.carrier_id}"


async def _twilio_form(request: Request) -> dict[str, str]:
    settings = get_settings()
    if settings.twilio_auth_token is None:
        raise NotFound
    token = settings.twilio_auth_token.get_secret_value()
    form = read_form(await _body_of(request, FORM))
    signature = request.headers.get(twilio.SIGNATURE_HEADER)
    if not twilio.is_genuine(token=token, url=_called_address(request, settings), form=form, signature=signature):
        raise SignatureIsWrong
    return form


async def _simulator_form(request: Request) -> dict[str, str]:
    return read_form(await _signed_body(request, FORM))


async def _signed_body(request: Request, kind: str) -> bytes:
    """The body, signed by the make-believe carrier."""
    body = await _body_of(request, kind)
    signature = request.headers.get(simulator.SIGNATURE_HEADER)
    key = simulator.secret(get_settings())
    if not simulator.is_genuine(key, path=_path(request), body=body, signature=signature, at=clock.now()):
        raise SignatureIsWrong
    return body


async def _body_of(request: Request, kind: str) -> bytes:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != kind:
        raise ContentTypeIsWrong(f"只收 {kind}。")
    return await request.body()


def _called_address(request: Request, settings: Settings) -> str:
    """The address the carrier called, as it knows us."""
    return settings.webhook_url + _path(request)


def _path(request: Request) -> str:
    query = request.scope["query_string"].decode("latin-1")
    return str(request.scope["path"]) + (f"?{query}" if query else "")
