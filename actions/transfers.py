"""What is none of ours goes where it belongs: to the general 12345 desk in one step, to another province when it is wished."""

from __future__ import annotations

from typing import Any

from rasa_sdk.executor import CollectingDispatcher

from sms_gateway.conversations import service as conversations
from sms_gateway.database import transaction
from sms_gateway.messages import inbox
from sms_gateway.tickets import transfers
from sms_gateway.tickets.transfer_rules import ELSEWHERE, PARTNERS, State, is_general_matter

from .replies import speak
from .turn import Turn


async def to_general_desk(dispatcher: CollectingDispatcher, turn: Turn, *, message_id: int | None = None) -> None:
    """Pass a matter on, and say truly how far that is: under way, or that they have to call themselves.

    `message_id`: the text it was told in, when that is not the turn's own. Chatter is no matter; who sends it hears whom
    to call. That it has been taken is said only once it is (`tickets.telling_transfers`).
    """
    told_before = message_id is not None and message_id != turn.message_id
    row = None
    if told_before or is_general_matter(turn.text):
        async with transaction() as session:
            told_in = await inbox.get_message(session, message_id or turn.message_id)
            if told_in.contact_id == turn.contact_id and is_general_matter(told_in.body):
                row = await transfers.open_for_text(session, message_id=told_in.id)
    under_way = row is not None and row.state == State.REQUESTED
    speak(dispatcher, "transfer.asked" if under_way else "scope.other")


async def to_province(dispatcher: CollectingDispatcher, turn: Turn, question: dict[str, Any]) -> None:
    """ "1要": an operator passes it on by hand and writes down their number; the record is made here."""
    async with transaction() as session:
        told_in = await inbox.get_message(session, int(question.get("message") or turn.message_id))
        row, partner = None, question.get("province")
        partner = partner if partner in PARTNERS else ELSEWHERE
        if told_in.contact_id == turn.contact_id:
            row = await transfers.open_for_text(
                session, message_id=told_in.id, partner=partner, words=question.get("words")
            )
        await conversations.hand_over(
            session, thread_id=turn.thread_id, message_id=turn.message_id, cause="transfer", ticketed=row is not None
        )
    speak(dispatcher, "other.province.yes")
