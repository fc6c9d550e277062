"""Emergency desks tell us what became of an incident: signed, once or often, in any order."""

from __future__ import annotations

from fastapi import APIRouter, Request

from sms_gateway import logs
from sms_gateway.bridge import service
from sms_gateway.database import transaction
from sms_gateway.platforms import linkage
from sms_gateway.settings import get_settings

log = logs.get("bridge")
router = APIRouter(include_in_schema=False)


@router.post("/platforms/linkage/{desk}")
async def hear_desk(request: Request, desk: str) -> dict[str, bool]:
    """200 once it is noted (also when it was known), 403 for a forged or old signature, 404 for a reference that is none of
    ours, 409 where their word does not fit, 422 for anything unclear."""
    update = linkage.read_update(get_settings(), desk, request.headers, await request.body())
    async with transaction() as session:
        call = await service.find_by_reference(session, desk, update.reference)
        news = await service.is_news(session, desk=desk, message_id=request.headers["webhook-id"][:64])
        if news:
            await service.hear(session, call, update.state, receipt=update.receipt, words=update.words)
    log.info("desk_told", bridge=call.id, state=update.state, news=news)
    return {"ok": True, "news": news}
