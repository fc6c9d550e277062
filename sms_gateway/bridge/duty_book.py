"""值守通讯录: who answers in a county day and night, kept by supervisors, tested by a call every month.

Red is computed, never stored: the last test that ended, or its absence, says it. These are numbers of offices and duty
phones; the desk sees them whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, regions
from sms_gateway.errors import BadInput, Conflict, NotFound
from sms_gateway.operators.presence import note as audit
from texts.normalise import clean

from .duty_rules import (
    BAD,
    CALLING_FOR,
    KINDS,
    LONGEST_NOTE,
    NEEDED,
    RED_AFTER,
    RESULTS,
    check_line,
    is_red,
    month_begins,
    parse_phone,
    shown_phone,
)
from .models import DutyPost, DutyTest

__all__ = ["KINDS", "RESULTS", "CountyStanding", "Post", "list_due", "on_hand", "red_counties"]

ORDER = {kind: place for place, kind in enumerate(KINDS)}
ON_HAND = 12
"""Posts beside a talk; a county may have a hundred villages."""
PROVINCE = "530000"


class PostNotFound(NotFound):
    sentence = "通讯录里没有这一条。"


class PostHasEnded(Conflict):
    sentence = "这一条刚被人停用或改了号码，请刷新后再看。"


class AlreadyInTheBook(Conflict):
    sentence = "这个县、这一类里已经有这个号码了。"


class ResultIsUnknown(BadInput):
    sentence = "请选拨测结果：接通、没人接、号码不对。"


class NoteIsTooLong(BadInput):
    sentence = f"备注不超过 {LONGEST_NOTE} 字。"


@dataclass(frozen=True)
class Post:
    """A line of the book as pages show it. `tested_at`, `result`, `by`, `note`: of the last test that ended."""

    id: int
    region: str
    kind: str
    name: str
    phone: str
    """As it is dialled."""
    hours: str
    made_at: datetime
    tested_at: datetime | None
    result: str | None
    by: int | None
    note: str | None
    calling: bool
    red: bool
    due: bool
    """No test that ended this month."""

    @property
    def shown(self) -> str:
        """The number as people read it."""
        return shown_phone(self.phone)


@dataclass(frozen=True)
class CountyStanding:
    """A place's book in numbers. `missing`: kinds it must have and has not, in the book's order."""

    adcode: str
    posts: int
    red: int
    due: int
    missing: tuple[str, ...]


def _tests() -> tuple[ColumnElement[datetime | None], ColumnElement[str | None], Select[DutyPost, DutyTest]]:
    """Time and result of each post's last test that ended, and posts in use with that test."""
    last = select(DutyTest.id, DutyTest.at, DutyTest.result)
    last = last.where(DutyTest.post_id == DutyPost.id, DutyTest.result != "calling")
    ended = last.order_by(DutyTest.id.desc()).limit(1).correlate(DutyPost).lateral("ended")
    wanted = (
        select(DutyPost, DutyTest)
        .select_from(DutyPost)
        .outerjoin(ended, true())
        .outerjoin(DutyTest, DutyTest.id == ended.c.id)
    )
    return ended.c.at, ended.c.result, wanted.where(DutyPost.ended_at.is_(None))


def _red(tested_at: ColumnElement[Any], result: ColumnElement[Any], now: datetime) -> ColumnElement[bool]:
    """`duty_rules.is_red` in SQL."""
    failed = func.coalesce(result.in_(BAD), False)
    return or_(failed, func.coalesce(tested_at, DutyPost.made_at) < now - RED_AFTER)


async def _posts(session: AsyncSession, wanted: Select[DutyPost, DutyTest]) -> list[Post]:
    rows: Sequence[tuple[DutyPost, DutyTest | None]] = (await session.execute(wanted)).all()
    now = clock.now()
    busy = select(DutyTest.post_id).where(DutyTest.post_id.in_([post.id for post, _test in rows]))
    busy = busy.where(DutyTest.result == "calling", DutyTest.at > now - CALLING_FOR)
    calling = set(await session.scalars(busy))
    since = month_begins(now)
    return [
        Post(
            id=post.id, region=post.region, kind=post.kind, name=post.name, phone=post.phone, hours=post.hours, made_at=post.made_at,
            tested_at=test.at if test else None, result=test.result if test else None, by=test.by if test else None,
            note=test.note if test else None, calling=post.id in calling, due=test is None or test.at < since,
            red=is_red(made_at=post.made_at, tested_at=test.at if test else None, result=test.result if test else None, now=now),
        )
        for post, test in rows
    ]  # fmt: skip


