"""Other hotlines' platforms tell us what became of a matter we passed on: signed, once or often, in any order."""

from __future__ import annotations

from fastapi import APIRouter, Request

from sms_gateway import logs
from sms_gateway.database import transaction
from sms_gateway.platforms import general
from sms_gateway.settings import get_settings
from sms_gateway.tickets import transfers
from sms_gateway.tickets.transfer_rules import State

log = logs.get("platforms")
router = APIRouter(include_in_schema=False)


@router.post("/platforms/general")
async def hear_general_desk(request: Request) -> dict[str, bool]:
    """The general 12345 platform: 200 once it is noted (also when it was known), 403 for a forged or old signature, 404 for
    a number that is none of ours, 409 where their word does not fit what was said before, 422 for anything unclear."""
    notice = general.read_notice(get_settings(), request.headers, await request.body())
    async with transaction() as session:
        row = await transfers.find_by_our_number(session, notice.number)
        news = await transfers.settle(
            session, row.id, State(notice.state), number=notice.their_number, reason=notice.reason
        )
    log.info("platform_told", transfer=row.id, state=notice.state, news=news)
    return {"ok": True, "news": news}
