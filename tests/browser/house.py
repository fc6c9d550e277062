"""A full house: everything the console can show is there, so that no page is looked at empty."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select

from sms_gateway import clock
from sms_gateway.bridge import demo
from sms_gateway.broadcasts import acts
from sms_gateway.contacts.models import Contact
from sms_gateway.conversations import reviewing
from sms_gateway.conversations.models import Review
from sms_gateway.database import transaction
from sms_gateway.escalations import look_backs
from sms_gateway.escalations import service as escalations
from sms_gateway.escalations.models import LookBack
from sms_gateway.handbook import drafts
from sms_gateway.messages.models import Thread
from sms_gateway.operators import accounts
from sms_gateway.operators.models import Role
from sms_gateway.retention import holds, requests
from sms_gateway.retention.request_rules import Asker, Checked, Wants
from sms_gateway.tickets import attachments, police, sealed_images
from sms_gateway.tickets.models import Ticket
from sms_gateway.tickets.police_rules import Letter
from tests.console import outreach_story, story
from tests.console.handbook_story import ask_what_nobody_knows
from tests.console.matters import EDU, dispatch, read

PLACE = "530627"
ROLES = {
    Role.SUPERVISOR: ("banzhang", "杨丽萍", None),
    Role.OPERATOR: ("yan", "普艳", None),
    Role.EDITOR: ("bianji", "和丽梅", None),
    Role.DEPARTMENT: ("jiaoyu", "镇雄教体局", EDU),
    Role.QUALITY: ("zhijian", "段质检", None),
    Role.FOLLOWER: ("gean", "镇雄跟进人", f"12345@{PLACE}"),
}
"""Who looks: sign-in name, name, unit. Whoever may open most comes first."""


@dataclass
class House:
    """What is in it."""

    samples: dict[str, list[str]]
    """Addresses to open, by a route's template (`/talks/{talk_id}`)."""
    talks: dict[str, int]
    """The story's talks by name."""


async def furnish(url: str) -> House:
    """The story's evening, a matter in a unit's hands, a draft, reviews, looks back and a duty book."""
    told = await story.fill(url)
    talks: dict[str, int] = told["talks"]  # type: ignore[assignment]
    ticket_id = int(str(told["ticket"]))
    for role, (login, name, unit) in ROLES.items():
        if login != told["supervisor"]:
            await story.add_operator(login, name, role, there=False, unit=unit)
    await dispatch(await read(ticket_id), EDU, why="请当天核实")
    asked = await ask_what_nobody_knows()
    async with transaction() as session:
        await demo.fill_posts(session)
        editor = await accounts.get(session, "bianji")
        draft = await drafts.make(session, operator_id=editor.id, asked_ids=asked[:1])
    reviews, look = await _second_looks(talks["orange"])
    await _evidence(ticket_id)
    day = await _outreach()
    return House(
        {
            "/sign-in/{token}": ["/sign-in/a-link-that-is-none"],
            "/talks/{talk_id}": [f"/talks/{number}" for number in talks.values()],
            "/tickets/{ticket_id}": [f"/tickets/{ticket_id}"],
            "/work/{ticket_id}": [f"/work/{ticket_id}"],
            "/handbook/drafts/{draft_id}": [f"/handbook/drafts/{draft.id}"],
            "/handbook/entries/{entry_id}": ["/handbook/entries/orphan-allowance"],
            "/duty-book/{region_id}": [f"/duty-book/{PLACE}", "/duty-book/530102"],
            "/review/{review_id}": [f"/review/{number}" for number in reviews],
            "/follow/{look_back_id}": [f"/follow/{look}"],
            "/outreach/{broadcast_id}": [f"/outreach/{day.ready}"],
            "/outreach/{broadcast_id}/write": [f"/outreach/{day.draft}/write", f"/outreach/{day.ready}/write"],
            "/outreach/{broadcast_id}/release": [f"/outreach/{day.ready}/release"],
            "/outreach/{broadcast_id}/run": [f"/outreach/{day.running}/run"],
            "/outreach/{broadcast_id}/report": [f"/outreach/{day.done}/report"],
            "/privacy/{privacy_id}": [f"/privacy/{await _asked_for(talks['web'])}"],
            "/outreach/rolls/{roll_id}/refusals": [f"/outreach/rolls/{day.roll}/refusals"],
        },
        talks,
    )


async def _asked_for(thread_id: int) -> int:
    """A hold somebody wants lifted, and a request for somebody's own data; the request's id."""
    async with transaction() as session:
        lead = await accounts.get(session, "banzhang")
        contact_id = await session.scalar(select(Thread.contact_id).where(Thread.id == thread_id))
        assert contact_id is not None
        hold = await holds.set_hold(
            session, contact_id=contact_id, thread_id=thread_id, by=lead.id, reason="公安已立案，等调取"
        )
        await holds.ask_to_lift(session, hold.id, by=lead.id, reason="公安来函，不用再留")
        one = await requests.record(
            session, number="+8613800000012", wants=Wants.ACCESS, asker=Asker.SUBJECT, checked=Checked.IN_PERSON,
            asker_name="阿依朵", words="本人带证件来，要看自己说过的", by=lead.id,
        )  # fmt: skip
        return one.id


async def _evidence(ticket_id: int) -> None:
    """A sealed picture that somebody asks to see, and a letter of the police."""
    today = clock.shanghai(clock.now()).date()
    letter = Letter("昭公（刑）调证字〔2026〕12号", "镇雄县公安局刑侦大队", "甲某 060001、乙某 060002", today, today)
    async with transaction() as session:
        asks = await accounts.get(session, "yan")
        ticket = await session.get_one(Ticket, ticket_id)
        for name, kind in (("伤.jpg", "jpg"), ("说明.pdf", "pdf")):
            file = attachments.Checked(name, kind, b"a file")
            row = await attachments.keep(session, ticket, file, who="system")
            if kind == "jpg":
                await sealed_images.mark(session, ticket, attachment_id=row.id, operator_id=asks.id)
                why = "伤口的位置要说给医院听"
                await sealed_images.ask(session, ticket, attachment_id=row.id, operator_id=asks.id, reason=why)
        await police.ask(session, letter=letter, scope="ticket", ref=ticket_id, operator_id=asks.id)


async def _outreach() -> outreach_story.Day:
    """A day of outreach, one of its broadcasts stopped by itself."""
    async with transaction() as session:
        writer, second = await accounts.get(session, "bianji"), await accounts.get(session, "banzhang")
    day = await outreach_story.fill(writer.id, second.id)
    async with transaction() as session:
        await acts.pause(session, day.running, operator_id=None, reason="danger")
    return day


async def _second_looks(thread_id: int) -> tuple[list[int], int]:
    """Ids of a review of each kind, and of a look back in `PLACE`."""
    today = clock.shanghai(clock.now()).date()
    async with transaction() as session:
        for day in (today - timedelta(days=1), today):
            await reviewing.draw(session, day)
        first = select(func.min(Review.id)).group_by(Review.kind)
        reviews = list(await session.scalars(first))
        call = await escalations.find_open(session, thread_id)
        assert call is not None
        contact = await session.get_one(Contact, call.contact_id)
        contact.region = PLACE
        await look_backs.plan(session, call)
        look = (await session.scalars(select(LookBack.id).order_by(LookBack.id))).first()
    assert look is not None
    return reviews, look
