"""What the handbook's editors learn from a turn, written down when the turn is over and its reply on its way.

It has a transaction and a deadline of its own: whatever happens here, the turn has happened.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from sms_gateway import logs
from sms_gateway.database import transaction
from sms_gateway.handbook import asked
from sms_gateway.handbook.models import Outcome, Verdict
from sms_gateway.handbook.wishes import is_question, is_rejection

from .assistant import Reply
from .questions import Answer, is_digit
from .reading import Reading
from .steps import Step

log = logs.get("conversations")

LONGEST_SECONDS = 2.0
OUTCOMES = {
    "policy.answer": Outcome.ANSWERED,
    "policy.clarify": Outcome.UNCLEAR,
    "policy.unsure": Outcome.UNANSWERED,
}
"""What a reply of that key says about its question."""
NOT_UNDERSTOOD = "scope.ask"
NEITHER = "policy.ask_again"
PERSON = frozenset({"human.queued", "human.none"})


@dataclass(frozen=True)
class Note:
    """One thing to write down about the text `message_id`: what it got, what it chose, or what it said to an answer."""

    thread_id: int
    message_id: int
    outcome: Outcome | None = None
    verdict: Verdict | None = None
    chosen: bool = False
    """It chose between the two entries it was asked about."""
    entry_id: str | None = None
    score: float | None = None


def of_step(step: Step, read: Reading, *, body: str, message_id: int, thread_id: int) -> Note | None:
    """What a text that the line itself dealt with says about the last answer."""
    if step is Step.CALL_PERSON:
        return Note(thread_id, message_id, verdict=Verdict.HANDED_OVER)
    if step is not Step.READ_FEEDBACK:
        return None
    if read.answer is not None and read.answer.answer is Answer.UNCLEAR:
        return None
    return Note(thread_id, message_id, verdict=verdict_of(read, body))


def verdict_of(read: Reading, body: str) -> Verdict:
    """What an answer to "有用吗" says; a text that only rejects the answer says that it was another question."""
    if read.answer is None:
        return Verdict.NOT_THIS
    if read.answer.answer is Answer.YES:
        return Verdict.USEFUL
    return Verdict.NOT_THIS if is_rejection(body) and not is_digit(body) else Verdict.USELESS


def of_replies(replies: Sequence[Reply], *, text: str, message_id: int, thread_id: int) -> Note | None:
    """What the assistant's replies say about the question they answer."""
    for reply in replies:
        if reply.key == "policy.answer" and is_digit(text):
            return Note(thread_id, message_id, chosen=True, entry_id=reply.entry)
        if reply.key in OUTCOMES:
            return Note(thread_id, message_id, outcome=OUTCOMES[reply.key], entry_id=reply.entry, score=reply.score)
        if reply.key == NEITHER:
            return Note(thread_id, message_id, verdict=Verdict.NOT_THIS)
        if reply.key in PERSON:
            return Note(thread_id, message_id, verdict=Verdict.HANDED_OVER)
        if reply.key == NOT_UNDERSTOOD and is_question(text):
            return Note(thread_id, message_id, outcome=Outcome.UNANSWERED)
    return None


async def write(note: Note) -> None:
    """Write it down. Never raises, never takes longer than `LONGEST_SECONDS`."""
    try:
        async with asyncio.timeout(LONGEST_SECONDS), transaction() as session:
            if note.outcome is not None:
                await asked.note_asked(
                    session,
                    thread_id=note.thread_id,
                    message_id=note.message_id,
                    outcome=note.outcome,
                    entry_id=note.entry_id,
                    score=note.score,
                )
            elif note.chosen:
                await asked.note_chosen(session, thread_id=note.thread_id, entry_id=note.entry_id)
            elif note.verdict is not None:
                await asked.note_verdict(
                    session, thread_id=note.thread_id, verdict=note.verdict, message_id=note.message_id
                )
    except Exception as error:  # noqa: BLE001 - a gap that is not noted is no reason to fail a turn
        log.warning("handbook_note_lost", message=note.message_id, error=type(error).__name__)
