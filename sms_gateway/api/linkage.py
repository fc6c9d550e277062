"""Emergency desks tell us what became of an incident, and hand us what is no emergency: signed, once or often, in any order."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from sms_gateway import logs
from sms_gateway.bridge import service
from sms_gateway.conversations import desk_matters
from sms_gateway.database import transaction
from sms_gateway.platforms import linkage
from sms_gateway.settings import get_settings

log = logs.get("bridge")
router = APIRouter(include_in_schema=False)


@router.post("/platforms/linkage/{desk}")
async def hear_desk(request: Request, desk: str) -> dict[str, bool]:
    """200 once it is noted (also when it was known), 400 for a `webhook-id` over 64 signs, 403 for a forged or old
    signature, 404 for a reference that is none of ours, 409 where their word does not fit, 422 for anything unclear."""
    update, make_believe = linkage.read_update(get_settings(), desk, request.headers, await request.body())
    async with transaction() as session:
        call = await service.find_by_reference(session, desk, update.reference, make_believe=make_believe)
        news = await service.is_news(session, desk=desk, message_id=request.headers["webhook-id"])
        if news:
            await service.hear(session, call, update.state, receipt=update.receipt, words=update.words)
    log.info("desk_told", bridge=call.id, state=update.state, news=news)
    return {"ok": True, "news": news}


@router.post("/platforms/linkage/{desk}/matters", status_code=201)
async def take_matter(request: Request, response: Response, desk: str) -> dict[str, Any]:
    """A matter that is no emergency becomes a ticket: 201 with `{"ticket"}`, its 8 digits; 200 with the same ticket for the same
    number again. 403 for a forged or old signature, 409 where that number said something else before, 413, 422."""
    matter = linkage.read_matter(get_settings(), desk, request.headers, await request.body())
    async with transaction() as session:
        said = matter.model_dump(exclude={"number"})
        ticket, news = await desk_matters.take(session, desk=desk, number=matter.number, said=said)
    log.info("desk_matter_taken", desk=desk, news=news)
    response.status_code = 201 if news else 200
    return {"ok": True, "ticket": ticket, "news": news}
