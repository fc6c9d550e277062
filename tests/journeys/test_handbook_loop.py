"""A question nobody can answer is written about, approved by a second person, and answered without a restart."""

from __future__ import annotations

import asyncio
import time

from sqlalchemy import select

from policy_faq import load_entries
from sms_gateway import clock
from sms_gateway.contacts.models import Channel
from sms_gateway.database import transaction
from sms_gateway.handbook import asked, drafts
from sms_gateway.handbook.models import Asked
from sms_gateway.messages import inbox
from sms_gateway.messages.models import Message
from sms_gateway.operators import accounts
from sms_gateway.operators.models import Role
from tests.telling import Person

QUESTION = "未成年人几岁可以献血 有没有规定"
FORM = {
    "question": "未成年人可以献血吗？",
    "variants": f"{QUESTION}\n几岁能献血\n娃娃可以献血不\n16岁献血要得吗\n学生能去献血车吗\n高中生献血\n献血要满多少岁\n我17了想献血\n孩子能不能献血",
    "short": "不可以。国家提倡18到55岁的健康人自愿献血，不满18岁不用献。（献血法1997年版第2条）",
    "long": "国家提倡十八周岁至五十五周岁的健康公民自愿献血（献血法第2条）。",
    "topic": "medical", "region": "national",
    "sources": [{"name": "献血法", "kind": "article", "file": "", "article": "第2条", "date": "1997-12-29"}],
}  # fmt: skip


async def gaps_of(person: Person) -> list[Asked]:
    async with transaction() as session:
        rows = select(Asked).where(Asked.thread_id == person.thread_id).order_by(Asked.id)
        return list(await session.scalars(rows))


async def editors() -> tuple[int, int]:
    async with transaction() as session:
        made = [
            await accounts.add(
                session, login=f"bianji{time.monotonic_ns()}{n}", name="编辑", role=Role.EDITOR, password=None
            )
            for n in range(2)
        ]
        return made[0].id, made[1].id


async def test_what_nobody_could_answer_is_answered_once_two_people_have_written_it(person: Person) -> None:
    [unsure] = await person.texts(QUESTION)
    assert "献血法" not in unsure
    if (await gaps_of(person))[0].outcome == "answered":  # with some other entry: they say so
        await person.texts("不是这个")
    [gap] = await gaps_of(person)
    writer, second = await editors()
    files = load_entries()
    async with transaction() as session:
        assert gap.id in {row.id for row in await asked.list_gaps(session)}
        draft = await drafts.make(session, operator_id=writer, asked_ids=[gap.id])
    async with transaction() as session:
        await drafts.propose(
            session, draft_id=draft.id, operator_id=writer, version=1, form={**draft.content, **FORM}, others=files
        )
    async with transaction() as session:
        await drafts.approve(session, draft_id=draft.id, operator_id=second, version=2, others=files)
    answer = ""
    for tail in range(20):  # the action server hears of it and swaps its handbook; it is not restarted
        somebody = Person(f"+86138000044{tail:02d}", person.carrier, person.run)
        [answer] = await somebody.texts(QUESTION)
        if "献血法" in answer:
            break
        await asyncio.sleep(1)
    assert "献血法" in answer and "1997年版" in answer
    assert (await gaps_of(person))[0].settled_at is not None
    async with transaction() as session:
        await drafts.retire_entry(session, entry_id=f"asked-{draft.id}", operator_id=writer, has_file=False)


async def test_not_this_one_and_asking_for_a_person_after_an_answer_are_both_gaps(person: Person) -> None:
    await person.texts("孤儿每个月能领多少钱")
    [sorry] = await person.texts("不是这个")
    assert "换个说法" in sorry
    [first] = await gaps_of(person)
    assert (first.outcome, first.entry_id, first.verdict) == ("answered", "orphan-allowance", "not_this")
    await person.texts("打骂孩子算家暴吗")
    await person.texts("转人工")
    second = (await gaps_of(person))[1]
    assert second.verdict == "handed_over"


async def test_an_answer_with_room_in_its_last_segment_asks_whether_it_helped_and_the_digit_is_kept(
    person: Person,
) -> None:
    [answer] = await person.texts("孤儿每个月能领多少钱")
    assert answer.endswith("有用吗？1有用 2没用")
    [sorry] = await person.texts("2")
    assert "对不起" in sorry
    assert (await gaps_of(person))[-1].verdict == "useless"
    assert await person.texts("请问收养孩子要什么条件") != []
    assert await person.texts("1") == []  # thanks would cost a text
    assert (await gaps_of(person))[-1].verdict == "useful"
    [lost] = await person.texts("2")
    assert "没有在等你选的问题" in lost


async def test_a_web_visitor_is_thanked_for_saying_that_it_helped(person: Person) -> None:
    token = f"visitor-{time.monotonic_ns()}"
    inbound = [
        inbox.Inbound(Channel.WEB, token, words, "web", f"web-{token}-{n}", clock.now())
        for n, words in enumerate(("孤儿每个月能领多少钱", "1"))
    ]
    said = []
    for one in inbound:
        async with transaction() as session:
            recorded = await inbox.receive(session, one)
        assert recorded is not None
        await person.run()
        async with transaction() as session:
            replies = select(Message).where(Message.reply_to == recorded.message_id)
            said += [message.body for message in await session.scalars(replies)]
    assert said[0].endswith("有用吗？1有用 2没用") and said[1].startswith("谢谢")


async def test_danger_and_harm_leave_nothing_for_an_editor_to_read(person: Person) -> None:
    await person.texts("我爸正拿皮带抽我 打人犯不犯法")
    await person.texts("上学期校长摸过我 这个算什么罪")
    assert await gaps_of(person) == []