async def list_of(session: AsyncSession, adcode: str) -> list[Post]:
    """A place's posts in the book's order."""
    _at, _result, wanted = _tests()
    found = await _posts(session, wanted.where(DutyPost.region == adcode))
    return sorted(found, key=lambda post: (ORDER.get(post.kind, len(ORDER)), post.id))


async def on_hand(session: AsyncSession, adcode: str | None, *, limit: int = ON_HAND) -> list[Post]:
    """Whom to call for a child there, at most `limit`: 110 first, then the nearest police post, then civil affairs at night.

    A county without a 110 desk (or night desk of civil affairs) of its own gets its prefecture's, else the province's.
    Empty for None.
    """
    if not adcode:
        return []
    found = await list_of(session, adcode)
    above = dict.fromkeys((adcode[:4] + "00", PROVINCE))
    for place in above:
        if place == adcode:
            continue
        theirs = await list_of(session, place)
        for kind in ("desk110", "civil_night"):
            if not any(post.kind == kind for post in found):
                found += [post for post in theirs if post.kind == kind]
    return sorted(found, key=lambda post: (ORDER.get(post.kind, len(ORDER)), post.red))[:limit]


async def standings(session: AsyncSession) -> dict[str, CountyStanding]:
    """Every place of the province by its code: how many posts, red ones, untested ones, and which kinds are missing."""
    now = clock.now()
    tested_at, result, wanted = _tests()
    red = func.count().filter(_red(tested_at, result, now))
    due = func.count().filter(or_(tested_at.is_(None), tested_at < month_begins(now)))
    counted = wanted.with_only_columns(
        DutyPost.region, func.count(), red, due, func.array_agg(DutyPost.kind.distinct())
    )
    rows = {
        region: (posts, reds, dues, set(kinds))
        for region, posts, reds, dues, kinds in await session.execute(counted.group_by(DutyPost.region))
    }
    found = {}
    for place in regions.list_regions():
        posts, reds, dues, kinds = rows.get(place.adcode, (0, 0, 0, set()))
        missing = tuple(kind for kind in KINDS if kind in NEEDED[place.level] and kind not in kinds)
        found[place.adcode] = CountyStanding(place.adcode, posts, reds, dues, missing)
    return found


async def red_counties(session: AsyncSession) -> dict[str, int]:
    """How many posts are red, by adcode; only places that have one."""
    tested_at, result, wanted = _tests()
    counted = wanted.with_only_columns(DutyPost.region, func.count()).where(_red(tested_at, result, clock.now()))
    return dict((await session.execute(counted.group_by(DutyPost.region))).all())


async def list_red(session: AsyncSession, *, limit: int = 200) -> list[Post]:
    """Posts that are red, by place."""
    tested_at, result, wanted = _tests()
    reds = wanted.where(_red(tested_at, result, clock.now())).order_by(DutyPost.region, DutyPost.id)
    return await _posts(session, reds.limit(limit))


async def list_due(session: AsyncSession, *, within: str = "", limit: int = 100) -> tuple[list[Post], int]:
    """Posts to test this month and how many there are in all; the longest untested first. `within`: a place, or "" for all."""
    tested_at, _result, wanted = _tests()
    since = month_begins(clock.now())
    which = and_(or_(tested_at.is_(None), tested_at < since), DutyPost.region.startswith(_prefix(within)))
    number = await session.scalar(wanted.with_only_columns(func.count()).where(which)) or 0
    oldest = wanted.where(which).order_by(tested_at.asc().nulls_first(), DutyPost.region, DutyPost.id)
    return await _posts(session, oldest.limit(limit)), number


