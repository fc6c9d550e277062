"""A bridge call: requested, accepted with the desk's number, concluded; failed or given back. Every step is an event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.contacts.models import Channel
from sms_gateway.errors import BadInput, Conflict, NotFound
from sms_gateway.jobs import defer
from sms_gateway.messages.models import Thread
from sms_gateway.settings import get_settings
from sms_gateway.timers import set_timer

from .choosing import Route
from .incident import Incident
from .models import WITH_DESK, BridgeCall, BridgeEvent, BridgeHeard
from .record import CHANGED, accept, fail, lock, note
from .said import Said, last_said

__all__ = ["accept", "fail", "lock", "note"]

BY_JOB = {"call": "bridge.call", "text12110": "bridge.text12110"}
"""Drivers with a job of their own; the others speak linkage."""
LONGEST_RECEIPT = 40
LONGEST_WORDS = 1000


class BridgeCallNotFound(NotFound):
    sentence = "没有这一次转接。"


class DeskSaysNonsense(Conflict):
    sentence = "这一步和之前说的对不上。"


class IsRequestedAlready(Conflict):
    sentence = "这个台已经在叫了，请看右边的状态。"


class SettlingNeedsWords(BadInput):
    sentence = "请写一句：后来是怎么交出去的、谁接的。"


async def request(
    session: AsyncSession, *, escalation_id: int, thread_id: int, route: Route, incident: Incident,
    requested_by: int | None, ticket_id: int | None = None,
) -> BridgeCall:  # fmt: skip
    """Hand it over: row, event and job together. Raises `IsRequestedAlready` while the same service is being asked."""
    asked = select(BridgeCall.id).where(
        BridgeCall.escalation_id == escalation_id, BridgeCall.service == incident.service, BridgeCall.state == "requested"
    )  # fmt: skip
    if await session.scalar(asked) is not None:
        raise IsRequestedAlready
    now = clock.now()
    call = BridgeCall(
        escalation_id=escalation_id, thread_id=thread_id, ticket_id=ticket_id, service=incident.service, desk=route.desk,
        driver=route.driver, state="requested", requested_at=now, requested_by=requested_by, incident=incident.values(),
    )  # fmt: skip
    session.add(call)
    await session.flush()
    who = f"operator:{requested_by}" if requested_by else "system"
    await note(session, call, "requested", who=who, detail={"desk": route.desk, "driver": route.driver})
    if route.driver in BY_JOB:
        await defer(session, BY_JOB[route.driver], call_id=call.id)
    else:
        await defer(session, "bridge.send", subject_id=call.id)
    due_at = now + timedelta(seconds=get_settings().desk_accepts_within_seconds)
    await set_timer(session, job="bridge.late", subject_id=call.id, due_at=due_at)
    return call


async def begin_try(session: AsyncSession, call_id: int) -> BridgeCall | None:
    """The call to send now, its try counted; None when it is settled."""
    call = await lock(session, call_id)
    if call.state != "requested":
        return None
    call.attempts += 1
    return call


async def try_again(session: AsyncSession, call_id: int, *, error: str) -> None:
    """The desk did not answer: the next try has its time. It goes on until somebody accepts."""
    call = await lock(session, call_id)
    if call.state != "requested":
        return
    call.last_error = error[:40]
    await note(session, call, "no_answer", detail={"error": error[:40], "try": call.attempts})
    pauses = get_settings().bridge_retry_seconds  # the last one again and again
    pause = pauses[min(call.attempts, len(pauses)) - 1]
    await set_timer(session, job="bridge.send", subject_id=call.id, due_at=clock.now() + timedelta(seconds=pause))


async def note_taken(session: AsyncSession, call: BridgeCall, receipt: str | None) -> None:
    """The desk has answered: accepted with its number, or taken with the number to follow (then it is not sent again)."""
    if receipt is not None:
        await accept(session, call, receipt=receipt, who="desk")
    elif call.state == "requested":
        await note(session, call, "taken", who="desk")


async def call_out(session: AsyncSession, call_id: int) -> bool:
    """Nobody has accepted in time: the desk of ours must know; whether that is news."""
    call = await lock(session, call_id)
    if call.state != "requested" or call.alarmed_at is not None:
        return False
    call.alarmed_at = clock.now()
    await note(session, call, "late")
    await defer(session, CHANGED, call_id=call.id)
    return True


async def find_by_reference(
    session: AsyncSession, desk: str, reference: str, *, make_believe: bool = False
) -> BridgeCall:
    """The call of that desk under the reference we gave it (32 hex digits), locked; raises `BridgeCallNotFound`.

    `make_believe`: the make-believe desk asks, which knows of its own calls only; a real one never of those.
    """
    wanted = select(BridgeCall).where(BridgeCall.uid == UUID(reference), BridgeCall.desk == desk)
    call = await session.scalar(wanted.where((BridgeCall.driver == "simulator") == make_believe).with_for_update())
    if call is None:
        raise BridgeCallNotFound
    return call


async def find_of_talk(session: AsyncSession, thread_id: int, call_id: int) -> BridgeCall:
    """That hand-over of that talk, locked; raises `BridgeCallNotFound`."""
    wanted = select(BridgeCall).where(BridgeCall.id == call_id, BridgeCall.thread_id == thread_id).with_for_update()
    call = await session.scalar(wanted.execution_options(populate_existing=True))
    if call is None:
        raise BridgeCallNotFound
    return call


async def is_news(session: AsyncSession, *, desk: str, message_id: str) -> bool:
    """Whether this message of the desk is heard for the first time; it is noted then."""
    row = insert(BridgeHeard).values(desk=desk, message_id=message_id, at=clock.now()).on_conflict_do_nothing()
    return await session.scalar(row.returning(BridgeHeard.message_id)) is not None


async def hear(
    session: AsyncSession, call: BridgeCall, state: str, *, receipt: str | None = None, words: str | None = None
) -> None:
    """The desk tells of a locked call. Late and repeated words never take anything back; a desk may still take what it refused."""
    if not await _moves(session, call, state, receipt):
        return
    what = "receipt" if state == "accepted" else state
    await note(session, call, what, who="desk", words=(words or "")[:LONGEST_WORDS] or None)
    await defer(session, CHANGED, call_id=call.id)


async def _moves(session: AsyncSession, call: BridgeCall, state: str, receipt: str | None) -> bool:
    """Move the call as the desk says; whether that was news worth a line."""
    waits = call.state == "requested" or (call.state == "failed" and call.settled_at is None)
    if state == "refused":
        return await fail(session, call, error="refused") or call.state == "concluded"
    if state == "returned":
        if not (waits or call.state == "accepted"):
            return call.state == "concluded"
        call.state, call.ended_at = "returned", clock.now()
        return True
    if waits:
        if not receipt and call.receipt is None:
            raise DeskSaysNonsense("受理要带警情编号。")
        await accept(session, call, receipt=(receipt or call.receipt or "")[:LONGEST_RECEIPT], who="desk")
    elif state == "accepted" or call.state not in WITH_DESK:
        return False
    if state == "concluded" and call.state == "accepted":
        call.state, call.ended_at = "concluded", clock.now()
    return True


async def settle(session: AsyncSession, call_id: int, *, operator_id: int, words: str) -> None:
    """A supervisor saw a failed call and writes how it was mended: it no longer stands red on the wall."""
    words = words.strip()
    if not words:
        raise SettlingNeedsWords
    call = await session.scalar(select(BridgeCall).where(BridgeCall.id == call_id).with_for_update())
    if call is None:
        raise BridgeCallNotFound
    if call.state == "requested":
        await fail(session, call, error="settled_by_hand")
    call.settled_by, call.settled_at = operator_id, clock.now()
    await note(session, call, "settled", who=f"operator:{operator_id}", words=words[:LONGEST_WORDS])


async def list_of_talk(session: AsyncSession, thread_id: int, *, limit: int = 20) -> Sequence[BridgeCall]:
    """The talk's hand-overs, the newest first."""
    wanted = select(BridgeCall).where(BridgeCall.thread_id == thread_id).order_by(BridgeCall.id.desc())
    return (await session.scalars(wanted.limit(limit))).all()


