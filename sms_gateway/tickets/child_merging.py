"""Two records of one child become one, and back: nothing is deleted, every ticket keeps an event of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.errors import Conflict
from sms_gateway.jobs import defer

from . import children, same_child
from .actors import Actor
from .children import ChildFacts, ChildIsNotHere
from .models import Child, Ticket, TicketChild, TicketEvent
from .record import record_event


class CannotMergeChildren(Conflict):
    sentence = "这两条合不到一起：要是两条不同的、还没合并过的记录，年龄和性别也不能对不上。"


class CannotSplit(Conflict):
    sentence = "这条没有合并过，或者后来又合并到别处了，要先拆后面那一次。"


async def merge(
    session: AsyncSession, *, ticket_id: int, version: int | None, child_id: int, into_id: int, actor: Actor,
    why: str | None = None,
) -> Child:  # fmt: skip
    """`child_id` is the same child as `into_id`, which takes its tickets over and learns what it did not know.

    One of the two must be on the page's ticket. Raises `ChildNotFound`, `CannotMergeChildren`, and what `moves.lock` raises.
    """
    if child_id == into_id:
        raise CannotMergeChildren
    mine, theirs = [await children.ticket_ids(session, one) for one in (child_id, into_id)]
    if ticket_id not in (*mine, *theirs):
        raise ChildIsNotHere
    locked = await children.lock_tickets(session, ticket_id, version, [*mine, *theirs])
    both = {one: await children.lock_child(session, one) for one in sorted((child_id, into_id))}
    child, into = both[child_id], both[into_id]
    if not same_child.may_be_one(child, into):
        raise CannotMergeChildren
    filled = children.write(into, _with_gaps_filled(into, child))
    child.merged_into = into.id
    added = [one for one in mine if one not in theirs]
    session.add_all(TicketChild(ticket_id=one, child_id=into.id, at=clock.now(), via=child.id) for one in added)
    detail = {"child": child.id, "into": into.id, "filled": filled}
    await _note(session, locked, "children_merged", actor=actor, why=why, detail=detail)
    await defer(session, children.LOOK_JOB, ticket_id=ticket_id)
    return into


def _with_gaps_filled(into: Child, child: Child) -> ChildFacts:
    age = into.age if into.age is not None else same_child.age_now(child)
    about = {**(child.about or {}), **(into.about or {})}
    return ChildFacts(into.county or child.county, age, into.sex or child.sex, about)


async def split(
    session: AsyncSession, *, ticket_id: int, version: int | None, child_id: int, actor: Actor, why: str | None = None
) -> Child:  # fmt: skip
    """Take a merge back: `child_id` has its own tickets again, and what was only learned from it leaves the other record.

    Raises `ChildNotFound`, `CannotSplit`, and what `moves.lock` raises.
    """
    into_id = await session.scalar(select(Child.merged_into).where(Child.id == child_id))
    if into_id is None:
        raise CannotSplit
    affected = [*await children.ticket_ids(session, child_id), *await children.ticket_ids(session, into_id)]
    if ticket_id not in affected:
        raise ChildIsNotHere
    locked = await children.lock_tickets(session, ticket_id, version, affected)
    wanted = select(Child).where(Child.id.in_((child_id, into_id))).order_by(Child.id).with_for_update()
    both = {one.id: one for one in await session.scalars(wanted.execution_options(populate_existing=True))}
    child, into = both[child_id], both[into_id]
    if child.merged_into != into.id or into.merged_into is not None:
        raise CannotSplit
    children.write(into, _without_what_was_filled(into, child, await _filled_by(session, child, into)))
    child.merged_into = None
    await session.execute(delete(TicketChild).where(TicketChild.child_id == into.id, TicketChild.via == child.id))
    detail = {"child": child.id, "into": into.id}
    await _note(session, locked, "children_split", actor=actor, why=why, detail=detail)
    return child


async def _filled_by(session: AsyncSession, child: Child, into: Child) -> list[str]:
    """The fields `into` learned from `child`, as the last merge noted."""
    detail = TicketEvent.detail
    wanted = select(detail).where(TicketEvent.what == "children_merged", detail["child"].as_integer() == child.id)
    tickets = select(TicketChild.ticket_id).where(TicketChild.child_id == child.id)
    wanted = wanted.where(TicketEvent.ticket_id.in_(tickets), detail["into"].as_integer() == into.id)
    last = await session.scalar(wanted.order_by(TicketEvent.id.desc()).limit(1))
    return list(last.get("filled", ())) if last else []


def _without_what_was_filled(into: Child, child: Child, filled: list[str]) -> ChildFacts:
    """A field goes only while it still says what the other record said: what people wrote since stays."""
    said = {"county": child.county, "sex": child.sex, "age": same_child.age_now(child), **(child.about or {})}
    now = {"county": into.county, "sex": into.sex, "age": into.age, **(into.about or {})}
    gone = {key for key in filled if now.get(key) == said.get(key)}
    about = {key: words for key, words in (into.about or {}).items() if key not in gone}
    return ChildFacts(
        None if "county" in gone else into.county, None if "age" in gone else into.age,
        None if "sex" in gone else into.sex, about,
    )  # fmt: skip


async def list_merged_into(session: AsyncSession, child_ids: list[int]) -> list[Child]:
    """Records that were merged into one of these and may be split off again."""
    wanted = select(Child).where(Child.merged_into.in_(child_ids))
    return list(await session.scalars(wanted.order_by(Child.id)))


async def _note(
    session: AsyncSession, locked: Mapping[int, Ticket], what: str, *, actor: Actor, why: str | None,
    detail: Mapping[str, Any],
) -> None:  # fmt: skip
    await children.turn_page(session, locked.values())
    for ticket in locked.values():
        await record_event(session, ticket, what, who=str(actor), why=why, detail=detail)
