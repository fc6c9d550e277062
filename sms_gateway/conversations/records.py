"""What an operator writes down beside a talk: a call made by hand, who saw the child, where it is, a note.

The words are sealed with the escalation; events hold ids and plain words of ours only.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, regions
from sms_gateway.bridge import matters
from sms_gateway.clock import shanghai
from sms_gateway.contacts.models import Channel
from sms_gateway.database import notify
from sms_gateway.errors import BadInput, Conflict
from sms_gateway.escalations import service as escalations
from sms_gateway.escalations.ladder import State
from sms_gateway.escalations.models import Escalation
from sms_gateway.jobs import defer
from sms_gateway.operators.models import Operator
from sms_gateway.operators.presence import note as audit
from sms_gateway.operators.seats import DANGER
from sms_gateway.tickets import actors, places

from . import registering, talk, transferring
from .ownership import Owner
from .service import SeatIsNotTrained, answer_as_seat

LONGEST_NOTE = 2000
UNITS = {
    "110": "110 公安", "119": "119 消防", "120": "120 急救", "122": "122 交警",
    "civil": "民政", "education": "教育", "women": "妇联", "village": "村（社区）",
}  # fmt: skip
"""Whom a matter may be told to, by the key kept in the event."""

OPEN_WITHOUT_ASKING = {"red": "红色在办，要交给接警台", "orange": "橙色在办，要交给接警台"}
"""The reason that danger gives by itself (未保法 63); nobody opens a number without danger."""


class NothingIsOpen(Conflict):
    sentence = "这个会话现在没有要处理的呼叫，请刷新后再看。"


class PlaceIsUnclear(BadInput):
    sentence = "没认出是云南哪个县，请写“州市＋县”，如“昭通市镇雄县”。"


async def get_own_call(session: AsyncSession, thread_id: int, operator: Operator) -> Escalation:
    """The open call, locked, of the talk this operator has; raises `NotYourTalk`, `NothingIsOpen`."""
    await talk.get_own(session, thread_id, operator.id)
    found = await escalations.find_open(session, thread_id, for_update=True)
    if found is None:
        raise NothingIsOpen
    return found


async def _take_own_call(session: AsyncSession, thread_id: int, operator: Operator) -> Escalation:
    """The same, to take it a step further: that answers what still rings, and danger is a trained seat's (`SeatIsNotTrained`)."""
    call = await get_own_call(session, thread_id, operator)
    await answer_as_seat(session, call, operator)
    return call


def _write(call: Escalation, operator: Operator, words: str) -> None:
    line = f"{shanghai(clock.now()):%m-%d %H:%M} 工号{operator.badge} {words}"
    whole = f"{call.note}\n{line}" if call.note else line
    if len(whole) > LONGEST_NOTE * 4:
        raise BadInput("记录太长了，请写得短一些。")
    call.note = whole


def _short(words: str, *, needed: str) -> str:
    words = words.strip()
    if not words:
        raise BadInput(needed)
    if len(words) > LONGEST_NOTE:
        raise BadInput(f"一次最多写 {LONGEST_NOTE} 字。")
    return words


async def write_note(session: AsyncSession, *, thread_id: int, operator: Operator, words: str) -> None:
    """Add a line to the open call's record."""
    call = await get_own_call(session, thread_id, operator)
    _write(call, operator, _short(words, needed="还没有写字。"))
    await talk.note(session, thread_id, "note", who=f"operator:{operator.id}", detail={"escalation": call.id})
    await notify(session, "hotline_thread", str(thread_id))


async def note_handed_over(
    session: AsyncSession, *, thread_id: int, operator: Operator, unit: str, reference: str
) -> None:
    """The operator has called `unit` (a key of `UNITS`) by hand; `reference`: receipt or who took the call."""
    if unit not in UNITS:
        raise BadInput("请选交给了谁。")
    thread = await talk.get_own(session, thread_id, operator.id)
    call = await _take_own_call(session, thread_id, operator)
    reference = _short(reference, needed="请写接的人、工号或警情编号，没有就写“没给编号”。")
    if call.state != State.HANDED_OVER:
        await escalations.move(
            session, call, State.HANDED_OVER, who=f"operator:{operator.id}", detail={"unit": unit, "by": "hand"}
        )
    _write(call, operator, f"已人工交给{UNITS[unit]}：{reference}")
    await registering.register_danger(session, thread, call)
    await registering.settle_duty(session, thread, operator=operator, unit=unit, reference=reference)
    await talk.note(
        session,
        thread_id,
        "called_by_hand",
        who=f"operator:{operator.id}",
        detail={"unit": unit, "escalation": call.id},
    )
    await notify(session, "hotline_thread", str(thread_id))


