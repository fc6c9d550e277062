"""A draft's text on a few phones, before it goes to many: the exact words a recipient gets.

The words carry no "test" of their own: a carrier compares them with the registered template, and their length is what is looked
at. So it goes to a handful of numbers only, within the hours of the broadcast, every time with an audit row, and never to a
person who may not be written to: which of the reasons it is, is not said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from sms_gateway import clock
from sms_gateway.contacts import phone
from sms_gateway.contacts.models import Channel, Contact
from sms_gateway.errors import BadInput, Conflict
from sms_gateway.messages import inbox, outbox
from sms_gateway.messages.delivery import OPEN
from sms_gateway.messages.models import Author, Message, Thread
from sms_gateway.wording import SIGNATURE

from . import composing, drafting, quiet_hours
from .models import Broadcast, BroadcastEvent
from .recipients import why_suppressed

MOST_NUMBERS = 5
MOST_TESTS = 30
"""Of one broadcast: a test is no way around the second person."""
EVENT = "tested"


class NobodyIsNamed(BadInput):
    sentence = "请写要收测试短信的手机号，一行一个。"


class TooManyNumbers(BadInput):
    sentence = f"一次最多 {MOST_NUMBERS} 个号码。"


class NotAMobile(BadInput):
    pass


class MayNotBeWrittenTo(BadInput):
    pass


class EnoughTests(Conflict):
    sentence = f"这条群发已经发过 {MOST_TESTS} 条测试短信，不能再发了。"


class NotAtThisHour(Conflict):
    sentence = "现在不在可以发的时段，测试短信也不在夜里发。"


@dataclass(frozen=True)
class Tested:
    """One test text: `to` is masked."""

    message_id: int
    to: str
    state: str
    at: datetime

    @property
    def open(self) -> bool:
        """Whether more may be heard of it."""
        return self.state in OPEN


def read_numbers(written: str) -> list[str]:
    """E.164 numbers, each once. Raises `NobodyIsNamed`, `TooManyNumbers`, `NotAMobile` with the place of the wrong one."""
    cells = [cell for line in written.replace("，", ",").replace("、", ",").splitlines() for cell in line.split(",")]
    cells = [cell for cell in cells if cell.strip()]
    if not cells:
        raise NobodyIsNamed
    if len(cells) > MOST_NUMBERS:
        raise TooManyNumbers
    found = []
    for place, cell in enumerate(cells, start=1):
        try:
            number = phone.parse(cell)
        except phone.NotAPhoneNumber:
            number = ""
        if not phone.is_mainland_mobile(number):
            raise NotAMobile(f"第 {place} 个不是手机号，请检查。")
        found.append(number)
    return list(dict.fromkeys(found))


async def send(
    session: AsyncSession, one: Broadcast, *, numbers: Sequence[str], region: str, operator_id: int
) -> list[int]:
    """Queue the text for these numbers as somebody of `region` gets it; the messages' ids. Raises the errors of this file."""
    now = clock.now()
    if not quiet_hours.may_send(now, drafting.hours_of(one.hours_start, one.hours_end, one.region_hours, region)):
        raise NotAtThisHour
    if len(await _message_ids(session, one.id)) + len(numbers) > MOST_TESTS:
        raise EnoughTests
    text = composing.whole(one.body, signature=drafting.SIGN, fields=drafting.fields_of(region))
    threads = []
    for place, number in enumerate(numbers, start=1):
        thread_id, _contact = await inbox.find_or_make_thread(session, Channel.SMS, number, now)
        found = select(Thread).where(Thread.id == thread_id).options(joinedload(Thread.contact))
        thread = (await session.scalars(found)).one()
        if not _may_get(thread.contact):
            raise MayNotBeWrittenTo(f"第 {place} 个号码现在不能发，请换一个。")
        threads.append(thread)
    queued = [
        await outbox.queue(session, thread=thread, author=Author.SYSTEM, body=text.removeprefix(SIGNATURE))
        for thread in threads
    ]
    made = [message_id for message_id in queued if message_id is not None]
    session.add(
        BroadcastEvent(
            broadcast_id=one.id, what=EVENT, who=f"operator:{operator_id}", at=now, detail={"messages": made}
        )
    )
    return made


def _may_get(contact: Contact) -> bool:
    reason = why_suppressed(
        opted_out=contact.outreach_opted_out_at is not None, open_case=contact.open_case,
        silent=contact.silent_at is not None, days_since_last=None, quiet_days=0,
    )  # fmt: skip
    return reason is None


async def list_tested(session: AsyncSession, broadcast_id: int) -> list[Tested]:
    """Every test text of this broadcast, the newest first."""
    ids = await _message_ids(session, broadcast_id)
    wanted = select(Message).where(Message.id.in_(ids)).options(joinedload(Message.contact))
    rows = await session.scalars(wanted.order_by(Message.id.desc()))
    return [Tested(row.id, phone.masked(row.contact.address), row.state or "queued", row.at) for row in rows]


async def _message_ids(session: AsyncSession, broadcast_id: int) -> list[int]:
    events = select(BroadcastEvent.detail).where(
        BroadcastEvent.broadcast_id == broadcast_id, BroadcastEvent.what == EVENT
    )
    return [int(one) for detail in await session.scalars(events) for one in detail.get("messages", ())]
