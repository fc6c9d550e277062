"""接不通就上省 (PRACTICE section 7): a prefecture's desk that refused, failed or stays silent is followed by the province's.

One click of the operator who has the talk; by itself only where the ladder had called the first desk and nobody of ours has
answered since. Where the province's centre has no way of its own, an operator telephones as ever.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.bridge import choosing
from sms_gateway.bridge import service as bridge
from sms_gateway.bridge.incident import read
from sms_gateway.bridge.models import WITH_DESK, BridgeCall
from sms_gateway.errors import Conflict
from sms_gateway.escalations import service as escalations
from sms_gateway.escalations.ladder import State
from sms_gateway.escalations.models import Escalation
from sms_gateway.messages.models import Thread
from sms_gateway.operators.models import Operator

from . import bridging, records, talk

SILENT = "silent"
"""The error of a desk that had not answered when its matter went on to the province. It may still take it."""


class ProvinceIsNotNext(Conflict):
    sentence = "这一次不用再转省里了，请看右边的状态。"


def next_of(thread: Thread, calls: Sequence[BridgeCall]) -> list[tuple[BridgeCall, choosing.Route]]:
    """Which hand-overs (`calls` of one call for a person, the newest first) the province's desk can follow, by which way."""
    found: dict[str, tuple[BridgeCall, choosing.Route]] = {}
    for call in {one.service: one for one in reversed(calls)}.values():
        silent = call.state == "requested" and call.alarmed_at is not None and call.driver != "call"
        given_up = call.state == "failed" and call.settled_at is None
        if not (silent or given_up) or any(one.state in WITH_DESK for one in calls if one.service == call.service):
            continue
        route = bridging.route_to(thread, call.service, None)
        if route.driver != "hand" and route.desk != call.desk:
            found[call.service] = call, route
    return list(found.values())


async def ask(session: AsyncSession, *, thread_id: int, operator: Operator, call_id: int) -> BridgeCall:
    """The operator who has the talk asks the province. Raises `NotYourTalk`, `NothingIsOpen`, `ProvinceIsNotNext`."""
    first = await bridge.find_of_talk(session, thread_id, call_id)  # before talk and call for a person, as everywhere
    escalation = await records.get_own_call(session, thread_id, operator)
    followed = await _follow(session, escalation, first, operator)
    if followed is None:
        raise ProvinceIsNotNext
    return followed


async def on_failed(session: AsyncSession, call_id: int) -> BridgeCall | None:
    """Something became of a hand-over: one of the ladder's own that came to nothing goes on to the province by itself."""
    first = await bridge.lock(session, call_id)
    if first.requested_by is not None:
        return None
    thread = await talk.get_talk(session, first.thread_id, for_update=True)
    escalation = await escalations.find_open(session, thread.id, for_update=True)
    if escalation is None or escalation.id != first.escalation_id or escalation.state != State.RINGING:
        return None  # somebody of ours has it: the page offers it to them
    return await _follow(session, escalation, first, None)


async def _follow(
    session: AsyncSession, escalation: Escalation, first: BridgeCall, operator: Operator | None
) -> BridgeCall | None:
    thread = await talk.get_talk(session, escalation.thread_id)
    calls = [one for one in await bridge.list_of_talk(session, thread.id) if one.escalation_id == escalation.id]
    route = next((way for call, way in next_of(thread, calls) if call.id == first.id), None)
    if route is None or (operator is None and route.driver == "call"):
        return None
    if first.state == "requested":
        await bridge.fail(session, first, error=SILENT)
    told = read(first.incident)
    return await bridging.hand_over(
        session, thread=thread, escalation=escalation, operator=operator, service=first.service, approach=told.approach,
        number_agreed=bool(told.phone), route=route,
    )  # fmt: skip
