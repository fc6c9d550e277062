"""The children a matter is about: records of their own, several to a ticket, several tickets to one. A child is not a phone.

What is known of a child stands in its record only; events name ids and fields. A record is never deleted: two of one
child are merged (`child_merging.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, regions
from sms_gateway.crypto import blind_index
from sms_gateway.errors import BadInput, Conflict, NotFound
from sms_gateway.jobs import defer
from texts.normalise import clean, normalise

from . import moves
from .actors import Actor
from .child_reading import ChildSaid, read_children
from .child_words import ADULT
from .lifecycle import Who
from .models import Child, Ticket, TicketChild
from .record import record_event

ABOUT = ("name", "age_said", "school", "where_now", "with_whom", "siblings", "more")
"""Keys of `Child.about`."""
LONGEST = 300
MOST_ON_A_TICKET = 20
LOOK_JOB = "conversations.look_at_child"
"""Whether somebody else has told of this child too is looked at there, since that may call a person."""
NAME, SCHOOL = "children.name", "children.school"
"""Purposes of the blind indexes."""


class ChildNotFound(NotFound):
    sentence = "没有这个孩子的记录。"


class ChildIsNotHere(Conflict):
    sentence = "这个孩子现在不在这一单里，请刷新后再看。"


class ChildIsHere(Conflict):
    sentence = "这个孩子已经在这一单里了。"


class NothingIsKnown(BadInput):
    sentence = "至少写一样：几岁、男女、称呼、学校、在哪、和谁在一起。"


class ChildIsIncomplete(BadInput):
    sentence = "年龄写 0 到 17 的整数，性别选男或女，县从列表里选，每样不超过 300 字。"


@dataclass(frozen=True)
class ChildFacts:
    """What is known of a child. `about`: by the keys of `ABOUT`; empty values are left out."""

    county: str | None = None
    age: int | None = None
    sex: str | None = None
    about: Mapping[str, str] = field(default_factory=dict)

    def checked(self) -> ChildFacts:
        """With clean words. Raises `ChildIsIncomplete` for a value that cannot be, `NothingIsKnown` for nothing at all."""
        about = {key: kept for key in ABOUT if (kept := clean(self.about.get(key, "")))}
        wrong = self.age is not None and not 0 <= self.age < ADULT
        if wrong or self.sex not in (None, "m", "f") or any(len(words) > LONGEST for words in about.values()):
            raise ChildIsIncomplete
        try:
            county = self.county and regions.get_region(self.county).adcode
        except regions.RegionNotFound:
            raise ChildIsIncomplete from None
        if self.age is None and self.sex is None and not about:
            raise NothingIsKnown
        return ChildFacts(county or None, self.age, self.sex, about)


def index_of(words: str | None, county: str | None, purpose: str) -> bytes | None:
    """Finds the same name, or school, in the same county; None while one of them is not known."""
    plain = normalise(words or "").replace(" ", "")
    return blind_index(f"{county}:{plain}", purpose) if plain and county else None


def write(child: Child, facts: ChildFacts) -> list[str]:
    """Put `facts` into the record; the names of the fields that changed."""
    before = {"county": child.county, "age": child.age, "sex": child.sex, **(child.about or {})}
    now = {"county": facts.county, "age": facts.age, "sex": facts.sex, **facts.about}
    child.county, child.age, child.sex, child.about = facts.county, facts.age, facts.sex, dict(facts.about) or None
    child.name_index = index_of(facts.about.get("name"), facts.county, NAME)
    child.school_index = index_of(facts.about.get("school"), facts.county, SCHOOL)
    return sorted(key for key in {*before, *now} if before.get(key) != now.get(key))


def facts_of(child: Child) -> ChildFacts:
    return ChildFacts(child.county, child.age, child.sex, dict(child.about or {}))


# ---- reading ----


def is_live() -> ColumnElement[bool]:
    """Records that were not merged into another."""
    return Child.merged_into.is_(None)


async def list_children(session: AsyncSession, ticket_id: int) -> list[Child]:
    """The children a ticket is about."""
    wanted = select(Child).join(TicketChild, TicketChild.child_id == Child.id)
    wanted = wanted.where(TicketChild.ticket_id == ticket_id, is_live())
    return list(await session.scalars(wanted.order_by(Child.id)))


async def ticket_ids(session: AsyncSession, child_id: int) -> list[int]:
    """The tickets a child is in, in their order."""
    wanted = select(TicketChild.ticket_id).where(TicketChild.child_id == child_id)
    return list(await session.scalars(wanted.order_by(TicketChild.ticket_id)))


async def list_tickets(session: AsyncSession, child_ids: Iterable[int]) -> list[tuple[int, Ticket]]:
    """(child, ticket) for all tickets these children are in, the newest first: what is shown side by side."""
    wanted = select(TicketChild.child_id, Ticket).join(Ticket, Ticket.id == TicketChild.ticket_id)
    found = await session.execute(wanted.where(TicketChild.child_id.in_(list(child_ids))).order_by(Ticket.id.desc()))
    return [(child_id, ticket) for child_id, ticket in found]


async def lock_child(session: AsyncSession, child_id: int) -> Child:
    """The record, locked. Raises `ChildNotFound`, also for one that was merged away."""
    wanted = select(Child).where(Child.id == child_id, is_live()).with_for_update()
    child = await session.scalar(wanted.execution_options(populate_existing=True))
    if child is None:
        raise ChildNotFound
    return child


async def lock_tickets(
    session: AsyncSession, ticket_id: int, version: int | None, others: Iterable[int]
) -> dict[int, Ticket]:
    """The page's ticket and the others, locked in one order for everybody. Raises as `moves.lock` does."""
    wanted = sorted({ticket_id, *others})
    return {one: await moves.lock(session, one, version=version if one == ticket_id else None) for one in wanted}


