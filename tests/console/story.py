"""An invented evening at the desk: talks of every lane, for screenshots and for tests that want a full house."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import count

from sms_gateway import clock
from sms_gateway.carriers import registry
from sms_gateway.clock import HeldClock, SystemClock
from sms_gateway.contacts.models import Channel
from sms_gateway.conversations import judging, records, service, talk
from sms_gateway.database import transaction
from sms_gateway.escalations import service as escalations
from sms_gateway.escalations.ladder import State
from sms_gateway.messages import inbox, outbox
from sms_gateway.messages.delivery import State as Delivery
from sms_gateway.messages.models import Author, Direction, Message
from sms_gateway.operators import accounts, presence, signin
from sms_gateway.operators.models import Operator, Role
from sms_gateway.tickets import service as tickets
from tests.telling import FakeCarrier

PASSWORD = "a long password of the tests"
_ids = count(1)


@dataclass
class Teller:
    """Somebody who writes, by number or web token."""

    address: str
    channel: Channel = Channel.SMS
    thread_id: int = 0
    contact_id: int = 0

    async def says(self, text: str, *, judge: bool = True) -> int:
        inbound = inbox.Inbound(self.channel, self.address, text, "simulator", f"story-{next(_ids)}", clock.now())
        async with transaction() as session:
            recorded = await inbox.record(session, inbound)
            assert recorded is not None
            self.thread_id, self.contact_id = recorded.thread_id, recorded.contact_id
        if judge:
            await judging.judge(recorded.message_id)
            await send_all()
        return recorded.message_id

    async def hears(self, text: str) -> None:
        async with transaction() as session:
            thread = await talk.get_talk(session, self.thread_id)
            await outbox.queue(session, thread=thread, author=Author.ASSISTANT, body=text)
        await send_all()


async def send_all(state: Delivery = Delivery.DELIVERED) -> None:
    """Everything queued leaves and arrives."""
    from sqlalchemy import select

    async with transaction() as session:
        queued = list(
            await session.scalars(
                select(Message.id).where(Message.direction == Direction.OUT, Message.state == Delivery.QUEUED)
            )
        )
        for message_id in queued:
            if await outbox.claim(session, message_id) is not None:
                await outbox.mark_sent(session, message_id, f"story-out-{message_id}")
                await outbox.apply_receipt(
                    session, carrier="simulator", carrier_id=f"story-out-{message_id}", state=state
                )


async def add_operator(
    login: str, name: str, role: Role = Role.OPERATOR, *, there: bool = True, unit: str | None = None,
    trained: bool = True, woman: bool | None = None,
) -> Operator:  # fmt: skip
    """An account with `PASSWORD`; `there`: on duty with an open console."""
    async with transaction() as session:
        operator = await accounts.add(
            session, login=login, name=name, role=role, password=PASSWORD, unit=unit, trained=trained, woman=woman
        )
        if there:
            await presence.set_duty(session, operator_id=operator.id, on_duty=True)
    return operator


async def link_for(login: str) -> str:
    """The token of a one-time link."""
    async with transaction() as session:
        return await signin.one_time_link(session, login=login)


async def fill(_url: str) -> dict[str, object]:
    """The evening; who signs in, the talks by name, a ticket."""
    registry._made.clear()
    registry._made["simulator"] = FakeCarrier()
    held = HeldClock(SystemClock().now() - timedelta(minutes=34))
    clock.use(held)
    lead = await add_operator("banzhang", "杨丽萍", Role.SUPERVISOR)
    li = await add_operator("li", "李春燕")
    await add_operator("he", "和志强", there=False)

    orphan = Teller("+8613800000011")
    await orphan.says("孤儿每个月能领多少钱")
    await orphan.hears("散居孤儿每人每月 1280 元，集中供养 1980 元（2025 年标准）。以当地民政部门最新规定为准。")

    async def later(**by: float) -> None:
        """Time goes on; those with a console open stay there."""
        held.advance(timedelta(**by))
        async with transaction() as session:
            for one in (lead, li):
                await presence.beat(session, operator_id=one.id)

    await later(minutes=4)
    fees = Teller("+8613800000012")
    await fees.says("我要投诉 学校天天占体育课 还收补课费 镇雄的")
    await fees.hears("记下了。现在还这样吗？1还在 2没有了")
    async with transaction() as session:
        ticket = await tickets.open_ticket(
            session, thread_id=fees.thread_id, contact_id=fees.contact_id, asked_in=await fees.says("还在"), kind="complaint",
            county="530627", answers={"what": "学校天天占体育课，每学期还收 300 元补课费", "still": "还在", "wish": "把课还给孩子，退钱", "secret": "要"},
        )  # fmt: skip
    await later(minutes=5)
    teacher = Teller("visitor-token-of-the-story", Channel.WEB)
    await teacher.says("班上有个娃娃身上老是有伤 问他就说摔的 已经两个多月了 我是他班主任")
    await later(minutes=6)
    past = Teller("+8613800000013")
    await past.says("上学期校长摸过我 现在不敢说")
    await later(minutes=4)
    human = Teller("+8613800000014")
    asked = await human.says("转人工")
    async with transaction() as session:
        await service.hand_over(session, thread_id=human.thread_id, message_id=asked, cause="asked_for_person")
    await send_all()
    await later(minutes=3)

    mine = Teller("+8613800000015")
    await mine.says("有个叔叔一直在踹我家门 就我和弟弟在")
    await later(seconds=31)
    async with transaction() as session:
        await presence.beat(session, operator_id=lead.id)
        await presence.beat(session, operator_id=li.id)
        await service.take_over(session, thread_id=mine.thread_id, operator=lead)
    await send_all()
    await later(seconds=40)
    await mine.says("他手里有刀 我躲在里屋 不敢出声")
    await later(seconds=25)
    async with transaction() as session:
        await service.reply(
            session,
            thread_id=mine.thread_id,
            operator=lead,
            body="我在。先别出声，把里屋门反锁好。你在哪个县、哪个村？",
        )
    await send_all()
    await later(seconds=38)
    await mine.says("镇雄县泼机镇 街上小学后面那排 二楼")
    async with transaction() as session:
        await records.note_handed_over(
            session,
            thread_id=mine.thread_id,
            operator=lead,
            unit="110",
            reference="昭通110 接警员 0231，已派泼机派出所",
        )
    await later(minutes=1, seconds=20)

    colleague = Teller("+8613800000016")
    await colleague.says("我不想活了 已经站在楼顶了")
    async with transaction() as session:
        await service.take_over(session, thread_id=colleague.thread_id, operator=li)
        await service.mark(session, thread_id=colleague.thread_id, operator=li, to=State.IN_CONTACT)
    await send_all()
    await later(minutes=2)

    lost = Teller("+8613800000017")
    await lost.says("孩子放学没回家 找了三个小时了 手机也关机")
    await later(seconds=50)
    async with transaction() as session:
        call = await escalations.find_open(session, lost.thread_id)
        assert call is not None
        await escalations.take_step(session, call.id)
    await later(seconds=25)
    door = Teller("+8613800000018")
    await door.says("我爸喝醉了在打我妈 还说要打我")
    await door.says("他把门反锁了 我用奶奶手机发的")
    await send_all()
    clock.use(SystemClock())
    async with transaction() as session:
        for one in (lead, li):
            await presence.beat(session, operator_id=one.id)
    talks = {"mine": mine, "ringing": door, "orange": past, "web": teacher, "colleague": colleague, "blue": human}
    return {
        "supervisor": "banzhang", "operator": "li", "talks": {name: one.thread_id for name, one in talks.items()}, "ticket": ticket.id,
    }  # fmt: skip
