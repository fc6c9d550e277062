"""An invented day of outreach: a roll, templates, a draft that waits for somebody, one that runs, one that is through."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import insert, update

from sms_gateway import clock
from sms_gateway.broadcasts import acts, segments, templates
from sms_gateway.broadcasts.acts import Draft
from sms_gateway.broadcasts.addresses import group_key
from sms_gateway.broadcasts.models import Broadcast, BroadcastMinute, BroadcastRecipient, BroadcastReply, BroadcastTally
from sms_gateway.broadcasts.roll_models import Roll
from sms_gateway.broadcasts.segments import Segment
from sms_gateway.database import transaction
from sms_gateway.messages.models import Message
from tests.broadcasts.making import make_ledger, set_rows
from tests.console.story import Teller

BODY = "{county}的家长您好：孩子在校外托管、补课遇到乱收费、被打骂，可以发短信到12345，24小时有人看。"
LINES = "手机号,地区,组,同意\n" + "".join(
    f"{13_800_001_000 + number},{'镇雄县' if number % 3 else '昭阳区'},{'学生家长' if number % 2 else '留守儿童监护人'},{'是' if number % 5 else ''}\n"
    for number in range(60)
)


@dataclass
class Day:
    """Ids of what there is."""

    roll: int
    template: int
    draft: int
    ready: int
    running: int
    done: int


async def make_roll(title: str = "镇雄县 2026 年秋季学生家长", *, by: int | None = None, taken: int = 187_432) -> int:
    """A roll as an import leaves it, without its numbers."""
    async with transaction() as session:
        roll = Roll(
            title=title, created_by=by, created_at=clock.now(), state="ready", file_size=7_340_032, lines=taken + 2_105, taken=taken,
            refused={"landline": 1204, "duplicate": 702, "empty": 151, "not_a_number": 40, "rounded": 8},
            regions={"530627": taken - 32_000, "530602": 20_000, "530628": 11_000, "": 1_000},
            groups={"学生家长": taken - 50_000, "留守儿童监护人": 50_000}, consented=taken - 9_000, finished_at=clock.now(),
        )  # fmt: skip
        session.add(roll)
        await session.flush()
        return roll.id


async def make_draft(author: int, roll: int, **more: object) -> int:
    """A saved draft."""
    audience = Segment(rolls=(roll,), regions=("530627", "530602")).to_data()
    wanted = {"title": "开学托管、补课提醒", "body": BODY, "audience": audience, "carrier_segments": 200.0, **more}
    async with transaction() as session:
        return (await acts.create(session, operator_id=author, draft=Draft(**wanted))).id  # type: ignore[arg-type]


async def make_ready(author: int, roll: int, *, rows: int = 40, **more: object) -> int:
    """A draft whose ledger is there."""
    made = await make_draft(author, roll, **more)
    await make_ledger(made, {"530627": rows - 10, "530602": 10})
    return made


async def let_run(broadcast_id: int, *, author: int, second: int) -> None:
    """Approved by the second person and started."""
    async with transaction() as session:
        one = await acts.get(session, broadcast_id)
        await acts.approve(session, broadcast_id, version=one.version, operator_id=second, recipients=one.total)
        await acts.start(session, broadcast_id, version=one.version, operator_id=second)


async def make_big(author: int, second: int, roll: int, template: int, *, through: bool = False) -> int:
    """One of 47,000 numbers as its counts tell of it: there are no such rows."""
    made = await make_ready(author, roll, title="六一儿童节提醒" if through else "防溺水提醒", template_id=template)
    await let_run(made, author=author, second=second)
    counts = {
        "530627": {"delivered": 21_480, "sent": 0 if through else 1_204, "failed": 612, "unknown": 18, "suppressed:opted_out": 311, "suppressed:recent": 1_870,
                   "suppressed:open_case": 4, "suppressed:safe_mode": 2, "created": 0 if through else 9_540, "claimed": 0 if through else 60},
        "530602": {"delivered": 6_210, "failed": 140, "suppressed:opted_out": 75, "created": 0 if through else 3_100},
        "530628": {"delivered": 1_702, "failed": 41, "created": 0 if through else 2_400},
        "": {"delivered": 310, "failed": 66},
    }  # fmt: skip
    now = clock.now()
    async with transaction() as session:
        one = await session.get_one(Broadcast, made)
        gone = [
            {"broadcast_id": made, "region": region, "state": "created", "change": -rows}
            for region, rows in (("530627", 30), ("530602", 10))
        ]
        rows = [
            {"broadcast_id": made, "region": region, "state": state, "change": count}
            for region, states in counts.items()
            for state, count in states.items()
            if count
        ]
        await session.execute(insert(BroadcastTally), [*gone, *rows])
        await session.execute(
            update(BroadcastRecipient).where(BroadcastRecipient.broadcast_id == made).values(
                state="delivered", sent_at=now - timedelta(minutes=9),
                settled_at=now - timedelta(minutes=9) + BroadcastRecipient.number * timedelta(seconds=7),
            )
        )  # fmt: skip
        one.total = sum(row["change"] for row in rows)
        one.waves = [
            {"number": 0, "region": None, "limit": 1000, "asks": True, "total": 1000},
            {"number": 1, "region": "530602", "limit": None, "asks": True, "total": 9_525},
            {"number": 2, "region": None, "limit": None, "asks": False, "total": one.total - 10_525},
        ]
        one.wave, one.rate, one.measured, one.held_by, one.started_at = (
            2,
            32.5,
            30.8,
            "people",
            now - timedelta(minutes=40),
        )
        minutes = []
        for ago in range(40, 0, -1):
            at = (now - timedelta(minutes=ago)).replace(second=0, microsecond=0)
            for what, count in (
                ("reply", 3 + ago % 4),
                ("reply_orange", ago % 2),
                ("sent", 700 + 13 * (ago % 7)),
                ("delivered", 640 + 17 * (ago % 5)),
                ("failed", 12 + ago % 9),
                ("suppressed", 40),
            ):
                minutes.append({"broadcast_id": made, "minute": at, "what": what, "count": count})
        await session.execute(
            insert(BroadcastMinute),
            [row for row in minutes if row["minute"] < now.replace(second=0, microsecond=0) - timedelta(minutes=1)],
        )
        if through:
            one.status, one.ended_at, one.rate, one.measured, one.held_by = (
                "completed",
                now - timedelta(minutes=2),
                0.0,
                0.0,
                None,
            )
    return made


async def add_replies(broadcast_id: int, count: int = 6) -> None:
    """Some texts came back: one in red, one in orange, the rest in blue."""
    kinds = [
        ("red", "danger"),
        ("orange", "harm"),
        ("blue", "opt_out"),
        ("blue", "doubt"),
        ("blue", "thanks"),
        ("blue", "question"),
    ]
    for number in range(count):
        lane, kind = kinds[number % len(kinds)]
        teller = Teller(f"+861380000{2000 + broadcast_id * 50 + number}")
        message_id = await teller.says("收到", judge=False)
        async with transaction() as session:
            message = await session.get_one(Message, message_id)
            session.add(
                BroadcastReply(message_id=message_id, broadcast_id=broadcast_id, number=number + 1, thread_id=message.thread_id, lane=lane, kind=kind, at=clock.now() - timedelta(minutes=5 * number))
            )  # fmt: skip


async def fill(author: int, second: int) -> Day:
    """The day."""
    roll = await make_roll(by=author)
    async with transaction() as session:
        known = await templates.create(session, title="防溺水（已报备）", body=BODY, operator_id=author)
        await templates.set_state(
            session,
            template_id=known.id,
            version=templates.version_of(known),
            to="submitted",
            number="",
            note="",
            operator_id=author,
        )
        await templates.set_state(
            session,
            template_id=known.id,
            version=templates.version_of(known),
            to="registered",
            number="YN2026-0113",
            note="移动、联通、电信都批了",
            operator_id=author,
        )
        new = await templates.create(
            session, title="寒假热线", body="寒假到了，孩子有难处，发短信到12345。", operator_id=second
        )
        await templates.set_state(
            session,
            template_id=new.id,
            version=templates.version_of(new),
            to="submitted",
            number="",
            note="",
            operator_id=second,
        )
        await segments.save(
            session, title="镇雄县同意收的家长", segment=Segment(rolls=(roll,), regions=("530627",), groups=(group_key("学生家长"),), only_consented=True), created_by=author,
        )  # fmt: skip
    draft = await make_draft(author, roll, title="寒假安全提醒")
    ready = await make_ready(author, roll, template_id=known.id)
    running = await make_big(author, second, roll, known.id)
    done = await make_big(author, second, roll, known.id, through=True)
    await add_replies(running)
    await add_replies(done, 12)
    return Day(roll, known.id, draft, ready, running, done)


__all__ = [
    "BODY",
    "LINES",
    "Day",
    "add_replies",
    "fill",
    "let_run",
    "make_big",
    "make_draft",
    "make_ready",
    "make_roll",
    "set_rows",
]
