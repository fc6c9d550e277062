"""What an operator heard from a desk by telephone: that it took the matter, by its number or who took it, or that it did not.

Who picks up a three-way call may be the recording of a queue. Only these words of the operator make it the desk's.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.bridge import service as bridge
from sms_gateway.bridge.models import BridgeCall
from sms_gateway.errors import BadInput, Conflict
from sms_gateway.operators.models import Operator

from . import records

NOT_TAKEN = "not_taken"
"""Kept as the call's error."""


class ReceiptIsNeeded(BadInput):
    sentence = f"请写警情编号，或接警员的姓名、警号，{bridge.LONGEST_RECEIPT} 字以内。"


class HasAnEndAlready(Conflict):
    sentence = "这一次转接已经有结果了，请看右边的状态。"


async def note_receipt(
    session: AsyncSession, *, thread_id: int, operator: Operator, call_id: int, reference: str
) -> None:
    """The desk has it under `reference` (警情编号 or 警员): only now is it accepted, the duty to report settled and the alarm off.

    Raises `NotYourTalk`, `NothingIsOpen`, `ReceiptIsNeeded`, `BridgeCallNotFound`, `HasAnEndAlready`.
    """
    reference = reference.strip()
    if not 0 < len(reference) <= bridge.LONGEST_RECEIPT or not reference.isprintable():
        raise ReceiptIsNeeded
    call = await _own(session, thread_id, operator, call_id)
    if not await bridge.accept(session, call, receipt=reference, who=f"operator:{operator.id}"):
        raise HasAnEndAlready


async def note_not_taken(session: AsyncSession, *, thread_id: int, operator: Operator, call_id: int) -> None:
    """Nobody there took it: the way is free for another desk or another try. Raises as `note_receipt`."""
    call = await _own(session, thread_id, operator, call_id)
    if call.state != "requested":
        raise HasAnEndAlready
    await bridge.fail(session, call, error=NOT_TAKEN)


async def _own(session: AsyncSession, thread_id: int, operator: Operator, call_id: int) -> BridgeCall:
    call = await bridge.find_of_talk(session, thread_id, call_id)  # before talk and call for a person, as everywhere
    await records.get_own_call(session, thread_id, operator)
    return call