async def note_child_seen(
    session: AsyncSession, *, thread_id: int, operator: Operator, by: str, at: str, where: str, tonight: str
) -> None:
    """Somebody saw the child: who, when, where, and with whom it sleeps tonight (PRACTICE section 7)."""
    call = await _take_own_call(session, thread_id, operator)
    parts = [
        _short(words, needed="四样都要写：谁见到的、几点、在哪、今晚和谁住。") for words in (by, at, where, tonight)
    ]
    await escalations.move(session, call, State.CHILD_SEEN, who=f"operator:{operator.id}")
    await defer(session, "conversations.tell_desks", subject_id=call.id)
    _write(call, operator, "已见到孩子：{}，{}，在{}；今晚：{}".format(*parts))
    await notify(session, "hotline_thread", str(thread_id))


async def set_place(session: AsyncSession, *, thread_id: int, operator: Operator, words: str) -> str:
    """Write down where it is; the county's adcode. Raises `PlaceIsUnclear`."""
    thread = await talk.get_own(session, thread_id, operator.id)
    words = _short(words, needed="请写州市和县。")
    place = regions.recognise(words)
    found = place.county or place.prefecture
    if found is None:
        raise PlaceIsUnclear
    thread.contact.region = found.adcode
    call = await escalations.find_open(session, thread_id, for_update=True)
    if call is not None:
        _write(call, operator, f"地点：{words}")
    await places.follow(session, thread_id=thread_id, actor=actors.operator(operator.id))
    await talk.note(session, thread_id, "place_set", who=f"operator:{operator.id}", detail={"region": found.adcode})
    await defer(session, "conversations.place_told", thread_id=thread_id)
    await notify(session, "hotline_thread", str(thread_id))
    return found.adcode


async def show_number(session: AsyncSession, *, thread_id: int, operator: Operator) -> str:
    """The person's whole number, to hand over in danger; written into the audit. Only while danger is open; of a matter that a
    desk handed to us whom to ask back, at any time: there is no other way to them."""
    thread = await talk.get_own(session, thread_id, operator.id)
    call = await escalations.find_open(session, thread_id, for_update=True)
    matter = await matters.find_of_talk(session, thread_id) if thread.channel == Channel.DESK else None
    if matter is None and call is None:
        raise NothingIsOpen
    if matter is None and call is not None and call.lane not in ("red", "orange"):
        raise BadInput("只有红色、橙色在办时才能看完整号码。")
    number = matter.said["phone"] if matter is not None else thread.contact.address
    if thread.channel not in (Channel.SMS, Channel.DESK) or not number:
        raise BadInput("这里没有号码。")
    why = "接警台转来的事，没有别的联系办法" if call is None else OPEN_WITHOUT_ASKING.get(call.lane, "接警台转来的事")
    await audit(session, operator_id=operator.id, what="show_number", subject=f"thread:{thread_id}", detail=why)
    detail = {"escalation": call.id} if call is not None else {}
    await talk.note(session, thread_id, "number_shown", who=f"operator:{operator.id}", detail=detail)
    return number


async def read_record(session: AsyncSession, *, thread_id: int) -> str:
    """The open call's record so far; empty when there is none."""
    call = await escalations.find_open(session, thread_id)
    return (call.note or "") if call is not None else ""


async def take_from_colleague(session: AsyncSession, *, thread_id: int, operator: Operator) -> None:
    """A supervisor takes a talk that a colleague holds; it has an owner at every instant, the person is told nothing.

    Raises `NothingIsOpen`, and `SeatIsNotTrained` where it is danger and they are no trained seat.
    """
    thread = await talk.get_talk(session, thread_id, for_update=True)
    if thread.owner != Owner.OPERATOR or thread.operator_id is None:
        raise NothingIsOpen("这个会话现在不在同事手上，请刷新后再看。")
    before = thread.operator_id
    if before == operator.id:
        return
    if await transferring.lane_of(session, thread) in DANGER and not operator.trained:
        raise SeatIsNotTrained
    moved = await talk.move(
        session,
        thread,
        Owner.OPERATOR,
        who=f"operator:{operator.id}",
        operator_id=operator.id,
        detail={"colleague": before},
    )
    if not moved:
        raise Conflict
    call = await escalations.find_open(session, thread_id, for_update=True)
    if call is not None:
        call.acknowledged_by = operator.id
        await answer_as_seat(session, call, operator)  # it may have risen to danger in the colleague's hands, and ring
        await notify(session, "hotline_escalation", str(call.id))
    await audit(session, operator_id=operator.id, what="take_from_colleague", subject=f"thread:{thread_id}")