# ---- what people say ----


async def take_from_answers(session: AsyncSession, ticket: Ticket, answers: Mapping[str, str]) -> list[Child]:
    """The children in what was said of the locked ticket, new ones recorded and gaps filled; what people wrote by hand stays.

    `answers`: words by the form's question. Nothing known is ever replaced by what a text seems to say.
    """
    today = clock.shanghai(clock.now()).date()
    said = read_children(answers, kind=ticket.kind, today=today)
    if not said:
        return []
    known, new, mended = await list_children(session, ticket.id) if ticket.events > 1 else [], [], []
    for one in said[: MOST_ON_A_TICKET - len(known)]:
        match = next((child for child in known if fits(child, one)), None)
        if match is None:
            new.append(Child(made_at=clock.now()))
            write(new[-1], ChildFacts(ticket.county, one.age, one.sex, one.about()))
        else:
            known.remove(match)
            if write(match, _filled(match, one, ticket.county)):
                mended.append(match)
    session.add_all(new)
    await session.flush()
    session.add_all(TicketChild(ticket_id=ticket.id, child_id=child.id, at=clock.now()) for child in new)
    for what, rows in (("child_added", new), ("child_mended", mended)):
        if rows:
            detail = {"children": [child.id for child in rows], "by": "answers"}
            await record_event(session, ticket, what, who="assistant", detail=detail)
    if any(child.name_index or child.school_index for child in (*new, *mended)):
        await defer(session, LOOK_JOB, ticket_id=ticket.id)
    return [*new, *mended]


def fits(child: Child, said: ChildSaid) -> bool:
    """Whether what is said may be of this child: no age or sex against it."""
    if child.sex and said.sex and child.sex != said.sex:
        return False
    return child.age is None or said.ages is None or said.ages[0] - 1 <= child.age <= said.ages[1] + 1


def _filled(child: Child, said: ChildSaid, county: str | None) -> ChildFacts:
    age = child.age if child.age is not None else said.age
    return ChildFacts(child.county or county, age, child.sex or said.sex, {**said.about(), **(child.about or {})})