def _prefix(adcode: str) -> str:
    if not adcode:
        return ""
    return adcode[: {"province": 2, "prefecture": 4, "county": 6}[regions.get_region(adcode).level]]


async def get_post(session: AsyncSession, post_id: int, *, for_update: bool = False) -> DutyPost:
    """A line of the book, ended or not. Raises `PostNotFound`."""
    post = await session.get(DutyPost, post_id, with_for_update=for_update)
    if post is None:
        raise PostNotFound
    return post


async def add(
    session: AsyncSession, *, region: str, kind: str, name: str, phone: str, hours: str, by: int | None
) -> DutyPost:
    """A new line. Raises `RegionNotFound`, `NotADutyNumber`, `KindIsUnknown`, `NameIsMissing`, `AlreadyInTheBook`."""
    regions.get_region(region)
    name, hours = check_line(kind, name, hours)
    dialled = parse_phone(phone)
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"duty_posts:{region}:{kind}"))))
    beside = select(DutyPost).where(DutyPost.region == region, DutyPost.kind == kind, DutyPost.ended_at.is_(None))
    if any(post.phone == dialled for post in await session.scalars(beside)):
        raise AlreadyInTheBook
    post = DutyPost(region=region, kind=kind, name=name, phone=dialled, hours=hours, made_at=clock.now(), made_by=by)
    session.add(post)
    await session.flush()
    await audit(session, operator_id=by, what="add_duty_post", subject=f"duty_post:{post.id}")
    return post


async def mend(session: AsyncSession, post_id: int, *, name: str, phone: str, hours: str, by: int) -> DutyPost:
    """Change a line. Another number is another line: the old one ends with its tests, the new one is untested."""
    post = await get_post(session, post_id, for_update=True)
    if post.ended_at is not None:
        raise PostHasEnded
    name, hours = check_line(post.kind, name, hours)
    if parse_phone(phone) != post.phone:
        await end(session, post_id, by=by)
        return await add(session, region=post.region, kind=post.kind, name=name, phone=phone, hours=hours, by=by)
    post.name, post.hours = name, hours
    await audit(session, operator_id=by, what="mend_duty_post", subject=f"duty_post:{post.id}")
    return post


async def end(session: AsyncSession, post_id: int, *, by: int) -> None:
    """Nobody answers there any more. Raises `PostNotFound`, `PostHasEnded`."""
    post = await get_post(session, post_id, for_update=True)
    if post.ended_at is not None:
        raise PostHasEnded
    post.ended_at = clock.now()
    await audit(session, operator_id=by, what="end_duty_post", subject=f"duty_post:{post_id}")


async def note_test(session: AsyncSession, post_id: int, *, result: str, words: str, by: int) -> DutyTest:
    """A test call made by hand. `result`: a key of `RESULTS`; `words`: who answered, or what was heard. Append-only."""
    words = clean(words).strip()
    if result not in RESULTS:
        raise ResultIsUnknown
    if len(words) > LONGEST_NOTE:
        raise NoteIsTooLong
    post = await get_post(session, post_id, for_update=True)
    if post.ended_at is not None:
        raise PostHasEnded
    made = DutyTest(post_id=post_id, at=clock.now(), by=by, result=result, note=words or None)
    session.add(made)
    await audit(session, operator_id=by, what="test_duty_post", subject=f"duty_post:{post_id}")
    return made


async def list_tests(session: AsyncSession, post_ids: Sequence[int], *, each: int = 6) -> dict[int, list[DutyTest]]:
    """The newest `each` tests of these posts, newest first."""
    place = func.row_number().over(partition_by=DutyTest.post_id, order_by=DutyTest.id.desc())
    ranked = select(DutyTest.id, place.label("place")).where(DutyTest.post_id.in_(post_ids)).subquery()
    newest = select(DutyTest).join(ranked, ranked.c.id == DutyTest.id).where(ranked.c.place <= each)
    found: dict[int, list[DutyTest]] = {}
    for test in await session.scalars(newest.order_by(DutyTest.id.desc())):
        found.setdefault(test.post_id, []).append(test)
    return found
