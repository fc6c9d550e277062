"""What a restored database believes is still to be done may have been done after its backup: settled before anything starts.

A person lets outreach go on, texts that waited are looked up at the carrier before they leave, surveys that were due are not put.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import jobs
from sms_gateway.broadcasts import acts
from sms_gateway.broadcasts.lifecycle import Status
from sms_gateway.broadcasts.models import Broadcast
from sms_gateway.database import dispose, transaction
from sms_gateway.messages import outbox
from sms_gateway.messages.delivery import State
from sms_gateway.messages.models import Direction, Message
from sms_gateway.tickets import follow_up

ALARM = "escalations.text_did_not_arrive"


@dataclass(frozen=True)
class Settled:
    """How many of each."""

    paused: int
    taken_back: int
    unsure: int
    surveys: int

    @property
    def sentence(self) -> str:
        """For whoever restored."""
        return (
            f"在发的群发停下了 {self.paused} 条，批过没发的退回 {self.taken_back} 条，都要人看过、对过运营商的记录再放；"
            f"没发出的短信有 {self.unsure} 条改成“不明”，先问运营商，没发过才发；到点的回访有 {self.surveys} 条不再问。"
        )


async def settle() -> Settled:
    """All of it in one transaction, on the database of the settings."""
    try:
        async with transaction() as session:
            return Settled(
                paused=await _pause(session),
                taken_back=await _take_back(session),
                unsure=await _ask_before_sending(session),
                surveys=await follow_up.leave_out_due(session),
            )
    finally:
        await dispose()


async def _pause(session: AsyncSession) -> int:
    running = await _ids(session, Broadcast.status == Status.RUNNING)
    for broadcast_id in running:
        await acts.pause(session, broadcast_id, operator_id=None, reason=acts.RESTORED)
    return len(running)


async def _take_back(session: AsyncSession) -> int:
    """Back to drafts: the second person approves anew, with the number typed."""
    approved = await _ids(session, Broadcast.status == Status.APPROVED)
    for broadcast_id in approved:
        await acts.take_back(session, broadcast_id, version=None, operator_id=None, reason=acts.RESTORED)
    return len(approved)


async def _ids(session: AsyncSession, which: ColumnElement[bool]) -> list[int]:
    return list(await session.scalars(select(Broadcast.id).where(which).order_by(Broadcast.id)))


async def _ask_before_sending(session: AsyncSession) -> int:
    """Texts that waited to leave: nobody can say whether they did. The outbox looks them up; in danger it rings as well."""
    waited = Message.direction == Direction.OUT, Message.carrier != outbox.WEB, Message.state == State.QUEUED
    changed = update(Message).where(*waited).values(state=State.UNKNOWN, sending_at=Message.at).returning(Message.id)
    unsure = list(await session.scalars(changed))
    await jobs.defer_all(session, [jobs.Deferral(ALARM, {"message_id": message_id}) for message_id in unsure])
    return len(unsure)