async def bring_along(session: AsyncSession, ticket: Ticket, *, into: Ticket) -> None:
    """The locked `ticket` is merged into the locked `into`, which is about its children from here."""
    here = {child.id for child in await list_children(session, into.id)}
    new = [child.id for child in await list_children(session, ticket.id) if child.id not in here]
    session.add_all(TicketChild(ticket_id=into.id, child_id=child_id, at=clock.now()) for child_id in new)
    await session.flush()
    if new:
        await record_event(
            session, into, "child_linked", who=Who.SYSTEM.value, detail={"children": new, "ticket": ticket.id}
        )
        await defer(session, LOOK_JOB, ticket_id=into.id)


# ---- what the desk does ----


async def add(
    session: AsyncSession, *, ticket_id: int, version: int | None, facts: ChildFacts, actor: Actor
) -> Child:  # fmt: skip
    """A child nobody had recorded. Raises what `ChildFacts.checked` and `moves.lock` raise."""
    facts = facts.checked()
    ticket = await moves.lock(session, ticket_id, version=version)
    if len(await list_children(session, ticket_id)) >= MOST_ON_A_TICKET:
        raise Conflict(f"一单最多登记 {MOST_ON_A_TICKET} 个孩子，更多的请写在说明里。")
    child = Child(made_at=clock.now())
    write(child, facts)
    session.add(child)
    await session.flush()
    await _join(session, ticket, child.id, actor, "child_added")
    return child


async def mend(
    session: AsyncSession, *, ticket_id: int, version: int | None, child_id: int, facts: ChildFacts, actor: Actor
) -> Child:  # fmt: skip
    """Write the record anew. Pages of the child's other tickets are stale from here, too."""
    facts = facts.checked()
    locked = await lock_tickets(session, ticket_id, version, await ticket_ids(session, child_id))
    child = await _here(session, ticket_id, child_id)
    if fields := write(child, facts):
        await turn_page(session, locked.values())
        detail = {"child": child_id, "fields": fields}
        await record_event(session, locked[ticket_id], "child_mended", who=str(actor), detail=detail)
        await defer(session, LOOK_JOB, ticket_id=ticket_id)
    return child


async def link(
    session: AsyncSession, *, ticket_id: int, version: int | None, child_id: int, actor: Actor
) -> Child:  # fmt: skip
    """The ticket is about a child that is known from another one."""
    ticket = await moves.lock(session, ticket_id, version=version)
    child = await lock_child(session, child_id)
    if await session.get(TicketChild, (ticket_id, child_id)) is not None:
        raise ChildIsHere
    await _join(session, ticket, child_id, actor, "child_linked")
    return child


async def unlink(
    session: AsyncSession, *, ticket_id: int, version: int | None, child_id: int, actor: Actor
) -> None:  # fmt: skip
    """The ticket is not about this child after all; the record stays."""
    ticket = await moves.lock(session, ticket_id, version=version)
    await _here(session, ticket_id, child_id)
    row = await session.get_one(TicketChild, (ticket_id, child_id))
    await session.delete(row)
    await turn_page(session, [ticket])
    await record_event(session, ticket, "child_unlinked", who=str(actor), detail={"child": child_id})


async def _here(session: AsyncSession, ticket_id: int, child_id: int) -> Child:
    child = await lock_child(session, child_id)
    if await session.get(TicketChild, (ticket_id, child_id)) is None:
        raise ChildIsNotHere
    return child


async def _join(session: AsyncSession, ticket: Ticket, child_id: int, actor: Actor, what: str) -> None:
    session.add(TicketChild(ticket_id=ticket.id, child_id=child_id, at=clock.now()))
    await turn_page(session, [ticket])
    await record_event(session, ticket, what, who=str(actor), detail={"child": child_id})
    await defer(session, LOOK_JOB, ticket_id=ticket.id)


async def turn_page(session: AsyncSession, tickets: Iterable[Ticket] | Sequence[Ticket]) -> None:
    """Whoever has an older page of these locked tickets open must read again before they act."""
    for ticket in tickets:
        ticket.version += 1
    await session.flush()