def unsettled() -> ColumnElement[bool]:
    """Condition over `BridgeCall`: nobody has accepted it yet, or it failed and nobody has written how that was mended."""
    return BridgeCall.state.in_(("requested", "failed")) & BridgeCall.settled_at.is_(None)


async def list_unsettled(session: AsyncSession, *which: ColumnElement[bool], limit: int = 100) -> list[BridgeCall]:
    """What stands red on the wall and is handed to the next shift: failed ones first, a drill's last, the longest waiting first.

    `which`: further conditions over `BridgeCall` and its `Thread`.
    """
    wanted = select(BridgeCall).join(Thread, Thread.id == BridgeCall.thread_id).where(unsettled(), *which)
    order = (Thread.channel == Channel.DRILL, BridgeCall.state != "failed", BridgeCall.requested_at)
    return list(await session.scalars(wanted.order_by(*order).limit(limit)))


async def list_events(session: AsyncSession, call_ids: Sequence[int]) -> Sequence[BridgeEvent]:
    """What happened to these calls, oldest first."""
    wanted = select(BridgeEvent).where(BridgeEvent.call_id.in_(call_ids)).order_by(BridgeEvent.id)
    return (await session.scalars(wanted)).all()


async def is_with_desk(session: AsyncSession, escalation_id: int, *, service: str | None = None) -> bool:
    """Whether a desk (of `service`, 110 …) has taken this call's matter and has not given it back."""
    taken = exists().where(BridgeCall.escalation_id == escalation_id, BridgeCall.state.in_(WITH_DESK))
    return bool(await session.scalar(select(taken if service is None else taken.where(BridgeCall.service == service))))


async def list_said(session: AsyncSession, escalation_ids: Sequence[int]) -> dict[int, tuple[BridgeCall, Said]]:
    """What the desks that have these matters said last, by escalation: of several desks the one that spoke last."""
    has = BridgeCall.state.in_(WITH_DESK)
    calls = list(await session.scalars(select(BridgeCall).where(BridgeCall.escalation_id.in_(escalation_ids), has)))
    events = await list_events(session, [call.id for call in calls]) if calls else []
    found: dict[int, tuple[BridgeCall, Said]] = {}
    for call in calls:
        said = last_said(event for event in events if event.call_id == call.id)
        known = found.get(call.escalation_id)
        if said is not None and (known is None or said.at >= known[1].at):
            found[call.escalation_id] = call, said
    return found


async def was_used(session: AsyncSession, escalation_id: int) -> bool:
    """Whether an emergency desk was asked for this call: then a supervisor signs its end."""
    return bool(await session.scalar(select(exists().where(BridgeCall.escalation_id == escalation_id))))
